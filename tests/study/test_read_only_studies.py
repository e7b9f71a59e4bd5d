"""A study that cannot be written can be read: in a folder without the right to write, and on a file system that is read-only.

What its log holds and the file does not is seen there, too: read without it, a study would be older, or empty, without a word.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.support import tiny
from tests.support.program import ROOT
from tshdb.study import Study

COMMANDS = (
    ("status", "--json"), ("sql", "SELECT count(*) AS n FROM patients WHERE race = 'as its log says'", "--format", "csv"),
    ("check", "--fast"), ("plan",), ("rebuild",),
)  # fmt: skip
RUN = """
import json, sys
from tests.support.program import run_quick
commands, *studies = map(json.loads, sys.argv[1:])
told = {}
for study in studies:
    done = [run_quick(*words, "--study", study, code=None) for words in commands]
    told[study] = [(d.returncode, d.stdout, d.stderr) for d in done]
print(json.dumps(told))
"""
READ = """
import sys
from tshdb.errors import Busy
from tshdb.sqlite_files import opened_to_read
try:
    with opened_to_read(sys.argv[1]) as raw:
        raw.execute("SELECT count(*) FROM patients").fetchone()
        print("read", flush=True)
        sys.stdin.readline()
except Busy as error:
    print(error)
"""
NO_RIGHTS = ("setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner")  # root, too, asks for the right then
MOUNTED = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'


def allowed(words: tuple[str, ...]) -> bool:
    return shutil.which(words[0]) is not None and subprocess.run([*words, "true"], capture_output=True).returncode == 0


def without_rights() -> list[str]:
    """What stands before a command that has no right to write into a folder without one."""
    if os.geteuid():
        return []
    if not allowed(NO_RIGHTS):
        pytest.skip("root may write everywhere, and setpriv cannot take that away here")
    return list(NO_RIGHTS)


def on_read_only(folder: Path) -> list[str]:
    """What stands before a command for which the folder is on a file system that is read-only."""
    tried = ("unshare", "-m", "sh", "-c", MOUNTED, str(folder))
    if not allowed(tried):
        pytest.skip("a folder cannot be mounted read-only here: it takes root, and a system that lets it")
    return list(tried)


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT)}


@pytest.fixture
def studies(core_template, tmp_path) -> dict[str, Path]:
    """Four studies of one content: its last change is in the file, in a log with its index, in a log alone; and one that was
    interrupted in the middle of another change, which its journal takes back."""
    place = tmp_path / "archive"
    whole = tiny.copy_study(Study(core_template), place / "whole")
    whole.engine.dispose()
    database = whole.root / "study.db"
    with closing(sqlite3.connect(database, isolation_level=None)) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        raw.execute("PRAGMA wal_autocheckpoint = 0")
        raw.execute("UPDATE patients SET race = 'as its log says'")
        raw.execute("UPDATE table_versions SET written = version")
        for name, ends in (("logged", ("", "-wal", "-shm")), ("log alone", ("", "-wal"))):
            shutil.copytree(whole.root, place / name, ignore=shutil.ignore_patterns("study.db*"))
            for end in ends:
                shutil.copyfile(f"{database}{end}", place / name / f"study.db{end}")
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        raw.execute("PRAGMA journal_mode = DELETE")
        raw.execute("PRAGMA cache_size = 1")
        raw.execute("BEGIN IMMEDIATE")
        raw.execute("UPDATE patients SET race = 'half-written'")
        raw.execute("CREATE TABLE filling AS SELECT randomblob(900) FROM pragma_function_list")
        shutil.copytree(whole.root, place / "interrupted")
        assert b"half-written" in (place / "interrupted" / "study.db").read_bytes()
        raw.execute("ROLLBACK")
        raw.execute("PRAGMA journal_mode = WAL")
    for left in whole.root.glob("study.db-*"):
        left.unlink()
    return {folder.name: folder for folder in sorted(place.iterdir())}


@pytest.mark.parametrize("kind", ["folder", "file system"])
def test_what_reads_works_and_what_writes_says_so(studies, kind, tmp_path):
    place = next(iter(studies.values())).parent
    before = without_rights() if kind == "folder" else on_read_only(place)
    if kind == "folder":
        for folder in studies.values():
            folder.chmod(0o555)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    try:
        done = subprocess.run(
            [*before, sys.executable, "-c", RUN, json.dumps(COMMANDS), *(json.dumps(str(f)) for f in studies.values())],
            env=environment() | {"TMPDIR": str(temporary)}, capture_output=True, text=True, check=True,
        )  # fmt: skip
    finally:
        for folder in studies.values():
            folder.chmod(0o755)
    told = json.loads(done.stdout)
    assert len(told) == 4
    for study, (status, sql, check, plan, rebuild) in told.items():
        assert [ended[0] for ended in (status, sql, check, plan)] == [0, 0, 0, 0], (study, status, sql, check, plan)
        assert json.loads(status[1])["counts"]["patients"] == 10, study
        assert sql[1].split() == ["n", "10"], study
        assert rebuild[0] == 6 and "cannot be opened for writing" in rebuild[2], (study, rebuild)
        assert rebuild[2].count("\n") == 1, rebuild
    assert not list(temporary.iterdir())  # a private copy is gone with the process


def test_what_somebody_else_writes_meanwhile_is_not_taken(studies):
    """A file without a log is read as it lies, without locks: the reader of this folder cannot see who else may write it."""
    study = studies["whole"]
    before = without_rights()
    study.chmod(0o555)
    try:
        with subprocess.Popen(
            [*before, sys.executable, "-c", READ, str(study / "study.db")], env=environment(), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True,
        ) as reader:  # fmt: skip
            assert reader.stdout is not None and reader.stdout.readline() == "read\n"
            study.chmod(0o755)
            with closing(sqlite3.connect(study / "study.db")) as raw:
                raw.execute("UPDATE patients SET race = 'of somebody else'")
                raw.commit()
            study.chmod(0o555)
            said, _ = reader.communicate("\n", timeout=60)
    finally:
        study.chmod(0o755)
    assert "somebody wrote to the database while it was read" in said
