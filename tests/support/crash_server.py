"""Kills ingest and rebuild, resumes, and compares: run as a program of its own, which forks after its imports.

    python -m tests.support.crash_server sweep|kill|two FOLDER [N] [SEED] [DOUBLE]

A fork costs a fraction of a fresh Python, and this process has no threads alive that a fork could harm. Prints one
JSON object.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ARROW_NUM_THREADS"):
    os.environ[variable] = "1"

import lifelines  # noqa: E402, F401 - imported before the forks
import pyarrow.csv  # noqa: E402
import pyarrow.dataset  # noqa: E402
import pyarrow.parquet  # noqa: E402, F401
from sqlalchemy import func, select  # noqa: E402

from tests.support import tiny  # noqa: E402
from tests.support.in_time import in_time  # noqa: E402
from tshdb import failpoints  # noqa: E402
from tshdb.database import reading  # noqa: E402
from tshdb.engine import executor  # noqa: E402
from tshdb.engine.compute import compute, payload_fingerprint  # noqa: E402
from tshdb.objects import sha256_of  # noqa: E402
from tshdb.schema import Attempt, Base, ExpressionProfile, SourceFile, Unit  # noqa: E402
from tshdb.study import Study  # noqa: E402

PATIENTS = 6
STOPS_EARLY = "TSHDB_TEST_STOPS_EARLY" in os.environ  # at the first complaint
LOG = "computed.log"
OWN = tempfile.TemporaryDirectory(prefix="tshdb-crash-")
ERRORS = Path(OWN.name) / "errors"  # what children ended with


def spring() -> tiny.TinyArchive:
    return tiny.TinyArchive.make(PATIENTS)


def autumn() -> tiny.TinyArchive:
    """A patient more, one gone, one value and one outcome corrected."""
    archive = spring()
    archive.add(50)
    del archive.patients["TCGA-TN-0002"]
    archive.set_value("TCGA-TN-0000", "tumor", "GNLY", 77.25)
    archive.change("TCGA-TN-0001", days=1234)
    return archive


def work(folder: Path, what: str) -> None:
    """The command under test."""
    study = Study(folder)
    if what == "ingest":
        tiny.ingest(study, autumn())
    else:
        tiny.rebuild(study, tiny.CORE)


def logged_rebuild(folder: Path) -> None:
    """A rebuild that notes every key that it computes, whether it may commit it or not."""

    def noted(task):
        with (folder / LOG).open("a") as file:
            file.write("".join(f"{task.analysis} {key}\n" for key in task.keys))
        return compute(task)

    executor.compute = noted
    work(folder, "rebuild")


def forked(function, *arguments, environment: dict[str, str] | None = None) -> int:
    """Start `function` in a child; its status is 0 when it returns."""
    child = os.fork()
    if child:
        return child
    try:
        os.environ.update(environment or {})
        failpoints._passed = 0
        sys.stderr = open(os.devnull, "w")
        function(*arguments)
        os._exit(0)
    except BaseException as error:
        print(repr(error), file=sys.__stderr__, flush=True)
        with ERRORS.open("a") as file:
            file.write(f"{error!r}\n")
    finally:
        os._exit(1)


def status_of(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def begin(folder: Path) -> dict[str, Path]:
    """Two states to begin from: before the autumn ingest, and after it (before the rebuild)."""
    study = tiny.new_study(folder / "ingest", analyses=tiny.CORE)
    tiny.ingest(study, spring())
    tiny.define_cohorts(study)
    tiny.freeze(study)
    tiny.rebuild(study, tiny.CORE)
    after = tiny.copy_study(study, folder / "rebuild")
    tiny.ingest(after, autumn())
    study.engine.dispose()
    after.engine.dispose()
    return {"ingest": folder / "ingest", "rebuild": folder / "rebuild"}


def copied(source: Path, target: Path) -> Path:
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
    return target


def complaints(folder: Path) -> list[str]:
    """What must hold at any moment, also between a kill and the next command."""
    study = Study(folder)
    found = []
    tables = {a.name: a.makes for a in tiny.CORE}
    with reading(study.engine) as connection:
        if connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall():
            found.append("a foreign key is broken")
        for unit in connection.execute(select(Unit.unit_id, Unit.analysis, Unit.key, Unit.state, Unit.fingerprint)):
            table = tables.get(unit.analysis)
            if table is None or unit.key == "unfiltered":
                continue
            rows = connection.execute(select(table.__table__).where(table.unit_id == unit.unit_id)).mappings()
            rows = [dict(r) for r in rows]
            if unit.state != "current" and rows:
                found.append(f"{unit.analysis}/{unit.key} is {unit.state} and has rows")
            if unit.state == "current" and payload_fingerprint(table, rows) != unit.fingerprint:
                found.append(f"{unit.analysis}/{unit.key}: its rows are not those of its fingerprint")
        for part in connection.execute(select(ExpressionProfile.part_id).distinct()).scalars():
            path = study.objects.path(part)
            if not path.is_file() or sha256_of(path) != part:
                found.append(f"part {part} is missing or changed")
        current = connection.execute(
            select(SourceFile.name, func.count()).where(SourceFile.is_current).group_by(SourceFile.name)
        ).fetchall()
        found += [f"{n} current states of {name}" for name, n in current if n != 1]
        for table in Base.metadata.sorted_tables:
            connection.execute(select(func.count()).select_from(table)).scalar()
    for path in (folder / "objects").rglob("*.parquet"):
        if sha256_of(path) != path.stem:
            found.append(f"{path.name} is truncated under its final name")
    study.engine.dispose()
    return found


def resumed(folder: Path, what: str) -> dict[str, list[str]]:
    """Run the command again to its end, then everything; the tables that come out."""
    work(folder, what)
    study = Study(folder)
    tiny.ingest(study, autumn())
    tiny.rebuild(study, tiny.CORE)
    dumped = tiny.dump(study)
    study.engine.dispose()
    return dumped


def check(folder: Path, what: str, reference: dict, label: str) -> list[str]:
    """Complaints between kill and resume, and differences after it; computed in a child, so that nothing is shared."""
    report = folder.with_suffix(".json")

    def run() -> None:
        found = [f"{label}: {c}" for c in complaints(folder)]
        ours = resumed(folder, what)
        found += [f"{label}: {t} differs after the resume" for t in reference if ours[t] != reference[t]]
        report.write_text(json.dumps(found))

    if status_of(forked(run)) != 0:
        return [f"{label}: the resume failed"]
    return json.loads(report.read_text())


def reference_of(states: dict[str, Path], folder: Path) -> dict:
    target = copied(states["ingest"], folder / "reference")
    return resumed(target, "ingest")


def sweep(folder: Path, every: int = 1, seed: int = 0, double: bool = False) -> dict:
    """Die at every failpoint that is passed (or every so many), in an order that the seed draws, as long as there is time.

    double: once more while it resumes.
    """
    states, found, points = begin(folder), [], Counter()
    reference = reference_of(states, folder)
    all_of_them = [(what, k) for what in states for k in range(1, 1 + _passed(states[what], folder, what), every)]
    random.Random(f"sweep/{seed}").shuffle(all_of_them)
    for what, k in in_time(all_of_them):
        target = copied(states[what], folder / "trial")
        status = status_of(forked(work, target, what, environment={"TSHDB_FAILPOINT": f"#{k}"}))
        if status != 137:
            found.append(f"{what} #{k}: status {status}")
        points[what] += 1
        if double:
            status_of(forked(work, target, what, environment={"TSHDB_FAILPOINT": f"#{1 + k // 3 % 5}"}))
        found += check(target, what, reference, f"{what} #{k}")
        if found and STOPS_EARLY:
            break
    return {"kills": dict(points), "of": len(all_of_them), "complaints": found}


def _passed(source: Path, folder: Path, what: str) -> int:
    """How many failpoints the command passes when nothing disturbs it."""
    target, counted = copied(source, folder / "trial"), folder / "passed"

    def run() -> None:
        work(target, what)
        counted.write_text(str(failpoints._passed))

    assert status_of(forked(run, environment={"TSHDB_FAILPOINT": f"#{10**9}"})) == 0
    return int(counted.read_text())


def kill(folder: Path, n: int, seed: int) -> dict:
    """SIGKILL at random moments of ingest and of rebuild, n of each."""
    states, found, killed = begin(folder), [], Counter()
    reference = reference_of(states, folder)
    chance = random.Random(seed)
    for what, source in states.items():
        target = copied(source, folder / "trial")
        started = time.monotonic()
        status_of(forked(work, target, what))
        length = time.monotonic() - started
        for _ in in_time(range(4 * n), 0.5 if what == "ingest" else 1.0):
            if killed[what] == n:
                break
            target = copied(source, folder / "trial")
            child = forked(work, target, what)
            time.sleep(chance.uniform(0, length))
            os.kill(child, signal.SIGKILL)
            if status_of(child) == -signal.SIGKILL:
                killed[what] += 1
                found += check(target, what, reference, f"{what} kill {killed[what]}")
    return {"kills": dict(killed), "of": n * len(states), "complaints": found}


def two(folder: Path, n: int, seed: int) -> dict:
    """Two rebuilds of one study at once: the same tables, every unit computed once."""
    states, found = begin(folder), []
    reference = reference_of(states, folder)
    chance = random.Random(seed)
    done = 0
    for i in in_time(range(n)):
        done += 1
        target = copied(states["rebuild"], folder / "trial")
        before = _attempts(target)
        first = forked(logged_rebuild, target)
        time.sleep(chance.uniform(0, 0.2))
        second = forked(logged_rebuild, target)
        statuses = status_of(first), status_of(second)
        if statuses != (0, 0):
            found.append(f"round {i}: statuses {statuses}: {ERRORS.read_text() if ERRORS.exists() else ''}")
        study = Study(target)
        ours = tiny.dump(study)
        study.engine.dispose()
        found += [f"round {i}: {t} differs" for t in reference if ours[t] != reference[t]]
        twice = [u for u, times in (_attempts(target) - before).items() if times > 1]
        found += [f"round {i}: {u} committed twice" for u in twice]
        computed = Counter((target / LOG).read_text().split("\n"))
        found += [f"round {i}: {u} computed twice" for u, times in computed.items() if times > 1]
    return {"rounds": done, "of": n, "complaints": found}


def _attempts(folder: Path) -> Counter:
    study = Study(folder)
    with reading(study.engine) as connection:
        rows = connection.execute(
            select(Unit.analysis, Unit.key).join(Attempt, Attempt.unit_id == Unit.unit_id)
        ).fetchall()
    study.engine.dispose()
    return Counter(f"{a}/{k}" for a, k in rows)


if __name__ == "__main__":
    mode, where, *numbers = sys.argv[1:]
    path = Path(where)
    path.mkdir(parents=True, exist_ok=True)
    numbers = [int(x) for x in numbers]
    answer = {"sweep": sweep, "kill": kill, "two": two}[mode](path, *numbers)
    print(json.dumps(answer))
