"""Studies of strangers: whatever a folder or its database names, a look at it harms nobody.

Each kind is one alteration of a whole study. All commands that only read are run on it in this process, under an audit hook:
what is opened, made, moved or removed must lie in the study's folder, in a folder of the program, or in the system's.
"""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.support import tiny
from tests.support.program import run_quick
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
LIMIT = 120.0  # seconds of one command on a loaded machine
CANARY = "canary-of-the-neighbour"
TOUCHED = {
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.mkdir",
    "os.truncate",
    "os.chmod",
    "os.link",
    "os.symlink",
    "shutil.rmtree",
}
RUN = {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "pickle.find_class", "socket.connect"}
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
                raw.execute(statement.replace("OTHER", str(other)))
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
        "INSERT INTO tombstones (token, pending) SELECT 'a', '{\"objects\": [], \"files\": [{\"path\": \"OTHER/victim.html\", "
        "\"redacted\": null}], \"said\": {}}'"
    ),
    "names with marks of terminals": sql("UPDATE patients SET race = char(27) || ']8;;x' || char(7) || char(155) || '2J'"),
    "names with marks of pages": sql("UPDATE cohorts SET mode = '<script>alert(1)</script>'"),
    "a settings file of many megabytes": appended("study.toml", "# " + "x" * (8 << 20) + "\n"),
    "settings nested deep": appended("study.toml", "\n[cutoff]\nx = " + "[" * 3_000 + "]" * 3_000 + "\n"),
}  # fmt: skip
IN_EVERY_RUN = (
    "an object is a pipe", "database is a link", "lock is a link", "reports are a link", "sources at a pipe", "truths are a pipe",
    "code beside it", "digests that lead out",
)  # fmt: skip

_watching: list[Callable[[str, tuple], None]] = []


def _hook(event: str, arguments: tuple) -> None:
    for watch in _watching:
        watch(event, arguments)


@pytest.fixture(scope="module")
def audited():
    sys.addaudithook(_hook)  # which can never be taken away; it does nothing unless a test watches


@pytest.fixture
def stranger(template, tmp_path) -> tuple[Path, Path]:
    """(the study that was received, the neighbour's folder)."""
    place, other = tmp_path / "received", tmp_path / "other"
    other.mkdir()
    study = tiny.copy_study(Study(template), place)
    shutil.copy(place / "study.db", other / "study.db")
    (other / "secret.csv").write_text(f"patient,value\n{CANARY},1\n")
    (other / "secret.parquet").write_text(CANARY)
    (other / "victim.html").write_text(CANARY)
    study.engine.dispose()
    return place, other


def state(folder: Path) -> dict[str, tuple]:
    return {
        p.name: (p.lstat().st_size, p.lstat().st_mtime_ns, None if p.is_fifo() else p.read_bytes()) for p in folder.iterdir()
    }  # fmt: skip


def watch_of(other: Path, seen: list[str]) -> Callable[[str, tuple], None]:
    def watch(event: str, arguments: tuple) -> None:
        if event in RUN:
            if event != "subprocess.Popen" or "tshdb" not in str(arguments):
                seen.append(f"{event} {arguments!r}"[:200])
        elif event == "open" or event in TOUCHED:
            path = arguments[0]
            if isinstance(path, str | bytes) and os.path.realpath(os.fsdecode(path)).startswith(str(other)):
                seen.append(f"{event} {os.fsdecode(path)}")
            elif event == "open" and isinstance(path, str) and path in ("/etc/passwd", "/dev/zero"):
                seen.append(f"{event} {path}")

    return watch


@contextmanager
def at_most(seconds: float, what: tuple[str, ...]):
    """An alarm for what hangs, as a pipe does that nobody writes to."""

    def ring(*_):
        raise AssertionError(f"{what} did not end within {seconds:.0f} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize(
    "kind", [k if k in IN_EVERY_RUN else pytest.param(k, marks=pytest.mark.long) for k in KINDS]
)  # fmt: skip
def test_looking_at_a_strangers_study_harms_nobody(kind, stranger, audited, request, monkeypatch):
    root, other = stranger
    KINDS[kind](root, other)
    before, seen = state(other), []
    monkeypatch.chdir(root)
    is_long = request.config.getoption("-m") and "long" in request.config.getoption("-m")
    _watching.append(watch_of(other, seen))
    try:
        for command in COMMANDS if is_long else SLICE:
            with at_most(LIMIT, command):
                ended = run_quick(*command, "--study", root, code=None)
            assert ended.returncode in (0, 2, 3, 5, 6, 7, 8), (command, ended.stdout[-300:], ended.stderr[-2000:])
            assert "Traceback" not in ended.stderr, (command, ended.stderr[-2000:])
            assert CANARY not in ended.stdout + ended.stderr, command
            assert not {"\x1b", "\x9b", "\x07"} & set(ended.stdout + ended.stderr), command
    finally:
        _watching.clear()
    assert seen == []
    assert state(other) == before
