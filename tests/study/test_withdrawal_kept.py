"""A withdrawal keeps its word: whatever was read is named, whatever was not opened is said, and what comes back is found."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select, text

from analyses import ANALYSES
from ingest.redact import redact
from tests.support import tiny, withdrawals
from tests.support.exported import FORMATS
from tshdb.actions import ingest, withdrawing
from tshdb.database import create, reading, writing
from tshdb.schema import Base, Patient, Tombstone
from tshdb.study import Study
from tshdb.vocabulary import WithdrawalScope
from tshdb.withdrawal.again import repeat_withdrawals
from tshdb.withdrawal.certificate import verify
from tshdb.withdrawal.tombstones import readmit
from tshdb.withdrawal.withdraw import withdraw

WHO = "TCGA-TN-0003"
MAP = '[patient_id]\ncolumn = "id"\n[patients.age_years]\ncolumn = "age"\n'


def gone(study: Study, who: str = WHO) -> tuple[Path, dict]:
    return withdraw(study, ANALYSES, who, reason="consent withdrawn", scope=WithdrawalScope.KEEP, redact=redact)


def deliver(study: Study, folder: Path, ids: tuple[str, ...], name: str = "ages.csv", age: int = 50) -> Path:
    folder.mkdir()
    (folder / "map.toml").write_text(MAP)
    path = folder / name
    path.write_text("id,age\n" + "".join(f"{patient},{age + i}\n" for i, patient in enumerate(ids)))
    ingest.clinical(study, path, "mine", map=folder / "map.toml")
    return path


def patients(study: Study) -> set[str]:
    with reading(study.engine) as connection:
        return set(connection.execute(select(Patient.patient_id)).scalars())


def restored(study: Study, copy: Path) -> Study:
    """The study with a database from before, as somebody copies one back."""
    study.engine.dispose()
    for path in study.root.glob("study.db*"):
        path.unlink()
    shutil.copy(copy / "study.db", study.root / "study.db")
    return Study(study.root)


@pytest.mark.parametrize("seed", [3, 8, 16])
def test_a_random_history_ends_with_a_withdrawal_that_keeps_its_word(core_template, tmp_path, seed):
    """More of them: make soak PART=withdrawals."""
    wrong, said = withdrawals.trial(Study(core_template), tmp_path, seed)
    assert wrong == [], said


def test_every_delivery_that_was_ever_read_is_named(empty_study, tmp_path):
    ids = ("HOSP-00001", "HOSP-00002")
    first = deliver(empty_study, tmp_path / "first", ids)
    second = deliver(empty_study, tmp_path / "second", ids, age=60)
    renamed = deliver(empty_study, tmp_path / "third", ids, name="renamed.csv", age=60)
    lost = deliver(empty_study, tmp_path / "fourth", ids, age=70)
    other = deliver(empty_study, tmp_path / "fifth", ("HOSP-00002",), name="other.csv", age=61)
    lost.unlink()
    _, said = gone(empty_study, "HOSP-00001")
    states = {Path(empty_study.root.resolve() / d["path"]).resolve(): d["state"] for d in said["deliveries"]}
    named = {path: "names the patient" for path in (first, second, renamed)}
    assert states == {**named, lost: "no longer at its place"} and other not in states
    assert [d["why"] for d in said["deliveries"] if d["path"].endswith("fourth/ages.csv")] == ["it held the patient"]
    assert len(said["files_outside_the_study"]) == 3 and said["deliveries_no_longer_there"] == 0


def test_a_state_in_which_nothing_of_hers_changed_is_named_too(empty_study, tmp_path):
    """Nothing but the file itself, or its source, says that it held her."""
    paths = []
    for n in range(4):
        folder = tmp_path / f"delivery-{n}"
        folder.mkdir()
        (folder / "map.toml").write_text(MAP)
        paths.append(folder / "ages.csv")
        paths[-1].write_text(f"id,age\nHOSP-00001,50\nHOSP-00002,{51 + n}\n")
        ingest.clinical(empty_study, paths[-1], "mine", map=folder / "map.toml")
    paths[2].unlink()
    _, said = gone(empty_study, "HOSP-00001")
    states = {Path(empty_study.root.resolve() / d["path"]).resolve(): d["state"] for d in said["deliveries"]}
    here, away = "names the patient", "no longer at its place"
    assert states == dict(zip(paths, (here, here, away, here), strict=True))


def test_what_names_the_patient_by_its_path_alone(core):
    for name in (f"scans/{WHO}/a.bin", f"scans/{WHO.lower()}.dat", f"empty/{WHO}"):
        path = core.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir() if name.startswith("empty") else path.write_bytes(b"\x00\x01")
    (core.root / "link").symlink_to(core.root.parent / "elsewhere" / WHO)
    _, said = gone(core)
    assert said["left"] == ["empty/" + WHO, "link", f"scans/{WHO}/a.bin", f"scans/{WHO.lower()}.dat"]
    assert (
        WHO.lower() not in json.dumps(json.loads(next((core.root / "withdrawals").glob("*.json")).read_text())).lower()
    )


def test_version_control_caches_and_backups_are_named_and_not_written(core):
    root, around = core.root, core.root.parent
    for folder in (
        root / ".git",
        around / ".git",
        root / ".dvc/cache",
        around / ".snakemake",
        around / "study.backup-1",
    ):
        folder.mkdir(parents=True)
        (folder / "a.csv").write_text(f"id\n{WHO}\n")
    (root / "study.db.backup-0033").write_bytes((root / "study.db").read_bytes())
    _, said = gone(core)
    there = {Path(c["path"]).name for c in said["copies_by_other_programs"]}
    assert {".git", ".dvc", ".snakemake", "study.backup-1", "study.db.backup-0033"} <= there
    assert [c["path"] for c in said["copies_by_other_programs"]].count("../.git") == 1
    assert said["left"] == [".dvc/cache/a.csv", "study.db.backup-0033"]
    assert [u["path"] for u in said["not_looked_into"]] == [".git"]
    for folder in (root / ".git", root / ".dvc/cache", around / "study.backup-1"):
        assert WHO in (folder / "a.csv").read_text()


def test_what_was_not_opened_is_never_none(quick, core):
    folder = core.root / "exports"
    folder.mkdir()
    FORMATS["vault"].write(folder / "table.bin", [(WHO, "x")])
    said = quick("withdraw", WHO, "--preview", cwd=core.root).stdout
    assert "not looked into" in said and "exports/table.bin" in said
    said = quick("withdraw", WHO, "--reason", "consent withdrawn", cwd=core.root, code=3)
    assert "exports/table.bin" in said.stdout and "nobody knows" in said.stderr
    (path,) = (core.root / "withdrawals").glob("*.json")
    assert [u["path"] for u in json.loads(path.read_text())["not_looked_into"]] == ["exports/table.bin"]
    verified = quick("withdraw", "--verify", path, cwd=core.root, code=3).stdout
    assert "?    every file of the study was looked into: exports/table.bin" in verified
    (folder / "table.bin").unlink()
    quick("withdraw", "--verify", path, cwd=core.root)


@pytest.mark.parametrize("name", ["xlsx", "feather"])
def test_a_text_that_is_none_is_not_written_again(core, name):
    """A workbook under a name of a text: line by line it would be destroyed."""
    path = core.root / "raw" / "table.txt"
    FORMATS[name].write(path.with_suffix(f".{name}"), [(WHO, "x"), ("TCGA-TN-0001", "kept")])
    path.with_suffix(f".{name}").rename(path)
    before = path.read_bytes()
    _, said = gone(core)
    assert said["left"] == ["raw/table.txt"] and path.read_bytes() == before


def test_verify_finds_what_a_restore_brings_back(core):
    copy = core.root.parent / "copy"
    tiny.copy_study(core, copy)
    path, _ = gone(Study(core.root))
    assert all(v.holds for v in verify(Study(core.root), path))
    exports = core.root / "exports"
    exports.mkdir()
    FORMATS["parquet"].write(exports / "a.parquet", [(WHO, "x")])
    FORMATS["csv.xz"].write(exports / "b.csv.xz", [(WHO.lower(), "x")])
    found = {v.what: v for v in verify(restored(core, copy), path)}
    assert not found["the study knows the withdrawal"].holds
    assert "patients.patient_id" in found["no row names the patient"].detail
    assert found["no file of the study names the patient"].detail == "exports/a.parquet, exports/b.csv.xz"


def test_withdrawals_are_repeated_after_a_restore(core):
    copy = core.root.parent / "copy"
    tiny.copy_study(core, copy)
    study = Study(core.root)
    gone(study)
    gone(study, "TCGA-TN-0004")
    gone(study, "TCGA-TN-0005")
    with study.engine.begin() as connection:
        readmit(connection, study.root, "TCGA-TN-0005", "consented again")
    back = restored(study, copy)
    assert WHO in patients(back)
    done = repeat_withdrawals(back, ANALYSES, redact)
    assert [r.was_there for r in done] == [True, True]
    left = patients(back)
    assert WHO not in left and "TCGA-TN-0004" not in left and "TCGA-TN-0005" in left, "who was readmitted stays"
    for path in sorted((back.root / "withdrawals").glob("*.json")):
        if json.loads(path.read_text())["token"] in {r.token for r in done}:
            assert all(v.holds for v in verify(back, path))
    assert repeat_withdrawals(back, ANALYSES, redact) == [], "and once is enough"


def test_a_patient_whom_the_restored_database_does_not_have_stays_away(empty_study, tmp_path):
    copy = tmp_path / "copy"
    deliver(empty_study, tmp_path / "first", ("HOSP-00002",))
    tiny.copy_study(empty_study, copy)
    study = Study(empty_study.root)
    path = deliver(study, tmp_path / "second", ("HOSP-00001", "HOSP-00002"), name="second.csv")
    gone(study, "HOSP-00001")
    back = restored(study, copy)
    (done,) = repeat_withdrawals(back, ANALYSES, redact)
    assert not done.was_there
    with reading(back.engine) as connection:
        assert connection.execute(select(Tombstone.token)).scalars().all() == [done.token]
    ingest.clinical(back, path, "mine", map=path.parent / "map.toml")
    assert patients(back) == {"HOSP-00002"}
    path.write_text("id,age\nhosp-00001,50\nHOSP-00002,51\n")
    ingest.clinical(Study(back.root), path, "mine", map=path.parent / "map.toml")
    assert patients(back) == {"HOSP-00002"}, "nor in other letters"


def test_without_its_key_nothing_is_repeated_and_that_is_said(core):
    copy = core.root.parent / "copy"
    tiny.copy_study(core, copy)
    study = Study(core.root)
    gone(study)
    (study.root / ".withdrawal-key").unlink()
    with pytest.raises(Exception, match="the key that recognises the patients is gone"):
        repeat_withdrawals(restored(study, copy), ANALYSES, redact)


def test_a_preview_waits_for_nobody_and_writes_nothing(core):
    """Another command writes; on PostgreSQL a transaction that is rolled back would wait for it, and need the right to write."""
    before = core.sqlite_path.read_bytes()
    with closing(sqlite3.connect(core.sqlite_path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        expected = withdrawing.preview(core, WHO).expected  # one that waits is Busy
        other.execute("ROLLBACK")
    assert expected.rows["patients"] == 1 and core.sqlite_path.read_bytes() == before
    core.engine.dispose()
    assert withdrawing.withdraw(Study(core.root), WHO, "asked").facts["rows_erased"] == expected.rows


def test_postgresql_keeps_no_value_of_the_patient_in_what_it_plans_with(postgresql, tmp_path):
    study = tiny.new_study(tmp_path / "study", postgresql, analyses=tiny.CORE)
    tiny.ingest(study, tiny.TinyArchive.make(6), images=False)
    with study.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("ANALYZE"))
    with writing(create(study.database_url)):  # a preview waits for no writer there, either
        expected = withdrawing.preview(study, WHO).expected
    _, said = gone(study)
    assert said["rows_erased"] == expected.rows and said["texts_scrubbed"] == expected.scrubbed
    assert "write-ahead log" in said["cannot_be_recalled"] and "replicas" in said["cannot_be_recalled"]
    with reading(study.engine) as connection:
        values = connection.execute(text("SELECT tablename, attname, s::text FROM pg_stats s")).fetchall()
        assert [row[:2] for row in values if WHO in row[2]] == []
        for table in Base.metadata.sorted_tables:
            assert all(WHO not in str(row) for row in connection.execute(select(table))), table.name
    study.engine.dispose()
