"""`rebuild --dask` on real worker processes: the same bytes as in one process, also when a worker is killed on the way."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import pytest

from analyses import ANALYSES
from tests.support import tiny
from tests.support.program import ROOT
from tshdb.engine import cluster
from tshdb.engine.executor import executor_for
from tshdb.engine.identity import libraries_of
from tshdb.errors import ResourceError, UsageError
from tshdb.study import Study

pytestmark = pytest.mark.xdist_group("cluster")
NAMES = ("tsh_scores", "radiomic_features")
distributed = pytest.importorskip("distributed", reason="the extra cluster is not installed")


@pytest.fixture(scope="module")
def workers():
    """Two worker processes, each with a nanny that starts it anew when it dies."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", host="127.0.0.1", silence_logs=50
    ) as made:
        yield made


@pytest.fixture
def studies(tmp_path):
    """Two copies of one study with everything still to compute."""
    study = tiny.new_study(tmp_path / "a")
    archive = tiny.TinyArchive.make(10)
    tiny.ingest(study, archive)
    tiny.define_cohorts(study)
    tiny.freeze(study)
    study.engine.dispose()
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    return Study(tmp_path / "a"), Study(tmp_path / "b")


def test_a_cluster_gives_the_same_results(studies, workers):
    here, there = studies
    tiny.rebuild(here, names=NAMES)
    tiny.rebuild(there, names=NAMES, executor=executor_for(1, workers.scheduler_address, there.objects.root, ANALYSES))
    assert tiny.dump(there) == tiny.dump(here)


def test_a_killed_worker_loses_nothing(studies, workers):
    here, there = studies
    tiny.rebuild(here, names=NAMES)
    killed = []

    def kill() -> None:
        """A worker, once it has begun to work."""
        with distributed.Client(workers.scheduler_address, set_as_default=False) as client:
            for _ in range(400):
                busy = [name for name, tasks in client.processing().items() if tasks]
                if busy:
                    pids = client.run(os.getpid, workers=busy[:1])
                    os.kill(next(iter(pids.values())), signal.SIGKILL)
                    killed.append(busy[0])
                    return
                time.sleep(0.01)

    killer = threading.Thread(target=kill)
    killer.start()
    report = tiny.rebuild(
        there, names=NAMES, executor=executor_for(1, workers.scheduler_address, there.objects.root, ANALYSES)
    )
    killer.join()
    assert killed and report.n_failed == 0
    assert tiny.dump(there) == tiny.dump(here)


def test_who_is_not_alike_is_refused(workers, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "_sources", lambda: "other sources")
    with pytest.raises(UsageError, match="program is .*, here it is other sources"):
        cluster.Cluster(workers.scheduler_address, tmp_path, ANALYSES).close()


def test_no_scheduler_and_no_worker_are_said(monkeypatch, tmp_path):
    monkeypatch.setattr(cluster, "TIMEOUT_S", 0.5)
    with pytest.raises(ResourceError, match="no Dask scheduler answers"):
        cluster.Cluster("tcp://127.0.0.1:9", tmp_path, ANALYSES)


@pytest.fixture
def another_program(tmp_path):
    """A copy of the program in which scores are another's: their seconds are not ours."""
    for name in ("tshdb", "analyses"):
        shutil.copytree(ROOT / name, tmp_path / "another" / name, ignore=shutil.ignore_patterns("__pycache__"))
    path = tmp_path / "another" / "analyses" / "tsh_model" / "tsh_scores.py"
    path.write_text(path.read_text() + "\nANOTHER = True\n")
    return tmp_path / "another"


class Joined(cluster.Cluster):
    """While it runs a worker of another program joins."""

    program, is_compared = None, True

    def run(self, tasks):
        for task, outcomes in super().run(tasks):
            if self.program is not None:
                there = set(self._client.nthreads())
                self.started = subprocess.Popen(
                    [sys.executable, "-m", "distributed.cli.dask_worker", self._client.scheduler.address, "--no-nanny",
                     "--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1"],
                    cwd=self.program, env={**os.environ, "PYTHONPATH": str(self.program)}, stderr=subprocess.DEVNULL,
                )  # fmt: skip
                self.program = None
                self._client.wait_for_workers(len(there) + 1, timeout=60)
                (self.joined,) = set(self._client.nthreads()) - there
                self._look()
                if not self.is_compared:  # it was alike when it was looked at, and gets all tasks
                    self._alike, self.left_out = {self.joined: 1}, {}
            yield task, outcomes


@pytest.mark.parametrize("is_compared", (True, False), ids=("at the door", "by its answers"))
def test_a_worker_of_another_program_that_joins_later_is_left_out(studies, workers, another_program, is_compared):
    here, there = studies
    tiny.rebuild(here, names=NAMES)
    executor = Joined(workers.scheduler_address, there.objects.root, ANALYSES)
    executor.program, executor.is_compared = another_program, is_compared
    try:
        report = tiny.rebuild(there, names=NAMES, executor=executor)
    finally:
        executor.started.kill()
        executor.started.wait()
    assert list(report.left_out) == [executor.joined] and "its program is" in report.left_out[executor.joined]
    assert not report.is_partial and tiny.dump(there) == tiny.dump(here)
    assert tiny.due(there).keys().isdisjoint(NAMES)


def test_facts_leave_out_nothing_that_results_may_differ_by(tmp_path):
    found = cluster.facts(str(tmp_path), tuple(libraries_of(ANALYSES)))
    assert {"Python", "program", "view of the objects", "numba", "numpy", "pyarrow", "skops", "sqlalchemy"} <= set(
        found
    )
    assert cluster.facts(str(tmp_path / "nowhere"), ())["view of the objects"] == f"without {tmp_path / 'nowhere'}"
