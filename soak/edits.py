"""Edits while a rebuild runs: whatever is edited when, what is recorded is what ran, and the rest is due.

A scratch copy of the program gets two small analyses whose rows say which edition of their code made them. A rebuild of
it runs in processes of its own (one, two, or workers of Dask) while one of its files is edited: at a random moment,
every other time with the same length and the same time of the file, which Python's own cache of compiled code does not
see. Afterwards a process that begins anew looks: for every unit that is current, the editions in the text that is
recorded are those in its rows; it is due if and only if the files say something else now; and a second rebuild leaves
nothing due.
"""

from __future__ import annotations

import json
import os
import py_compile
import random
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from soak import Figure
from tests.support.in_time import in_time
from tests.support.in_time import tried as of

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("tshdb", "analyses", "ingest", "migrations", "cli", "tests", "soak")
KINDS = ("1", "2", "dask")
PATIENTS = 8
FILES = {
    "edited_shared": '"""Imported inside a function, as many modules are."""\n\nSHARED = 1\n',
    "edited_first": '''"""One row a patient, with the editions of this file and of the shared one."""

import time

import pandas as pd

from tshdb.config import Parameters
from tshdb.engine.analysis import Need, analysis
from tshdb.engine.relations import SAME_PATIENT
from tshdb.schema import FollowUp, OutOfFoldScore

FIRST = 1


class EditedParameters(Parameters):
    """[edited_first]"""


@analysis(kind="map", per="patient", needs={"found": Need(FollowUp, SAME_PATIENT)}, makes=OutOfFoldScore,
          params=EditedParameters, source="a toy", batch=1)
def edited_first(found, params):
    """See the module."""
    from analyses.edited_shared import SHARED

    time.sleep(0.05)
    patients = found["patient_id"].unique()
    said = [f"FIRST={FIRST} SHARED={SHARED}" for _ in patients]
    return pd.DataFrame({"patient_id": patients, "cohort": "", "score": 0.0, "is_good": True, "n_repeats": 1, "features": said})
''',
    "edited_second": '''"""One row a patient, behind the first."""

import time

import pandas as pd

from analyses.edited_first import EditedParameters
from tshdb.engine.analysis import Need, analysis
from tshdb.engine.relations import SAME_PATIENT
from tshdb.schema import OutOfFoldScore, SignatureLabel

SECOND = 1


@analysis(kind="map", per="patient", needs={"first": Need(OutOfFoldScore, SAME_PATIENT)}, makes=SignatureLabel,
          params=EditedParameters, source="a toy", batch=2)
def edited_second(first, params):
    """See the module."""
    time.sleep(0.05)
    return pd.DataFrame({"patient_id": first["patient_id"], "threshold": 0.5, "reason": f"SECOND={SECOND}"})
''',
}


ROUNDS = 60


def run(folder: Path, seed: int) -> Iterator[Figure]:
    """As many edits with one job as with two, and on a cluster."""
    n, wrong = 0, []
    for found in rounds(seed, ROUNDS, folder):
        n, wrong = n + 1, wrong + found
    what = f"{of(n, ROUNDS)} edits while a rebuild runs, whose results are not what is recorded"
    yield Figure(what, str(len(wrong)), "0", not wrong)
    for complaint in wrong[:20]:
        yield Figure("wrong", complaint)


def tried(seed: int, n: int, folder: Path, kinds: tuple[str, ...] = KINDS) -> list[str]:
    """n rounds, each from a fresh copy. Gives what was wrong."""
    return [complaint for found in rounds(seed, n, folder, kinds) for complaint in found]


def rounds(seed: int, n: int, folder: Path, kinds: tuple[str, ...] = KINDS) -> Iterator[list[str]]:
    """Of each of n rounds what was wrong, as long as there is time."""
    chance = random.Random(seed)
    study = folder / "study"
    new_study(study)
    for i in in_time(range(n)):
        program = copied_program(folder / "program")
        shutil.rmtree(folder / "trial", ignore_errors=True)
        shutil.copytree(study, folder / "trial")
        found = trial(program, folder / "trial", kinds[i % len(kinds)], chance, is_unseen=i // len(kinds) % 2 == 0)
        yield [f"seed {seed}, round {i}: {complaint}" for complaint in found]


def new_study(folder: Path) -> None:
    """Patients with their follow-up, and nothing computed."""
    from tests.support import tiny

    study = tiny.new_study(folder, live=False, analyses=())
    tiny.ingest(study, tiny.TinyArchive.make(PATIENTS), images=False)
    study.engine.dispose()


def copied_program(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    for name in PACKAGES:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("data") if name == "tests" else None)
    for name, text in FILES.items():
        (folder / "analyses" / f"{name}.py").write_text(text)
    return folder


def trial(program: Path, study: Path, kind: str, chance: random.Random, is_unseen: bool) -> list[str]:
    """One rebuild with one edit. is_unseen: of the same length and time."""
    name = chance.choice(sorted(FILES))
    label = f"{kind}, {name}, {'unseen' if is_unseen else 'longer'}"
    for file in FILES:  # compiled code of the first edition, which Python knows by the file's second and size
        py_compile.compile(
            str(program / "analyses" / f"{file}.py"), invalidation_mode=py_compile.PycInvalidationMode.TIMESTAMP
        )
    rebuild = start(program, "rebuild", study, kind)
    if chance.random() < 0.6:
        rebuild.stdout.readline()  # it has planned, and computes
        time.sleep(chance.uniform(0, 0.05 * PATIENTS * 1.2))
    else:
        time.sleep(chance.uniform(0, 2.5))  # while it begins
    edit(program / "analyses" / f"{name}.py", is_unseen)
    said, _ = rebuild.communicate(timeout=300)
    if rebuild.returncode != 0:
        return [f"{label}: the rebuild ended with {rebuild.returncode}: {said}"]
    after, again = answer(program, "look", study)
    return [f"{label}: {complaint}" for complaint in complaints(program, after)] + [
        f"{label}, rebuilt: {complaint}" for complaint in complaints(program, again, is_settled=True)
    ]


def edit(path: Path, is_unseen: bool) -> None:
    """Another edition."""
    stat = path.stat()
    path.write_text(re.sub(r"^([A-Z]+) = 1$", rf"\1 = {'2' if is_unseen else '22'}", path.read_text(), flags=re.M))
    if is_unseen:
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        assert path.stat().st_size == stat.st_size


def complaints(program: Path, units: dict[str, dict], is_settled: bool = False) -> list[str]:
    """units: unit -> editions in its rows, editions in its recorded text, whether it is due."""
    now = {}
    for name in FILES:
        now |= editions((program / "analyses" / f"{name}.py").read_text())
    found = []
    for unit, said in units.items():
        rows = said["rows"]
        if rows != {k: v for k, v in said["recorded"].items() if k in rows}:
            found.append(f"{unit} has rows of {rows}, recorded are {said['recorded']}")
        if said["due"] != any(now[k] != v for k, v in rows.items()):
            found.append(f"{unit} has rows of {rows}, the program is {now}, and due is {said['due']}")
    if is_settled and (len(units) != 2 * PATIENTS or any(said["due"] for said in units.values())):
        found.append(f"{len(units)} units are there, due are {[u for u, said in units.items() if said['due']]}")
    return found


def editions(text: str) -> dict[str, str]:
    return dict(re.findall(r"\b(FIRST|SECOND|SHARED) ?= ?(\d+)", text))


def start(program: Path, *arguments: object) -> subprocess.Popen:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.Popen(
        [sys.executable, "-m", "soak.edits", *map(str, arguments)], cwd=program, text=True,
        env={**environment, "PYTHONPATH": str(program)}, stdout=subprocess.PIPE,
    )  # fmt: skip


def answer(program: Path, *arguments: object) -> list:
    process = start(program, *arguments)
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 0, said
    return json.loads(said)


# --------------------------------------------------------------------------------------- in the copy's own processes


def _analyses() -> tuple:
    from analyses.edited_first import edited_first
    from analyses.edited_second import edited_second

    return edited_first, edited_second


def _rebuild(folder: Path, kind: str, is_silent: bool = False) -> None:
    """Rebuild, and say when the first unit is about to be computed."""
    from tshdb.engine.executor import executor_for
    from tshdb.engine.rebuild import Rebuild
    from tshdb.errors import UsageError
    from tshdb.study import Study

    study, cluster = Study(folder), None
    if kind == "dask":
        import distributed

        cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50)
        threading.Thread(target=_kill_one, args=(cluster,), daemon=True).start()
        try:
            executor = executor_for(1, cluster.scheduler_address, study.objects.root, _analyses())
        except (
            UsageError
        ):  # the edit came before the run: workers that are not alike are refused, and nothing is computed
            cluster.close()
            return
    else:
        executor = executor_for(int(kind))
    is_said = [is_silent] if is_silent else []

    def progress(*_) -> None:
        if not is_said:
            is_said.append(print("begun", flush=True))

    Rebuild(study, _analyses(), executor=executor, progress=progress).run()
    if cluster is not None:
        cluster.close()


def _kill_one(cluster) -> None:
    """End a worker on the way: its nanny starts another one, of what lies there then."""
    time.sleep(0.4)
    for worker in list(cluster.workers.values())[:1]:
        os.kill(worker.pid, 9)


def _look(folder: Path) -> dict:
    """What the study says of every unit that is current."""
    from sqlalchemy import select

    from tshdb.database import reading
    from tshdb.engine.planner import Planner
    from tshdb.engine.world import World
    from tshdb.schema import Spec, Unit
    from tshdb.study import Study

    study, found = Study(folder), {}
    with reading(study.engine) as connection:
        plans = Planner(connection, World(_analyses(), study.settings)).all()
        for analysis in _analyses():
            due = {key for key, d in plans[analysis.name].due.items() if not d.is_possible}
            table = analysis.makes.__table__
            query = select(Unit.key, Spec.sources, *table.columns).join(Spec, Spec.spec_id == Unit.spec_id)
            query = query.join(table, table.c.unit_id == Unit.unit_id).where(Unit.analysis == analysis.name)
            for row in connection.execute(query).mappings():
                found[f"{analysis.name}/{row['key']}"] = {
                    "rows": editions(f"{row.get('features', '')} {row.get('reason', '')}"),
                    "recorded": editions(row["sources"]),
                    "due": row["key"] in due,
                }
    study.engine.dispose()
    return found


if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    if what == "rebuild":
        _rebuild(Path(arguments[0]), arguments[1])
    elif what == "look":
        where = Path(arguments[0])
        before = _look(where)
        _rebuild(where, "1", is_silent=True)
        print(json.dumps([before, _look(where)]))
