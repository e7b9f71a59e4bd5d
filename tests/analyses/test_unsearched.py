"""What stands beside the search: the elastic net against R's glmnet (tests/data/elastic_net.R), and models without a search."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from analyses.signature import elastic_net as elastic_net_module
from analyses.signature import unsearched as unsearched_module
from analyses.signature.elastic_net import ElasticNet, chosen, deviance, path, penalties_of
from analyses.signature.features import training_of
from analyses.signature.folds import folds_of
from analyses.signature.ladder_verdict import worth
from analyses.signature.rungs import outer_of
from analyses.signature.signature_ladder import WAYS_BESIDE, SignatureLadderParameters
from analyses.signature.unsearched import BESIDE, boosting, unsearched
from tests.support.ladder_tables import FEW_BESIDE, ladder, nested, tables

DATA = Path(__file__).parent.parent / "data"
SETS = dict(list(pd.read_csv(DATA / "elastic_net_input.csv").groupby("set")))
THEIRS = dict(list(pd.read_csv(DATA / "elastic_net_r.csv").groupby(["set", "mixing"])))
WORTH = "the search was worth"
FEW = {"population": 4, "generations": 1, "folds": 2, "n_trees": 3, "final_trees": 5}


def numbers(texts) -> np.ndarray:
    """(rows, numbers) of texts such as 1;2.5"""
    return np.array([[float(value) for value in str(text).split(";")] for text in texts])


def of_set(name: str) -> tuple[np.ndarray, np.ndarray]:
    """(values, labels) of a set of the fixture: ties, constant and collinear columns, classes that are apart, ..."""
    return numbers(SETS[name]["values"]), SETS[name]["is_good"].to_numpy(bool)


@pytest.fixture(scope="module")
def texture() -> dict[str, pd.DataFrame]:
    return tables("texture", 1)


@pytest.fixture(scope="module")
def fold_scores(texture) -> pd.DataFrame:
    return nested(texture, **FEW)


@pytest.fixture(scope="module")
def data(texture):
    return training_of(**{k: v for k, v in texture.items() if k != "patients"}, source="computed")


# -------------------------------------------------------------------------------------------------------- the elastic net


@pytest.mark.parametrize(("name", "mixing"), THEIRS, ids=lambda value: str(value))
def test_coefficients_are_glmnets(name, mixing):
    """Of the columns as given, in their standard deviations, and the log odds where every column is at its mean."""
    values, labels = of_set(name)
    theirs = THEIRS[name, mixing]
    sd, mean = values.std(axis=0), values.mean(axis=0)
    fits = path(values, labels, mixing, list(theirs["penalty"]))
    assert len(fits) == len(theirs) == 7
    for ours, intercept, slopes in zip(fits, theirs["intercept"], numbers(theirs["coefficients"]), strict=True):
        assert np.abs((ours.coefficients - slopes) * sd).max() < 1e-6
        assert ours.intercept + ours.coefficients @ mean == pytest.approx(intercept + slopes @ mean, abs=1e-6)
        assert ((ours.coefficients == 0) == (slopes == 0)).all(), "the same columns are left out"


def test_the_first_penalty_leaves_no_coefficient_and_the_next_one_some():
    values, labels = of_set("plain")
    for mixing in (0.1, 0.5, 1.0):
        penalties = penalties_of(values, labels, mixing, 40)
        assert penalties[-1] == pytest.approx(penalties[0] / 100) and (np.diff(penalties) < 0).all()
        first, second = path(values, labels, mixing, penalties[:2])
        assert np.abs(first.coefficients).max() < 1e-12 and np.abs(second.coefficients).max() > 1e-3
        assert first.intercept == pytest.approx(np.log(labels.mean() / (1 - labels.mean())))


def test_penalty_and_mixing_are_those_with_the_lowest_deviance_of_patients_held_out():
    values, labels = of_set("wide")
    fold_of, mixings = folds_of(labels, 5, 3), (0.2, 0.9)
    lost = {}
    for mixing in mixings:
        for penalty in penalties_of(values, labels, mixing, 12):
            fits = [path(values[fold_of != f], labels[fold_of != f], mixing, [penalty])[0] for f in range(5)]
            odds = np.array([fits[f].log_odds(v) for f, v in zip(fold_of, values, strict=True)])
            lost[mixing, penalty] = -2 * np.log(np.where(labels, 1 / (1 + np.exp(-odds)), 1 / (1 + np.exp(odds)))).sum()
    found = chosen(values, labels, mixings, 12, fold_of)
    assert (found.mixing, found.penalty) == min(lost, key=lost.get)
    (again,) = path(values, labels, found.mixing, [found.penalty])
    assert np.abs(found.coefficients - again.coefficients).max() < 1e-8


def test_a_deviance_by_hand():
    """One patient of the class at odds 3 to 1, one of the other at even odds: -2 (log 3/4 + log 1/2)."""
    assert deviance(np.array([True, False]), np.log([3.0, 1.0])) == pytest.approx(-2 * np.log(3 / 8))


def test_probabilities_are_of_the_class_that_is_foretold():
    fit = ElasticNet(0.5, 0.1, np.log(3.0), np.array([0.0, np.log(2.0)]))
    assert fit.predict_proba(np.array([[5.0, 0.0], [5.0, 1.0]])) == pytest.approx(
        np.array([[1 / 4, 3 / 4], [1 / 7, 6 / 7]])
    )


def test_a_penalty_that_does_not_converge_ends_the_path_and_is_not_chosen(monkeypatch):
    values, labels = of_set("plain")
    fold_of = folds_of(labels, 3, 1)
    least = penalties_of(values, labels, 0.5, 8)[2]
    real = elastic_net_module.lowest

    def stuck(columns, given, mixing, penalty, at):
        found, is_converged = real(columns, given, mixing, penalty, at)
        return found, is_converged and penalty >= least

    monkeypatch.setattr(elastic_net_module, "lowest", stuck)
    assert chosen(values, labels, (0.5,), 8, fold_of).penalty >= least
    assert len(path(values, labels, 0.5, penalties_of(values, labels, 0.5, 8))) == 3


# ------------------------------------------------------------------------------------------------- on the signature's folds


def params(**changed) -> SignatureLadderParameters:
    return SignatureLadderParameters(**FEW | FEW_BESIDE | changed)


@pytest.mark.parametrize("name", BESIDE)
def test_a_model_learns_from_training_patients_alone(name, data, fold_scores, monkeypatch):
    """Filter, scaling and every choice: what happens to patients who are held out changes their own scores alone."""
    outer = outer_of(fold_scores, data.patients)
    scores, sizes = unsearched(name, outer, data, params(), 1)
    assert not np.isnan(scores).any() and len(sizes) == 5
    held_out = outer.fold_of[0] == 2
    values = data.values.copy()
    values[held_out] = np.random.default_rng(1).normal(size=values[held_out].shape)
    labels = outer.is_good.copy()
    labels[held_out] = ~labels[held_out]
    moved = data._replace(values=values, is_good=labels)
    seen = []
    real = BESIDE[name]

    def noted(values, labels, given, seed):
        seen.append((values.copy(), labels.copy(), seed))
        return real(values, labels, given, seed)

    monkeypatch.setitem(unsearched_module.BESIDE, name, noted)
    unsearched(name, outer, data, params(), 1)
    unsearched(name, outer._replace(is_good=labels), moved, params(), 1)
    before, after = seen[2], seen[7]
    assert (before[0] == after[0]).all() and (before[1] == after[1]).all() and before[2] == after[2]
    assert len(before[0]) == (~held_out).sum() and len({seed for _, _, seed in seen}) == 5
    assert np.abs(before[0].mean(axis=0)).max() < 1e-9 and before[0].std(axis=0) == pytest.approx(1)


@pytest.mark.parametrize("name", BESIDE)
def test_threads_do_not_move_a_score(name, data, fold_scores):
    outer = outer_of(fold_scores, data.patients)
    with threadpool_limits(1):
        one, _ = unsearched(name, outer, data, params(), 1)
    with threadpool_limits(2):
        two, _ = unsearched(name, outer, data, params(), 1)
    assert (one == two).all()


def test_boosting_takes_the_depth_and_the_trees_with_the_lowest_deviance():
    """An exclusive or of two columns needs depth 2; a single column needs no more than stumps."""
    luck = np.random.default_rng(5)
    values = luck.normal(size=(240, 4))
    given = params(depths=(1, 2), most_trees=40, learning_rate=0.2)
    crossed = boosting(values, (values[:, 0] > 0) != (values[:, 1] > 0), given, 1)
    assert crossed.max_depth == 2 and crossed.n_estimators_ > 20
    coin = boosting(values, luck.random(240) < 0.5, given, 1)
    assert coin.max_depth == 1 and coin.n_estimators_ < 20


def test_harmonised_features_reach_these_models(data, fold_scores):
    """A shift between two scanners that goes with no label is taken away; a scanner too small for a fold has no scores there."""
    outer = outer_of(fold_scores, data.patients)
    sets = data.sets.assign(batch=["one", "two"] * 45)
    shifted = data._replace(values=data.values + 50 * np.array([0, 1] * 45)[:, None], sets=sets)

    def scores(of, harmonise: str) -> np.ndarray:
        return unsearched("elastic net", outer, of, params(harmonise=harmonise), 1)[0]

    plain = scores(data, "none")
    assert (
        np.corrcoef(plain, scores(shifted, "combat"))[0, 1]
        > 0.9
        > 0.3
        > np.corrcoef(plain, scores(shifted, "none"))[0, 1]
    )
    batches = np.array(["one"] * 90)
    few = [np.flatnonzero(outer.fold_of[0] == fold)[0] for fold in (0, 1, 2)]
    batches[few] = "two"
    assert set(np.flatnonzero(np.isnan(scores(data._replace(sets=sets.assign(batch=batches)), "combat")))) == set(few)


def test_the_ladder_has_them_beside_the_signature(texture, fold_scores):
    rows = ladder(texture, fold_scores, **FEW)
    assert list(rows.index[:4]) == ["signature", *WAYS_BESIDE] and list(WAYS_BESIDE) == list(BESIDE)
    beside = rows.loc[list(BESIDE)]
    assert (beside["n_shared"] == 90).all() and beside[["difference_lower", "difference_upper"]].notna().all().all()
    assert beside["reason"].str.fullmatch(r"\d+ to \d+ features in a fold").all()
    assert beside["way"].tolist() == ["forest", "elastic net", "gradient boosting"]
    assert rows["finding"].notna().tolist() == [True, True] + [False] * (len(rows) - 2)
    assert rows.loc["forest without search", "finding"] == worth(rows.loc["forest without search"])


@pytest.mark.parametrize(
    ("difference", "lower", "upper", "reason", "words"),
    [
        (0.1, 0.02, 0.18, None, f"{WORTH} .10 (.02 to .18) of AUC: more than the same forest reaches with all features"),
        (0.03, -0.02, 0.08, None,
         f"{WORTH} .03 (-.02 to .08) of AUC: not shown to be worth anything beside the same forest with all features"),
        (-0.1, -0.18, -0.02, None, f"{WORTH} -.10 (-.18 to -.02) of AUC: the same forest does better with all features"),
        (0.0, None, None, "alike", f"{WORTH} 0 of AUC, without an interval: alike"),
        (None, None, None, "no volume", "what the search was worth is not known: no volume"),
    ],
)  # fmt: skip
def test_what_the_search_was_worth_in_words(difference, lower, upper, reason, words):
    row = {"difference": difference, "difference_lower": lower, "difference_upper": upper, "reason": reason}
    assert worth(row) == words
