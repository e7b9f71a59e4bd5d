"""What study.toml, a folder or the database names is looked at before it is written or removed: a study may be received."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from analyses import ANALYSES
from tests.support import tiny
from tests.support.program import run_quick
from tshdb.checking import Context, check, mend
from tshdb.database import reading, writing
from tshdb.engine.work import clear_all
from tshdb.errors import IntegrityError, InvalidInput
from tshdb.objects import MARK, ObjectStore
from tshdb.places import DATABASE_MARK, files_below, made_in, plain_name
from tshdb.snapshots import Snapshots
from tshdb.study import Study
from tshdb.trash import Trash
from tshdb.withdrawal.withdraw import resume

TOKEN = "a" * 32


@pytest.fixture
def received(empty_study) -> Path:
    """A study that came from somebody else, with a nested study and a neighbour; the files that nobody may touch."""
    root = empty_study.root
    empty_study.engine.dispose()
    for name in ("raw/rna.csv", "mine/notes.txt", "mine/study.toml", "mine/raw/.rna.csv.redacted", "mine/raw/rna.csv",
                 "notes/.writing-abcdefgh", "notes/.a.csv.redacted", "notes/.b.writing", "../precious/thesis.docx",
                 "../precious/.writing-abcdefgh", "figures/.mine.redacted", "work/plan.txt"):  # fmt: skip
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    return root


def everything(root: Path) -> dict[str, bytes]:
    """Path -> bytes of all that lies in the folder above the study, but for the database."""
    files = (
        p for p in sorted(root.parent.rglob("*")) if p.is_file() and not p.name.startswith(("study.db", ".tshdb.lock"))
    )
    return {str(p): p.read_bytes() for p in files}


def repaired(root: Path) -> dict[str, list[str]]:
    """Check and repair; rule -> places that are still broken."""
    study = Study(root)
    with reading(study.engine) as connection:
        broken = check(Context(study, connection, ANALYSES), full=False)
    with writing(study.engine) as connection:
        mend(Context(study, connection, ANALYSES), broken)
    with reading(study.engine) as connection:
        left = check(Context(study, connection, ANALYSES), full=False)
    study.engine.dispose()
    return {b.rule.name: [p.where for p in b.problems] for b in left}


def setting(root: Path, name: str, value: str) -> None:
    text = (root / "study.toml").read_text()
    line = next(x for x in text.splitlines() if x.startswith(f"{name} ="))
    (root / "study.toml").write_text(text.replace(line, f'{name} = "{value}"'))


def stored(folder: Path, content: bytes = b"x") -> Path:
    digest, _ = ObjectStore(folder).put(lambda path: path.write_bytes(content))
    return folder / digest[:2] / f"{digest}.parquet"


# ------------------------------------------------------------------------------------------------ study.toml


@pytest.mark.parametrize(
    "place",
    [".", "..", "raw", "raw/objects", "cohorts", "withdrawals", "reports", "work", ".snapshots", "../precious", "mine",
     "mine/objects", "a/../..", "HERE", "ABOVE/precious", "link", "study.toml", "objects/../raw", ""],
)  # fmt: skip
def test_objects_that_cannot_be_ours_are_refused_with_the_line(received, place):
    (received / "link").symlink_to(received.parent / "precious")
    setting(received, "objects", place.replace("HERE", str(received)).replace("ABOVE", str(received.parent)))
    before = everything(received)
    with pytest.raises(
        InvalidInput, match=r"study\.toml:\d+: \[study\] objects: found .*objects = |with its"
    ) as refused:
        repaired(received)
    assert refused.value.repair
    assert everything(received) == before


@pytest.mark.parametrize("place", ["store", "deep/store", "objects/../store"])
def test_objects_may_lie_anywhere_below_the_study(received, place):
    setting(received, "objects", place)
    extra = stored(Study(received).objects.root)
    assert "store" in extra.parts and (extra.parent.parent / MARK).is_file()
    repaired(received)
    assert not extra.exists()


def test_objects_elsewhere_need_the_mark_and_are_never_cleaned(received):
    elsewhere = received.parent / "scratch"
    elsewhere.mkdir()
    (elsewhere / "readme").write_text("x")
    setting(received, "objects", str(elsewhere))
    with pytest.raises(InvalidInput, match="not known as a folder of objects"):
        _ = Study(received).objects
    (elsewhere / "readme").unlink()
    extra = stored(elsewhere)
    (elsewhere / "readme").write_text("x")
    assert Study(received).objects.root == elsewhere, "it bears the mark"
    assert sorted(repaired(received)["object.foreign"]) == sorted(map(str, (elsewhere / "readme", extra)))
    assert extra.is_file(), "another study may keep its objects beside ours"
    setting(received, "objects", "../scratch")
    with pytest.raises(InvalidInput, match="leads out of the study"):
        _ = Study(received).objects
    (elsewhere / "study.toml").write_text("")
    setting(received, "objects", str(elsewhere))
    with pytest.raises(InvalidInput, match="holds a study"):
        _ = Study(received).objects


@pytest.mark.parametrize(
    "kind", ["dots", "a link", "a folder that is a link", "another study's", "a nested study's", "a stranger's"]
)
def test_a_database_outside_of_the_study_is_refused(received, kind, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(received / "study.db", other / "study.db")
    before, url = (other / "study.db").read_bytes(), "sqlite:///study.db"
    if kind == "dots":
        url = "sqlite:///../other/study.db"
    elif kind == "a link":
        (received / "study.db").unlink()
        (received / "study.db").symlink_to(other / "study.db")
    elif kind == "a folder that is a link":
        (received / "data").symlink_to(other)
        url = "sqlite:///data/study.db"
    elif kind == "another study's":
        (other / "study.toml").touch()
        url = f"sqlite:///{other}/study.db"
    elif kind == "a stranger's":
        url = f"sqlite:///{other}/study.db"
    else:
        shutil.copy(received / "study.db", received / "mine/study.db")
        url = "sqlite:///mine/study.db"
    settings = received / "study.toml"
    settings.write_text(settings.read_text().replace('database = "sqlite:///study.db"', f'database = "{url}"'))
    for command in (["status"], ["plan"], ["sql", "SELECT 1"], ["check", "--fast"]):
        ended = run_quick(*command, "--study", received, code=7)
        assert "[study] database" in ended.stderr
    assert (other / "study.db").read_bytes() == before and {p.name for p in other.iterdir()} <= {
        "study.db",
        "study.toml",
    }


def test_a_database_elsewhere_is_this_studys_by_a_mark(tmp_path, quick):
    fast = tmp_path / "fast"
    fast.mkdir()
    quick("init", tmp_path / "study", "--database", f"sqlite:///{fast}/mine.db")
    quick("status", "--study", tmp_path / "study")
    (fast / DATABASE_MARK).unlink()
    assert f"touch '{fast / DATABASE_MARK}'" in quick("status", "--study", tmp_path / "study", code=7).stderr


def test_a_database_of_another_program_is_not_migrated(received, quick):
    path = received.parent / "cookies.sqlite"
    (received.parent / DATABASE_MARK).touch()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE cookies (a)")
    connection.close()
    setting(received, "database", f"sqlite:///{path}")
    assert "it has the table cookies" in quick("migrate", "--study", received, code=7).stderr
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("cookies",)]
    connection.close()


# ------------------------------------------------------------------------------------------------ folders


def test_repair_takes_away_what_we_could_have_made_and_nothing_else(received):
    root = received
    objects = root / "objects"
    outside = stored(root.parent / "other", b"theirs")
    (objects / "cd").symlink_to(outside.parent)
    (objects / outside.stem[:2]).mkdir()
    (objects / outside.stem[:2] / outside.name).symlink_to(outside)
    digest = hashlib.sha256(b"x").hexdigest()
    strange = {f"{digest[:2]}/{digest}.pdf", f"{digest[:2]}/{'0' * 64}.parquet", f"ab/{digest}.parquet", "ab/notes.txt",
               "thesis.docx", f"ab/{'ab' * 32}.parquet"}  # fmt: skip
    for name in strange:
        (objects / name).parent.mkdir(exist_ok=True)
        (objects / name).write_bytes(b"x")
    before = everything(root)
    ours = [stored(objects), objects / ".writing-abcd1234", root / "raw/.rna.csv.redacted",
            root / "raw/gdc/.status.json.writing", root / f"withdrawals/.{'a' * 16}.json.writing",
            root / "work/forest-0123456789abcdef/.writing-abcd1234", root / ".snapshots/.writing-77",
            root / "reports/.report.html.12.writing"]  # fmt: skip
    for path in ours:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    left = repaired(root)
    assert [p for p in ours if p.exists()] == []
    trash = Trash(root)
    assert {thrown.path for _, thrown in trash.listed()} == {p.relative_to(root).as_posix() for p in ours}
    assert trash.empty().files == len(ours)
    (root / "trash/.tshdb-trash").unlink()
    assert everything(root) == before
    named = {"objects/cd", f"objects/{outside.stem[:2]}/{outside.name}", *(f"objects/{name}" for name in strange)}
    assert set(left["object.foreign"]) == named and "file.half-written" not in left


def test_an_unmarked_folder_is_taken_over_only_if_all_in_it_is_ours(received):
    objects = received / "objects"
    extra = stored(objects)
    (objects / MARK).unlink()
    (objects / "holiday.jpg").write_text("x")
    assert repaired(received)["object.foreign"] and extra.is_file()
    with pytest.raises(InvalidInput, match="holiday.jpg is no object"):
        stored(objects, b"y")
    (objects / "holiday.jpg").unlink()
    assert repaired(received) == {} and not extra.exists() and (objects / MARK).is_file(), "as of an older study"


def test_a_mark_that_is_a_link_is_none(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("x")
    (tmp_path / "objects").mkdir()
    (tmp_path / "objects" / MARK).symlink_to(victim)
    with pytest.raises(InvalidInput):
        stored(tmp_path / "objects")
    assert victim.read_text() == "x"


def test_work_and_snapshots_go_and_what_lies_beside_them_stays(received):
    theirs = [received / "work/plan.txt", received / "work/july/a", received / ".snapshots/holiday.parquet"]
    ours = [
        received / "work/forest-0123456789abcdef/progress",
        received / f".snapshots/tsh_ratios.3.{'a' * 64}.parquet",
    ]
    for path in (*theirs, *ours):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    (received / "work/forest-fedcba9876543210").symlink_to(received / "notes")
    clear_all(received)
    Snapshots(received).erase()
    assert all(p.exists() for p in theirs) and not any(p.exists() for p in ours)
    assert (received / "notes/.b.writing").exists()


def test_links_and_other_studies_are_not_entered(received):
    (received / "raw/away").symlink_to(received.parent / "precious")
    (received / "raw/inner").mkdir()
    (received / "raw/inner/study.toml").write_text("")
    assert [p.name for p in files_below(received / "raw")] == ["rna.csv"]


# ------------------------------------------------------------------------------------------------ the database


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "x\n", "~/x\0"])
def test_names_that_lead_elsewhere_are_no_part_of_a_path(name):
    with pytest.raises(IntegrityError):
        plain_name(name, "units.analysis")


@pytest.mark.parametrize("digest", ["../../victim", "A" * 64, "a" * 63, "a" * 64 + "/..", "a" * 64 + "\n", ""])
def test_a_digest_that_is_none_never_becomes_a_path(tmp_path, digest):
    objects = ObjectStore(tmp_path)
    for use in (objects.path, objects.verified, objects.remove):
        with pytest.raises(IntegrityError, match="is no SHA-256"):
            use(digest)


def test_nothing_is_removed_through_a_link(tmp_path):
    theirs = [stored(tmp_path / "other", content) for content in (b"a", b"b")]
    objects = ObjectStore(tmp_path / "objects")
    objects.claim()
    (objects.root / theirs[0].parent.name).symlink_to(theirs[0].parent)
    objects.path(theirs[1].stem).parent.mkdir()
    objects.path(theirs[1].stem).symlink_to(theirs[1])
    assert [objects.remove(path.stem) for path in theirs] == [False, False]
    assert all(path.is_file() for path in theirs) and objects.path(theirs[1].stem).is_symlink()
    mine = stored(objects.root, b"c")
    assert objects.remove(mine.stem) and not mine.exists() and not objects.remove(mine.stem)


def pending(study: Study, **work) -> None:
    """Write a journal into the database, as whoever sends a study may."""
    text = json.dumps({"objects": [], "said": {}, "files": []} | work)
    with sqlite3.connect(study.sqlite_path) as connection:
        connection.execute("DELETE FROM tombstones")
        connection.execute(
            "INSERT INTO tombstones (token, sample_tokens, scope, reason, actor, withdrawn_at, pending) "
            "VALUES (?, '[]', 'keep', 'x', 'x', '2026', ?)", (TOKEN, text)
        )  # fmt: skip
    connection.close()


VICTIM = "/precious/thesis.docx"
HOSTILE = {
    "outside": {"files": [{"path": "HOME" + VICTIM, "redacted": None}]},
    "above": {"files": [{"path": ".." + VICTIM, "redacted": None}]},
    "above, from below": {"files": [{"path": "raw/../.." + VICTIM, "redacted": None}]},
    "through a link": {"files": [{"path": "away/thesis.docx", "redacted": None}]},
    "a link": {"files": [{"path": "raw/link", "redacted": None}]},
    "in its place": {"files": [{"path": "HOME" + VICTIM, "redacted": "HOME/study/raw/rna.csv"}]},
    "another name": {"files": [{"path": "raw/rna.csv", "redacted": "mine/notes.txt"}]},
    "taken away": {"files": [{"path": "raw/rna.csv", "redacted": ".." + VICTIM}]},
    "nested": {"files": [{"path": "mine/raw/rna.csv", "redacted": "mine/raw/.rna.csv.redacted"}]},
    "the database": {"files": [{"path": "study.db", "redacted": None}]},
    "the key": {"files": [{"path": ".withdrawal-key", "redacted": None}]},
    "a folder": {"files": [{"path": "raw", "redacted": None}]},
    "the study": {"files": [{"path": ".", "redacted": None}]},
    "an object": {"files": [{"path": "objects/ab/x", "redacted": None}]},
    "a certificate": {"files": [{"path": "withdrawals/x.json", "redacted": None}]},
    "no digest": {"objects": ["../../precious/thesis"]},
    "any digest": {"objects": ["*"]},
    "no text": {"files": [{"path": 7, "redacted": None}]},
    "no list": {"files": 7},
    "nothing said": {"said": None},
}


@pytest.mark.parametrize("which", sorted(HOSTILE))
def test_a_journal_that_we_did_not_write_is_refused_with_its_row(received, which):
    (received / "away").symlink_to(received.parent / "precious")
    (received / "raw/link").symlink_to(received.parent / "precious/thesis.docx")
    study = Study(received)
    (received / "raw/.rna.csv.redacted").write_text("without")
    work = json.loads(json.dumps(HOSTILE[which]).replace("HOME", str(received.parent)))
    # a move that could be ours stands before: nothing at all is done
    good = [{"path": "raw/rna.csv", "redacted": "raw/.rna.csv.redacted"}]
    if isinstance(work.get("files", []), list):
        work["files"] = good + work.get("files", [])
    pending(study, **work)
    before = everything(received)
    with pytest.raises(IntegrityError, match=f"tombstones {TOKEN}"):
        resume(study)
    found = repaired(received)
    assert everything(received) == before
    assert found["withdrawal.pending"] == [f"tombstones {TOKEN}: pending"]
    study.engine.dispose()


def test_a_token_that_leads_elsewhere_is_refused(received):
    study = Study(received)
    pending(study)
    with sqlite3.connect(study.sqlite_path) as connection:
        connection.execute("UPDATE tombstones SET token = '../../precious/a'")
    connection.close()
    before = everything(received)
    with pytest.raises(IntegrityError, match="the token"):
        resume(study)
    assert everything(received) == before
    study.engine.dispose()


@pytest.mark.parametrize("is_absolute", [False, True], ids=["relative", "absolute, as versions before wrote"])
def test_a_journal_of_ours_goes_on(received, is_absolute):
    study = Study(received)
    (received / "raw/.rna.csv.redacted").write_text("without")
    (received / "reports").mkdir(exist_ok=True)
    (received / "reports/a.html").write_text("x")
    part = stored(received / "objects")
    home = f"{received.resolve()}{os.sep}" if is_absolute else ""
    files = [{"path": f"{home}raw/rna.csv", "redacted": f"{home}raw/.rna.csv.redacted"},
             {"path": f"{home}reports/a.html", "redacted": None}]  # fmt: skip
    pending(study, files=files, objects=[part.stem])
    assert "file.half-written" not in repaired(received), "it is needed yet"
    part = stored(received / "objects")
    assert resume(study) == [TOKEN]
    assert (received / "raw/rna.csv").read_text() == "without" and not (received / "reports/a.html").exists()
    assert not part.exists() and (received / f"withdrawals/{TOKEN[:16]}.json").is_file()
    assert resume(study) == []
    study.engine.dispose()


def test_a_withdrawal_writes_its_journal_relative_and_through_no_link(study, monkeypatch):
    """A link lies where the file without the patient is written: what it points to stays as it is."""
    from ingest.redact import redact
    from tshdb.vocabulary import WithdrawalScope
    from tshdb.withdrawal import withdraw

    victim = study.root.parent / "victim"
    victim.write_text("keys")
    (study.root / "raw/.clinical.tsv.redacted").symlink_to(victim)
    inner = study.root / "raw/inner"
    inner.mkdir()
    (inner / "study.toml").write_text("")
    (inner / "a.csv").write_text("id\nTCGA-TN-0003\n")
    seen = []
    real = withdraw._do_pending
    monkeypatch.setattr(withdraw, "_do_pending", lambda s, journal: (seen.append(journal.text), real(s, journal)))
    _, said = withdraw.withdraw(study, ANALYSES, "TCGA-TN-0003", reason="x", scope=WithdrawalScope.KEEP, redact=redact)
    paths = [p for f in json.loads(seen[0])["files"] for p in f.values() if p]
    assert paths and not any(Path(p).is_absolute() for p in paths)
    assert victim.read_text() == "keys" and "0003" not in (study.root / "raw/clinical.tsv").read_text()
    assert said["left"] == ["raw/inner/a.csv"], "another study's file is left to a person"
    assert "0003" in (inner / "a.csv").read_text()


def test_what_is_made_goes_through_no_link(tmp_path):
    root, other = tmp_path / "study", tmp_path / "other"
    (root / "figures").mkdir(parents=True)
    other.mkdir()
    (root / "reports").symlink_to(other)
    (root / "figures/qc").symlink_to(other)
    for names in (("reports",), ("reports", "qc"), ("figures", "qc")):
        with pytest.raises(InvalidInput, match="is a link"):
            made_in(root, *names)
    assert made_in(root, "figures", "drawings") == root / "figures/drawings"


def test_tiny_studies_bear_the_mark(tmp_path):
    study = tiny.new_study(tmp_path / "study")
    assert study.objects.is_marked and list(study.objects.strangers()) == []
    study.engine.dispose()
