"""What a process of its own is asked to do with an analysis, and its answer; and starting one.

Each process has another hash seed, working folder, time zone, language, home, command line and state of the global random
generators, so that a result that rests on any of them differs.
"""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tshdb.errors import ResourceError
from tshdb.files import temporary_folder

BEGIN = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from tshdb.oath.child import main; main(*sys.argv[2:])"
)
SECONDS = 900
NEEDED = ("PATH", "LD_LIBRARY_PATH", "TSHDB_HOME", "TMPDIR", "SYSTEMROOT")  # without which no program starts
KERNELS = (
    "OPENBLAS_",
    "OMP_",
    "MKL_",
    "BLIS_",
    "NPY_",
    "NVPL_",
)  # they choose code for this machine, as another one would


@dataclass(frozen=True)
class Surroundings:
    """What a process is started in. state: of the global random generators."""

    hash_seed: int
    zone: str
    language: str
    state: int
    has_environment: bool = True  # or only what a program needs to start

    def environment(self, home: Path) -> dict[str, str]:
        kept = {
            name: value for name, value in os.environ.items()
            if self.has_environment or name in NEEDED or name.startswith(KERNELS)
        }  # fmt: skip
        return {
            **kept, "PYTHONHASHSEED": str(self.hash_seed), "TZ": self.zone, "LANG": self.language,
            "LC_ALL": self.language, "HOME": str(home), "USER": f"user{self.state}", "PYTHONWARNINGS": "ignore",
        }  # fmt: skip


ONE = Surroundings(1, "UTC", "C.UTF-8", 11)
OTHER = Surroundings(4242, "Asia/Kathmandu", "C", 77, has_environment=False)
APART: Mapping[str, Surroundings] = {  # one thing of OTHER at a time, to say which it was
    "the seed of hash()": Surroundings(4242, "UTC", "C.UTF-8", 11),
    "the time zone": Surroundings(1, "Asia/Kathmandu", "C.UTF-8", 11),
    "the language": Surroundings(1, "UTC", "C", 11),
    "the state of the global random generators": Surroundings(1, "UTC", "C.UTF-8", 77),
    "variables of the environment": Surroundings(1, "UTC", "C.UTF-8", 11, has_environment=False),
}


@dataclass(frozen=True)
class Request:
    """jobs: names of functions of `child`; tasks: pickled; options: what these functions read besides."""

    jobs: tuple[str, ...]
    tasks: tuple[bytes, ...] = ()
    state: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)


class Died(ResourceError):
    """The process ended without an answer. code: as the system gives it."""

    code = 0


def ask(request: Request, surroundings: Surroundings = ONE, **environment: str) -> dict[str, Any]:
    """The answers of a new process, by job. Raises Died, a ResourceError, where it ended without one."""
    with temporary_folder("tshdb-oath-") as folder:
        home = folder / f"home-{surroundings.state}"
        home.mkdir()
        question, answer = folder / "question", folder / "answer"
        question.write_bytes(pickle.dumps(request))
        paths = json.dumps([str(Path(p).resolve()) if p else os.getcwd() for p in sys.path])
        done = subprocess.run(
            [sys.executable, "-c", BEGIN, paths, str(question), str(answer)],
            cwd=home, env=surroundings.environment(home) | environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=SECONDS,
        )  # fmt: skip
        if not answer.exists():
            last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
            died = Died(
                f"the process of the oath ended with {done.returncode}: {''.join(last)}", where="tshdb check analysis"
            )
            died.code = done.returncode
            raise died
        return pickle.loads(answer.read_bytes())  # noqa: S301 - written by the process that was started here
