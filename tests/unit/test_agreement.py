"""Agreement of two measurements against R: epiR, pROC, vcd, t.test, a formula written out (tests/data/agreement.R); by hand."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest

from tshdb.truths.agreement import auc, concordance, kappa, limits, spearman

DATA = Path(__file__).parent.parent / "data"
EXACT = {"rel": 1e-9, "abs": 1e-11}


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def numbers(row: dict[str, str], *names: str) -> list[float]:
    return [float(row[name]) for name in names]


def sets(name: str) -> dict[str, list[tuple[str, str]]]:
    """Set -> pairs that both sides know."""
    found: dict[str, list[tuple[str, str]]] = {}
    for row in rows(name):
        if "NA" not in (row["derived"], row["measured"]):
            found.setdefault(row["set"], []).append((row["derived"], row["measured"]))
    return found


PAIRS = {name: np.array(pairs, float).T for name, pairs in sets("agreement_input.csv").items()}
THEIRS = {row["set"]: row for row in rows("agreement_r.csv")}
KAPPAS = {row["set"]: row for row in rows("categories_r.csv")}


def test_the_sets_have_what_is_hard():
    """Ties, missing values, a shift, a scale, the opposite, and a side of one value."""
    whole = {name: sum(row["set"] == name for row in rows("agreement_input.csv")) for name in THEIRS}
    assert whole["missing"] > PAIRS["missing"].shape[1] and len(set(PAIRS["ties"][0])) < 30 < PAIRS["ties"].shape[1]
    assert np.ptp(PAIRS["of one value"][0]) == 0


@pytest.mark.parametrize("name", THEIRS)
def test_figures_and_intervals_are_rs(name):
    derived, measured = PAIRS[name]
    theirs = THEIRS[name]
    assert len(derived) == int(theirs["n"])
    bland = limits(derived, measured)
    assert list(bland) == pytest.approx(numbers(theirs, "bias", "bias_lower", "bias_upper", "lower", "upper"), **EXACT)
    found = concordance(derived, measured), spearman(derived, measured), auc(derived, measured > np.median(measured))
    for figure, of in zip(found, ("ccc", "rho", "auc"), strict=True):
        if name == "of one value":
            assert figure.value is None and figure.reason == "all derived values are the same"
        else:
            ours = [figure.value, figure.lower, figure.upper]
            wanted = numbers(theirs, of, f"{of}_lower", f"{of}_upper")
            if of == "auc" and wanted[1] == wanted[2]:  # pROC's interval of an area of 0 or 1 has no width
                assert figure.value == wanted[0] in (0.0, 1.0) and figure.upper - figure.lower > 0.05
            else:
                assert ours == pytest.approx(wanted, **EXACT)


@pytest.mark.parametrize("name", KAPPAS)
def test_kappa_and_its_interval_are_rs(name):
    pairs, theirs = sets("categories_input.csv")[name], KAPPAS[name]
    figure = kappa(*zip(*pairs, strict=True))
    assert (figure.n, figure.value) == (int(theirs["n"]), pytest.approx(float(theirs["kappa"]), **EXACT))
    assert [figure.lower, figure.upper] == pytest.approx(numbers(theirs, "lower", "upper"), **EXACT)


def test_concordance_by_hand():
    """1, 2, 3, 4 and the same plus 1: covariance 5/4, variances 5/4, means 1 apart: 2.5 / (2.5 + 1)."""
    one = np.arange(1.0, 5.0)
    assert concordance(one, one + 1).value == pytest.approx(2.5 / 3.5)
    assert concordance(one, one)[1:] == (4, 1.0, 1.0, 1.0, None)
    assert limits(one + 1, one)[:3] == (1.0, 1.0, 1.0)


def test_no_figure_says_why():
    three = np.arange(3.0)
    assert concordance(three, three).reason == spearman(three, three).reason == "3 in common; an interval needs 4"
    assert auc(three, np.array([True, False, False])).reason.startswith("1 and 2 of the two classes")
    assert auc(np.ones(8), np.arange(8) > 3).reason == "all derived values are the same"
    assert kappa(["a"] * 5, ["a"] * 5).reason == "both sides say 'a' of everybody"
    assert limits(three[:1], three[:1]) is None


def test_where_everybody_agrees_the_interval_is_exact():
    """Of n agreements in n the share is above 0.025 ** (1 / n) (Clopper and Pearson); chance is one half here."""
    words = ["a", "b"] * 10
    figure = kappa(words, words)
    assert (figure.value, figure.upper) == (1.0, 1.0)
    assert figure.lower == pytest.approx((0.025 ** (1 / 20) - 0.5) / 0.5)
    never = kappa(words, words[::-1])
    assert never.value == pytest.approx(-1) and never.upper == pytest.approx((1 - 0.025 ** (1 / 20) - 0.5) / 0.5)
    apart = auc(np.arange(20.0), np.arange(20) > 13)
    assert (apart.value, apart.lower, apart.upper) == (1.0, pytest.approx(0.025 ** (1 / 6)), 1.0)


@pytest.mark.parametrize("r", [0.0, 0.6, 0.9])
def test_95_of_a_hundred_intervals_hold_the_truth(r):
    """2,000 samples of 60 of a bivariate normal; its concordance is r, Spearman's correlation 6 / pi asin(r / 2)."""
    random = np.random.default_rng(3)
    covered = {"CCC": 0, "Spearman": 0}
    of = {"CCC": r, "Spearman": 6 / math.pi * math.asin(r / 2)}
    for _ in range(2_000):
        x = random.normal(size=60)
        y = r * x + math.sqrt(1 - r**2) * random.normal(size=60)
        for figure in (concordance(x, y), spearman(x, y)):
            covered[figure.name] += figure.lower <= of[figure.name] <= figure.upper
    assert all(0.935 <= n / 2_000 <= 0.965 for n in covered.values()), covered
