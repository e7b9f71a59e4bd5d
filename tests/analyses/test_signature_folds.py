"""What folds cannot bear: it is a reason in a row, and no unit of a fit or a score fails by the data alone."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from analyses.signature.features import COMPUTED, table_of, too_few, training_of
from analyses.signature.nested import chosen_in_folds, mean_scores, unscored
from analyses.signature.settings import ForestParameters, SearchParameters, TrainingParameters
from analyses.signature.signature_cross_validation import (
    SignatureCrossValidationParameters,
    signature_cross_validation,
)
from analyses.signature.signature_model import signature_model
from analyses.signature.signature_performance import SignaturePerformanceParameters, signature_performance
from analyses.signature.signature_roc import signature_roc
from analyses.signature.signature_search import signature_search
from analyses.signature.training import learned_from
from tests.analyses.test_signature import SET
from tshdb.engine.work import Work

SMALL = {"population": 8, "generations": 1, "folds": 2, "n_trees": 5, "min_per_class": 2}
NOTHING = pd.DataFrame(columns=["examination", "feature_table", "features"])


def patients(batches: str, labels: str) -> dict[str, pd.DataFrame]:
    """A patient a letter: scanner, and g(ood) or p(oor). Feature a tells good from poor; b and c tell nothing."""
    n, luck = len(batches), np.random.default_rng(1)
    names = [f"P{i:02d}" for i in range(n)]
    rows = [
        {"study_uid": f"E{i:02d}", "feature": f"tumor.{name}", "feature_class": "glcm",
         "value": luck.normal() + (3 if name == "a" and labels[i] == "g" else 0)}
        for i in range(n) for name in "abc"
    ]  # fmt: skip
    sets = [
        SET
        | {
            "examination": f"E{i:02d}",
            "patient_id": p,
            "source": COMPUTED,
            "batch": f"site {batches[i]}",
            "comparability": "c",
        }
        for i, p in enumerate(names)
    ]
    kinds = ["good" if label == "g" else "poor" for label in labels]
    return {
        "labels": pd.DataFrame({"patient_id": names, "label": kinds}), "sets": pd.DataFrame(sets),
        "computed": pd.DataFrame(rows), "imported": NOTHING, "members": pd.DataFrame({"patient_id": names}),
    }  # fmt: skip


def crossed(data: dict[str, pd.DataFrame], harmonise: str = "combat", outer_folds: int = 3) -> pd.DataFrame:
    params = SignatureCrossValidationParameters(**SMALL, outer_folds=outer_folds, harmonise=harmonise, final_trees=5)
    return signature_cross_validation.function(**data, params=params, seed=1, work=Work())


def test_a_scanner_with_too_few_in_a_fold_is_not_learned_from_and_its_patients_have_no_score():
    data = patients("A" * 10 + "B" * 11 + "R" * 3, "gp" * 12)
    rows = crossed(data)
    assert len(rows) == 24 and not rows.duplicated("patient_id").any()
    of_r = rows[rows["patient_id"].isin(["P21", "P22", "P23"])]
    assert of_r["score"].isna().all() and set(of_r["reason"]) == {
        "fewer than 3 training patients of site R in this fold"
    }
    others = rows.drop(of_r.index)
    assert others["score"].notna().all() and others["reason"].isna().all() and rows["fold_fitness"].notna().all()
    assert len(mean_scores(rows)[1]) == 21
    assert (
        unscored(rows, 24) == "3 of 24 patients have no score (fewer than 3 training patients of site R in this fold)"
    )
    without = {name: frame for name, frame in data.items()}
    plain = crossed(without, "none")
    assert plain["score"].notna().all() and unscored(plain, 24) is None


def test_a_fold_that_has_one_kind_left_scores_nobody():
    """All poor patients are of scanners with two: without these there is nothing to tell apart."""
    data = training_of(**patients("A" * 8 + "RRSS", "g" * 8 + "p" * 4), source=COMPUTED)
    train, why = learned_from(data, np.ones(12, bool), "combat")
    assert train.tolist() == [True] * 8 + [False] * 4 and sorted(why) == list(range(12))
    assert set(why.values()) == {"without site R, site S there are fewer than 2 of a kind to learn from"}
    rows = pd.DataFrame(
        [{"patient_id": f"P{i}", "repeat": 0, "fold": i % 2, "score": None, "reason": "few", "is_good": i < 2, "features": "[]",
          "fold_fitness": None} for i in range(4)]
    )  # fmt: skip
    folds, times = chosen_in_folds(rows)
    assert not len(folds) and not times
    assert not len(signature_roc.function(fold_scores=rows, params=TrainingParameters()))


@pytest.mark.parametrize("batches", ["A" * 11 + "R", "A" * 10 + "RR"])
def test_a_scanner_that_is_too_small_for_all_is_the_reason_for_no_search(batches):
    data = patients(batches, "gp" * 6)
    params = SearchParameters(**SMALL, harmonise="combat")
    (row,) = signature_search.function(**data, params=params, seed=1, work=Work()).to_dict("records")
    n = batches.count("R")
    assert row["reason"] == f"{n} of site R: harmonising needs 3 patients of each scanner" and row["best"] == "[]"
    assert not len(crossed(data))
    assert len(signature_search.function(**data, params=SearchParameters(**SMALL), seed=1, work=Work())) == 2


def test_too_few_are_counted_where_there_is_something_to_harmonise():
    assert too_few(np.array(["A"])) == {} and too_few(np.array(["A", "A", "B", "B", "B"])) == {"A": 2}


def measured(data: dict[str, pd.DataFrame], tmp_path, harmonise: str = "none") -> pd.DataFrame:
    search = signature_search.function(
        **data, params=SearchParameters(**SMALL, harmonise=harmonise), seed=1, work=Work()
    )
    forest = ForestParameters(min_per_class=2, harmonise=harmonise, final_trees=5)
    model = signature_model.function(**data, search=search, params=forest, seed=1)
    path = tmp_path / "model"
    path.write_bytes(model["object_id"].iloc[0])
    scores = crossed(data, harmonise)
    if not len(scores):
        scores = pd.DataFrame(
            columns=["patient_id", "repeat", "fold", "score", "reason", "is_good", "features", "fold_fitness"]
        )
    params = SignaturePerformanceParameters(**SMALL, harmonise=harmonise, n_bootstrap=20)
    return signature_performance.function(
        **data, model=model.assign(object_path=str(path)), fold_scores=scores, params=params, seed=1
    )


def test_a_signature_whose_worth_cannot_be_measured_says_so(tmp_path):
    """Nine good and three poor are enough for a search (min_per_class = 2), and not for folds within folds."""
    rows = measured(patients("A" * 12, "g" * 9 + "p" * 3), tmp_path)
    (nested,) = rows[rows["scheme"] == "nested"].to_dict("records")
    assert np.isnan(nested["value"]) and nested["measure"] == "auc" and not nested["is_optimistic"] and nested["n"] == 0
    assert nested["reason"] == "no patient was scored unseen: 9 good and 3 poor with features: fewer than 4 of one kind"
    assert set(rows["scheme"]) == {"nested", "search", "refolded", "in-sample"}


def test_the_nested_figure_says_of_how_many_it_is(tmp_path):
    rows = measured(patients("A" * 10 + "B" * 11 + "R" * 3, "gp" * 12), tmp_path, "combat")
    auc = rows[(rows["scheme"] == "nested") & (rows["measure"] == "auc")].iloc[0]
    assert auc["n"] == 21 and auc["value"] > 0.5 and "3 of 24 patients have no score" in auc["reason"]


def test_what_no_feature_can_be_is_no_value():
    """1e39 is more than a forest's numbers hold: every unit of hers failed, for ever."""
    sets = pd.DataFrame([SET | {"examination": e, "patient_id": e, "source": "x"} for e in "AB"])
    texts = [json.dumps({"tumor.a": 1e39, "tumor.b": -1e39}), json.dumps({"tumor.a": 1e15, "tumor.b": 2})]
    imported = pd.DataFrame({"examination": list("AB"), "feature_table": "x", "features": texts})
    found = table_of(sets, pd.DataFrame(columns=["study_uid", "feature", "feature_class", "value"]), imported, "x")
    assert found.loc["A"].isna().all() and found.loc["B"].tolist() == [1e15, 2]


@pytest.mark.parametrize(
    ("harmonise", "said"), [("none", "no feature varies"), ("combat", "among the patients of every scanner")]
)
def test_features_that_do_not_vary_are_a_reason(harmonise, said):
    """All of them alike, or within one scanner: no search, and a reason for each patient of a fold that has none to learn by."""
    data = patients("aaaaaabbbbbb", "gpgpgpgpgpgp")
    own = data["computed"]["study_uid"].str[1:].astype(int)
    data["computed"].loc[(own < 6) | (harmonise == "none"), "value"] = 4.0
    params = SearchParameters(**SMALL, harmonise=harmonise)
    (row,) = signature_search.function(**data, params=params, seed=1, work=Work()).to_dict("records")
    assert said in row["reason"] and row["n_candidates"] == 0
    assert crossed(data, harmonise).empty  # nothing to validate where there is no signature


def test_a_fold_whose_training_patients_are_alike_scores_nobody():
    """One patient has another value than all others: the fold that holds her out learns from constants."""
    data = patients("aaaaaaaaaaaa", "gpgpgpgpgpgp")
    own = data["computed"]["study_uid"].str[1:].astype(int)
    data["computed"]["value"] = np.where(own == 0, 9.0, 4.0)
    rows = crossed(data, "none", 3)
    without = rows[rows["reason"].notna()]
    assert set(without["reason"]) == {"no feature varies, of those whom this fold learns from"} and len(without) >= 3
    assert "P00" in set(without["patient_id"]) and rows["score"].notna().any()
