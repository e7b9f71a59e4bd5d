"""Cox models against R's survival (cox.R): ties, zeros, separation, collinear terms, missing values, an empty group."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analyses.shared.cox import NoConvergence, cox, likelihood_ratio, log_likelihood, newton, prepare, survival_at
from analyses.shared.left_out import left_out

DATA = Path(__file__).parent.parent / "data"
WHOLE = (
    "plain",
    "ties",
    "zeros",
    "missing",
    "nearly",
    "large",
    "few",
    "small",
    "empty",
    "onesided",
    "together",
    "half",
)
PENALISED = ("plain", "ties", "zeros", "onesided", "missing", "few", "small", "empty")
OF = {"few": ["a", "b"], "onetime": ["a", "b"]}  # else a, b and c


@pytest.fixture(scope="module")
def sets() -> dict[str, pd.DataFrame]:
    """set -> duration_days, event, a, b, c: complete cases of cox_input.csv."""
    table = pd.read_csv(DATA / "cox_input.csv").rename(columns={"days": "duration_days"})
    table["event"] = table["event"].astype(bool)
    return {name: rows.dropna().reset_index(drop=True) for name, rows in table.groupby("set")}


@pytest.fixture(scope="module")
def r() -> dict[tuple[str, str, str], float]:
    """(set, what, of) -> value by R."""
    tables = [pd.read_csv(DATA / name, keep_default_na=False) for name in ("cox_r.csv", "cox_penalised_r.csv")]
    table = pd.concat(tables)
    return {(row.set, row.what, row.of): float(row.value) for row in table.itertuples()}


def terms_of(name: str) -> list[str]:
    return OF.get(name, ["a", "b", "c"])


@pytest.mark.parametrize("name", [*WHOLE, "onetime"])
def test_estimates_are_rs(sets, r, name):
    found = cox(sets[name], terms_of(name), 2)
    said = sorted({of for s, what, of in r if s == name and what == "coefficient"})
    sure = [t for t in said if found[t]["coefficient"] is not None]
    assert sure == ([t for t in said if t != "b"] if name == "half" else ["c"] if name == "together" else said)
    rel = 1e-6 if name == "nearly" else 1e-8  # the correlation of b and c is .9999999965
    for term in sure:
        for what in ("coefficient", "standard_error", "p_value"):
            assert found[term][what] == pytest.approx(r[name, what, term], rel=rel, abs=1e-12), (term, what)
        row = found[term]
        if name != "large":  # where a unit of b is so large that its ratio is no number
            assert row["hazard_ratio"] == pytest.approx(np.exp(row["coefficient"]))
            width = np.log(row["ci_upper"]) - np.log(row["ci_lower"])
            assert width == pytest.approx(2 * 1.959963984540054 * row["standard_error"])
        assert row["wald"] == pytest.approx((row["coefficient"] / row["standard_error"]) ** 2)
    assert log_likelihood(sets[name], terms_of(name)) == pytest.approx(r[name, "log_likelihood", ""], rel=1e-10)


@pytest.mark.parametrize("name", WHOLE)
def test_proportional_hazards_are_rs_cox_zph(sets, r, name):
    found = cox(sets[name], terms_of(name), 2)
    sure = [t for t in terms_of(name) if found[t]["coefficient"] is not None]
    for term in sure:
        assert found[term]["ph_p_value"] == pytest.approx(r[name, "ph_p_value", term], abs=1e-7), term
        assert found[term]["ph_global_p_value"] == pytest.approx(r[name, "ph_global_p_value", ""], abs=1e-7)


def test_with_all_deaths_at_one_time_hazards_cannot_change(sets):
    found = cox(sets["onetime"], ["a", "b"], 2)["a"]
    assert found["p_value"] is not None and found["ph_p_value"] is None and found["ph_global_p_value"] is None


@pytest.mark.parametrize(
    ("name", "likelihood"),
    [*((name, "partial") for name in ("ties", "zeros", "onesided", "together", "half")), ("onesided", "penalised")],
)
def test_the_order_of_patients_does_not_matter(sets, name, likelihood):
    """To the last bit."""
    expected = cox(sets[name], terms_of(name), 2, likelihood=likelihood)
    for seed in range(3 if likelihood == "partial" else 1):
        mixed = sets[name].sample(frac=1, random_state=seed)
        assert cox(mixed, terms_of(name), 2, likelihood=likelihood) == expected


@pytest.mark.parametrize("name", PENALISED)
def test_penalised_estimates_are_rs(sets, r, name):
    """R: the likelihood that coxph has at given coefficients, maximised by optim."""
    found = cox(sets[name], ["a", "b", "c"], 2, likelihood="penalised")
    assert name != "empty" or found.pop("c")["reason"] == "c does not vary"
    for term in found:
        size = r[name, "penalised_standard_error", term]
        ours = {
            "coefficient": found[term]["coefficient"], "standard_error": found[term]["standard_error"],
            "lower": np.log(found[term]["ci_lower"]), "upper": np.log(found[term]["ci_upper"]),
        }  # fmt: skip
        for what, value in ours.items():
            assert value == pytest.approx(r[name, f"penalised_{what}", term], abs=1e-6 * size), (term, what)
        assert found[term]["p_value"] == pytest.approx(r[name, "penalised_p_value", term], abs=1e-7)
        assert "penalised" in found[term]["reason"] and found[term]["wald"] is None


@pytest.mark.parametrize("name", ["ties", "onesided"])
def test_the_penalised_ratio_is_the_p_value(sets, r, name):
    found = likelihood_ratio(sets[name], "a", ["b", "c"], "penalised")
    assert stats.chi2.sf(found.chi2, 1) == pytest.approx(r[name, "penalised_p_value", "a"], abs=1e-7)
    assert found.with_term == pytest.approx(
        r[name, "penalised_log_likelihood", ""] - _log_determinant_of_scales(), abs=1e-6
    )


def _log_determinant_of_scales() -> float:
    """R standardises by n - 1, we by n: the information of three terms is n / (n - 1) times as large to each of them."""
    return 1.5 * np.log(79 / 80)


@pytest.mark.parametrize(("name", "at"), [("plain", 1095.75), ("ties", 1095.75), ("zeros", 1.0), ("missing", 1095.75)])
def test_survival_at_a_time_is_rs(sets, r, name, at):
    """R: summary(survfit(coxph(...), newdata), times = at)."""
    found = survival_at(sets[name], pd.DataFrame({"a": [-1.0, 0.0, 1.5]}), "a", at)
    assert found == pytest.approx([r[name, "survival", str(i)] for i in (1, 2, 3)], rel=1e-9)


@pytest.mark.parametrize("name", ["onesided", "empty"])
def test_survival_by_a_term_without_an_estimate_is_none(sets, name):
    """c separates who dies, or does not vary: R goes on with a coefficient of -20, or none."""
    assert survival_at(sets[name], pd.DataFrame({"c": [0.0, 1.0]}), "c", 1095.75) is None


# ------------------------------------------------------------------------------------------------- what is not estimated


def test_each_term_without_an_estimate_says_why(sets):
    def reasons(name: str, **options) -> dict[str, str | None]:
        return {term: row["reason"] for term, row in cox(sets[name], ["a", "b", "c"], 2, **options).items()}

    endless = "no finite estimate: the likelihood rises without end"
    assert reasons("onesided")["c"] == f"{endless} (whoever dies is at one end of it)"
    assert reasons("onesided")["a"] == "beside c without an estimate"
    assert reasons("together") == {
        "a": f"{endless} along a, b together", "b": f"{endless} along a, b together", "c": "beside a, b without an estimate",
    }  # fmt: skip
    assert reasons("empty")["c"] == "c does not vary"
    for likelihood in ("partial", "penalised"):
        follows = reasons("follows", likelihood=likelihood)
        assert follows["a"] == "no estimate of its own: it follows from b, c" and "follows from a, b" in follows["c"]
        assert cox(sets["follows"], ["a", "b", "c"], 2, likelihood=likelihood)["a"]["events_per_term"] == 16
    assert reasons("few")["a"] == "6 events for 3 terms: fewer than ten a term"
    assert cox(sets["few"], ["a"], 2)["a"]["reason"] == "6 events for 1 term: fewer than ten a term"
    assert cox(sets["few"], ["a"], 7)["a"]["reason"] == "6 events, fewer than 7"


def test_who_is_decided_by_others_has_no_estimate():
    """By hand: four deaths in the order of a, which decides every one of them, so that b says nothing."""
    data = pd.DataFrame(
        {"a": [4.0, 3, 2, 1], "b": [1.0, 3, 2, 5], "duration_days": [1.0, 2, 3, 4], "event": [True] * 4}
    )
    found = cox(data, ["a", "b"], 2)
    assert found["a"]["coefficient"] is None and "rises without end" in found["a"]["reason"]
    assert found["b"]["coefficient"] is None
    assert log_likelihood(data, ["a", "b"]) == pytest.approx(0.0, abs=1e-12)


def test_at_the_end_of_one_sided_terms_the_likelihood_is_the_limit(sets):
    """The likelihood of all patients with the coefficient of c at -40, without ties: at ours of a it is as large, and level."""
    data = sets["onesided"].copy()
    data["duration_days"] = data["duration_days"].rank(method="first")
    data = data.sort_values("duration_days")
    died = data["event"].to_numpy()

    def at(value: float) -> float:
        eta = (value * data["a"] - 40 * data["c"]).to_numpy()
        return float((eta - np.log(np.exp(eta)[::-1].cumsum()[::-1]))[died].sum())

    ours = cox(data, ["a", "c"], 2)["a"]["coefficient"]
    assert at(ours) == pytest.approx(log_likelihood(data, ["a", "c"]), rel=1e-10)
    assert abs(at(ours + 1e-4) - at(ours - 1e-4)) < 1e-9 < at(ours) - at(ours + 0.1)


def test_a_model_that_does_not_converge_is_refused(sets, monkeypatch):
    """Two steps are not enough: neither an estimate nor a figure of the place where they ended."""
    import analyses.shared.cox as module

    monkeypatch.setattr(module, "MOST_STEPS", 2)
    with pytest.raises(NoConvergence, match="the gradient is"):
        newton(prepare(sets["ties"], ["a", "b", "c"]))
    found = cox(sets["ties"], ["a", "b", "c"], 2)["a"]
    assert found["coefficient"] is None and found["reason"].startswith("no convergence: the gradient is")


def test_random_models_stand_where_the_gradient_is_level():
    """60 small models with two binary terms, many separated: nowhere is the likelihood above what is said to be its largest."""
    n_separated, n_whole, n = 0, 0, 10
    for seed in range(60):
        random = np.random.default_rng(seed)
        data = pd.DataFrame(
            {"a": random.integers(0, 2, n) * 1.0, "b": random.integers(0, 2, n) * 1.0, "c": random.normal(size=n)}
        )
        data["duration_days"], data["event"] = random.integers(1, 9, n) * 1.0, random.random(n) < 0.5
        if data["event"].sum() < 3:
            continue
        found = cox(data, ["a", "b", "c"], 3, test_proportionality=False)
        n_separated += any("without end" in (row["reason"] or "") for row in found.values())
        best = log_likelihood(data, ["a", "b", "c"])
        at = [row["coefficient"] for row in found.values()]
        if None not in at:
            n_whole += 1
            assert _log_likelihood_at(data, np.array(at)) == pytest.approx(best, abs=1e-9)
        for far in random.normal(scale=4, size=(200, 3)):
            assert _log_likelihood_at(data, far) <= best + 1e-9
    assert n_separated >= 10 and n_whole >= 10


def _log_likelihood_at(data: pd.DataFrame, coefficients: np.ndarray) -> float:
    """Efron's, written out death by death."""
    eta = data[["a", "b", "c"]].to_numpy() @ coefficients
    time, died = data["duration_days"].to_numpy(), data["event"].to_numpy()
    total = 0.0
    for t in np.unique(time[died]):
        tied = died & (time == t)
        at_risk, dying = np.exp(eta[time >= t]).sum(), np.exp(eta[tied]).sum()
        total += eta[tied].sum() - sum(np.log(at_risk - k / tied.sum() * dying) for k in range(tied.sum()))
    return total


def test_who_is_left_out_is_counted_by_variable_and_reason():
    """By hand: of six, P5 has no follow-up; two lack er_status (equivocal, not reported), one has T stage TX, no number."""
    patients = pd.DataFrame(
        [
            ("P0", "positive", None, "T2", 2.0), ("P1", None, "equivocal", "T1c", 1.0),
            ("P2", None, "not reported", "TX", np.nan),
            ("P3", "negative", None, None, np.nan), ("P4", "negative", None, "T4b", 4.0), ("P5", "positive", None, "T1", 1.0),
        ],
        columns=["patient_id", "er_status", "er_status_reason", "t_stage", "number"],
    )  # fmt: skip
    clinical = patients[["patient_id"]].assign(
        er_status=patients["er_status"].map({"positive": 1.0, "negative": 0.0}), t_stage=patients["number"]
    )
    people = patients["patient_id"]
    lacking = {"TSH ratio": people, "OS follow-up": people[:5]}
    assert left_out(people, ["P0", "P4"], lacking, patients, clinical, ["er_status", "t_stage"]) == (
        "4 of 6 members are not in it; no OS follow-up of 1; er_status is not known of 2 (equivocal 1, not reported 1); "
        "t_stage is not known of 2 (TX 1, no word 1)"
    )
    assert left_out(people, people, lacking) is None
