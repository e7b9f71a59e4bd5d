"""The trash: only what we could have made goes there, it can be had back, and a withdrawal erases it."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import time
from datetime import timedelta
from pathlib import Path

import pytest

from tests.study.test_backup import killed_at, tree
from tests.support import tiny
from tshdb.actions import cleaning
from tshdb.engine.leases import LEASE_SECONDS
from tshdb.errors import InvalidInput
from tshdb.process import identity, machine
from tshdb.study import Study
from tshdb.trash import MARK, Trash

NOBODY = 4_194_303  # the largest process id of this system; no process of a test has it


def extra(root: Path, content: bytes = b"nobody names it", suffix: str = ".nrrd") -> Path:
    """An object that no row names."""
    digest = hashlib.sha256(content).hexdigest()
    path = root / "objects" / digest[:2] / f"{digest}{suffix}"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return path


def old(path: Path, days: float = 40, content: bytes = b"x") -> Path:
    """A file that was written so many days ago."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    then = time.time() - days * 86_400
    os.utime(path, (then, then))
    return path


def ours(root: Path) -> list[Path]:
    """One of everything that goes."""
    return [
        extra(root),
        old(root / "work" / f"signature_search-{'0' * 16}" / "progress"),
        old(root / "reports/ingest-0001.html"),
        old(root / "reports/report.html"),
        old(root / "figures/km.svg"),
        old(root / "figures/km.median.pdf"),
        old(root / "raw/.manifest.json.writing", days=1),
        old(root / f"reports/.report.html.{NOBODY}.writing", days=0),
        old(root / f".study.backup-20260101T000000000000.db.{NOBODY}.writing", days=0),
    ]


def theirs(root: Path, outside: Path) -> list[Path]:
    """What looks like it, and is not ours, or is needed still."""
    outside.mkdir()
    old(outside / "report.html")
    (root / "reports").mkdir(exist_ok=True)
    (root / "figures/km.png").parent.mkdir(exist_ok=True)
    (root / "figures/km.png").symlink_to(outside / "report.html")
    (root / "work").mkdir(exist_ok=True)
    (root / "work" / f"signature_search-{'1' * 16}").symlink_to(outside, target_is_directory=True)
    wrong = extra(root, b"other bytes than its name")
    wrong.write_bytes(b"edited")
    old(root / "work" / f"signature_search-{'2' * 16}" / "part", days=40)
    return [
        outside / "report.html",
        root / "figures/km.png",
        wrong,
        old(root / "work" / f"signature_search-{'2' * 16}" / "progress", days=1),
        old(root / "reports/mine.html"),
        old(root / "reports/ingest-1.html"),
        old(root / "figures/mine.svg"),
        old(root / "work/notes/part"),
        old(root / "reports/ingest-0002.html", days=2),
        old(root / f"reports/.report.html.{os.getpid()}.writing", days=40),
        old(root / "raw/.other.json.writing", days=0),
        old(root / "raw/.mine.writing", days=40),
        old(root / "objects/notes.txt"),
        old(root / "objects/ab/deadbeef.nrrd"),
    ]


def test_it_moves_what_we_made_and_nothing_else(core, tmp_path):
    stay = theirs(core.root, tmp_path / "outside")
    gone = ours(core.root)
    before, rows = tree(core.root), tiny.dump(core)
    wanted = cleaning.find(core)
    assert {g.path for g in wanted.garbage} == {p.relative_to(core.root).as_posix() for p in gone}
    assert tree(core.root) == before, "to look writes nothing"
    done = cleaning.clean(core)
    assert {g.path for g in done.garbage} == {g.path for g in wanted.garbage}
    assert not any(os.path.lexists(p) for p in gone) and all(os.path.lexists(p) for p in stay)
    (folder,) = core.trash.folders()
    for thrown in json.loads((folder / "manifest.json").read_text())["files"]:
        assert (folder / "files" / thrown["path"]).read_bytes() == before[thrown["path"]] and thrown["why"]
    assert tiny.dump(core) == rows
    assert cleaning.clean(Study(core.root)).garbage == []
    emptied = cleaning.empty_trash(core)
    assert emptied.files == len(gone) and core.trash.held() == {"files": 0, "bytes": 0} and core.trash.folders() == []
    assert all(os.path.lexists(p) for p in stay)


@pytest.mark.parametrize("point", ["trash.written", "trash.moved"])
def test_killed_on_the_way_everything_is_there_or_in_the_trash(core, point):
    gone = ours(core.root)
    before = {p: p.read_bytes() for p in gone}
    core.engine.dispose()
    assert killed_at(core, point, "gc") == 137
    cleaning.clean(core)
    assert not any(os.path.lexists(p) for p in gone)
    in_trash = [
        path.read_bytes() for folder in core.trash.folders() for path in (folder / "files").rglob("*") if path.is_file()
    ]
    assert sorted(in_trash) == sorted(before.values())
    assert cleaning.empty_trash(core).files == len(gone) and core.trash.folders() == []


def test_objects_stay_while_a_rebuild_runs(core):
    """It writes an object before the row that names it."""
    path = extra(core.root)
    core.engine.dispose()
    lease = ("x", "y", 1, machine(), identity(), time.time() + LEASE_SECONDS)
    with sqlite3.connect(core.sqlite_path) as raw:
        raw.execute("INSERT INTO leases (analysis, key, token, host, process, expires_at) VALUES (?,?,?,?,?,?)", lease)
    raw.close()
    done = cleaning.clean(core)
    assert path.is_file() and "a rebuild is running" in done.waits
    with sqlite3.connect(core.sqlite_path) as raw:
        raw.execute("UPDATE leases SET process = ?", (str(NOBODY),))
    raw.close()
    assert cleaning.clean(core).waits is None and not path.exists()


def test_a_repair_leaves_objects_while_a_rebuild_runs(core, quick):
    """As gc does; all else is mended, and the next repair does the rest."""
    path = extra(core.root)
    core.engine.dispose()
    lease = ("x", "y", 1, __import__("socket").gethostname(), identity(), time.time() + 30 * LEASE_SECONDS)
    with sqlite3.connect(core.sqlite_path) as raw:
        raw.execute("INSERT INTO leases (analysis, key, token, host, process, expires_at) VALUES (?,?,?,?,?,?)", lease)
    raw.close()
    half = old(core.root / "raw/.manifest.json.writing", days=1)
    said = quick("check", "--repair", cwd=core.root, code=None)
    assert path.is_file() and not half.exists() and "are: a rebuild is running" in " ".join(said.stderr.split())
    with sqlite3.connect(core.sqlite_path) as raw:
        raw.execute("UPDATE leases SET process = ?", (str(NOBODY),))
    raw.close()
    facts = json.loads(quick("check", "--repair", "--json", cwd=core.root, code=None).stdout)
    assert facts["waits"] is None and not path.exists()


def test_what_variants_name_stays(core):
    """Their results name objects that no row of the study does."""
    path = extra(core.root)
    folder = core.root / "variants/other"
    folder.mkdir(parents=True)
    (folder / "variant.toml").write_text("")
    with sqlite3.connect(folder / "variant.db") as raw:
        raw.execute("CREATE TABLE objects (digest TEXT)")
        raw.execute("INSERT INTO objects VALUES (?)", (path.stem,))
    raw.close()
    assert cleaning.clean(core).garbage == [] and path.is_file()


def test_repair_and_gc_have_one_trash_and_it_is_said(quick, core):
    path = extra(core.root)
    core.engine.dispose()
    quick("check", "--fast", "--repair", cwd=core.root)
    assert not path.exists() and Trash(core.root).held()["files"] == 1
    assert "In the trash: 1 files" in quick("status", cwd=core.root).stdout
    assert json.loads(quick("status", "--json", cwd=core.root).stdout)["trash"]["files"] == 1
    assert "tshdb gc --empty-trash" in quick("check", "--fast", cwd=core.root).stderr
    assert json.loads(quick("gc", "--empty-trash", "--dry-run", "--json", cwd=core.root).stdout)[0]["path"].startswith(
        "objects/"
    )
    assert json.loads(quick("gc", "--empty-trash", "--older-than", "1", "--json", cwd=core.root).stdout)["files"] == 0
    assert json.loads(quick("gc", "--empty-trash", "--json", cwd=core.root).stdout)["files"] == 1
    assert json.loads(quick("gc", "--json", cwd=core.root).stdout)["files"] == []


def test_emptying_takes_what_the_manifest_names_and_leaves_the_rest(core, tmp_path):
    """Nobody's file goes, nor one that a manifest which was edited leads to."""
    extra(core.root)
    cleaning.clean(core)
    (folder,) = core.trash.folders()
    mine = old(folder / "files/mine.txt")
    victim = old(tmp_path / "victim.txt")
    (folder / "files/way").symlink_to(tmp_path, target_is_directory=True)
    said = json.loads((folder / "manifest.json").read_text())
    said["files"] += [
        {"path": p, "size": 1, "why": "x"} for p in (str(victim), "../../../../victim.txt", "way/victim.txt")
    ]
    (folder / "manifest.json").write_text(json.dumps(said))
    done = core.trash.empty()
    assert done.files == 1 and mine.is_file() and victim.is_file()
    assert done.left == [mine.relative_to(core.root).as_posix()]
    (folder / "manifest.json").write_text("no JSON")
    assert core.trash.empty().files == 0 and mine.is_file()


def test_a_folder_of_the_user_s_is_no_trash(core, tmp_path):
    path = extra(core.root)
    old(core.root / "trash/mine.txt")
    with pytest.raises(InvalidInput, match=MARK):
        cleaning.clean(core)
    assert path.is_file() and core.trash.folders() == []
    (core.root / "trash/mine.txt").unlink()
    (core.root / "trash").rmdir()
    (core.root / "trash").symlink_to(tmp_path, target_is_directory=True)
    with pytest.raises(InvalidInput, match="is not the study's trash"):
        cleaning.clean(Study(core.root))
    assert path.is_file()


def test_a_withdrawal_erases_the_trash(study):
    from tshdb.actions.withdrawing import withdraw

    extra(study.root, b"TCGA-TN-0003 in an object")
    cleaning.clean(study, timedelta(0))
    assert study.trash.held()["files"] >= 1
    withdraw(study, "TCGA-TN-0003", "consent withdrawn")
    assert study.trash.held() == {"files": 0, "bytes": 0}
    study.engine.dispose()
    assert not [n for n, data in tree(study.root).items() if b"TCGA-TN-0003" in data]
