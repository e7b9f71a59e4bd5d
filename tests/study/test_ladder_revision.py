"""Revision 0034: a table of rungs; a study from before has it empty, nothing of it is due, and it is made once it is asked for."""

from __future__ import annotations

import sqlite3
import tarfile

from tests.support.program import ROOT, run_quick
from tests.support.tiny import plan, rebuild
from tshdb.study import Study


def test_an_older_study_gets_the_table_and_a_ladder_on_request(tmp_path):
    with tarfile.open(ROOT / "tests/data/study-0009.tar.xz") as packed:
        packed.extractall(tmp_path, filter="data")
    folder = tmp_path / "study"
    with sqlite3.connect(folder / "study.db") as database:
        tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        scores = database.execute("SELECT patient_id, score FROM signature_fold_scores ORDER BY ALL" if False else
                                  "SELECT patient_id, score FROM signature_fold_scores ORDER BY patient_id, repeat").fetchall()
    database.close()
    assert "ladder_rungs" not in tables and "signature_fold_scores" in tables
    run_quick("migrate", cwd=folder)
    study = Study(folder)
    assert study.sql("SELECT * FROM ladder_rungs").empty
    now = study.sql("SELECT patient_id, score FROM signature_fold_scores ORDER BY patient_id, repeat")
    assert list(now.itertuples(index=False, name=None)) == scores
    assert not plan(study)["signature_ladder"].due and "signature_ladder" not in run_quick("plan", cwd=folder).stdout
    said = run_quick("table", "ladder", cwd=folder, code=8).stderr
    assert "[signature_ladder] signatures_of names no cohort (study.toml, by default)" in said
    assert "it is made on request" in said
    study.engine.dispose()
