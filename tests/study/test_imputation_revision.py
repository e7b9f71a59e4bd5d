"""Revision 0037: Cox terms of an older study say nothing of imputation; asked for, the rows say why nothing can be imputed."""

from __future__ import annotations

import json
import sqlite3
import tarfile

from tests.support import tiny
from tests.support.program import ROOT, run_quick
from tshdb.study import Study

ADDED = ["imputed", "n_complete", "n_imputations", "degrees", "missing_information"]
TERMS = "SELECT term, coefficient, n FROM cox_terms WHERE model = 'univariable' ORDER BY cohort, term"
OF_MODEL = f"SELECT * FROM cox_terms WHERE model = 'multivariable' AND cohort = '{tiny.COHORT}@1' ORDER BY position"


def test_older_terms_stand_and_say_nothing_of_imputation(tmp_path):
    with tarfile.open(ROOT / "tests/data/study-0009.tar.xz") as packed:
        packed.extractall(tmp_path, filter="data")
    folder = tmp_path / "study"
    with sqlite3.connect(folder / "study.db") as database:
        older = database.execute(TERMS).fetchall()
    database.close()
    assert older
    run_quick("migrate", cwd=folder)
    study = Study(folder)
    now = study.sql(TERMS)
    assert list(now.itertuples(index=False, name=None)) == older
    assert study.sql("SELECT * FROM cox_terms")[ADDED].isna().all().all()
    assert "not those that were computed" not in run_quick("check", cwd=folder, code=None).stdout
    study.engine.dispose()


def test_a_study_asks_for_imputation_and_is_told(core):
    """The tiny study's patients are all of one age, and of no known ER. Tables and `paper check` say what was imputed."""
    text = (core.root / "study.toml").read_text()
    asked = '[tsh_cox]\nmissing = "impute"\nmin_known = 0.0\nmin_events = 2\ncovariates = ["age_years", "er_status"]\n'
    before, _, after = text.partition("[tsh_cox]\n")
    kept = [line for line in after.splitlines(keepends=True) if not line.startswith(("covariates", "min_events"))]
    (core.root / "study.toml").write_text(before + asked + "".join(kept))
    assert not tiny.rebuild(core, names=["tsh_cox"]).failed
    found = Study(core.root).sql(OF_MODEL)
    assert set(found["reason"]) == {"cannot be imputed: er_status is known of nobody"}
    assert set(found["n"]) == {10} and set(found["n_complete"]) == {0} and set(found["n_imputations"]) == {0}
    assert found["imputed"].tolist() == ["er_status of 10"] * 3
    with sqlite3.connect(core.root / "study.db") as database:  # as it would be with ER of some
        database.execute(
            "UPDATE cox_terms SET n_imputations = 20, coefficient = -1.0, hazard_ratio = 0.37, ci_lower = 0.2, ci_upper = 0.7, "
            "p_value = 0.002 WHERE model = 'multivariable' AND term = 'TSH ratio'"
        )
    database.close()
    words = (
        "covariates are imputed (er_status of 10), 20 data sets pooled; of 0 of 10 patients every covariate is known"
    )
    assert f"multivariable: {words}." in " ".join(run_quick("table", "s4", cwd=core.root).stdout.split())
    checked = json.loads(run_quick("paper", "check", "--json", cwd=core.root).stdout)
    of_model = [row for row in checked if row["here"] and row["here"].endswith(", imputed")]
    assert len(of_model) == 2 and all(words in row["why"] for row in of_model)
