"""Which terms of a Cox model have an estimate: found before anything is fitted, by linear programmes.

The partial likelihood depends on the terms x through differences between those who die and those who are at risk then. Along a
direction g in which nobody at risk has more g x than who dies, it rises without end (monotone likelihood: separation). At its end
each risk set holds those alone whose g x is that of who dies: the same model with strata of equal g x. So directions are taken
one after the other, until none is left. Along a direction in which no risk set differs, it does not change (collinear terms). A
term stands if no direction that is left without a maximum has a part in it.

Bryson and Johnson 1981, Technometrics 23:381; for the end along directions: Geyer 2009, Electron J Stat 3:259, section 3.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

SAME = 1e-9  # of terms that are standardised: differences below it are rounding
LEAST_OWN = 1e-6  # share of a term that the others do not say; R's coxph takes 1.8e-12, which is of its square


class Separation(NamedTuple):
    """What can be estimated of the terms, which are counted from 0.

    columns     terms to fit: none of them follows from the others; those that stand come first
    stands      (terms,) whether a term has an estimate, the same whichever others of its kind are fitted
    strata      (patients,) within which the likelihood has a maximum
    directions  along which the likelihood rises without end: terms that do so together, and no fewer of them
    idle        (terms,) whether a term is part of a direction in which no risk set differs
    """

    columns: list[int]
    stands: np.ndarray
    strata: np.ndarray
    directions: list[list[int]]
    idle: np.ndarray


class _Contrasts(NamedTuple):
    """at_least: (rows, terms) at least 0 along an endless direction; equal: 0 along it. Every pair's is a sum of these."""

    at_least: np.ndarray
    equal: np.ndarray

    @property
    def all(self) -> np.ndarray:
        return np.vstack([self.at_least, self.equal])


def separation(
    terms: np.ndarray, durations: np.ndarray, events: np.ndarray, is_endless_sought: bool = True
) -> Separation:
    """terms: (patients, terms), standardised (those that do not vary are 0); durations, events: (patients,).

    is_endless_sought: else only directions are sought in which no risk set differs (a penalised likelihood has a maximum).
    """
    strata = np.zeros(len(durations), int)
    contrasts = _contrasts(terms, durations, events, strata)
    idle = _part_in(_idle_directions(contrasts.all))
    directions = []
    while is_endless_sought:
        direction = _endless(contrasts)
        if direction is None:
            break
        directions.append([int(t) for t in np.flatnonzero(direction)])
        strata = _split(strata, terms @ direction)
        contrasts = _contrasts(terms, durations, events, strata)
    stands = ~_part_in(_idle_directions(contrasts.all))
    return Separation(_independent(contrasts.all, stands), stands, strata, directions, idle)


def _contrasts(terms: np.ndarray, durations: np.ndarray, events: np.ndarray, strata: np.ndarray) -> _Contrasts:
    at_least, equal = [np.zeros((0, terms.shape[1]))], [np.zeros((0, terms.shape[1]))]
    for stratum in np.unique(strata[events]):
        is_in = strata == stratum
        x, time, died = terms[is_in], durations[is_in], events[is_in]
        times = np.unique(time[died])
        first = np.array([np.flatnonzero(died & (time == t))[0] for t in times])
        of = np.searchsorted(times, time, side="right") - 1  # the last time of death that a patient is at risk at
        differences = x[first][of] - x
        at_least += [differences[~died & (of >= 0)], x[first][:-1] - x[first][1:]]
        equal.append(differences[died])
    return _Contrasts(np.vstack(at_least), np.vstack(equal))


def _endless(contrasts: _Contrasts) -> np.ndarray | None:
    """(terms,) a direction along which the likelihood rises without end, of as few terms as will do; None without any."""
    usable = np.ones(contrasts.at_least.shape[1], bool)
    found = _steepest(contrasts, usable)
    if found is None:
        return None
    for term in range(len(usable)):
        fewer = usable & (np.arange(len(usable)) != term)
        if (without := _steepest(contrasts, fewer)) is not None:
            usable, found = fewer, without
    return np.where(np.abs(found) > SAME, found, 0.0)


def _steepest(contrasts: _Contrasts, usable: np.ndarray) -> np.ndarray | None:
    """Of all directions within [-1, 1] whose contrasts are at least 0 the one with the largest sum; None if that is 0."""
    from scipy.optimize import linprog

    at_least, equal = contrasts.at_least, contrasts.equal
    equal = equal[np.abs(equal).max(axis=1, initial=0) > SAME]
    if not len(at_least) or not usable.any():
        return None
    solved = linprog(
        -at_least.sum(axis=0),
        A_ub=-at_least,
        b_ub=np.zeros(len(at_least)),
        A_eq=equal if len(equal) else None,
        b_eq=np.zeros(len(equal)) if len(equal) else None,
        bounds=[(-1.0, 1.0) if is_usable else (0.0, 0.0) for is_usable in usable],
        method="highs",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    if solved.x is None:
        raise ArithmeticError(f"the search for separation did not end: {solved.message}")
    return solved.x if (at_least @ solved.x).max() > 10 * SAME else None


def _split(strata: np.ndarray, values: np.ndarray) -> np.ndarray:
    """(patients,) strata within which the values are equal, too."""
    order = np.argsort(values, kind="stable")
    level = np.empty(len(values), int)
    level[order] = np.cumsum(np.r_[0, np.diff(values[order]) > SAME])
    return np.unique(np.column_stack([strata, level]), axis=0, return_inverse=True)[1].reshape(-1)


def _idle_directions(contrasts: np.ndarray) -> np.ndarray:
    """(directions, terms) of length 1, at right angles, in which no contrast differs."""
    if not len(contrasts):
        return np.eye(contrasts.shape[1])
    _, sizes, rows = np.linalg.svd(np.linalg.qr(contrasts, mode="r"))
    sizes = np.r_[sizes, np.zeros(len(rows) - len(sizes))]
    return rows[sizes <= LEAST_OWN * np.sqrt(len(contrasts))]


def _part_in(directions: np.ndarray) -> np.ndarray:
    """(terms,) whether a term has a part in any of the directions."""
    return np.linalg.norm(directions, axis=0) > 1e-7


def _independent(contrasts: np.ndarray, first: np.ndarray) -> list[int]:
    """Terms none of which follows from the others, as many as there are; those that are `first` before others."""
    chosen: list[int] = []
    for term in (*np.flatnonzero(first), *np.flatnonzero(~first)):
        with_it = contrasts[:, [*chosen, term]]
        if len(_idle_directions(with_it)) == 0:
            chosen.append(int(term))
    return chosen
