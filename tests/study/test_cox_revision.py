"""Revision 0026: Cox terms of an older study get columns that nothing fills until they are computed again, which is due."""

from __future__ import annotations

import sqlite3
import tarfile

from tests.support.program import ROOT, run_quick
from tests.support.tiny import rebuild
from tshdb.study import Study

ADDED = ["left_out", "events_per_term", "ph_global_p_value"]
TERMS = "SELECT term, coefficient, p_value, n, reason FROM cox_terms WHERE model = 'univariable' ORDER BY cohort, term"


def test_older_terms_stand_until_they_are_computed_again(tmp_path):
    with tarfile.open(ROOT / "tests/data/study-0009.tar.xz") as packed:
        packed.extractall(tmp_path, filter="data")
    folder = tmp_path / "study"
    with sqlite3.connect(folder / "study.db") as database:
        older = database.execute(TERMS).fetchall()
        assert older and not set(ADDED) & {row[1] for row in database.execute("PRAGMA table_info(cox_terms)")}
    database.close()
    run_quick("migrate", cwd=folder)
    study = Study(folder)
    now = study.sql(TERMS)
    assert now["coefficient"].tolist() == [row[1] for row in older] and now["n"].tolist() == [row[3] for row in older]
    assert study.sql("SELECT * FROM cox_terms")[ADDED].isna().all().all()
    assert "not those that were computed" not in run_quick("check", cwd=folder, code=None).stdout
    shown = run_quick("table", "2", cwd=folder).stdout
    assert "T cells" in shown and "members are not in it" not in shown
    rebuild(study, names=["univariable_cox"])
    again = study.sql("SELECT * FROM cox_terms WHERE model = 'univariable' AND events_per_term IS NOT NULL")
    assert len(again) == 10 and (again["events_per_term"] == again["n_events"]).all()
    assert again["ph_global_p_value"].equals(again["ph_p_value"]), "of a model of one term it is the same test"
    assert "not those that were computed" not in run_quick("check", cwd=folder, code=None).stdout
    study.engine.dispose()
