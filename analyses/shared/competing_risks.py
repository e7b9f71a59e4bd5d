"""Cumulative incidence where another event can come first, and Gray's test of it between groups. Times are in days.

    F(t) = sum over times of S(t-) d1 / n        Aalen and Johansen 1978, Scand J Stat 5:141

S is the Kaplan-Meier curve of whichever event comes first, d1 the events of interest among n at risk. Who has another event first
is not censored: she can no longer have this one. One less a Kaplan-Meier curve that censors her says more than was seen.

Gray's test compares the subdistributions' hazards: whoever had another event first stays in the risk set with the weight
(1 - F(t-)) / S(t-). Gray 1988, Ann Stat 16:1141, weight 1 (rho = 0); equal times as in his program. Variances of F are those
of his program as well: each time's part of the martingale, with hypergeometric variance for equal times.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analyses.shared.curves import NORMAL_95

if TYPE_CHECKING:
    import pandas as pd

CENSORED, EVENT, COMPETING = 0, 1, 2


class GrayTest(NamedTuple):
    """chi2 with `degrees` degrees of freedom; NaN where it has no variance, or one group alone has patients."""

    chi2: float
    degrees: int
    p_value: float


def cumulative_incidence(durations: np.ndarray, causes: np.ndarray) -> pd.DataFrame:
    """time_days, n_at_risk, n_events, n_competing, n_censored, incidence, variance, ci_lower, ci_upper: a row a time, from day 0.

    causes: CENSORED, EVENT or COMPETING of each patient. The interval is by log(-log), and missing where incidence is 0 or 1.
    """
    import pandas as pd

    times = np.unique(np.r_[0.0, durations])
    place = np.searchsorted(times, durations)
    censored, events, others = (np.bincount(place[causes == c], minlength=len(times)) for c in range(3))
    n = (censored + events + others)[::-1].cumsum()[::-1]
    before, after = _survival(n, events + others)
    incidence = np.cumsum(before * events / n)
    variance = _variance(n, events, others, before, after, incidence)
    is_inside = (incidence > 0) & (incidence < 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(is_inside, np.log(incidence), np.nan)
        power = np.exp(NORMAL_95 * np.sqrt(variance) / (incidence * np.abs(logs)))
    return pd.DataFrame(
        {
            "time_days": times, "n_at_risk": n, "n_events": events, "n_competing": others, "n_censored": censored,
            "incidence": incidence, "variance": variance, "ci_lower": np.exp(logs * power), "ci_upper": np.exp(logs / power),
        }
    )  # fmt: skip


def gray_test(durations: np.ndarray, causes: np.ndarray, groups: np.ndarray) -> GrayTest:
    """Do groups differ in the incidence of EVENT. causes: as above; groups: of each patient; one kind alone has no test."""
    from scipy.stats import chi2

    kinds, group = np.unique(groups, return_inverse=True)
    times = np.unique(durations[causes != CENSORED])
    place = np.searchsorted(times, durations, side="right") - 1  # -1: before anything happens

    def counted(chosen: np.ndarray) -> np.ndarray:
        """(times, groups) patients, each at the last time that she was seen at."""
        counts = np.zeros((len(times), len(kinds)), int)
        np.add.at(counts, (place[chosen], group[chosen]), 1)
        return counts

    n = counted(place >= 0)[::-1].cumsum(axis=0)[::-1]
    found = _Comparison(len(kinds))
    for at_risk, events, others in zip(n, counted(causes == EVENT), counted(causes == COMPETING), strict=True):
        found.step(at_risk.astype(float), events.astype(float), others.astype(float))
    score, covariance = found.score[:-1], found.covariance()[:-1, :-1]
    degrees = len(kinds) - 1
    size = np.diag(covariance)
    if not degrees or not len(times) or (size <= 1e-12).any() or np.linalg.matrix_rank(covariance) < degrees:
        return GrayTest(np.nan, degrees, np.nan)
    statistic = float(score @ np.linalg.solve(covariance, score))
    return GrayTest(statistic, degrees, float(chi2.sf(statistic, degrees)))


def _survival(n: np.ndarray, died: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The Kaplan-Meier curve before and after each time."""
    after = np.cumprod(1 - died / n)
    return np.r_[1.0, after[:-1]], after


def _hypergeometric(n: np.ndarray, died: np.ndarray) -> np.ndarray:
    """How much smaller the variance of `died` of n at one time is than that of as many single ones."""
    return np.where(died > 1, 1 - (died - 1) / np.maximum(n - 1, 1), 1.0)


def _variance(
    n: np.ndarray, events: np.ndarray, others: np.ndarray, before: np.ndarray, after: np.ndarray, incidence: np.ndarray
) -> np.ndarray:
    """Of the incidence at each time t: sum over times u of size(u) (own(u) - F(t) / S(u))^2, of events and of others.

    An event adds to F itself, and takes from all that follows; another one takes from what follows alone.
    """
    inverse = np.divide(1.0, after, out=np.zeros_like(after), where=after > 0)
    constant, linear, squared = (np.zeros(len(n)) for _ in range(3))
    for died, own in ((events, 1.0), (others, 0.0)):
        size = before**2 * _hypergeometric(n, died) * died / n.astype(float) ** 2
        if not own:
            size = np.where(after > 0, size, 0.0)
        at = own + incidence * inverse
        constant += at**2 * size
        linear += at * inverse * size
        squared += inverse**2 * size
    return np.cumsum(constant) + incidence**2 * np.cumsum(squared) - 2 * incidence * np.cumsum(linear)


class _Comparison:
    """Gray's score and its covariance, time by time. Vectors are of the groups.

    weights of the risk sets: n / S(t-), which the other groups' events are shared out by.
    """

    def __init__(self, n_groups: int):
        self.score = np.zeros(n_groups)
        self._survival, self._incidence, self._pooled = np.ones(n_groups), np.zeros(n_groups), 0.0
        self._direct = np.zeros((n_groups, n_groups))  # sum of products of what a time adds by itself
        self._later = np.zeros((n_groups, n_groups))  # how what comes later depends on a group's curve until now
        self._of_later = np.zeros(n_groups)  # by group, the variance that goes with it
        self._both = np.zeros((n_groups, n_groups))  # by group (column), the covariance of both

    def step(self, n: np.ndarray, events: np.ndarray, others: np.ndarray) -> None:
        """n: at risk at the time; events of interest and others, of each group."""
        here = n > 0
        share = np.divide(events + others, n, out=np.zeros_like(n), where=here)
        after = self._survival * (1 - share)
        weights = np.divide(n, self._survival, out=np.zeros_like(n), where=here)
        total, n_events = weights.sum(), events.sum()
        pooled = self._pooled + n_events / total
        if n_events > 0:
            at_risk = weights * (1 - self._incidence)
            self.score += events - n_events * at_risk / at_risk.sum()
            spread = np.diag(weights) - np.outer(weights, weights) / total
            self._later += spread * n_events / (total * (1 - self._pooled))
            for k in np.flatnonzero(here):
                own = 1 - (1 - pooled) / after[k] if after[k] > 0 else 1.0
                ties = 1 - (n_events - 1) / (total * self._survival[k] - 1) if n_events > 1 else 1.0
                size = ties * self._survival[k] * n_events / (total * n[k])
                self._add(k, size, own, spread[:, k] - own * self._later[:, k])
        for k in np.flatnonzero((others > 0) & (after > 0)):
            own = (1 - pooled) / after[k]
            ties = 1 - (others[k] - 1) / (n[k] - 1) if others[k] > 1 else 1.0
            size = ties * self._survival[k] ** 2 * others[k] / n[k] ** 2
            self._add(k, size, -own, own * self._later[:, k])
        self._incidence = self._incidence + self._survival * np.divide(events, n, out=np.zeros_like(n), where=here)
        self._survival, self._pooled = after, pooled

    def _add(self, k: int, size: float, own: float, direct: np.ndarray) -> None:
        self._of_later[k] += own**2 * size
        self._both[:, k] += own * size * direct
        self._direct += size * np.outer(direct, direct)

    def covariance(self) -> np.ndarray:
        """(groups, groups) of the score."""
        mixed = self._later @ self._both.T
        return self._direct + (self._later * self._of_later) @ self._later.T + mixed + mixed.T
