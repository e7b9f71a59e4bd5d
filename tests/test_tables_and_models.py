"""`tshdb table` and `tshdb model` on a study where everything is current: what they print is what the tables hold."""

from __future__ import annotations

import json

import pytest

from cli.tables import _newest
from tests import tiny

FROZEN = f"{tiny.COHORT}@1"


@pytest.mark.parametrize(("number", "model"), [("2", "univariable"), ("s2", "tumor"), ("s3", "stroma")])
def test_tables_of_cox_terms_are_the_rows_of_the_database(tshdb, study, number, model):
    printed = json.loads(tshdb("table", number, "--json", cwd=study.root).stdout)
    stored = study.sql(
        "SELECT term, coefficient, n, n_events FROM cox_terms WHERE cohort = $cohort AND model = $model ORDER BY position",
        {"cohort": FROZEN, "model": model},
    )
    assert len(printed) == 3
    assert [r["term"] for r in printed] == list(stored["term"])
    assert [r["coefficient"] for r in printed] == pytest.approx(list(stored["coefficient"]), nan_ok=True)
    shown = tshdb("table", number, "--cohort", FROZEN, cwd=study.root).stdout
    assert all(term in shown for term in stored["term"]) and FROZEN in shown


def test_table_s4_shows_every_model_of_the_biomarker(tshdb, study):
    printed = json.loads(tshdb("table", "s4", "--json", cwd=study.root).stdout)
    assert {"group", "continuous", "multivariable"} <= {r["model"] for r in printed}
    assert {r["n"] for r in printed if r["model"] in ("group", "continuous")} == {10}
    left_out = [r for r in printed if r["coefficient"] is None]
    assert "er_status" in {r["term"] for r in left_out} and all(r["reason"] for r in left_out)
    shown = tshdb("table", "s4", cwd=study.root).stdout
    assert all(r["reason"] in shown for r in left_out)


def test_table_s5_sets_good_beside_poor(tshdb, study):
    printed = json.loads(tshdb("table", "s5", "--json", cwd=study.root).stdout)
    assert {r["prognosis"] for r in printed} == {"good", "poor"}
    assert {r["compartment"] for r in printed} == {"tumor", "stroma"}
    shown = tshdb("table", "s5", cwd=study.root).stdout
    assert shown.count("density") == 2


def test_table_1_counts_the_members(tshdb, study):
    rows = json.loads(tshdb("table", "1", "--cohort", FROZEN, "--json", cwd=study.root).stdout)
    found = {(r["row"], r["level"]): r for r in rows}
    assert found["n", ""]["value"] == "10" and found["n", ""]["paper"] == "112"
    (deaths,) = study.sql("SELECT count(*) AS n FROM follow_ups WHERE endpoint = 'OS' AND event").n
    assert found["Death", "event"]["value"].startswith(f"{deaths} (")
    assert found["Age (years)", "median (range)"]["value"] == "60 (60–60)"
    everyone = tshdb("table", "1", cwd=study.root).stdout
    assert "everyone@" in everyone and FROZEN in everyone


def test_a_table_that_is_not_there_is_one_line(tshdb, study):
    assert "Known: 1, 2, s2" in tshdb("table", "9", cwd=study.root, code=2).stderr
    for number in ("1", "2", "s4", "s5"):
        failed = tshdb("table", number, "--cohort", "nobody@4", cwd=study.root, code=None)
        assert failed.returncode not in (0, 70) and failed.stderr.count("\n") == 1, failed.stderr


@pytest.mark.parametrize(
    ("names", "newest"),
    [(["a@1", "a@2", "b"], "a@2"), (["a@9", "a@10"], "a@10"), (["b", "a"], "a"), ([], None), (["b@1", "a@1"], "a@1")],
)
def test_the_newest_cohort(names, newest):
    assert _newest(names) == newest


def test_models_are_listed_with_training_set_and_state(tshdb, study):
    models = {m["model"]: m for m in json.loads(tshdb("model", "list", "--json", cwd=study.root).stdout)}
    assert f"tsh_model/{FROZEN}" in models and f"cutoff/{FROZEN}" in models
    assert {m["n_members"] for m in models.values()} == {10}
    assert {m["n_inputs_corrected"] for m in models.values()} == {0}
    assert f"tsh_model/{FROZEN}" in tshdb("model", "list", cwd=study.root).stdout


def test_a_model_shows_rows_members_parameters_and_code(tshdb, study):
    found = json.loads(tshdb("model", "show", f"cutoff/{FROZEN}", "--json", cwd=study.root).stdout)
    (row,) = found["rows"]
    assert row["population"] == "Cytotoxic lymphocytes" and row["method"] == "median"
    assert len(found["training_set"]) == 10 and len(found["code"]) == 32
    assert found["parameters"]["cohort"] == tiny.COHORT and any("cutoff" in f for f in found["functions"])
    missing = tshdb("model", "show", "cutoff/nobody@1", cwd=study.root, code=None)
    assert missing.returncode not in (0, 70) and f"gene_filter/{FROZEN}" in missing.stderr


def test_versions_differ_by_members_and_content(tshdb, study, archive):
    archive.add(40)
    tiny.ingest(study, archive)
    tiny.freeze(study)
    tiny.rebuild(study)
    names = [f"cutoff/{tiny.COHORT}@{v}" for v in (1, 2)]
    found = json.loads(tshdb("model", "diff", *names, "--json", cwd=study.root).stdout)
    assert found["members_came"] == ["TCGA-TN-0040"] and not found["members_left"]
    assert found["comparable"] and not found["code_changed"] and not found["parameters"] and not found["same_content"]
    shown = tshdb("model", "diff", *names, cwd=study.root).stdout
    assert "1 member came: TCGA-TN-0040" in shown


def test_a_correction_is_counted_on_the_models_that_saw_the_old_value(tshdb, study, archive):
    archive.set_value("TCGA-TN-0003", "tumor", "GNLY", 999.0)
    tiny.ingest(study, archive)
    tiny.rebuild(study)
    models = {m["model"]: m for m in json.loads(tshdb("model", "list", "--json", cwd=study.root).stdout)}
    cutoff = models[f"cutoff/{FROZEN}"]
    assert cutoff["state"] == "current"
    assert cutoff["n_inputs_corrected"] == 1, "the model stays as it was, and says that one ratio is another today"
    assert "1 input corrected since" in tshdb("model", "list", cwd=study.root).stdout
