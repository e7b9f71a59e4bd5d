"""Revision 0033: tests of an older study say nothing of their groups until the next rebuild notes it; new tables are empty."""

from __future__ import annotations

import sqlite3
import tarfile

import pandas as pd

from migrations import downgrade
from tests.support.program import ROOT, run_quick
from tshdb.optimism import note_labels
from tshdb.study import Study

NEW = ("survival_quantiles", "schoenfeld_residuals", "cumulative_incidences", "gray_tests")
TESTS = "SELECT grouping, population, p_value FROM wilcoxon_tests ORDER BY ALL"


def test_older_tests_stand_and_are_labelled(tmp_path):
    with tarfile.open(ROOT / "tests/data/study-0009.tar.xz") as packed:
        packed.extractall(tmp_path, filter="data")
    folder = tmp_path / "study"
    with sqlite3.connect(folder / "study.db") as database:
        assert "is_circular" not in {row[1] for row in database.execute("PRAGMA table_info(wilcoxon_tests)")}
        (n_older,) = database.execute("SELECT count(*) FROM wilcoxon_tests").fetchone()
    database.close()
    run_quick("migrate", cwd=folder)
    study = Study(folder)
    for table in NEW:
        assert not len(study.sql(f"SELECT * FROM {table}")), table
    older = study.sql(TESTS)
    assert n_older and len(older) == n_older
    assert study.sql("SELECT is_circular FROM wilcoxon_tests")["is_circular"].isna().all()
    cut = study.sql("SELECT population FROM cutoffs")["population"][0]
    assert note_labels(study)
    now = study.sql("SELECT grouping, population, is_circular FROM wilcoxon_tests")
    expected = (now["grouping"] != "all") & (now["population"] == cut)
    assert expected.any() and (now["is_circular"].astype(bool) == expected).all()
    pd.testing.assert_frame_equal(study.sql(TESTS), older)
    assert "not those that were computed" not in run_quick("check", cwd=folder, code=None).stdout
    downgrade(study.engine, "0032")
    with study.engine.connect() as connection:
        columns = connection.exec_driver_sql("PRAGMA table_info(wilcoxon_tests)").fetchall()
        tables = {row[0] for row in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert "is_circular" not in {row[1] for row in columns} and not {*NEW} & tables
    study.engine.dispose()
