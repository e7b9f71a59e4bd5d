"""Revision 0035: labels of an older study stand, as those of the TSH score; going back keeps these and drops others."""

from __future__ import annotations

import sqlite3
import tarfile

import pandas as pd

from migrations import downgrade
from tests.support.program import ROOT, run_quick
from tshdb.database import writing
from tshdb.study import Study

LABELS = "SELECT patient_id, score, threshold, label, reason FROM signature_labels ORDER BY patient_id"
NAMES = {"asked", "foretold", "against"}
TABLES = ("signature_labels", "signature_models", "signature_scores", "feature_tests")


def columns_of(database: sqlite3.Connection, table: str) -> set[str]:
    return {row[1] for row in database.execute(f"PRAGMA table_info({table})")}


def plain(rows: pd.DataFrame) -> list[list]:
    return rows.astype(object).where(rows.notna(), None).to_numpy().tolist()


def test_older_labels_stand_and_others_go_when_one_goes_back(tmp_path):
    with tarfile.open(ROOT / "tests/data/study-0009.tar.xz") as packed:
        packed.extractall(tmp_path, filter="data")
    folder = tmp_path / "study"
    with sqlite3.connect(folder / "study.db") as database:
        database.execute("UPDATE signature_labels SET label = 'good', score = 0.75 WHERE patient_id LIKE '%1'")
        older = pd.read_sql(LABELS, database)
        assert not NAMES & columns_of(database, "signature_labels") and 0 < older["label"].notna().sum() < len(older)
    database.close()
    run_quick("migrate", cwd=folder)
    study = Study(folder)
    assert plain(study.sql(LABELS)) == plain(older)
    for table in TABLES:
        assert study.sql(f"SELECT count(asked) + count(foretold) + count(against) AS n FROM {table}")["n"][0] == 0
    first = older["patient_id"][0]
    with writing(study.engine) as connection:  # a class of another label, without a threshold
        connection.exec_driver_sql(
            f"UPDATE signature_labels SET label = 'positive', threshold = NULL WHERE patient_id = '{first}'"
        )
    downgrade(study.engine, "0034")
    study.engine.dispose()
    with sqlite3.connect(folder / "study.db") as database:
        left = pd.read_sql(LABELS, database)
        assert plain(left) == plain(older)[1:]
        assert not any(NAMES & columns_of(database, table) for table in TABLES)
        written = database.execute("SELECT sql FROM sqlite_master WHERE name = 'signature_labels'").fetchone()[0]
        assert "ck_signature_labels_prognosis" in written
        triggers = database.execute(
            "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'signature_labels'"
        )
        assert triggers.fetchone()[0] == 3
    database.close()
