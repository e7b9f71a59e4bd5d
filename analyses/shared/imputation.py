"""Covariates that are not known, drawn several times: multiple imputation by chained equations.

A covariate is drawn from a model of all other covariates, the score, the event and the cumulative hazard at the patient's time;
one after the other, `n_iterations` rounds (van Buuren and Groothuis-Oudshoorn 2011, doi:10.18637/jss.v045.i03). The outcome is
in the model since covariates foretell it; by the hazard and not by the time, as White and Royston 2009, doi:10.1002/sim.3618.
Whether a value is missing may depend on all that is in the model, and on nothing else (missing at random). Neither the score
nor the outcome is drawn. Times are in days.

Each data set has random numbers of its own, by the seed, the model and its number: the first five of twenty are those of five.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analyses.shared.imputation_models import CannotImpute, Separation, drawn_classes, matched
from analyses.shared.missing import ImputationParameters

if TYPE_CHECKING:
    import pandas as pd

CLASSED = ("er_status", "pr_status", "her2_status", "menopausal_status", "t_stage")  # all others are numbers
MOST_SEPARATED = 0.1  # share of a covariate's fits whose classes may be separated wholly


class Imputation(NamedTuple):
    """n_sets: how many data sets; n_iterations: rounds before each is taken; seed: of the unit."""

    n_sets: int
    n_iterations: int
    seed: int


def imputation_by(params: ImputationParameters, seed: int) -> Imputation | None:
    """What a study asks for; None where it takes complete cases."""
    return Imputation(params.n_imputations, params.n_iterations, seed) if params.missing == "impute" else None


class Completed(NamedTuple):
    """sets: the data with every covariate known; notes: what must be said of the models that values were drawn from."""

    sets: list[pd.DataFrame]
    notes: list[str]


def nelson_aalen(durations: np.ndarray, events: np.ndarray) -> np.ndarray:
    """(patients,) the cumulative hazard at their times; d deaths at a time count 1/n + 1/(n - 1) + ..., as Efron's likelihood.

    Fleming and Harrington 1984, Commun Stat Theory Methods 13:2469; R's basehaz.
    """
    times, place = np.unique(durations, return_inverse=True)
    n_events = np.bincount(place, weights=events, minlength=len(times)).astype(int)
    at_risk = np.bincount(place, minlength=len(times))[::-1].cumsum()[::-1]
    steps = [sum(1.0 / (n - k) for k in range(d)) for n, d in zip(at_risk, n_events, strict=True)]
    return np.cumsum(steps)[place]


def completed(data: pd.DataFrame, covariates: Sequence[str], value: str, how: Imputation, name: str) -> Completed:
    """Data sets in the order of patient_id. Raises CannotImpute, with the covariate and what is in the way.

    data: patient_id, event, duration_days, the column `value` (the score) and the covariates, NaN where they are not known;
    name: of the model, so that each has random numbers of its own.
    """
    data = data.sort_values("patient_id", ignore_index=True)
    missing = [c for c in covariates if data[c].isna().any()]
    fixed = np.column_stack(
        [
            data[value].to_numpy(float),
            data["event"].to_numpy(float),
            nelson_aalen(data["duration_days"].to_numpy(float), data["event"].to_numpy(bool)),
        ]
    )
    values = {c: data[c].to_numpy(float) for c in covariates}
    for covariate in missing:
        _judge(covariate, values[covariate], fixed.shape[1] + len(covariates) - 1)
    sets, tally = [], Tally(how.n_sets * how.n_iterations)
    for number in range(how.n_sets):
        random = np.random.default_rng([how.seed, number, *name.encode()])
        filled = _chain(values, missing, fixed, how.n_iterations, random, tally)
        sets.append(data.assign(**{c: filled[c] for c in missing}))
    return Completed(sets, tally.notes())


class Tally:
    """In how many of its fits a covariate's classes were separated by the other variables."""

    def __init__(self, n_fits: int):
        self.n_fits = n_fits
        self.counts: Counter[tuple[str, Separation]] = Counter()

    def add(self, covariate: str, found: Separation) -> None:
        """Raises CannotImpute when they were so wholly in too many: then pseudo-observations alone say how sure values are."""
        self.counts[covariate, found] += 1
        most = int(MOST_SEPARATED * self.n_fits)
        if self.counts[covariate, Separation.WHOLE] > most:
            raise CannotImpute(
                f"{covariate}: the other variables separate its classes wholly in more than {most} of {self.n_fits} fits"
            )

    def notes(self) -> list[str]:
        """One for each covariate and kind of separation."""
        return [
            f"classes of {covariate} are separated {kind.value} by the others in {n} of {self.n_fits} fits it was drawn by"
            for (covariate, kind), n in sorted(self.counts.items(), key=lambda c: (c[0][0], c[0][1].value))
            if kind != Separation.NONE
        ]


def _judge(covariate: str, values: np.ndarray, n_predictors: int) -> None:
    """Raises CannotImpute for what no model can be fitted to, whatever the others are."""
    known = values[~np.isnan(values)]
    if not len(known):
        raise CannotImpute(f"{covariate} is known of nobody")
    if len(set(known)) == 1:  # it is filled with that, and the Cox model says that it does not vary
        return
    if len(known) <= n_predictors + 1:
        raise CannotImpute(
            f"{covariate} is known of {len(known)}, too few for a model of {n_predictors} predictors that it is drawn from"
        )
    if covariate in CLASSED:
        classes, counts = np.unique(known, return_counts=True)
        if once := [f"{c:g}" for c, n in zip(classes, counts, strict=True) if n == 1]:
            raise CannotImpute(f"{covariate} {', '.join(once)} is known of one patient")


def _chain(
    values: dict[str, np.ndarray],
    missing: Sequence[str],
    fixed: np.ndarray,
    n_iterations: int,
    random: np.random.Generator,
    tally: Tally,
) -> dict[str, np.ndarray]:
    """covariate -> (patients,) values without gaps; who is missing begins with a value of somebody who is not."""
    known = {c: ~np.isnan(values[c]) for c in missing}
    filled = {c: of.copy() for c, of in values.items()}
    for c in missing:
        filled[c][~known[c]] = random.choice(values[c][known[c]], int((~known[c]).sum()))
    for _ in range(n_iterations):
        for c in missing:
            if len(set(values[c][known[c]])) == 1:
                continue
            x = _standardised(np.column_stack([fixed, *(of for other, of in filled.items() if other != c)]))
            filled[c][~known[c]] = _drawn(c, x, filled[c], known[c], random, tally)
    return filled


def _drawn(
    covariate: str, x: np.ndarray, values: np.ndarray, known: np.ndarray, random: np.random.Generator, tally: Tally
) -> np.ndarray:
    if covariate not in CLASSED:
        return matched(x, values, known, random)
    levels, classes = np.unique(values, return_inverse=True)  # what was drawn before is a class that is known
    try:
        found = drawn_classes(x, classes, known, random)
    except CannotImpute as error:
        raise CannotImpute(f"{covariate}: {error}") from None
    tally.add(covariate, found.separation)
    return levels[found.classes]


def _standardised(x: np.ndarray) -> np.ndarray:
    """(patients, those that vary)"""
    center, spread = x.mean(axis=0), x.std(axis=0)
    varies = spread > 1e-12 * np.abs(center)
    return (x[:, varies] - center[varies]) / spread[varies]
