"""Batches on a Dask cluster: the same tasks, the same results, other machines.

The scheduler's address comes from the user (`rebuild --dask tcp://…`). Workers need this very program (its sources, Python and
libraries are compared) and the study's objects and images under the same paths: a shared folder. Workers compute; the process
that was started alone writes to the database.

Workers come and go. Those that are there when the run begins must all be alike; one that joins later is compared first, and
gets no task unless it is. Every answer says again what its process is, since a worker may be started anew under the same
address: what another process than ours computed is thrown away, its worker is left out, and the task is sent again. A worker
that dies loses nothing: its tasks are given to others. Needs the extra `cluster` (distributed).
"""

from __future__ import annotations

import hashlib
import importlib.util
import platform
import queue
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from tshdb.engine.analysis import Analysis
from tshdb.engine.compute import Outcome, Task, compute
from tshdb.engine.homes import Home
from tshdb.engine.identity import libraries_of, load_all, version_of
from tshdb.errors import ResourceError, Untrustworthy, UsageError
from tshdb.loaded import NotShown, is_loaded, text_of

AHEAD = 2  # tasks a thread of the cluster may have waiting
TIMEOUT_S = 10
LOOK_S = 1.0  # how often it is looked who is there
ANSWER_S = 60.0  # how long an answer may take on its way
ALONE_S = 60.0  # how long a run waits for a worker that is alike
TRIES = 5  # of a task whose answers are thrown away
PACKAGES = ("tshdb", "analyses")


class Answer(NamedTuple):
    """What a worker sends back: what its process is, and the outcomes; none if it is not what was asked for."""

    worker: str
    facts: dict[str, str]
    outcomes: list[Outcome]


class Sent(NamedTuple):
    """A task on its way. workers: those that may compute it; tries: how often it was sent before."""

    task: Task
    future: Any
    workers: frozenset[str]
    tries: int


class Cluster:
    """The workers of a scheduler. Raises ResourceError where none answers, UsageError for workers that are not alike."""

    workers = 1  # on this machine, that is: a task may use one thread of its worker

    def __init__(self, address: str, objects: Path, analyses: Sequence[Analysis]):
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
        self.left_out: dict[str, str] = {}
        self._asked = str(objects), tuple(libraries_of(analyses))
        self._mine = facts(*self._asked)
        self._to_load: tuple[Sequence[str], Sequence[str], Sequence[Home]] = (), (), ()
        self._alike: dict[str, int] = {}  # worker -> its threads
        try:
            self._look()
            self._begin(address)
        except BaseException:
            self._client.close()
            raise

    def _begin(self, address: str) -> None:
        """All workers must be what this process is, and see its objects."""
        for worker, difference in sorted(self.left_out.items()):
            raise UsageError(
                difference, where=f"worker {worker}",
                repair="Results must not depend on where they are computed: make them alike",
            )  # fmt: skip
        if not self._alike:
            raise ResourceError("the cluster has no worker", where=address, repair="dask worker ADDRESS")

    def _look(self) -> None:
        """Who is there, and is alike. Who is new is compared."""
        there = self._client.nthreads()
        new = [worker for worker in there if worker not in self._alike and worker not in self.left_out]
        if new:
            facts_of_worker = self._client.run(joined, *self._to_load, *self._asked, workers=new, on_error="return")
            for worker, theirs in facts_of_worker.items():
                if isinstance(theirs, OSError):  # it went while it was asked
                    continue
                if difference := self._difference(theirs):
                    self.left_out[worker] = difference
                else:
                    self._alike[worker] = there[worker]
        self._alike = {worker: n for worker, n in self._alike.items() if worker in there}

    def _difference(self, theirs: dict[str, str] | Exception) -> str | None:
        """In what a process is not as this one, in words; None if it is."""
        if isinstance(theirs, Exception):
            return f"it does not run this program ({type(theirs).__name__}: {theirs})"
        differences = (
            f"its {n} is {theirs.get(n)}, here it is {v}" for n, v in self._mine.items() if theirs.get(n) != v
        )
        return next(differences, None)

    def load(self, modules: Sequence[str], libraries: Sequence[str], homes: Sequence[Home] = ()) -> None:
        """See `executor.Executor`. All workers are looked at again; those that join later load first."""
        self._to_load = modules, libraries, homes
        self._alike = {}
        self._look()

    def run(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, list[Outcome]]]:
        """See `executor.Executor`."""
        source = iter(tasks)
        sent: dict[str, Sent] = {}
        ended: queue.SimpleQueue[str] = queue.SimpleQueue()

        def send(task: Task, tries: int = 0) -> None:
            workers = frozenset(self._alike)
            future = self._client.submit(
                answer, task, *self._asked, pure=False, workers=sorted(workers), allow_other_workers=False
            )
            sent[str(future.key)] = Sent(task, future, workers, tries)
            future.add_done_callback(lambda done: ended.put(str(done.key)))

        self._wait()
        looked, is_more = time.monotonic(), True
        while True:
            while is_more and len(sent) < AHEAD * sum(self._alike.values()):
                task = next(source, None)
                is_more = task is not None
                if task is not None:
                    send(task)
            if not sent:
                return
            try:
                key = ended.get(timeout=LOOK_S)
            except queue.Empty:
                key = None
            if time.monotonic() - looked > LOOK_S:
                looked = time.monotonic()
                self._look()
                for lost in [s for s in sent.values() if not s.workers & self._alike.keys() and not s.future.done()]:
                    self._wait()
                    del sent[lost.future.key]
                    lost.future.cancel()
                    send(lost.task, lost.tries)
            if key not in sent:
                continue
            back = sent.pop(key)
            try:
                outcomes = self._taken(back)
            except TimeoutError:  # its worker died with the answer: it is computed again
                sent[key] = back
                back.future.add_done_callback(lambda done: ended.put(done.key))
                continue
            if outcomes is None and back.tries < TRIES:
                self._wait()
                send(back.task, back.tries + 1)
            else:
                yield back.task, outcomes or self._refused(back)

    def _taken(self, sent: Sent) -> list[Outcome] | None:
        """The outcomes of an answer; None if another process than ours gave it: then its worker gets no task any more."""
        try:
            worker, theirs, outcomes = sent.future.result(timeout=ANSWER_S)
        except (TimeoutError, Untrustworthy):
            raise
        except Exception as error:  # what else an analysis raises is an outcome; this is the cluster's trouble
            raise ResourceError(
                f"the cluster lost a task ({type(error).__name__}: {error})", where="--dask",
                repair="What was committed is saved; run the same command again",
            ) from error  # fmt: skip
        difference = self._difference(theirs)
        if difference is None:
            difference = next((o.why_foreign for o in outcomes if o.loaded != sent.task.loaded), None)
        if difference is None:
            return outcomes
        self._alike.pop(worker, None)
        self.left_out[worker] = difference
        return None

    def _wait(self) -> None:
        """Until a worker is there that is alike. Raises ResourceError where none comes."""
        until = time.monotonic() + ALONE_S
        while not self._alike:
            if time.monotonic() > until:
                why = "".join(f"; worker {worker}: {reason}" for worker, reason in self.left_out.items())
                raise ResourceError(
                    f"no worker is left that is as this program{why}", where="--dask",
                    repair="Start workers of this program (dask worker ADDRESS) and run the same command again",
                )  # fmt: skip
            time.sleep(LOOK_S / 4)
            self._look()

    def _refused(self, sent: Sent) -> list[Outcome]:
        """Outcomes that nobody will take, of a task that no worker computed as this program would."""
        return [Outcome(key, [], None, None, 0.0, "", f"{sent.tries + 1} workers") for key in sent.task.keys]

    def close(self) -> None:
        self._client.close()


def answer(task: Task, objects: str, libraries: tuple[str, ...]) -> Answer:
    """A task computed on a worker, with what the worker's process is."""
    from distributed import get_worker

    return Answer(get_worker().address, facts(objects, libraries), compute(task))


def facts(objects: str, libraries: tuple[str, ...]) -> dict[str, str]:
    """What must be the same everywhere for results to be the same."""
    known = {"Python": platform.python_version(), "program": _sources()}
    known |= {name: version_of(name) for name in libraries}
    known["view of the objects"] = "there" if Path(objects).is_dir() else f"without {objects}"
    return known


def joined(
    modules: Sequence[str], strict: Sequence[str], homes: Sequence[Home], objects: str, libraries: tuple[str, ...]
) -> dict[str, str]:
    """What a worker is, once it has loaded what its tasks will need."""
    load_all(modules, strict, homes)
    return facts(objects, libraries)


@cache
def _sources() -> str:
    """A digest of the program's sources, as this process has loaded them, or would have when it was first asked."""
    digest = hashlib.sha256()
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            continue
        root = Path(spec.submodule_search_locations[0])
        for path in sorted(root.rglob("*.py")):
            parts = (package, *path.relative_to(root).with_suffix("").parts)
            digest.update(f"{'.'.join(parts)}\0{_source(path, '.'.join(parts).removesuffix('.__init__'))}".encode())
    return digest.hexdigest()[:16]


def _source(path: Path, module: str) -> str:
    try:
        return text_of(module) if is_loaded(module) else importlib.util.decode_source(path.read_bytes())
    except NotShown as error:
        return str(error)
