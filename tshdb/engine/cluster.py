"""Batches on a Dask cluster: the same tasks, the same results, other machines.

The scheduler's address comes from the user (`rebuild --dask tcp://…`). Workers need this very program (its sources, Python and
libraries are compared before anything is sent) and the study's objects and images under the same paths: a shared folder. Workers
compute; the process that was started alone writes to the database. A worker that dies loses nothing: its tasks are given to
others. Needs the extra `cluster` (distributed).
"""

from __future__ import annotations

import hashlib
import importlib.util
import platform
from collections.abc import Iterable, Iterator
from pathlib import Path

from tshdb.engine.compute import Outcome, Task, compute
from tshdb.errors import ResourceError, UsageError
from tshdb.process import library_version

AHEAD = 2  # tasks a thread of the cluster may have waiting
TIMEOUT_S = 10
SAME = ("numpy", "pandas", "scipy", "SimpleITK", "pydicom", "pyradiomics", "scikit-learn", "lifelines")
PACKAGES = ("tshdb", "analyses")


class Cluster:
    """The workers of a scheduler. Raises ResourceError where none answers, UsageError for workers that are not alike."""

    workers = 1  # on this machine, that is: a task may use one thread of its worker

    def __init__(self, address: str, objects: Path):
        try:
            from distributed import Client
        except ImportError:
            raise ResourceError(
                "distributed is not installed", where="--dask", repair="pip install 'tshdb[cluster]'"
            ) from None
        try:
            self._client = Client(address, timeout=TIMEOUT_S, set_as_default=False)
        except (OSError, ValueError) as error:
            raise ResourceError(
                f"no Dask scheduler answers ({error})", where=address, repair="dask scheduler; dask worker ADDRESS"
            ) from None
        self._compare(address, objects)

    def _compare(self, address: str, objects: Path) -> None:
        """All workers must be what this process is, and see its objects."""
        mine = facts(str(objects))
        found = self._client.run(facts, str(objects))
        if not found:
            self._client.close()
            raise ResourceError("the cluster has no worker", where=address, repair="dask worker ADDRESS")
        for worker, theirs in sorted(found.items()):
            for name in mine:
                if theirs.get(name) != mine[name]:
                    self._client.close()
                    raise UsageError(
                        f"its {name} is {theirs.get(name)}, here it is {mine[name]}", where=f"worker {worker}",
                        repair="Results must not depend on where they are computed: make them alike",
                    )  # fmt: skip

    def run(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, list[Outcome]]]:
        """See `executor.Executor`."""
        from distributed import as_completed

        source = iter(tasks)
        waiting: dict[str, Task] = {}
        done = as_completed([], loop=self._client.loop)

        def send() -> bool:
            task = next(source, None)
            if task is None:
                return False
            future = self._client.submit(compute, task, pure=False)
            waiting[future.key] = task
            done.add(future)
            return True

        for _ in range(AHEAD * max(sum(self._client.nthreads().values()), 1)):
            if not send():
                break
        for future in done:
            try:
                outcomes = future.result()
            except Exception as error:  # what an analysis raises is an outcome; this is the cluster's trouble
                raise ResourceError(
                    f"the cluster lost a task ({type(error).__name__}: {error})", where="--dask",
                    repair="What was committed is saved; run the same command again",
                ) from error  # fmt: skip
            yield waiting.pop(future.key), outcomes
            send()

    def close(self) -> None:
        self._client.close()


def facts(objects: str) -> dict[str, str]:
    """What must be the same everywhere for results to be the same."""
    found = {"Python": platform.python_version(), "program": _sources()}
    found |= {name: library_version(name) for name in SAME}
    found["view of the objects"] = "there" if Path(objects).is_dir() else f"without {objects}"
    return found


def _sources() -> str:
    """A digest of the program's sources that compute."""
    digest = hashlib.sha256()
    for package in PACKAGES:
        root = Path(importlib.util.find_spec(package).submodule_search_locations[0])
        for path in sorted(root.rglob("*.py")):
            digest.update(str(path.relative_to(root)).encode() + path.read_bytes())
    return digest.hexdigest()[:16]
