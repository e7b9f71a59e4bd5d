"""What a figure says beside its threshold, by its interval: agrees, cannot be judged, disagrees.

agrees            the whole interval is at the threshold or above
disagrees         the whole interval is below it; or, of the relation `same`, patients have each other's values
cannot be judged  the threshold is inside of the interval, too few are in common, or there is no interval
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from tshdb.truths.agreement import Figure, Limits, auc, concordance, kappa, limits, spearman
from tshdb.truths.declared import Truth


class State(StrEnum):
    """green, amber, red, in words."""

    AGREES = "agrees"
    UNJUDGED = "cannot be judged"
    DISAGREES = "disagrees"


class Pairs(NamedTuple):
    """The values of those whom both sides know, in the order of their keys. derived, measured: (n,) numbers, or words."""

    keys: tuple[str, ...]
    derived: np.ndarray
    measured: np.ndarray

    def exchanged(self, order: np.ndarray) -> Pairs:
        """The same with each one's derived value taken from another."""
        return self._replace(derived=self.derived[order])


def pairs_of(derived: Mapping[str, float | str], measured: Mapping[str, float | str]) -> Pairs:
    """Those whom both sides have a value of."""
    keys = tuple(sorted(derived.keys() & measured.keys()))
    one, other = ([values[key] for key in keys] for values in (derived, measured))
    return Pairs(keys, *(np.array(v, object if v and isinstance(v[0], str) else float) for v in (one, other)))


def figure_of(truth: Truth, pairs: Pairs) -> Figure:
    """The figure by which the relation is judged."""
    if truth.relation == "same":
        return concordance(pairs.derived, pairs.measured)
    if truth.relation == "rank":
        found = spearman(pairs.derived, pairs.measured)
        return found.negated() if truth.sign == "negative" else found
    if truth.higher is None:
        return kappa(list(pairs.derived), list(pairs.measured))
    return auc(pairs.derived, pairs.measured == truth.higher)


def limits_of(truth: Truth, pairs: Pairs) -> Limits | None:
    return limits(pairs.derived, pairs.measured) if truth.relation == "same" else None


def state_of(truth: Truth, figure: Figure) -> tuple[State, str]:
    """(state, why) of a figure."""
    if figure.n < truth.least:
        return State.UNJUDGED, f"{figure.n:,} in common, and {truth.least:,} are needed"
    if figure.reason is not None or figure.lower is None or figure.upper is None:
        return State.UNJUDGED, figure.reason or "no interval"
    if figure.lower >= truth.at_least:
        return State.AGREES, ""
    if figure.upper < truth.at_least:
        return State.DISAGREES, f"all of the interval is below {truth.at_least:g}"
    return State.UNJUDGED, f"the interval is too wide: {truth.at_least:g} is in it"
