"""How far two measurements of the same patients agree: figures with 95 % intervals, of arrays alone.

concordance   Lin's concordance correlation coefficient, with variances by n; the coefficient's variance by Lin 1989, Biometrics
              45:255, as corrected in Biometrics 56:324 (2000); interval by Fisher's z
limits        bias and limits of agreement, Bland and Altman 1986, Lancet 327:307; the bias' interval by Student's t
spearman      of midranks; interval by Fisher's z with the variance (1 + r**2 / 2) / (n - 3), Bonett and Wright 2000,
              Psychometrika 65:23
auc           area under the ROC curve; interval by DeLong et al. 1988, Biometrics 44:837, cut at 0 and 1
kappa         Cohen 1960; interval by the variance of Fleiss, Cohen and Everitt 1969, Psychol Bull 72:323, cut at -1 and 1

Where nobody is on the wrong side (an area of 1, all categories alike), or everybody is, these variances are 0 or nearly, and an
interval without width would be too good. The bound is exact then: of an area that of as many independent pairs as the smaller
class has, all in order; of kappa that of n agreements in n, or none (Clopper and Pearson 1934, Biometrika 26:404).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

LEVEL = 0.95
NORMAL_95 = 1.959963984540054
FEWEST = 4  # pairs, with fewer of which no interval is computed


class Figure(NamedTuple):
    """A figure with its 95 % interval, or the reason for having none. n: pairs."""

    name: str
    n: int
    value: float | None
    lower: float | None
    upper: float | None
    reason: str | None = None

    def negated(self) -> Figure:
        """The same of a measurement that runs the other way."""
        if self.value is None or self.lower is None or self.upper is None:
            return self._replace(value=None if self.value is None else -self.value)
        return self._replace(value=-self.value, lower=-self.upper, upper=-self.lower)


class Limits(NamedTuple):
    """Derived less measured: mean, its 95 % interval, and the limits between which 95 % of differences are expected."""

    bias: float
    bias_lower: float
    bias_upper: float
    lower: float
    upper: float


def _none(name: str, n: int, reason: str) -> Figure:
    return Figure(name, n, None, None, None, reason)


def _why_not(derived: np.ndarray, measured: np.ndarray) -> str | None:
    """Why two samples have no correlation."""
    n = len(derived)
    if n < FEWEST:
        return f"{n} in common; an interval needs {FEWEST}"
    for side, values in (("derived", derived), ("measured", measured)):
        if values.min() == values.max():
            return f"all {side} values are the same"
    return None


def _of_z(name: str, n: int, value: float, error: float) -> Figure:
    """An interval by Fisher's z. error: of z. A figure of 1 or -1 has no other bound than itself."""
    value = min(1.0, max(-1.0, value))
    if abs(value) == 1:
        return Figure(name, n, value, value, value)
    z = math.atanh(value)
    return Figure(name, n, value, math.tanh(z - NORMAL_95 * error), math.tanh(z + NORMAL_95 * error))


def concordance(derived: np.ndarray, measured: np.ndarray) -> Figure:
    """Lin's coefficient of (n,) derived and (n,) measured values of one unit, 1 where all pairs are equal."""
    name, n = "CCC", len(derived)
    if why := _why_not(derived, measured):
        return _none(name, n, why)
    if np.array_equal(derived, measured):
        return Figure(name, n, 1.0, 1.0, 1.0)
    sd_derived, sd_measured = float(derived.std()), float(measured.std())
    if not min(sd_derived, sd_measured) > 0:  # smaller than a double can square
        return _none(name, n, "the values differ by less than can be told")
    shift = (float(derived.mean()) - float(measured.mean())) / math.sqrt(sd_derived * sd_measured)
    ratio = sd_derived / sd_measured
    r = float(np.corrcoef(derived, measured)[0, 1])
    accuracy = 2 / (ratio + 1 / ratio + shift**2)
    value = r * accuracy
    if not abs(value) < 1:
        return Figure(name, n, math.copysign(1.0, value), math.copysign(1.0, value), math.copysign(1.0, value))
    of_z = (
        (1 - r**2) * accuracy**2 / (1 - value**2)
        + 2 * accuracy**3 * r**2 * (1 - value) * shift**2 / (1 - value**2) ** 2
        - accuracy**4 * r**2 * shift**4 / (2 * (1 - value**2) ** 2)
    ) / (n - 2)
    return _of_z(name, n, value, math.sqrt(max(of_z, 0.0)))


def limits(derived: np.ndarray, measured: np.ndarray) -> Limits | None:
    """Bias and limits of agreement, in the unit of the values; None of fewer than two pairs."""
    from scipy.stats import t

    differences = derived - measured
    n = len(differences)
    if n < 2:
        return None
    bias, sd = float(differences.mean()), float(differences.std(ddof=1))
    half = float(t.ppf((1 + LEVEL) / 2, n - 1)) * sd / math.sqrt(n)
    return Limits(bias, bias - half, bias + half, bias - NORMAL_95 * sd, bias + NORMAL_95 * sd)


def spearman(derived: np.ndarray, measured: np.ndarray) -> Figure:
    """Spearman's correlation of (n,) derived and (n,) measured values; ties have the mean of their ranks."""
    from scipy.stats import rankdata

    name, n = "Spearman", len(derived)
    if why := _why_not(derived, measured):
        return _none(name, n, why)
    r = float(np.corrcoef(rankdata(derived), rankdata(measured))[0, 1])
    return _of_z(name, n, r, math.sqrt((1 + r**2 / 2) / (n - 3)))


def auc(derived: np.ndarray, is_higher: np.ndarray) -> Figure:
    """The share of pairs in which the one of the class (n,) that should have higher values has; ties count one half."""
    from scipy.stats import rankdata

    name, n = "AUC", len(derived)
    high, low = derived[is_higher], derived[~is_higher]
    if min(len(high), len(low)) < 2:
        return _none(name, n, f"{len(high)} and {len(low)} of the two classes; an interval needs two of each")
    ranks = rankdata(derived)
    of_high = (ranks[is_higher] - rankdata(high)) / len(low)
    of_low = 1 - (ranks[~is_higher] - rankdata(low)) / len(high)
    value = float(of_high.mean())
    error = math.sqrt(float(of_high.var(ddof=1)) / len(high) + float(of_low.var(ddof=1)) / len(low))
    if not error > 0:
        if value not in (0.0, 1.0):
            return _none(name, n, "all derived values are the same")
        bound = _least_share(min(len(high), len(low)))
        return Figure(name, n, value, *((bound, 1.0) if value else (0.0, 1.0 - bound)))
    return Figure(name, n, value, max(0.0, value - NORMAL_95 * error), min(1.0, value + NORMAL_95 * error))


def kappa(derived: Sequence[str], measured: Sequence[str]) -> Figure:
    """Cohen's kappa of two judgements of n patients in categories: agreement beyond what chance gives."""
    name, n = "kappa", len(derived)
    if n < FEWEST:
        return _none(name, n, f"{n} in common; an interval needs {FEWEST}")
    words = sorted({*derived, *measured})
    if len(words) == 1:
        return _none(name, n, f"both sides say '{words[0]}' of everybody")
    place = {word: i for i, word in enumerate(words)}
    shares = np.zeros((len(words), len(words)))
    for one, other in zip(derived, measured, strict=True):
        shares[place[one], place[other]] += 1 / n
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    agreed, by_chance = float(np.trace(shares)), float(rows @ columns)
    value = (agreed - by_chance) / (1 - by_chance)
    alike = [one == other for one, other in zip(derived, measured, strict=True)]
    if all(alike):
        return Figure(name, n, 1.0, (_least_share(n) - by_chance) / (1 - by_chance), 1.0)
    if not any(alike):
        return Figure(name, n, value, value, (1 - _least_share(n) - by_chance) / (1 - by_chance))
    diagonal = float(np.diag(shares) @ (1 - (rows + columns) * (1 - value)) ** 2)
    both = (columns[:, None] + rows[None, :]) ** 2
    beside = float((shares * both).sum() - np.diag(shares) @ np.diag(both)) * (1 - value) ** 2
    spread = diagonal + beside - (value - by_chance * (1 - value)) ** 2
    error = math.sqrt(max(spread, 0.0) / n) / (1 - by_chance)
    if not error > 0:
        return Figure(name, n, value, None, None, "the variance of kappa is 0")
    return Figure(name, n, value, max(-1.0, value - NORMAL_95 * error), min(1.0, value + NORMAL_95 * error))


def _least_share(n: int) -> float:
    """The lower bound of a share of which n of n were seen: exact, two-sided."""
    return ((1 - LEVEL) / 2) ** (1 / n)
