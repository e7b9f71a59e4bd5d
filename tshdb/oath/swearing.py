"""The whole oath of one analysis: a study is made for it, and every promise is tried there."""

from __future__ import annotations

import os
import pickle
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tshdb.engine.executor import InProcess
from tshdb.files import temporary_folder
from tshdb.guests import trust
from tshdb.guests.listing import listing_of
from tshdb.oath import alone, declared, kept, results, trial_study
from tshdb.oath.promise import Promise, Sworn
from tshdb.oath.request import ONE, OTHER, Request, Surroundings, ask

if TYPE_CHECKING:
    from tshdb.engine.report import Report
    from tshdb.study import Study

SLOW_SECONDS = 2.0  # of all tasks together: then a few keys stand for all
PROMISES = (
    "computed", "determinism", "company", "order", "workers", "kill", "correction", "withdrawal", "reads", "declaration",
)  # fmt: skip
Progress = Callable[[str, int, int], None]


class Recording(InProcess):
    """Keeps the tasks of one analysis as they are handed over, and how long they take."""

    def __init__(self, name: str):
        super().__init__()
        self.name, self.seconds = name, 0.0
        self.tasks: list[bytes] = []

    def run(self, tasks):
        """See `Executor`."""
        for task in tasks:
            if task.analysis.endswith(f":{self.name}"):
                self.tasks.append(pickle.dumps(task))
            for done, outcomes in super().run([task]):
                if done.analysis.endswith(f":{self.name}"):
                    self.seconds += sum(o.seconds for o in outcomes)
                yield done, outcomes


def swear(study: Study, name: str, progress: Progress = lambda *_: None, only: Sequence[str] = PROMISES) -> Sworn:
    """Try every promise on data made for the analysis, with the parameters of this study; nothing in it is touched.

    only: the promises that are tried; `computed` always is.

    Raises NotFound for an analysis that there is not, or that may not run.
    """
    began = time.perf_counter()
    with temporary_folder("tshdb-oath-") as folder, _own_account(folder):
        oath = _Oath(study, name, folder, progress, frozenset(only))
        promises = tuple(oath.swear())
        return Sworn(name, oath.origin, oath.made_of, promises, time.perf_counter() - began)


@contextmanager
def _own_account(folder: Path) -> Iterator[None]:
    """What is learned here of costs and trust is told to nobody."""
    before = os.environ.get("TSHDB_HOME")
    trusted = trust.trusted()
    os.environ["TSHDB_HOME"] = str(folder / "account")
    try:
        for each in trusted:
            trust.trust(each.digest, Path(each.study), each.files)
        yield
    finally:
        if before is None:
            del os.environ["TSHDB_HOME"]
        else:
            os.environ["TSHDB_HOME"] = before


class _Oath:
    """The steps, in their order."""

    def __init__(self, asked: Study, name: str, folder: Path, progress: Progress, only: frozenset[str]):
        self.folder, self.progress, self.only = folder, progress, only
        self.progress("data is made", 0, len(PROMISES))
        self.trial = trial_study.make(asked, name, folder / "study")
        self.analysis = self.trial.analysis
        origin = listing_of(self.trial.study).origin(self.analysis)
        self.origin = str(origin) if origin is not None else "tshdb"
        self.base = self.trial.copied(folder / "base")
        self.recording = Recording(name)
        self.report = self.trial.rebuild(executor=self.recording)
        self.tasks = tuple(self.recording.tasks)
        self.stored = results.of_study(self.trial.study, self.analysis)

    @property
    def made_of(self) -> str:
        if self.trial.has_images:
            return "4 simulated patients with images"
        return f"{len(self.trial.tables.patients)} patients of the example, and features that were drawn"

    def swear(self) -> Iterator[Promise]:
        yield self._computed(self.report)
        wanted = [name for name in PROMISES[1:] if name in self.only]
        if not self.tasks:
            yield from (Promise(name, None, "nothing was computed") for name in wanted)
            return
        with ThreadPoolExecutor(1) as pool:  # processes of their own, beside what is tried in this one
            asked = {name: pool.submit(ask, *request) for name, request in self._requests().items()}
            tried = {promise.name: promise for promise in self._tried_in_studies()}
            answers = {name: answer.result() for name, answer in asked.items()}
        tried |= {promise.name: promise for promise in self._tried_alone(answers)}
        yield from (tried[name] for name in wanted)

    def _requests(self) -> dict[str, tuple[Request, Surroundings]]:
        """What processes are asked, as far as a promise that is tried needs it."""
        is_slow = self.recording.seconds > SLOW_SECONDS
        keyed = ("alone", "together") if self.analysis.kind in alone.KEYED else ()
        needs = {"determinism": ("again",), "company": keyed, "declaration": ("parts", "raw")}
        jobs = ("whole", *(job for name, of_it in needs.items() if name in self.only for job in of_it))
        requests = {}
        if self.only & set(needs):
            options = {"is_slow": is_slow, "n_tasks": 1 if is_slow else 3}
            requests["here"] = Request(jobs, self.tasks, ONE.state, options), ONE
        if "determinism" in self.only:
            requests["there"] = Request(("whole",), self.tasks, OTHER.state), OTHER
        if "reads" in self.only and not alone.is_program(self.analysis):
            project = {"project": sorted(alone.project_of(self.trial.world, self.analysis))}
            requests["watched"] = Request(("watched",), self.tasks[: 1 if is_slow else None], 3, project), ONE
        return requests

    def _tried_alone(self, answers: Mapping[str, Mapping[str, Any]]) -> Iterator[Promise]:
        here, world = answers.get("here", {}), self.trial.world
        if "determinism" in self.only:
            yield alone.determinism(self.stored, here, answers["there"], self.tasks)
        if "company" in self.only:
            yield alone.company(self.analysis, here)
        if "reads" in self.only:
            yield alone.reads(world, self.analysis, answers.get("watched", {}).get("watched", {}))
        if "declaration" in self.only:
            yield declared.declaration(world, self.analysis, here, self.stored)

    def _tried_in_studies(self) -> Iterator[Promise]:
        seconds = self.recording.seconds / len(self.tasks) / 2
        steps: dict[str, Callable[[], Promise]] = {
            "order": lambda: kept.order(self.trial, self.stored, self.folder / "shuffled"),
            "workers": lambda: kept.workers(self.base, self.stored, self.folder / "workers"),
            "kill": lambda: kept.kill(self.base, self.stored, self.folder / "killed", seconds, len(self.tasks)),
            "correction": lambda: kept.correction(self.trial, self.stored),
            "withdrawal": lambda: kept.withdrawal(self.trial),
        }
        for name, step in steps.items():
            if name in self.only:
                self.progress(name, PROMISES.index(name), len(PROMISES))
                yield step()

    def _computed(self, report: Report) -> Promise:
        """That there is something to try: results without failures, and rows in them."""
        name = self.analysis.name
        n_rows, n = results.rows_of(self.stored), len(self.stored)
        if failed := report.failed.get(name):
            first = next(iter(failed.items()))
            return Promise("computed", False, f"{len(failed)} of {n} units failed", (f"{first[0]}: {first[1]}",))
        if blocked := report.blocked.get(name):
            return Promise("computed", False, f"{len(blocked)} units are blocked", tuple(blocked.values())[:3])
        if not n:
            return Promise("computed", False, "no unit on the data that was made for it: nothing could be tried",
                           tuple(message for by_reason in report.discarded.values() for message in by_reason))  # fmt: skip
        if not n_rows and (behind := [f"{of}: {m}" for of, by_key in report.failed.items() for m in by_key.values()]):
            return Promise("computed", False, "no row, since what it rests on failed", tuple(behind[:3]))
        if not n_rows:
            return Promise(
                "computed", None, f"{n} units on the data that was made for it, and no row: the rest says little"
            )
        return Promise("computed", True, f"{n} units with {n_rows} rows in {self.recording.seconds:.1f} s")
