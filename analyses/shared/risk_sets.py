"""Who is at risk when somebody dies: Efron's partial likelihood of a Cox model, with its first two derivatives.

    log L = sum over deaths of eta - sum over steps of log(sum over the risk set of a exp(eta))

d deaths at one time are d steps; in step l = 0 .. d - 1 those who die then count a = 1 - l / d, the others who are at risk 1.
Cox 1972, J R Stat Soc B 34:187; Efron 1977, J Am Stat Assoc 72:557. A stratum has its own risk sets.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

MOST_ENTRIES = 1 << 21  # of a block of steps and patients: 16 MB


class NoConvergence(Exception):
    """No place was found at which the gradient of a likelihood is 0."""


class RiskSets(NamedTuple):
    """order: patients by stratum and time, deaths first; all else is of the patients in this order, or of the steps.

    is_event, durations: (patients,); begin, end: (steps,) the risk set as places of the order; n_deaths: (steps,) at the time,
    which stand at its beginning; share: (steps,) l / d, taken off them.
    """

    order: np.ndarray
    durations: np.ndarray
    is_event: np.ndarray
    begin: np.ndarray
    end: np.ndarray
    n_deaths: np.ndarray
    share: np.ndarray


class Moments(NamedTuple):
    """log_likelihood; score: (terms,) its gradient; information: (terms, terms) its second derivatives, negated."""

    log_likelihood: float
    score: np.ndarray
    information: np.ndarray


def risk_sets(durations: np.ndarray, events: np.ndarray, strata: np.ndarray | None = None) -> RiskSets:
    """durations, events, strata: (patients,); strata are integers, without them all patients are in one."""
    strata = np.zeros(len(durations), int) if strata is None else strata
    order = np.lexsort((~events, durations, strata))
    time, died, stratum = durations[order], events[order], strata[order]
    is_first = np.r_[True, (np.diff(time) != 0) | (np.diff(stratum) != 0)]  # of a time
    begin = np.flatnonzero(is_first)
    n_deaths = np.add.reduceat(died.astype(int), begin)
    end = np.searchsorted(stratum, stratum[begin], side="right")
    n_before = np.cumsum(n_deaths) - n_deaths
    counts = np.repeat(n_deaths, n_deaths)
    share = (np.arange(n_deaths.sum()) - np.repeat(n_before, n_deaths)) / counts
    return RiskSets(order, time, died, np.repeat(begin, n_deaths), np.repeat(end, n_deaths), counts, share)


def blocks(sets: RiskSets, eta: np.ndarray) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
    """(steps, probabilities, totals) block by block.

    eta: (patients,) in the sets' order. probabilities: (steps, patients) of who dies in a step; totals: (steps,) logarithms of
    the sums that they were divided by.
    """
    n = len(eta)
    highest = eta.max()
    weights = np.exp(eta - highest)
    places = np.arange(n)
    size = max(1, MOST_ENTRIES // n)
    for start in range(0, len(sets.begin), size):
        steps = slice(start, start + size)
        begin = sets.begin[steps, None]
        at_risk = (places >= begin) & (places < sets.end[steps, None])
        dies = at_risk & (places < begin + sets.n_deaths[steps, None])
        parts = weights * (at_risk - sets.share[steps, None] * dies)
        totals = parts.sum(axis=1)
        yield steps, parts / totals[:, None], np.log(totals) + highest


def moments(sets: RiskSets, terms: np.ndarray, coefficients: np.ndarray) -> Moments:
    """terms: (patients, terms) in the sets' order. Without terms (0 columns) the log-likelihood alone says something."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        eta = terms @ coefficients
        log_likelihood = float(eta[sets.is_event].sum())
        score = terms[sets.is_event].sum(axis=0)
        information = np.zeros((terms.shape[1],) * 2)
        for _, probabilities, totals in blocks(sets, eta):
            means = probabilities @ terms
            log_likelihood -= float(totals.sum())
            score = score - means.sum(axis=0)
            information += (terms * probabilities.sum(axis=0)[:, None]).T @ terms - means.T @ means
    return Moments(log_likelihood, score, information)
