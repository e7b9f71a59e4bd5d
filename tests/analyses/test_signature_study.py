"""The radiogenomic half on a simulated study whose features come as tables: from archive files to what is foretold."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analyses import ANALYSES
from analyses.shared.competing_events import NOTHING_COMPETES
from analyses.shared.concordance import pairs
from analyses.shared.cox import log_likelihood
from tests.support.program import run_quick
from tests.support.simulated import auc_of, changed, told
from tests.support.tiny import copy_study, dump, plan, rebuild
from tshdb.actions.making import make_study
from tshdb.engine.executor import executor_for
from tshdb.engine.rebuild import Rebuild
from tshdb.engine.work import FOLDER, Work
from tshdb.figures import figure
from tshdb.study import Study

pytestmark = pytest.mark.xdist_group("signature")
COUNTS = "pair=40,tumor=10,radiogenomic=36,ispy1=40,nact=24"
QUICK = {
    'features = "computed"': 'features = "features"', "population = 100": "population = 16",
    "generations = 100": "generations = 5",
    "folds = 10\nmetric": "folds = 3\nmetric", "n_trees = 100": "n_trees = 15", "final_trees = 500": "final_trees = 40",
    "outer_folds = 10           #": "outer_folds = 3           #", "n_permutations = 1000": "n_permutations = 10",
    "n_bootstrap = 1000": "n_bootstrap = 50", "use_degraded": "n_bootstrap = 50\nuse_degraded",
}  # fmt: skip
ISPY1, NACT = "prognostic_validation_ispy1", "prognostic_validation_nact"
MODEL = "signature_model/radiogenomic_development@1"


def make(folder: Path, simulated: Path, patients: str = COUNTS) -> Study:
    """A study of the simulation, frozen, not rebuilt yet."""
    simulate(simulated, patients)
    study = make_study(folder, "sqlite:///study.db", "fan2023")
    settings = study.root / "study.toml"
    settings.write_text(changed(settings.read_text(), *QUICK.items()))
    for command in told(simulated):
        if command[0] not in ("rebuild", "report"):
            run_quick(*command, cwd=study.root)
    return Study(study.root)


def simulate(folder: Path, patients: str = COUNTS, texture: float = 8.0) -> None:
    """texture: what the features show of the planted z, of which the RNA shows much."""
    planted = ("--effect", "rna=10", "--effect", f"texture={texture}", "--effect", "survival=1.5")
    run_quick("simulate", folder, "--cohorts", patients, "--no-images", "--genes", "200", "--seed", "4", *planted,
              "--jobs", "1")  # fmt: skip


def ingest(study: Study, simulated: Path) -> None:
    for command in told(simulated):
        if command[0] == "ingest":
            run_quick(*command, cwd=study.root)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("simulated") / "sim"


@pytest.fixture(scope="module")
def made(tmp_path_factory, simulated) -> Study:
    """The study with everything computed on which the signature rests, and nothing of it. Not to be changed."""
    study = make(tmp_path_factory.mktemp("signature") / "made", simulated)
    rebuild(
        study,
        names=[a.name for a in ANALYSES if a.base is None and a.name not in ("signature_scores", "feature_tests")],
    )
    return study


@pytest.fixture(scope="module")
def built(tmp_path_factory, made) -> Study:
    """The study with everything computed. Not to be changed."""
    study = copy_study(made, tmp_path_factory.mktemp("signature") / "built")
    rebuild(study)
    return study


def one(study: Study, query: str):
    (found,) = study.sql(query).to_dict("records")
    return found


# ------------------------------------------------------------------------------------------------------ what was planted


def test_what_was_planted_is_found(built, simulated):
    """Nested AUC of patients not seen; scores of the other collections follow the planted z; hazards too."""
    assert auc_of(built)["nested"] > 0.9
    truth = {p["patient_id"]: p["z"] for p in json.loads((simulated / "truth.json").read_text())["patients"]}
    scores = built.sql("SELECT patient_id, score, status FROM signature_scores")
    assert set(scores["status"]) == {"scored"} and len(scores) == 100
    z = scores["patient_id"].map(truth)
    assert np.corrcoef(scores["score"], z)[0, 1] > 0.6
    foretold = built.sql("SELECT * FROM cox_terms WHERE model = 'signature continuous'")
    assert len(foretold) == 3 and (foretold["hazard_ratio"] < 1).all() and foretold["p_value"].min() < 0.01
    c = built.sql("SELECT * FROM concordances WHERE model = 'signature'")
    assert (c["c_index"] > 0.6).all() and not c["is_optimistic"].any()
    n_compared = 0
    for _, of in built.sql("SELECT * FROM concordances").groupby(["cohort", "endpoint"]):
        alone, clinical, both = (
            of[of["model"] == m].iloc[0] for m in ("signature", "clinical", "clinical and signature")
        )
        assert np.isnan(clinical["difference"]), "from itself there is none"
        if np.isnan(both["c_index"]):
            assert both["reason"] and np.isnan(both["difference"])
            continue
        n_compared += 1
        assert both["n_shared"] == both["n"] == alone["n_shared"] <= alone["n"]
        assert both["difference"] == pytest.approx(both["c_index"] - clinical["c_index"], abs=1e-12)
        assert all(row["difference_lower"] < row["difference"] < row["difference_upper"] for row in (alone, both))
    assert n_compared


def test_quantiles_residuals_and_competing_events_are_of_every_endpoint(built):
    """Deaths and recurrences of these collections cannot be told apart: OS counts from another day than RFS, or is not known."""
    quantiles = built.sql("SELECT * FROM survival_quantiles WHERE grouping = 'signature'")
    tests = built.sql("SELECT * FROM logrank_tests WHERE grouping = 'signature'")
    assert len(quantiles) == 6 * len(tests) == 18
    for test in tests.itertuples():
        mine = quantiles[(quantiles["cohort"] == test.cohort) & (quantiles["endpoint"] == test.endpoint)]
        assert mine.groupby("prognosis")["n"].first().to_dict() == {"good": test.n_good, "poor": test.n_poor}
        assert (mine["days"].notna() | mine["reason"].notna()).all()
    gray = built.sql("SELECT * FROM gray_tests WHERE grouping = 'signature'")
    by_endpoint = {key: rows for key, rows in gray.groupby(["cohort", "endpoint"])}
    assert (by_endpoint[ISPY1, "OS"]["reason"] == NOTHING_COMPETES).all()
    for key, why in (((ISPY1, "RFS"), "OS and RFS count from different days"), ((NACT, "DFS"), "no OS")):
        rows = by_endpoint[key]
        assert (rows["left_out"] == rows["n_left_out"].astype(str) + f": {why}").all() and (
            rows["n_left_out"] > 0
        ).all()
        assert (rows["reason"] == "of no patient it is known which event came first").all()
    residuals = built.sql("SELECT * FROM schoenfeld_residuals WHERE model = 'signature continuous' AND position > 0")
    terms = built.sql("SELECT * FROM cox_terms WHERE model = 'signature continuous'")
    assert len(residuals) == terms["n_events"].sum() > 0
    said = run_quick("table", "prognosis", cwd=built.root).stdout
    assert "Days by which a quarter" in said and "Gray's test" in said


def test_noise_is_found_out(made, tmp_path):
    """The same patients, labels and outcomes, and features that show nothing of them: the search's own figures are good
    all the same, and those of patients whom it did not see are not."""
    study, simulated = copy_study(made, tmp_path / "noise"), tmp_path / "sim"
    simulate(simulated, texture=0.0)
    ingest(study, simulated)
    assert set(rebuild(study, names=["signature_performance"]).computed) >= {"feature_sets", "signature_search"}
    auc = auc_of(study)
    assert auc["search"] > 0.75 and auc["in-sample"] > 0.9 and 0.2 < auc["nested"] < 0.7
    assert auc["refolded"] < auc["in-sample"]


def test_the_optimistic_figures_are_labelled(built):
    found = built.sql(
        "SELECT scheme, measure, value, is_optimistic FROM model_performance WHERE model = 'signature_model'"
    )
    optimistic = dict(zip(found["scheme"] + " " + found["measure"], found["is_optimistic"], strict=True))
    assert not optimistic["nested auc"] and optimistic["refolded auc"] and optimistic["in-sample auc"]
    reached = one(built, "SELECT best_fitness FROM search_generations ORDER BY generation DESC LIMIT 1")["best_fitness"]
    assert optimistic["search auc"] and auc_of(built)["search"] == pytest.approx(reached, abs=1e-9)
    assert optimistic["nested fold_fitness"]
    assert built.sql("SELECT count(*) AS n FROM roc_points WHERE model = 'signature_model'")["n"][0] > 10


def test_a_ladder_is_made_on_request_and_gone_without_it(built, tmp_path):
    study = copy_study(built, tmp_path / "ladder")
    assert not plan(study)["signature_ladder"].desired
    said = run_quick("table", "ladder", cwd=study.root, code=8).stderr
    assert "[signature_ladder] signatures_of names no cohort (study.toml line" in said and "rebuild" not in said
    settings = study.root / "study.toml"
    asked = ("signatures_of = []", 'signatures_of = ["radiogenomic_development"]\npopulation = 8\ngenerations = 2')
    settings.write_text(
        changed(
            settings.read_text(), asked, ("n_random = 20 ", "n_random = 3 "), ("n_searched = 5 ", "n_searched = 2 ")
        )
    )
    study = Study(study.root)
    report = rebuild(study)
    assert report.computed == {"signature_ladder": 1}, "the signature itself stands"
    rungs = study.sql("SELECT * FROM ladder_rungs ORDER BY position").set_index("rung")
    signature = rungs.loc["signature"]
    nested = one(study, "SELECT value, delong_lower, delong_upper FROM model_performance WHERE model = 'signature_model' "
                        "AND scheme = 'nested' AND measure = 'auc'")  # fmt: skip
    assert signature[["auc", "ci_lower", "ci_upper"]].tolist() == pytest.approx(list(nested.values()), abs=1e-9)
    assert rungs.loc["clinical", "reason"].startswith(
        "fewer than 10 of one kind: 12 good and 9 poor have all of age_years"
    )
    without = ("clinical", "shuffled voxels", "noise in the region")
    assert rungs["auc"].notna().tolist() == [rung not in without for rung in rungs.index]
    assert rungs.loc[list(without[1:]), "reason"].str.contains("come without images").all(), "they were imported"
    assert rungs["search"].dropna().unique().tolist() == ["8 x 2"]
    assert signature["verdict"] == "adds" and rungs.loc["volume", "difference_lower"] > 0, (
        "what was planted is no volume"
    )
    assert "; not shown to do better than " in signature["finding"] and signature["finding"].endswith("shape"), (
        "flatness and sphericity were planted, too"
    )
    worth = rungs.loc["forest without search", "finding"]
    assert worth.startswith("the search was worth ") and worth[1:] in " ".join(
        run_quick("table", "ladder", cwd=study.root).stdout.split()
    )
    assert len(json.loads(rungs.loc["random features", "draws"])) == 3 and rungs.loc["noise", "n_draws"] == 2
    shown = json.loads(run_quick("table", "ladder", "--json", cwd=study.root).stdout)
    assert [row["rung"] for row in shown] == list(rungs.index) and shown[0]["finding"] == signature["finding"]
    assert f"Verdict: {signature['finding']}." in " ".join(run_quick("table", "ladder", cwd=study.root).stdout.split())
    assert signature["finding"].partition(",")[0] in figure(study, "ladder").svg
    settings.write_text(changed(settings.read_text(), (asked[1], asked[0])))
    study = Study(study.root)
    rebuild(study)
    assert study.sql("SELECT * FROM ladder_rungs").empty
    assert one(study, "SELECT value, delong_lower, delong_upper FROM model_performance WHERE model = 'signature_model' "
                      "AND scheme = 'nested' AND measure = 'auc'") == nested  # fmt: skip


def test_a_search_has_a_row_a_generation(built):
    rows = built.sql("SELECT * FROM search_generations ORDER BY generation")
    assert list(rows["generation"]) == list(range(6)) and (rows["n"] == 36).all()
    model = one(built, "SELECT * FROM signature_models")
    names = [f["feature"] for f in json.loads(model["features"])]
    assert names == json.loads(rows["best"].iloc[-1]) and len(names) == model["n_features"] == rows["n_best"].iloc[-1]
    assert model["search_fitness"] == pytest.approx(rows["best_fitness"].iloc[-1])
    assert model["source"] == "features" and json.loads(model["mask_kinds"]) == {"manual": 36}


def test_every_feature_has_its_fate(built):
    rows = built.sql("SELECT * FROM selected_features")
    assert len(rows) == 175 and set(rows["status"]) == {"selected", "candidate", "dropped"}
    chosen = rows[rows["status"] == "selected"]
    assert (
        chosen["importance"].sum() == pytest.approx(1.0)
        and rows[rows["status"] != "selected"]["importance"].isna().all()
    )
    dropped = rows[rows["status"] == "dropped"]
    assert dropped["reason"].str.contains("which stays").all()
    assert (rows["frequency"] - rows["n_folds"] / 3).abs().max() < 1e-9


def test_labels_are_the_tsh_scores_at_the_threshold(built):
    both = built.sql(
        "SELECT l.label, l.score, t.score AS tsh FROM signature_labels l JOIN tsh_scores t USING (patient_id)"
    )
    assert len(both) == 86 and (both["score"] == both["tsh"]).all()
    assert ((both["score"] >= 0.5) == (both["label"] == "good")).all()


def test_features_of_the_signature_are_tested_and_circular_tests_say_so(built):
    rows = built.sql("SELECT * FROM feature_tests WHERE cohort LIKE 'radiogenomic%'")
    chosen = set(built.sql("SELECT feature FROM selected_features WHERE status = 'selected'")["feature"])
    by_signature = rows[rows["grouping"] == "signature"]
    assert set(by_signature["feature"][by_signature["is_circular"]]) == chosen
    assert not rows[rows["grouping"] == "label"]["is_circular"].any()
    assert {"tumor.shape.Flatness", "tumor.SI.glcm.Idmn"} <= set(rows["feature"])


def test_survival_is_refused_where_there_are_too_few_deaths(built, tmp_path):
    """The paper's radiogenomic cohort: with few deaths the refusal is a row with the reason."""
    study = copy_study(built, tmp_path / "few")
    settings = study.root / "study.toml"
    settings.write_text(settings.read_text().replace("[logrank_tests]", "[logrank_tests]\nmin_events = 30"))
    rebuild(study, names=["logrank_tests"])
    found = one(study, "SELECT * FROM logrank_tests WHERE cohort LIKE 'radiogenomic%'")
    assert found["p_value"] is None or np.isnan(found["p_value"])
    assert found["reason"] == f"{found['n_good_events'] + found['n_poor_events']} events, fewer than 30"


def test_the_paper_again(built):
    said = run_quick("table", "s6", cwd=built.root).stdout
    assert "nested" in said and "optimistic" in said
    prognosis = run_quick("table", "prognosis", cwd=built.root).stdout
    assert "likelihood ratio" in prognosis and ISPY1 in prognosis and "surgery" in prognosis
    checked = {c["what"]: c for c in json.loads(run_quick("paper", "check", "--json", cwd=built.root).stdout)}
    assert checked["good against poor by the signature, OS of ISPY1: log-rank p"]["verdict"] in (
        "holds",
        "same direction",
        "moved",
        "cannot be judged",
    )
    assert checked["three features of the tumour in the signature"]["verdict"] == "not reproducible here"
    for name in ("search", "signature-roc", "signature-km", "calibration"):
        first, second = (built.root / f"{name}-{i}.svg" for i in (1, 2))
        for path in (first, second):
            run_quick("figure", name, "--out", path, cwd=built.root)
        assert first.read_bytes() == second.read_bytes() and b"<svg" in first.read_bytes()


def test_checklists_are_filled_from_the_database(built):
    found = json.loads(run_quick("checklist", "remark", "--json", cwd=built.root).stdout)
    assert found["items"][0]["id"] == "1" and len(found["items"]) == 20
    assert found["filled"] + found["not_yet"] + found["needs_a_person"] == 20 and found["filled"] >= 12
    multivariable = next(i for i in found["items"] if i["id"] == "16")
    assert ISPY1 in multivariable["facts"][0] and "tshdb table prognosis" in multivariable["see"]
    clear = run_quick("checklist", "clear", cwd=built.root).stdout
    assert "needs a person" in clear and "36" in clear


@pytest.mark.parametrize(("name", "n"), [("clear", 58), ("metrics", 30), ("tripod-ai", 52), ("remark", 20)])
def test_checklists_name_facts_that_there_are(name, n):
    from tshdb.pages.checklists import read

    items, facts = read(name)["items"], read("facts")
    assert len(items) == n == len({i["id"] for i in items})
    assert {f for i in items for f in i.get("facts", [])} <= set(facts)


# --------------------------------------------------------------------------------------------------- what arrives later


def test_new_patients_cost_their_own_work(built, tmp_path, simulated):
    """Six more patients of ISPY1: their sets, scores and the summaries of that cohort; no model is touched."""
    study = copy_study(built, tmp_path / "grown")
    more = tmp_path / "sim"
    shutil.copytree(simulated, more)
    simulate(more, COUNTS.replace("ispy1=40", "ispy1=46"))
    model = one(study, "SELECT content, object_id FROM signature_models")
    ingest(study, more)
    report = rebuild(study)
    per_cohort = {
        "signature_curves", "signature_logrank", "signature_quantiles", "signature_cox", "signature_residuals",
        "signature_incidences", "signature_gray", "likelihood_ratio_tests", "concordances", "calibration_groups", "feature_tests",
    }  # fmt: skip
    assert report.computed == {"feature_sets": 6, "signature_scores": 6} | dict.fromkeys(per_cohort, 1)
    assert one(study, "SELECT content, object_id FROM signature_models") == model
    assert (
        one(study, f"SELECT n_good + n_poor AS n FROM logrank_tests WHERE cohort = '{ISPY1}' AND endpoint = 'OS'")["n"]
        == 46
    )


def test_a_feature_that_is_corrected_flags_the_model(built, tmp_path, simulated):
    study = copy_study(built, tmp_path / "corrected")
    folder = tmp_path / "sim"
    shutil.copytree(simulated, folder)
    path = folder / "features" / "tcga-brca.csv"
    lines = path.read_text().splitlines()
    cells = lines[1].split(",")
    cells[2] = f"{float(cells[2]) + 1:.9g}"
    path.write_text("\n".join([lines[0], ",".join(cells), *lines[2:]]) + "\n")
    ingest(study, folder)
    plans = plan(study)
    assert (
        plans["signature_model"].flagged == {"radiogenomic_development@1": (1, 36)} and not plans["signature_model"].due
    )
    report = rebuild(study)
    assert report.computed["signature_scores"] == 1 and "signature_search" not in report.computed


def test_only_validation_follows_its_own_settings(built, tmp_path):
    study = copy_study(built, tmp_path / "settings")
    settings = study.root / "study.toml"
    settings.write_text(settings.read_text().replace("calibration_parts = 3", "calibration_parts = 4"))
    assert {n for n, p in plan(study).items() if p.due} == {"calibration_groups"}
    settings.write_text(settings.read_text().replace("outer_folds = 3 ", "outer_folds = 4 "))
    due = {n for n, p in plan(study).items() if any(not d.is_possible for d in p.due.values())}
    assert due == {"calibration_groups", "signature_cross_validation"}


def test_unknown_settings_of_a_shared_table_are_refused(built, tmp_path):
    study = copy_study(built, tmp_path / "wrong")
    settings = study.root / "study.toml"
    settings.write_text(settings.read_text().replace("tournament = 3", "tournment = 3"))
    said = run_quick("plan", cwd=study.root, code=7).stderr
    assert "[signature] tournment" in said and "tournament" in said
    settings.write_text(settings.read_text().replace("tournment = 3", "tournament = 0"))
    said = run_quick("plan", cwd=study.root, code=7).stderr
    assert "[signature] tournament" in said and "greater than or equal to 1" in said


# -------------------------------------------------------------------------------------- scores that must not be believed


def test_scores_of_other_features_are_refused(built, tmp_path, simulated):
    """The same table without its settings, under another name: refused, and the reason says what differs."""
    study = copy_study(built, tmp_path / "other")
    run_quick("ingest", "features", simulated / "features" / "ispy1.csv", "--collection", "ispy1", "--name", "unknown",
              cwd=study.root)  # fmt: skip
    rebuild(study)
    refused = study.sql("SELECT * FROM signature_scores WHERE source = 'unknown'")
    assert len(refused) == 40 and set(refused["status"]) == {"refused"} and refused["score"].isna().all()
    assert refused["reason"].str.contains("settings of the features differ").all()
    assert (
        one(study, f"SELECT n_good + n_poor AS n FROM logrank_tests WHERE cohort = '{ISPY1}' AND endpoint = 'OS'")["n"]
        == 40
    )


def test_scores_of_other_outlines_are_degraded_and_counted(built, tmp_path, simulated):
    study = copy_study(built, tmp_path / "outlines")
    settings = tmp_path / "settings.toml"
    settings.write_text((simulated / "features" / "settings.toml").read_text().replace('"manual"', '"fcm"'))
    run_quick("ingest", "features", simulated / "features" / "ispy1.csv", "--collection", "ispy1", "--name", "features",
              "--settings", settings, cwd=study.root)  # fmt: skip
    rebuild(study)
    degraded = study.sql("SELECT * FROM signature_scores WHERE status = 'degraded'")
    assert len(degraded) == 40 and degraded["reason"].str.contains("outline is of the kind fcm").all()
    reason = one(study, f"SELECT reason FROM logrank_tests WHERE cohort = '{ISPY1}' AND endpoint = 'RFS'")["reason"]
    assert "40 of 40 scores are degraded" in reason


def test_training_patients_are_not_evaluated(built, tmp_path):
    """The leak is named: the model's own cohort, or the one behind its labels."""
    study = copy_study(built, tmp_path / "leak")
    settings = study.root / "study.toml"
    text = settings.read_text().replace(f'cohorts = ["{ISPY1}", "{NACT}"]', 'cohorts = ["radiogenomic_development"]')
    settings.write_text(text)
    rebuild(study)
    for table in ("logrank_tests WHERE grouping = 'signature'", "likelihood_ratio_tests", "calibration_groups",
                  "concordances WHERE model = 'signature'"):  # fmt: skip
        reasons = study.sql(f"SELECT reason FROM {table}")["reason"]
        assert len(reasons) and reasons.str.contains(r"refused: (?:\d+) of \d+ patients are in the training").all(), (
            table
        )
    assert not len(study.sql("SELECT * FROM km_points WHERE grouping = 'signature'"))
    said = run_quick("model", "leakage", MODEL, "--cohort", "radiogenomic_development", cwd=study.root, code=3).stdout
    assert "signature_search" in said and "36 of the 36" in said
    clean = run_quick("model", "leakage", MODEL, "--cohort", ISPY1, cwd=study.root).stdout
    assert "None of the 40" in clean and "tsh_model" in clean and "gene_filter" in clean


def test_a_changed_model_file_is_refused(built, tmp_path):
    study = copy_study(built, tmp_path / "damaged")
    digest = one(study, "SELECT object_id FROM signature_models")["object_id"]
    path = study.objects.path(digest, ".skops")
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    said = run_quick("check", cwd=study.root, code=5).stdout
    assert digest in said
    settings = study.root / "study.toml"
    settings.write_text(settings.read_text().replace("most_distant = 3.0", "most_distant = 2.0"))
    said = run_quick("rebuild", cwd=study.root, code=3).stdout
    assert "bytes have changed" in said and f"{MODEL} made it" in said, "its readers fail, each by itself"
    assert {d.reason for d in plan(study)["signature_model"].due.values()} == {"damaged"}, (
        "and the next rebuild makes it again"
    )


def test_too_few_patients_are_a_reason(made, tmp_path):
    study = copy_study(made, tmp_path / "few")
    settings = study.root / "study.toml"
    settings.write_text(settings.read_text().replace("[signature]  ", "[signature]\nmin_per_class = 30\n"))
    rebuild(study)
    reason = one(study, "SELECT reason FROM signature_models")["reason"]
    assert "fewer than 30 of one kind" in reason
    scores = study.sql("SELECT DISTINCT status, reason FROM signature_scores").values.tolist()
    assert scores == [["refused", f"no model: {reason}"]]
    assert (
        f"no signature. radiogenomic_development@1: {reason}" in run_quick("table", "s6", cwd=study.root, code=8).stderr
    )


# ----------------------------------------------------------------------------------------------- stopped, raced, withdrawn


class Stopped(Exception):
    """As if the process had been killed."""


def test_a_search_that_is_stopped_loses_no_generation(made, built, tmp_path, monkeypatch):
    """Stopped in the sixth generation of the second outer fold: what was done is not done again, and the end is the same."""
    study = copy_study(made, tmp_path / "stopped")
    saves = []
    original = Work.save

    def save(self, name: str, content: bytes) -> None:
        original(self, name, content)
        if name.startswith("search-"):
            saves.append(name)
            if len(saves) == 9:  # of three folds with six generations each
                raise KeyboardInterrupt

    monkeypatch.setattr(Work, "save", save)
    with pytest.raises(KeyboardInterrupt):
        Rebuild(Study(study.root), ANALYSES, names=["signature_cross_validation"]).run()
    (folder,) = (study.root / FOLDER).iterdir()
    assert {p.name for p in folder.iterdir()} >= {"search-0", "search-1"}
    again = []
    monkeypatch.setattr(Work, "save", lambda self, n, c: (again.append(n), original(self, n, c))[0])
    rebuild(study)
    assert sorted(n for n in again if n.startswith("search-")) == ["search-1"] * 3 + ["search-2"] * 6
    assert not list((study.root / FOLDER).iterdir())
    assert dump(study) == dump(built)


def test_workers_and_threads_do_not_matter(made, built, tmp_path):
    study = copy_study(made, tmp_path / "two")
    Rebuild(Study(study.root), ANALYSES, executor=executor_for(2)).run()
    assert dump(study) == dump(built)


def test_a_withdrawn_patient_leaves_nothing(built, tmp_path):
    study = copy_study(built, tmp_path / "withdrawn")
    patient = study.sql("SELECT patient_id FROM imported_features WHERE collection = 'tcga-brca' ORDER BY 1")[
        "patient_id"
    ][0]
    run_quick("withdraw", patient, "--reason", "asked for it", cwd=study.root)
    study = Study(study.root)
    assert not len(study.sql(f"SELECT * FROM imported_features WHERE patient_id = '{patient}'"))
    for path in (study.sqlite_path, *(study.root / "objects").rglob("*")):
        assert not path.is_file() or patient.encode() not in path.read_bytes(), path
    run_quick("check", cwd=study.root)


# ------------------------------------------------------------------------------------------- statistics, independently


def test_nested_likelihoods_are_lifelines_own_example():
    """load_rossi, with and without `prio`: 8.9766 (lifelines 0.30.3)."""
    from lifelines.datasets import load_rossi

    data = load_rossi().rename(columns={"week": "duration_days", "arrest": "event"})
    terms = ["fin", "age", "race", "wexp", "mar", "paro", "prio"]
    assert 2 * (log_likelihood(data, terms) - log_likelihood(data, terms[:-1])) == pytest.approx(8.9766, abs=1e-4)


def test_concordance_is_lifelines_on_random_data():
    from lifelines.utils import concordance_index

    random = np.random.default_rng(2)
    for _ in range(20):
        durations = random.integers(1, 15, 40).astype(float)
        events, risk = random.random(40) < 0.6, np.round(random.standard_normal(40), 1)
        ordered, comparable = pairs(risk, durations, events)
        assert ordered.sum() / comparable.sum() == pytest.approx(concordance_index(durations, -risk, events), abs=1e-12)


def test_calibration_of_a_true_score_lies_on_the_line():
    """Exponential times with hazard exp(-2 score): what is foretold is what is seen, part by part."""
    from analyses.signature.calibration_groups import CalibrationParameters, calibration_groups

    random = np.random.default_rng(1)
    score = random.random(600)
    times = random.exponential(2_000 / np.exp(-2 * (score - 0.5)))
    patients = [f"P{i:03}" for i in range(600)]
    scores = pd.DataFrame(
        {"examination": patients, "patient_id": patients, "status": "scored", "score": score, "prognosis": "good"}
    )
    follow_ups = pd.DataFrame(
        {"patient_id": patients, "endpoint": "OS", "event": times < 3_000, "duration_days": np.minimum(times, 3_000),
         "time_origin": "diagnosis"}
    )  # fmt: skip
    nobody = pd.DataFrame({"patient_id": [], "cohort": []})
    rows = calibration_groups(scores, follow_ups, nobody, CalibrationParameters(calibration_parts=5), 1)
    assert len(rows) == 5 and (rows["n"] == 120).all()
    assert (rows["foretold"] - rows["seen"]).abs().max() < 0.09
    assert rows["mean_score"].is_monotonic_increasing and rows["foretold"].is_monotonic_increasing


def test_validation_without_an_effect_is_uniform():
    """No effect: log-rank p values over 60 cohorts are uniform (Kolmogorov-Smirnov)."""
    from scipy.stats import kstest

    from analyses.shared.group_survival import test as logrank_row

    found = []
    for seed in range(60):
        random = np.random.default_rng(seed)
        data = pd.DataFrame({
            "prognosis": np.where(random.random(80) < 0.5, "good", "poor"), "event": random.random(80) < 0.5,
            "duration_days": random.exponential(1_000, 80), "time_origin": "diagnosis",
        })  # fmt: skip
        found.append(logrank_row("signature", data, "OS", None, 5, None, False)["p_value"])
    assert kstest(found, "uniform").pvalue > 0.01
