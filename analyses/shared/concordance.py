"""Harrell's C, and the difference of two on the same patients, with intervals of the infinitesimal jackknife.

A pair counts where the one who fails first is known; ties of the score count one half (Harrell et al. 1982). The variance is the
sum of the squared influence of each patient, as `concordance` of R's survival has it (Therneau and Watson 2015, The concordance
statistic and the Cox model); two scores of the same patients share it, so that their difference has an interval of its own.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from analyses.shared.curves import NORMAL_95


class Concordance(NamedTuple):
    """index: C; influence: (patients,) how far each moves it. Squared and summed these are its variance."""

    index: float
    influence: np.ndarray


class Difference(NamedTuple):
    """One C less another's, and its 95 % interval; None where all patients move both alike."""

    value: float
    lower: float | None
    upper: float | None


def pairs(risk: np.ndarray, durations: np.ndarray, events: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """((patients, patients) 1, 1/2 or 0 for pairs in order, (patients, patients) 1 for pairs that count).

    A pair (i, j) counts where i is known to fail before j: an event at an earlier time, or at j's time of censoring.
    """
    earlier = durations[:, None] < durations[None, :]
    together = (durations[:, None] == durations[None, :]) & ~events[None, :]
    comparable = ((earlier | together) & events[:, None]).astype(float)
    order = (risk[:, None] > risk[None, :]) + 0.5 * (risk[:, None] == risk[None, :])
    return comparable * order, comparable


def concordance(ordered: np.ndarray, comparable: np.ndarray) -> Concordance | None:
    """C of pairs, as `pairs` gives them; None where no pair counts."""
    n_pairs = float(comparable.sum())
    if not n_pairs:
        return None
    index = float(ordered.sum()) / n_pairs
    off = ordered - index * comparable
    return Concordance(index, (off.sum(axis=0) + off.sum(axis=1)) / n_pairs)


def difference(one: Concordance, other: Concordance) -> Difference:
    """One less the other: of the same patients, in the same order."""
    value = one.index - other.index
    spread = math.sqrt(float(((one.influence - other.influence) ** 2).sum()))
    if spread == 0:
        return Difference(value, None, None)
    return Difference(value, value - NORMAL_95 * spread, value + NORMAL_95 * spread)
