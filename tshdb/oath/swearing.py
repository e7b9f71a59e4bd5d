"""The whole oath of one analysis: a study is made for it, and every promise is tried there."""

from __future__ import annotations

import os
import pickle
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tshdb.engine.executor import InProcess
from tshdb.guests.listing import listing_of
from tshdb.oath import alone, declared, kept, results, trial_study
from tshdb.oath.promise import Promise, Sworn
from tshdb.oath.request import ONE, OTHER, Request, ask

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


def swear(study: Study, name: str, progress: Progress = lambda *_: None) -> Sworn:
    """Try every promise on data made for the analysis, with the parameters of this study; nothing in it is touched.

    Raises NotFound for an analysis that there is not, or that may not run.
    """
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="tshdb-oath-") as folder, _own_account(Path(folder)):
        oath = _Oath(study, name, Path(folder), progress)
        promises = tuple(oath.swear())
    origin = oath.origin
    return Sworn(name, origin, oath.made_of, promises, time.perf_counter() - began)


@contextmanager
def _own_account(folder: Path) -> Iterator[None]:
    """What is learned here of costs and trust is told to nobody."""
    before = os.environ.get("TSHDB_HOME")
    from tshdb.guests import trust
    from tshdb.places import user_data

    trusted = trust.trusted()
    account = folder / "account"
    os.environ["TSHDB_HOME"] = str(account)
    try:
        assert user_data() == account
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

    def __init__(self, asked: Study, name: str, folder: Path, progress: Progress):
        self.folder, self.progress = folder, progress
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
        computed = self._computed(self.report)
        yield computed
        if not self.tasks:
            yield from (Promise(name, None, "nothing was computed") for name in PROMISES[1:])
            return
        with ThreadPoolExecutor(1) as pool:  # processes of their own, beside what is tried in this one
            here, there, watched = (pool.submit(ask, request, where) for request, where in self._requests())
            tried = {p.name: p for p in self._tried_in_studies()}
            world = self.trial.world
            one, other = here.result(), there.result()
            tried["determinism"] = alone.determinism(self.stored, one, other, self.tasks)
            tried["company"] = alone.company(self.analysis, one)
            tried["reads"] = alone.reads(world, self.analysis, lambda: watched.result()["watched"])
            tried["declaration"] = declared.declaration(world, self.analysis, one, self.stored)
        yield from (tried[name] for name in PROMISES[1:])

    def _requests(self):
        is_slow = self.recording.seconds > SLOW_SECONDS
        is_keyed = self.analysis.kind in alone.KEYED
        options = {"is_slow": is_slow, "n_tasks": 1 if is_slow else 3}
        project = sorted(alone.project_of(self.trial.world, self.analysis))
        jobs = ("whole", "again", *(("alone", "together") if is_keyed else ()), "parts", "raw")
        yield Request(jobs, self.tasks, ONE.state, options), ONE
        yield Request(("whole",), self.tasks, OTHER.state), OTHER
        yield Request(("watched",), self.tasks[: 1 if is_slow else None], 3, {"project": project}), ONE

    def _tried_in_studies(self) -> Iterator[Promise]:
        seconds = self.recording.seconds / len(self.tasks) / 2
        steps = (
            lambda: kept.order(self.trial, self.stored, self.folder / "shuffled"),
            lambda: kept.workers(self.base, self.stored, self.folder / "workers"),
            lambda: kept.kill(self.base, self.stored, self.folder / "killed", seconds, len(self.tasks)),
            lambda: kept.correction(self.trial, self.stored),
            lambda: kept.withdrawal(self.trial),
        )
        for n, step in enumerate(steps, 2):
            self.progress(PROMISES[n + 1], n, len(PROMISES))
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
        if not n_rows:
            return Promise(
                "computed", None, f"{n} units on the data that was made for it, and no row: the rest says little"
            )
        return Promise("computed", True, f"{n} units with {n_rows} rows in {self.recording.seconds:.1f} s")
