"""Measuring: commands in fresh processes, wall time and peak memory, the best of several runs, results in a table."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BASELINES = Path(os.environ.get("TSHDB_BASELINES", ROOT / ".venv-bench")) / "bin"
WARM = Path(__file__).with_name("warm.py")


@dataclass(frozen=True)
class Measured:
    """One line of the report. ratio: baseline / value, so that more is better for us; None where there is no baseline."""

    what: str
    value: float
    unit: str
    baseline: str | None = None
    baseline_value: float | None = None
    goal: str | None = None
    is_met: bool | None = None

    @property
    def ratio(self) -> float | None:
        return None if self.baseline_value is None else self.baseline_value / self.value


@dataclass(frozen=True)
class Ran:
    """A process that has ended: seconds of wall time, the peak of its resident memory in MiB, and seconds on a processor."""

    seconds: float
    peak_mib: float
    cpu_seconds: float = 0.0


def run(command: Sequence[str | Path], cwd: Path, env: dict[str, str] | None = None) -> Ran:
    """Run a command to its end. Raises RuntimeError with its output when it fails."""
    out = cwd / ".benchmark-output"
    with out.open("wb") as file:
        started = time.perf_counter()
        process = subprocess.Popen(
            [str(c) for c in command], cwd=cwd, stdout=file, stderr=file, env={**os.environ, **(env or {})}
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))} failed:\n{out.read_text()[-3000:]}")
    return Ran(seconds, usage.ru_maxrss / 1024, usage.ru_utime + usage.ru_stime)


def best(action: Callable[[], Ran], times: int = 5) -> Ran:
    """The quickest of several runs, with the largest memory."""
    runs = [action() for _ in range(times)]
    return Ran(min(r.seconds for r in runs), max(r.peak_mib for r in runs))


def worked(
    python: Path | str,
    entry: str,
    arguments: Sequence[str],
    template: Path | None,
    scratch: Path,
    prepare: Callable[[Path], None],
    *,
    cwd: Path | None = None,
    times: int = 3,
    less: Callable[[Path], float] = lambda _: 0.0,
) -> float:
    """Seconds that a program works without interpreter start and imports: the best of `times`.

    Each run is on a fresh copy of `template`, made ready by `prepare(copy)` before the clock starts; or in `cwd`.
    less(folder): seconds of that run which do not count.
    """
    modules = scratch / f"modules-{entry.replace(':', '-')}-{arguments[0].strip('-')}.json"
    result = scratch / "result.json"
    environment = {"PATH": f"{Path(python).parent}:{os.environ['PATH']}"}
    seconds = []
    modules.unlink(missing_ok=True)
    for _ in range(times + 1):  # the first run records the modules
        folder = cwd
        if template is not None:
            folder = scratch / "copy"
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(template, folder, symlinks=True)
            prepare(folder)
        run([python, WARM, modules, result, entry, *arguments], folder, environment)
        seconds.append(json.loads(result.read_text())["seconds"] - less(folder))
    return min(seconds[1:], default=seconds[0])


def baseline_tool(name: str) -> Path:
    """The interpreter with the workflow systems that we are compared with. Exits with a repair when it is not there."""
    if not (BASELINES / name).exists():
        sys.exit(f"{name} is not in {BASELINES}: make bench installs it, or set TSHDB_BASELINES to its environment")
    return BASELINES / "python"
