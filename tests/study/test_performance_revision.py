"""Revisions 0028 and 0029: older measures of models and p values of networks get columns that nothing fills until they are
computed again, which is due."""

from __future__ import annotations

import sqlite3
import tarfile
from collections import Counter

from tests.support.program import ROOT, run_quick
from tests.support.tiny import rebuild
from tshdb.study import Study

ADDED = {"model_performance": ["delong_lower", "delong_upper", "reason"], "network_parameters": ["p_adjusted"]}
VALUES = {
    "model_performance": "SELECT value FROM model_performance WHERE model = 'tsh_model'",
    "network_parameters": "SELECT value FROM network_parameters",
}


def test_older_rows_stand_until_they_are_computed_again(tmp_path):
    with tarfile.open(ROOT / "tests/data/study-0009.tar.xz") as packed:
        packed.extractall(tmp_path, filter="data")
    folder = tmp_path / "study"
    with sqlite3.connect(folder / "study.db") as database:
        older = {table: [row[0] for row in database.execute(query)] for table, query in VALUES.items()}
        for table, columns in ADDED.items():
            assert older[table] and not set(columns) & {r[1] for r in database.execute(f"PRAGMA table_info({table})")}
    database.close()
    run_quick("migrate", cwd=folder)
    study = Study(folder)
    for table, columns in ADDED.items():
        now = study.sql(VALUES[table])["value"].astype(object)
        assert Counter(now.where(now.notna(), None)) == Counter(older[table])
        assert study.sql(f"SELECT * FROM {table}")[columns].isna().all().all()
    assert "BH" in run_quick("table", "s5", cwd=folder).stdout
    assert "not those that were computed" not in run_quick("check", cwd=folder, code=None).stdout
    rebuild(study, names=list(ADDED))
    slopes = "SELECT value, reason FROM model_performance WHERE measure = 'calibration_slope' AND model = 'tsh_model'"
    assert len(found := study.sql(slopes)) == 2 and (found["value"].isna() == found["reason"].notna()).all()
    newest = f"unit_id IN (SELECT unit_id FROM units WHERE run_id = {study.sql('SELECT max(run_id) AS r FROM runs')['r'][0]})"
    p = study.sql(f"SELECT p_value, p_adjusted FROM network_parameters WHERE {newest}")
    assert p["p_value"].notna().any() and (p["p_value"].isna() == p["p_adjusted"].isna()).all()
    study.engine.dispose()
