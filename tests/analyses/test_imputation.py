"""Multiple imputation against R's mice (imputation.R): ties, zeros, values missing at random, an empty group, separation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import analyses.shared.imputed_cox as imputed_module
from analyses.shared.cox import cox
from analyses.shared.imputation import Completed, Imputation, completed, nelson_aalen
from analyses.shared.imputation_models import (
    Separation,
    Weighted,
    augmented,
    donors,
    drawn_classes,
    matched,
    ordered_fit,
    separation_of,
)
from analyses.shared.imputed_cox import NOT_TESTED, PENALISED, imputed_cox
from analyses.shared.rubin import pooled
from tests.support.imputed import COVARIATES, NAMES, simulated_patients

DATA = Path(__file__).parent.parent / "data"
POOLED = ("plain", "ties", "small")
TERMS = ["score", *COVARIATES]
OF_TERM = {  # column of cox_terms -> mice's
    "coefficient": "estimate", "standard_error": "std.error", "degrees": "df", "missing_information": "fmi",
    "p_value": "p.value",
}  # fmt: skip


@pytest.fixture(scope="module")
def sets() -> dict[str, pd.DataFrame]:
    """set -> patients of imputation_input.csv."""
    table = _named(pd.read_csv(DATA / "imputation_input.csv"))
    return {str(name): rows.reset_index(drop=True) for name, rows in table.groupby("set")}


@pytest.fixture(scope="module")
def filled() -> dict[str, list[pd.DataFrame]]:
    """set -> the data sets that mice completed."""
    table = _named(pd.read_csv(DATA / "imputation_sets.csv.gz"))
    return {str(s): [rows for _, rows in of_set.groupby("number")] for s, of_set in table.groupby("set")}


@pytest.fixture(scope="module")
def r() -> dict[tuple[str, str, str], float]:
    """(set, what, of) -> value by R."""
    table = pd.read_csv(DATA / "imputation_r.csv", keep_default_na=False)
    return {(row.set, row.what, row.of): float(row.value) for row in table.itertuples()}


def _named(table: pd.DataFrame) -> pd.DataFrame:
    table = table.rename(columns={"days": "duration_days", **NAMES})
    number = table.groupby("set").cumcount()
    return table.assign(event=table["event"].astype(bool), patient_id=[f"P{i:04d}" for i in number])


# --------------------------------------------------------------------------------------------- equal to mice, step by step


@pytest.mark.parametrize("name", POOLED)
def test_the_cumulative_hazard_is_mices(sets, r, name):
    data = sets[name]
    found = nelson_aalen(data["duration_days"].to_numpy(float), data["event"].to_numpy(bool))
    assert found == pytest.approx([r[name, "hazard", str(i + 1)] for i in range(len(data))], rel=1e-8, abs=1e-15)


def test_without_an_event_the_cumulative_hazard_is_zero(sets):
    data = sets["empty"]
    assert not nelson_aalen(data["duration_days"].to_numpy(float), data["event"].to_numpy(bool)).any()


@pytest.mark.parametrize("name", POOLED)
def test_a_pooled_model_is_mices(sets, filled, r, name, monkeypatch):
    """mice's own data sets: estimates, degrees of freedom, missing information, p and intervals."""
    monkeypatch.setattr(imputed_module, "completed", lambda *_: Completed(filled[name], []))
    found = imputed_cox(sets[name], TERMS, Imputation(7, 5, 1), "m", 5, "partial")
    for term in TERMS:
        of = {v: k for k, v in NAMES.items()}.get(term, term)
        of = "er1" if of == "er" and (name, "estimate", "er1") in r else of
        for ours, theirs in OF_TERM.items():
            assert found[term][ours] == pytest.approx(r[name, theirs, of], rel=1e-8), (term, ours)
        assert np.log(found[term]["ci_lower"]) == pytest.approx(r[name, "2.5 %", of], rel=1e-8, abs=1e-10)
        assert np.log(found[term]["ci_upper"]) == pytest.approx(r[name, "97.5 %", of], rel=1e-8, abs=1e-10)
        assert r[name, "dfcom", of] == sets[name]["event"].sum() - 4
        assert found[term]["ph_p_value"] is None and NOT_TESTED in found[term]["reason"]


@pytest.mark.parametrize(
    ("case", "estimates", "errors", "degrees"),
    [("same", [0.3] * 4, [0.2] * 4, 30), ("apart", [-1.0, 2.0], [0.2, 0.3], 12)],
)
def test_rubins_rules_are_mices(r, case, estimates, errors, degrees):
    found = pooled(np.array(estimates), np.array(errors), degrees)
    values = (found.coefficient, found.standard_error, found.degrees, found.missing_information)
    for value, what in zip(values, ("estimate", "std.error", "df", "fmi"), strict=True):
        assert value == pytest.approx(r[case, what, ""], rel=1e-10), what


def _predictors(data: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    known = data[data["age_years"].notna()]
    x = known[["score", "event", "age_years"]].to_numpy(float)
    return known, (x - x.mean(axis=0)) / x.std(axis=0)


@pytest.mark.parametrize("name", POOLED)
def test_the_logistic_model_is_mices(sets, r, name):
    """glm.fit with mice's pseudo-observations. Ours is P(class <= 0): its threshold is R's intercept, with another sign."""
    known, x = _predictors(sets[name])
    er = known["er_status"].to_numpy(float)
    found = ordered_fit(augmented(x, er, ~np.isnan(er)))
    ours = np.r_[-found.thresholds, found.slopes]
    assert ours == pytest.approx([r[name, "logistic", str(i)] for i in range(1, 5)], rel=1e-8, abs=1e-10)
    sign = np.array([-1, 1, 1, 1])
    theirs = [[r[name, "logistic_covariance", f"{i} {j}"] for j in range(1, 5)] for i in range(1, 5)]
    assert found.covariance * np.outer(sign, sign) == pytest.approx(np.array(theirs), rel=1e-8, abs=1e-10)


@pytest.mark.parametrize("name", POOLED)
def test_the_proportional_odds_model_is_polrs(sets, r, name):
    """polr ends where its optimiser does, and takes second derivatives by differences: 1e-6."""
    known, x = _predictors(sets[name])
    stage = known["t_stage"].to_numpy(float) - 1
    found = ordered_fit(augmented(x, stage, ~np.isnan(stage)))
    assert found.thresholds == pytest.approx([r[name, "threshold", str(i)] for i in (1, 2, 3)], abs=1e-6)
    assert found.slopes == pytest.approx([r[name, "slope", str(i)] for i in (1, 2, 3)], abs=1e-6)
    variances = [r[name, "slope_variance", str(i)] for i in (1, 2, 3)]
    assert np.diag(found.covariance)[3:] == pytest.approx(variances, rel=1e-4)


def test_donors_are_mices(r):
    """Those that mice's matchindex gives, and those that are nearest by order(); six targets, within and beyond the values."""
    fitted = np.array([r["donors", "fitted", str(i + 1)] for i in range(50)])
    wanted = np.array([r["donors", "wanted", str(i + 1)] for i in range(6)])
    lines = (DATA / "imputation_r.csv").read_text().splitlines()
    found = donors(fitted, wanted, np.arange(50) / 50)
    for i in range(6):
        for what in ("seen", "nearest"):
            theirs = [int(line.split(",")[3]) - 1 for line in lines if line.startswith(f"donors,{what},{i + 1},")]
            far = sorted(np.abs(fitted[theirs] - wanted[i]))  # two of 50 values are equal: either may be the fifth
            assert len(theirs) == 5 and sorted(np.abs(fitted[found[i]] - wanted[i])) == far, (i, what)


def test_donors_who_are_as_near_come_in_an_order_that_is_drawn():
    """By hand: 0.9 and 1.1 are as far from 1, and nine are equal: each is a donor for some order, none for all."""
    fitted, wanted = np.r_[np.full(9, 1.0), 7.0], np.array([1.0])
    random = np.random.default_rng(1)
    chosen = [frozenset(donors(fitted, wanted, random.random(10))[0].tolist()) for _ in range(60)]
    assert frozenset.union(*chosen) == frozenset(range(9)) and len(set(chosen)) > 20
    assert not frozenset.intersection(*chosen)
    few = donors(np.array([3.0, 1.0]), np.array([0.0, 9.0]), np.array([0.1, 0.2]))
    assert few.tolist() == [[1, 0], [0, 1]], "of two known patients both, the nearer first"


# -------------------------------------------------------------------------------------------- close to mice, as a whole


@pytest.mark.parametrize("covariate", ["score", "age_years", "er_status", "tumor_size_mm"])
def test_many_data_sets_are_mices_within_the_error_of_drawing(sets, r, covariate, many):
    """200 of ours beside 200 of mice's, four standard errors of their difference; their variances by F with 199 and 199."""
    of = {"age_years": "age", "er_status": "er", "tumor_size_mm": "stage"}.get(covariate, covariate)
    between = r["many", "b", of]
    row = many[covariate]
    error = np.sqrt(2 * between / 200)
    assert abs(row["coefficient"] - r["many", "estimate", of]) < 4 * error
    assert row["standard_error"] == pytest.approx(r["many", "std.error", of], rel=0.06)
    assert row["missing_information"] == pytest.approx(r["many", "fmi", of], abs=0.1)


def test_complete_cases_are_told_from_imputed_ones(sets, r):
    """What the test above compares is no quantity that any treatment of missing values gives."""
    found = cox(sets["plain"].dropna(), TERMS, 5)
    far = [
        abs(found[term]["coefficient"] - r["many", "estimate", of]) / np.sqrt(2 * r["many", "b", of] / 200)
        for term, of in (("age_years", "age"), ("er_status", "er"), ("t_stage", "stage"))
    ]
    assert max(far) > 4


@pytest.fixture(scope="module")
def many(sets) -> dict[str, dict]:
    """The stage as a number, as it was for mice: by predictive mean matching."""
    data = sets["plain"].rename(columns={"t_stage": "tumor_size_mm"})
    terms = ["score", "age_years", "er_status", "tumor_size_mm"]
    return imputed_cox(data, terms, Imputation(200, 10, 3), "m", 5, "partial")


def test_the_truth_lies_in_the_intervals(r):
    """40 of the 300 simulated sets of `make soak PART=imputation`: no fewer than the binomial 0.1 % bound of 95 %."""
    from soak.imputation import coverage

    found = coverage(seed=1, n_studies=40, n_sets=5)
    for name, share in found.covered.items():
        assert share * 40 >= 33, name  # binom.ppf(0.001, 40, .95) = 33
    assert abs(found.bias["er_status"]) < 4 * found.error["er_status"]


# ------------------------------------------------------------------------------------------------------- what is held


def test_neither_outcome_nor_score_nor_what_is_known_is_drawn(sets):
    data = sets["plain"]
    drawn = completed(data, COVARIATES, "score", Imputation(3, 2, 1), "m").sets
    assert len(drawn) == 3
    for frame in drawn:
        assert not frame[list(COVARIATES)].isna().any().any()
        for column in data:
            known = data[column].notna()
            assert (frame.loc[known, column] == data.loc[known, column]).all(), column
        for c in COVARIATES:
            assert set(frame[c]) <= set(data[c].dropna()), "a value of somebody who has one"
    unknown = data["er_status"].isna().to_numpy()
    first, second = (frame.loc[unknown, "er_status"].to_numpy() for frame in drawn[:2])
    assert (first != second).any(), "data sets differ"


def test_a_data_set_hangs_on_its_seed_model_and_number_alone(sets):
    """To the last bit: not on the order of the patients, nor on how many data sets there are."""
    data, how = sets["ties"], Imputation(4, 3, 1)
    first = completed(data, COVARIATES, "score", how, "m").sets
    mixed = completed(data.sample(frac=1, random_state=3), COVARIATES, "score", how._replace(n_sets=2), "m").sets
    for one, other in zip(first[:2], mixed, strict=True):
        pd.testing.assert_frame_equal(one, other[list(one)], check_exact=True)
    for other in (
        completed(data, COVARIATES, "score", how._replace(seed=2), "m").sets[0],
        completed(data, COVARIATES, "score", how, "n").sets[0],
    ):
        assert not other[list(COVARIATES)].equals(first[0][list(COVARIATES)])


def test_the_outcome_is_in_the_model_that_covariates_are_drawn_from():
    """ER positive patients never die here, half of the ER is unknown: drawn without the outcome, 60 % of the dead would be."""
    data = simulated_patients(400, 5, er_effect=-3.0, missing=0.5)
    frame = completed(data, COVARIATES, "score", Imputation(1, 5, 1), "m").sets[0]
    dead = data["event"].to_numpy() & data["er_status"].isna().to_numpy()
    alive = ~data["event"].to_numpy() & data["er_status"].isna().to_numpy()
    assert frame["er_status"][alive].mean() - frame["er_status"][dead].mean() > 0.3


def test_a_value_is_one_of_the_five_nearest_each_as_often():
    """2,000 patients alike, beside twelve who are known: five values, and each of about 400 (six standard deviations: 107)."""
    x = np.r_[np.arange(12.0), np.full(2000, 6.2)][:, None]
    values, is_known = np.r_[np.arange(12.0) + 100 + np.sin(np.arange(12)), np.zeros(2000)], np.arange(2012) < 12
    found, counts = np.unique(matched(x, values, is_known, np.random.default_rng(1)), return_counts=True)
    assert len(found) == 5 and set(found) <= set(values[:12]) and (np.abs(counts - 400) < 107).all()


def test_coefficients_are_drawn_and_not_only_values():
    """30 known patients, 3,000 unknown: what is drawn differs between 200 data sets as the coefficients' errors say.

    Of classes the share, whose standard error is sqrt(p (1 - p) / 30) = .09 (without drawn coefficients .01); of numbers
    the mean: the residual SD 1 / sqrt(30) = .18 (without .02).
    """
    random = np.random.default_rng(4)
    x, is_known = random.normal(size=(3030, 1)), np.arange(3030) < 30
    x[:30, 0] = np.linspace(-1.5, 1.5, 30)
    classes = np.arange(3030) % 2
    shares = [drawn_classes(x, classes, is_known, random).classes.mean() for _ in range(200)]
    assert 0.06 < np.std(shares) < 0.12
    values = np.where(is_known, random.normal(size=3030), np.nan)
    means = [matched(x, values, is_known, random).mean() for _ in range(200)]
    assert 0.1 < np.std(means) < 0.3


# ---------------------------------------------------------------------------------------------------- what is refused


def _refusal(data: pd.DataFrame, **changes) -> str:
    how = {"terms": TERMS, "how": Imputation(3, 3, 1), "name": "m", "min_events": 5, "likelihood": "partial"} | changes
    found = imputed_cox(data, **how)
    assert {row["coefficient"] for row in found.values()} == {None}
    reasons = {row["reason"] for row in found.values()}
    assert len(reasons) == 1
    return reasons.pop()


def test_what_cannot_be_imputed_is_said(sets):
    data = sets["plain"]
    assert _refusal(data.assign(er_status=np.nan)) == "cannot be imputed: er_status is known of nobody"
    once = data.assign(t_stage=data["t_stage"].where(data["t_stage"] < 4))
    once.loc[5, "t_stage"] = 4.0
    assert _refusal(once) == "cannot be imputed: t_stage 4 is known of one patient"
    few = data.assign(age_years=data["age_years"].where(data.index < 7))
    reason = "cannot be imputed: age_years is known of 4, too few for a model of 5 predictors that it is drawn from"
    assert few["age_years"].notna().sum() == 4 and _refusal(few) == reason
    assert _refusal(data, likelihood="penalised") == PENALISED
    assert _refusal(data.assign(event=data.index < 4)) == "4 events, fewer than 5"


def test_classes_that_others_separate_wholly_are_not_drawn(sets):
    """By hand: ER is positive above the median age, and nowhere else. Stages that follow from the score are of the kind."""
    data = sets["plain"]
    age = data["age_years"].fillna(60.0)
    er = (age > age.median()).astype(float).where(data["er_status"].notna())
    reason = "cannot be imputed: er_status: the other variables separate its classes wholly in more than 0 of 9 fits"
    assert _refusal(data.assign(age_years=age, er_status=er)) == reason
    stage = pd.cut(data["score"], [-np.inf, -0.5, 0.4, 1.0, np.inf], labels=[1, 2, 3, 4]).astype(float)
    assert "t_stage: the other variables separate" in _refusal(data.assign(t_stage=stage.where(data.index % 5 > 0)))


def test_classes_that_are_separated_in_part_are_drawn_and_said():
    """By hand: nobody who dies is ER positive, so that the event tells the ER of the dead, but not of the living."""
    data = simulated_patients(300, 2)
    data.loc[data["event"] & data["er_status"].notna(), "er_status"] = 0.0
    found = completed(data, COVARIATES, "score", Imputation(2, 3, 1), "m")
    assert found.notes == ["classes of er_status are separated in part by the others in 6 of 6 fits it was drawn by"]
    unknown = data["event"].to_numpy() & data["er_status"].isna().to_numpy()
    assert unknown.sum() > 20
    assert all(frame.loc[unknown, "er_status"].mean() < 0.1 for frame in found.sets)


@pytest.mark.parametrize(
    ("x", "classes", "expected"),
    [
        ([-2, -1, 1, 2], [0, 0, 1, 1], Separation.WHOLE),
        ([-2, 0, 0, 2], [0, 0, 1, 1], Separation.IN_PART),
        ([-2, 1, -1, 2], [0, 0, 1, 1], Separation.NONE),
        ([-2, -1, 0, 1, 2, 3], [0, 0, 1, 1, 2, 2], Separation.WHOLE),
        ([-2, -1, -1, 0, 0, 1], [0, 0, 1, 1, 2, 2], Separation.IN_PART),
        ([-2, -1, 0, 2, 1, 3], [0, 0, 1, 1, 2, 2], Separation.NONE),  # one slope: the upper two hold it
        ([-2, 1, 0, 2, -1, 3], [0, 0, 1, 1, 2, 2], Separation.NONE),
    ],
)
def test_separation_by_hand(x, classes, expected):
    assert separation_of(np.array(x, float)[:, None], np.array(classes)) == expected


def test_a_quick_look_never_calls_separated_classes_whole():
    """300 small sets: where the look says that there is a maximum, the linear programme finds no separation; both occur."""
    from analyses.shared.imputation_models import _has_maximum

    seen = set()
    for seed in range(300):
        random = np.random.default_rng(seed)
        n = int(random.integers(8, 30))
        x, classes = random.normal(size=(n, 3)), random.permutation(np.arange(n) % (2 + seed % 2))
        start = ordered_fit(augmented(x, classes.astype(float), np.ones(n, bool)))
        look = _has_maximum(Weighted(x, classes, np.ones(n)), np.r_[start.thresholds, start.slopes])
        found = separation_of(x, classes)
        assert not look or found == Separation.NONE
        seen.add((look, found))
    assert {(True, Separation.NONE), (False, Separation.WHOLE)} <= seen


def test_covariates_that_follow_from_each_other_stop_nothing(sets):
    """A size that is twice the score: values are drawn as without it, and the Cox model says who follows from whom."""
    data = sets["plain"].assign(tumor_size_mm=2 * sets["plain"]["score"] + 1)
    found = imputed_cox(data, [*TERMS, "tumor_size_mm"], Imputation(2, 2, 1), "m", 5, "partial")
    assert found["score"]["reason"] == "no estimate of its own: it follows from tumor_size_mm"
    assert found["er_status"]["coefficient"] is not None and "separated" not in found["er_status"]["reason"]


def test_a_covariate_that_does_not_vary_has_no_estimate_and_the_others_have(sets):
    data = sets["plain"].assign(er_status=sets["plain"]["er_status"] * 0 + 1)
    found = imputed_cox(data, TERMS, Imputation(3, 3, 1), "m", 5, "partial")
    assert found["er_status"]["reason"] == "er_status does not vary" and found["er_status"]["coefficient"] is None
    assert found["score"]["coefficient"] is not None and "beside er_status without" in found["score"]["reason"]


def test_a_term_without_an_estimate_in_one_data_set_has_none(sets, filled, monkeypatch):
    """In the second of three, nobody who is ER positive dies."""
    frames = [frame.copy() for frame in filled["plain"][:3]]
    frames[1]["er_status"] = (~frames[1]["event"] & (frames[1]["er_status"] == 1)).astype(float)
    monkeypatch.setattr(imputed_module, "completed", lambda *_: Completed(frames, []))
    found = imputed_cox(sets["plain"], TERMS, Imputation(3, 3, 1), "m", 5, "partial")
    assert found["er_status"]["coefficient"] is None
    assert found["er_status"]["reason"].endswith("in 1 of 3 imputed data sets")
    assert found["score"]["coefficient"] is not None and "beside er_status" in found["score"]["reason"]
