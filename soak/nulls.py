"""Studies in which nothing is: how often a p value is small there, and how often an interval holds what is true.

Rejection   STUDIES simulated tables of 39 to 250 patients, values with ties and zeros, survival independent of all: of every
            p that bears no label, no more than the binomial 99 % bound is below .05 and below .01. Of those that bear one (a
            cut-off that was searched for the smallest p; groups made from the tested quantity) more is.
Coverage    DRAWS draws a function at 500 and at 39 patients, from distributions whose true value is known: exponential survival
            (hazard ratio, survival at a day, median, restricted mean), two normal scores (AUC), a concordance of known size.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from analyses.expression.compartment_tests import _compare
from analyses.networks.network_parameters import NetworkParameterParameters as NetworkParameters
from analyses.networks.network_parameters import _gap, _of_groups
from analyses.shared.concordance import concordance, difference, pairs
from analyses.shared.cox import cox, likelihood_ratio
from analyses.shared.curves import NORMAL_95, kaplan_meier, median, restricted_mean
from analyses.shared.delong import interval
from analyses.shared.survival import logrank, logrank_scan, maxstat_p_value
from analyses.signature.classes import Classes
from analyses.signature.feature_tests import _test
from soak import Figure
from tests.support.in_time import in_time, tried

STUDIES, DRAWS = 200, 2000
LEVELS = (0.05, 0.01)
ENOUGH = 30  # studies, from which on what a label is for shows
LOW, HIGH = 0.935, 0.965  # shares of 95 % intervals that are right, at 500 patients, of so many draws
HAZARD = 1 / 1500  # deaths a day
PERMUTATIONS = 199


def run(folder: Path, seed: int) -> Iterator[Figure]:
    """folder: nothing is written."""
    yield from _rejections(seed)
    yield from _coverage(seed)


# ------------------------------------------------------------------------------------------------- rejection


def _rejections(seed: int) -> Iterator[Figure]:
    honest: dict[str, list[float]] = defaultdict(list)
    labelled: dict[str, list[float]] = defaultdict(list)
    for i in in_time(range(STUDIES), 0.5):
        random = np.random.default_rng([seed, i])
        _study(random, honest, labelled)
    for name, p in honest.items():
        for level in LEVELS:
            n, bound = sum(x < level for x in p), int(stats.binom.ppf(0.99, len(p), level))
            yield Figure(f"{name}: below {level:g} of {len(p)} null studies", str(n), f"at most {bound}", n <= bound)
    for name, p in labelled.items():
        n, bound = sum(x < LEVELS[0] for x in p), int(stats.binom.ppf(0.99, len(p), LEVELS[0]))
        is_met = n > bound if len(p) >= ENOUGH else None
        yield Figure(f"{name}, labelled: below {LEVELS[0]:g} of {len(p)}", str(n), f"more than {bound}", is_met)


def _study(random: np.random.Generator, honest: dict[str, list[float]], labelled: dict[str, list[float]]) -> None:
    n = int(random.choice([39, 112, 250]))
    data = _outcomes(random, n)
    days, events = data["duration_days"].to_numpy(float), data["event"].to_numpy(bool)
    values = np.round(random.lognormal(0, 1, n), 1)
    values[random.random(n) < 0.1] = 0
    data["value"], data["age"] = values, np.round(random.normal(58, 12, n))
    high = values >= np.median(values)
    if 0 < high.sum() < n:
        honest["log-rank, groups by the median"].append(logrank(days, events, high).p_value)
    found = cox(data, ["value", "age"], 5)
    for term in ("value", "age"):
        _note(honest[f"Cox, {term}"], found[term]["p_value"])
        _note(honest[f"proportional hazards, {term}"], found[term]["ph_p_value"])
    honest["likelihood ratio"].append(float(stats.chi2.sf(likelihood_ratio(data, "value", ["age"]).chi2, 1)))
    scan = logrank_scan(values, days, events, 0.1)
    labelled["log-rank at the searched cut-off"].append(float(stats.chi2.sf(scan.chi2.max(), 1)))
    searched = maxstat_p_value(values, days, events, 0.1, PERMUTATIONS, int(random.integers(1 << 31)))
    honest["the search's own permutations"].append(searched)

    tumor, stroma = (np.round(random.lognormal(1, 0.8, n), 2) for _ in range(2))
    _note(honest["Wilcoxon, tumour against stroma"], _compare(tumor, stroma, 5)["p_value"])
    _note(honest["correlation, tumour against stroma"], _compare(tumor, stroma, 5)["correlation_p_value"])
    by_itself = tumor >= stroma
    _note(
        labelled["Wilcoxon in groups by the ratio itself"], _compare(tumor[by_itself], stroma[by_itself], 5)["p_value"]
    )
    _note(honest["feature between groups"], _test("feature", values, random.random(n) < 0.4, Classes())["p_value"])

    populations, groups = random.lognormal(0, 1, (n, 10)), random.random(n) < 0.5
    parameters = NetworkParameters()
    gap = _gap(_of_groups(populations, groups, parameters))
    reached = np.zeros(len(gap), dtype=int)
    for _ in range(99):
        reached += _gap(_of_groups(populations, random.permutation(groups), parameters)) >= gap - 1e-12
    for position in np.flatnonzero(~np.isnan(gap))[:1]:
        honest["a network parameter"].append((1 + reached[position]) / 100)


def _note(found: list[float], p: float | None) -> None:
    if p is not None and np.isfinite(p):
        found.append(float(p))


def _outcomes(random: np.random.Generator, n: int, ratio: np.ndarray | float = 1.0) -> pd.DataFrame:
    """duration_days (whole days, from 1), event: exponential deaths with a hazard times `ratio`, and uniform censoring."""
    deaths = random.exponential(1 / (HAZARD * np.broadcast_to(ratio, n)))
    ends = random.uniform(300, 4000, n)
    days = np.ceil(np.minimum(deaths, ends))
    return pd.DataFrame({"duration_days": days, "event": deaths <= ends})


# -------------------------------------------------------------------------------------------------- coverage

Draw = Callable[[np.random.Generator, int], tuple[float | None, float | None, float]]


def _hazard_ratio(random: np.random.Generator, n: int):
    value = random.normal(size=n)
    found = cox(_outcomes(random, n, np.exp(0.5 * value)).assign(value=value), ["value"], 5)["value"]
    return found["ci_lower"], found["ci_upper"], float(np.exp(0.5))


def _survival(random: np.random.Generator, n: int):
    data = _outcomes(random, n)
    curve = kaplan_meier(data["duration_days"].to_numpy(float), data["event"].to_numpy(bool))
    at = curve[curve["time_days"] <= 1000].iloc[-1]
    return at["ci_lower"], at["ci_upper"], float(np.exp(-HAZARD * 1000))


def _median(random: np.random.Generator, n: int):
    data = _outcomes(random, n)
    found = median(kaplan_meier(data["duration_days"].to_numpy(float), data["event"].to_numpy(bool)))
    return found.lower, np.inf if found.upper is None else found.upper, float(np.ceil(np.log(2) / HAZARD))


def _restricted_mean(random: np.random.Generator, n: int):
    data = _outcomes(random, n)
    curve = kaplan_meier(data["duration_days"].to_numpy(float), data["event"].to_numpy(bool))
    found = restricted_mean(curve, 1500.0)
    reach = NORMAL_95 * float(np.sqrt(found.variance))
    days = np.arange(1500)  # what is seen are whole days, rounded up
    return found.days - reach, found.days + reach, float(np.exp(-HAZARD * days).sum())


def _auc(random: np.random.Generator, n: int):
    is_good = random.random(n) < 0.4
    found = interval(is_good, random.normal(size=n) + is_good)
    return found.lower, found.upper, float(stats.norm.cdf(1 / np.sqrt(2)))


def _c_difference(random: np.random.Generator, n: int):
    one, other = random.normal(size=(2, n))
    data = _outcomes(random, n, np.exp(0.5 * one + 0.5 * other))  # both tell as much: no difference
    days, events = data["duration_days"].to_numpy(float), data["event"].to_numpy(bool)
    found = [concordance(*pairs(score, days, events)) for score in (one, other)]
    if found[0] is None or found[1] is None:
        return None, None, 0.0
    of_both = difference(found[0], found[1])
    return of_both.lower, of_both.upper, 0.0


COVERED: dict[str, Draw] = {
    "hazard ratio": _hazard_ratio, "survival at 1,000 days": _survival, "median": _median,
    "restricted mean to 1,500 days": _restricted_mean, "AUC by DeLong": _auc, "difference of two C-indices": _c_difference,
}  # fmt: skip


def bounds(n: int, least: float = LOW, most: float = HIGH) -> tuple[float, float]:
    """Between which shares that of 95 % intervals has to lie, of n draws.

    least, most: of as many as were meant; of fewer the binomial 0.1 % bounds hold, where these are wider.
    """
    low, high = (float(stats.binom.ppf(p, n, 0.95)) / n for p in (0.001, 0.999)) if n else (0.0, 1.0)
    return min(least, low), max(most, high)


def _coverage(seed: int) -> Iterator[Figure]:
    for i_name, (name, draw) in enumerate(COVERED.items()):
        for n in (500, 39):
            held = seen = 0
            share = 1 / (2 * (len(COVERED) - i_name) - (n == 39))
            for i in in_time(range(DRAWS), share):
                lower, upper, truth = draw(np.random.default_rng([seed, n, i]), n)
                if lower is None or upper is None or np.isnan(lower) or np.isnan(upper):
                    continue
                seen += 1
                held += lower <= truth <= upper
            share = held / max(seen, 1)
            low, high = bounds(seen)
            is_met = low <= share <= high if n == 500 else None
            goal = f"{low:.1%} to {high:.1%}" if n == 500 else ""
            yield Figure(
                f"{name}, {n} patients: intervals that hold the truth, of {tried(seen, DRAWS)}",
                f"{share:.1%}",
                goal,
                is_met,
            )
