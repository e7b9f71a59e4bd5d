"""Where batches run. An executor takes tasks and gives their outcomes, in any order; the caller alone writes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from functools import cached_property
from pathlib import Path
from typing import Protocol

from tshdb.engine.analysis import Analysis
from tshdb.engine.compute import Outcome, Task, compute
from tshdb.engine.homes import Home
from tshdb.engine.identity import load_all
from tshdb.pool import kill, killed_is_said, make_pool


class Executor(Protocol):
    """Runs tasks. A cluster fills this interface as the pool below does.

    workers: how many it runs at once here; left_out: workers that got no task, and why.
    """

    workers: int
    left_out: dict[str, str]

    def load(self, modules: Sequence[str], libraries: Sequence[str], homes: Sequence[Home] = ()) -> None:
        """Have every worker import these before its first task, so that an edit from then on does not touch it."""
        ...

    def run(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, list[Outcome]]]:
        """Each task with its outcomes, as they come; takes tasks no faster than it can run them."""
        ...

    def close(self) -> None: ...


class InProcess:
    """One task after the other, here."""

    workers = 1

    def __init__(self):
        self.left_out: dict[str, str] = {}

    def load(self, modules: Sequence[str], libraries: Sequence[str], homes: Sequence[Home] = ()) -> None:
        """All is loaded here: by the caller."""

    def run(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, list[Outcome]]]:
        for task in tasks:
            yield task, compute(task)

    def close(self) -> None:
        """Nothing to close."""


class ProcessPool:
    """Worker processes on this machine, started clean (no fork of a process with threads or open databases)."""

    def __init__(self, workers: int):
        self.workers = workers
        self.left_out: dict[str, str] = {}
        self._to_load: tuple[Sequence[str], Sequence[str], Sequence[Home]] = (), (), ()
        self._waiting: dict[Future, Task] = {}

    @cached_property
    def _pool(self) -> ProcessPoolExecutor:
        return make_pool(self.workers, initializer=load_all, initargs=self._to_load)

    def load(self, modules: Sequence[str], libraries: Sequence[str], homes: Sequence[Home] = ()) -> None:
        """The workers start with the first task."""
        self._to_load = modules, libraries, homes

    def run(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, list[Outcome]]]:
        source = iter(tasks)
        while True:
            while len(self._waiting) <= self.workers:
                task = next(source, None)
                if task is None:
                    break
                with killed_is_said():
                    self._waiting[self._pool.submit(compute, task)] = task
            if not self._waiting:
                return
            finished, _ = wait(self._waiting, return_when=FIRST_COMPLETED)
            for future in finished:
                with killed_is_said():
                    outcomes = future.result()
                yield self._waiting.pop(future), outcomes

    def close(self) -> None:
        """End the workers. What they still compute after a signal or an error nobody will take: it is not waited for."""
        if "_pool" not in vars(self):
            return
        if self._waiting:
            kill(self._pool)
        self._pool.shutdown()


def executor_for(
    jobs: int, dask: str | None = None, objects: Path = Path(), analyses: Sequence[Analysis] = ()
) -> Executor:
    """One process for one job, else a pool; with the address of a Dask scheduler, its workers.

    objects, analyses: what the workers of a scheduler must see, and whose libraries they must have.
    """
    if dask is not None:
        from tshdb.engine.cluster import Cluster

        return Cluster(dask, objects, analyses)
    return InProcess() if jobs <= 1 else ProcessPool(jobs)
