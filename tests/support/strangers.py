"""Studies of strangers: whole ones, each with one alteration by which a look at it could do harm, beside a neighbour's folder.

KINDS names the alterations; COMMANDS are all that only read. Nothing may open, change or show what is the neighbour's.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from tests.support import tiny
from tshdb.study import Study

COMMANDS = (
    ("status",), ("plan",), ("check",), ("check", "--fast"), ("sql", "SELECT * FROM patients"), ("cohort", "list"),
    ("model", "list"), ("table", "1"), ("table", "2"), ("figure", "km"), ("report",), ("history",), ("schema",),
    ("why", "cutoff"), ("lineage", "cutoff"), ("variants", "list"), ("truth", "list"), ("guests", "list"),
    ("drift", "cutoff"), ("sql", "SELECT count(*) FROM expression"),
)  # fmt: skip
SLICE = (
    ("status",),
    ("plan",),
    ("check",),
    ("report",),
    ("sql", "SELECT count(*) FROM expression JOIN patients ON true"),
)
CANARY = "canary-of-the-neighbour"
Alter = Callable[[Path, Path], None]  # study, neighbour


def settings(old: str, new: str) -> Alter:
    def alter(root: Path, other: Path) -> None:
        path, named = root / "study.toml", new.replace("OTHER", str(other))
        text = path.read_text()
        assert old in text, old
        path.write_text(text.replace(old, named, 1))

    return alter


def added(name: str, text: str) -> Alter:
    def alter(root: Path, other: Path) -> None:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("OTHER", str(other)))

    return alter


def appended(name: str, text: str) -> Alter:
    def alter(root: Path, other: Path) -> None:
        with (root / name).open("a") as file:
            file.write(text.replace("OTHER", str(other)))

    return alter


def sql(*statements: str) -> Alter:
    def alter(root: Path, other: Path) -> None:
        with closing(sqlite3.connect(root / "study.db")) as raw:
            for statement in statements:
                assert raw.execute(statement.replace("OTHER", str(other))).rowcount != 0, (
                    f"changes nothing: {statement}"
                )
            raw.commit()

    return alter


def link(name: str, to: str = "") -> Alter:
    """The name becomes a link to the neighbour's folder or file."""

    def alter(root: Path, other: Path) -> None:
        path = root / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(other / to)

    return alter


def pipe(name: str) -> Alter:
    def alter(root: Path, other: Path) -> None:
        path = root / name
        path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(path)

    return alter


OBJECTS, DATABASE = 'objects = "objects"', 'database = "sqlite:///study.db"'
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT patient_id FROM patients, n"
COHORT = "cohorts/tumor_stroma_development.sql"
EVIL = "import os\nos.system('touch OTHER/touched')\nopen('OTHER/touched', 'w')\n"
KINDS: dict[str, Alter] = {
    "objects above": settings(OBJECTS, 'objects = ".."'),
    "objects are the study": settings(OBJECTS, 'objects = "."'),
    "objects at the neighbour's": settings(OBJECTS, 'objects = "OTHER"'),
    "objects at the root": settings(OBJECTS, 'objects = "/"'),
    "objects are a link": link("objects"),
    "a folder of objects is a link": link("objects/ab"),
    "an object is a link": lambda root, other: link(
        str(next((root / "objects").glob("*/*.parquet")).relative_to(root)), "secret.parquet"
    )(root, other),
    "an object is a pipe": lambda root, other: pipe(
        str(next((root / "objects").glob("*/*.parquet")).relative_to(root))
    )(root, other),
    "database above": settings(DATABASE, 'database = "sqlite:///../other/study.db"'),
    "database is a link": link("study.db", "study.db"),
    "database of the neighbour": settings(DATABASE, 'database = "sqlite:///OTHER/study.db"'),
    "database has a query": settings(DATABASE, 'database = "sqlite:///file:study.db?mode=rwc&uri=true"'),
    "another kind of database": settings(DATABASE, 'database = "mysql://root@127.0.0.1/x"'),
    "log of the database is a link": link("study.db-wal", "touched"),
    "lock is a link": link(".tshdb.lock", "touched"),
    "lock is a pipe": pipe(".tshdb.lock"),
    "reports are a link": link("reports"),
    "the report is a link": link("reports/report.html", "victim.html"),
    "figures are a link": link("figures"),
    "snapshots are a link": link(".snapshots"),
    "work is a link": link("work"),
    "withdrawals are a link": link("withdrawals"),
    "variants are a link": link("variants"),
    "multiverses are a link": link("multiverse"),
    "cohorts are a link": link("cohorts"),
    "a cohort is a pipe": pipe(COHORT),
    "truths are a pipe": pipe("truths.toml"),
    "truths name a file outside": added(
        "truths.toml", "[of_a_neighbour]\nrelation = 'equal'\n[of_a_neighbour.derived]\nsql = \"SELECT patient_id, 1 AS value "
        "FROM patients\"\n[of_a_neighbour.measured]\nfile = 'OTHER/secret.csv'\npatient = 'patient'\nvalue = 'value'\n",
    ),
    "a cohort that never ends": added(COHORT, ENDLESS),
    "a cohort that reads files": added(COHORT, "SELECT content AS patient_id FROM read_text('OTHER/secret.csv')"),
    "a cohort in the database that reads files": sql(
        "UPDATE cohorts SET mode = 'live', sql_text = 'SELECT content AS patient_id FROM read_text(''OTHER/secret.csv'')'"
    ),
    "a cohort in the database that never ends": sql(f"UPDATE cohorts SET mode = 'live', sql_text = '{ENDLESS}'"),
    "code of its own": added("analyses/of_somebody.py", EVIL),
    "code beside it": added("tshdb.py", EVIL),
    "code that Python begins with": added("sitecustomize.py", EVIL),
    "a plug-in of tests": added("conftest.py", EVIL),
    "a trigger": sql("CREATE TRIGGER evil AFTER INSERT ON runs BEGIN DELETE FROM patients; END"),
    "a view that never ends": sql(
        "CREATE VIEW endless AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT * FROM n"
    ),
    "digests that lead out": sql("UPDATE expression_parts SET part_id = '../../other/secret'"),
    "sources at a pipe": lambda root, other: (
        pipe("../other/source.csv")(root, other), sql("UPDATE source_files SET path = 'OTHER/source.csv'")(root, other)
    )[0],
    "sources at an endless device": sql("UPDATE source_files SET path = '/dev/zero'"),
    "images at an endless device": sql("UPDATE imaging_instances SET path = '/dev/zero'"),
    "a pending withdrawal that removes": sql(
        "INSERT INTO tombstones (token, sample_tokens, scope, reason, actor, withdrawn_at, pending) "
        "SELECT '00000000000000000000000000000000', '[]', 'keep', 'x', 'x', '2026', "
        "'{\"objects\": [], \"files\": [{\"path\": \"OTHER/victim.html\", \"redacted\": null}], \"said\": {}}'"
    ),
    "names with marks of terminals": sql("UPDATE patients SET race = char(27) || ']8;;x' || char(7) || char(155) || '2J'"),
    "names with marks of pages": sql(
        "UPDATE cohorts SET sql_text = sql_text || ' -- <script>alert(1)</script>'",
        "UPDATE patients SET race = '<img src=x onerror=alert(1)>'",
    ),
    "a settings file of many megabytes": appended("study.toml", "# " + "x" * (8 << 20) + "\n"),
    "settings nested deep": appended("study.toml", "\n[cutoff]\nx = " + "[" * 3_000 + "]" * 3_000 + "\n"),
}  # fmt: skip


def received(template: Path, folder: Path) -> tuple[Path, Path]:
    """(a study that was received, the neighbour's folder), both made in a folder."""
    place, other = folder / "received", folder / "other"
    other.mkdir(parents=True)
    study = tiny.copy_study(Study(template), place)
    shutil.copy(place / "study.db", other / "study.db")
    (other / "secret.csv").write_text(f"patient,value\n{CANARY},1\n")
    (other / "secret.parquet").write_text(CANARY)
    (other / "victim.html").write_text(CANARY)
    study.engine.dispose()
    return place, other


def state(folder: Path) -> dict[str, tuple]:
    """Size, time and content of what lies in the neighbour's folder."""
    return {
        p.name: (p.lstat().st_size, p.lstat().st_mtime_ns, None if p.is_fifo() else p.read_bytes()) for p in folder.iterdir()
    }  # fmt: skip
