"""Large tables are kept for the next query, one file a version: no answer is ever of another state than the database's."""

from __future__ import annotations

import shutil
import sqlite3

import pytest

from analyses import ANALYSES
from ingest.redact import redact
from tests.support import tiny
from tshdb import sandbox
from tshdb.query import run_query
from tshdb.schema import Base
from tshdb.snapshots import FOLDER
from tshdb.vocabulary import WithdrawalScope
from tshdb.withdrawal.withdraw import withdraw

COUNT = "SELECT count(*) AS n, round(sum(value), 6) AS total FROM tsh_ratios"


@pytest.fixture(autouse=True)
def every_table_is_large(monkeypatch):
    monkeypatch.setattr("tshdb.sandbox.LEAST_ROWS", 1)


def kept(study) -> dict[str, bytes]:
    """table -> bytes of its file."""
    return {p.name.split(".")[0]: p.read_bytes() for p in sorted((study.root / FOLDER).glob("*.parquet"))}


def edit(study, *statements: str) -> None:
    """Behind the program's back."""
    with sqlite3.connect(study.sqlite_path) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def test_a_table_is_kept_and_gives_the_same_answer(study):
    first = run_query(study, COUNT)
    assert set(kept(study)) == {"tsh_ratios"}
    before = kept(study)
    assert run_query(study, COUNT) == first
    assert kept(study) == before
    (frame,) = run_query(study, "SELECT * FROM tsh_ratios LIMIT 1").rows
    whole = run_query(study, "SELECT * FROM tsh_ratios")
    assert whole.rows[0] == frame and "DOUBLE" in whole.types


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE tsh_ratios SET value = 77 WHERE population = 'T cells'",
        "DELETE FROM tsh_ratios WHERE population = 'T cells'",
        "INSERT INTO tsh_ratios (unit_id, patient_id, population, unit, transform, biomarker, value) "
        "SELECT unit_id, patient_id, 'new', unit, transform, biomarker, 5 FROM tsh_ratios WHERE population = 'T cells'",
    ],
    ids=lambda s: s.split()[0],
)
def test_a_change_by_anybody_is_seen_and_other_tables_stay(study, statement):
    run_query(study, "SELECT 1 FROM patients, tsh_ratios LIMIT 1")
    before = kept(study)
    edit(study, statement)
    with sqlite3.connect(study.sqlite_path) as connection:
        truth = connection.execute(COUNT).fetchone()
    assert run_query(study, COUNT).rows == [pytest.approx(truth)]
    after = kept(study)
    assert after["patients"] == before["patients"] and after["tsh_ratios"] != before["tsh_ratios"]


def test_a_restored_database_is_not_answered_from_what_came_after_it(study, tmp_path):
    """The same number of changes, another history: versions never meet again."""
    backup = tmp_path / "backup.db"
    edit(study, f"VACUUM INTO '{backup}'")
    edit(study, "UPDATE tsh_ratios SET value = 1")
    run_query(study, COUNT)
    study.engine.dispose()
    for name in ("study.db-wal", "study.db-shm"):
        (study.root / name).unlink(missing_ok=True)
    study.sqlite_path.write_bytes(backup.read_bytes())
    edit(study, "UPDATE tsh_ratios SET value = 2")
    assert run_query(study, "SELECT DISTINCT value FROM tsh_ratios").rows == [(2.0,)]


def test_a_damaged_file_is_not_used(study):
    first = run_query(study, COUNT)
    (path,) = (study.root / FOLDER).glob("*.parquet")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    assert run_query(study, COUNT) == first


def test_a_folder_that_cannot_be_written_is_no_error(study):
    shutil.rmtree(study.root / FOLDER)  # what cohorts gave
    (study.root / FOLDER).write_text("in the way")
    assert run_query(study, COUNT).rows


def test_a_query_reads_no_kept_table_but_those_that_it_names(study):
    run_query(study, "SELECT 1 FROM patients LIMIT 1")
    (path,) = (study.root / FOLDER).glob("patients*.parquet")
    path = path.rename(path.with_name("other.parquet"))
    run_query(study, COUNT)
    with pytest.raises(Exception, match="Permission|disabled|Cannot access"):
        run_query(study, f"SELECT * FROM read_parquet('{path}') , tsh_ratios")


def test_a_withdrawal_leaves_no_kept_table(study):
    run_query(study, "SELECT 1 FROM patients, follow_ups, tsh_ratios LIMIT 1")
    assert kept(study)
    withdraw(study, ANALYSES, "TCGA-TN-0003", reason="x", scope=WithdrawalScope.KEEP, redact=redact)
    assert not kept(study)


def test_every_table_has_its_triggers():
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        study = tiny.new_study(Path(folder) / "study")
        with sqlite3.connect(study.sqlite_path) as connection:
            found = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")}
            versions = {name for (name,) in connection.execute("SELECT table_name FROM table_versions")}
        study.engine.dispose()
    watched = set(Base.metadata.tables) - {"leases", "table_versions"}
    assert versions == watched
    assert found == {f"watch_{table}_{event}" for table in watched for event in ("insert", "update", "delete")}


def test_what_a_query_keeps_behind_a_withdrawal_is_removed(study, monkeypatch):
    """The query began before: it has read the patient's rows, and writes them when the withdrawal has cleared all."""
    true_keep = sandbox.keep

    def after_a_withdrawal(connection, snapshots, table, version):
        edit(study, "DELETE FROM tsh_ratios WHERE patient_id = 'TCGA-TN-0003'")
        snapshots.erase()
        true_keep(connection, snapshots, table, version)
        assert list(kept(study)) == ["tsh_ratios"]

    monkeypatch.setattr("tshdb.sandbox.keep", after_a_withdrawal)
    before = run_query(study, COUNT)
    assert kept(study) == {}
    monkeypatch.setattr("tshdb.sandbox.keep", true_keep)
    assert run_query(study, COUNT) != before and list(kept(study)) == ["tsh_ratios"]
