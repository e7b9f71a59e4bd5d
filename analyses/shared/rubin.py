"""One estimate of many data sets that were completed by multiple imputation.

    variance = mean of the variances + (1 + 1 / m) variance of the estimates      Rubin 1987, ISBN 0-471-08705-X, section 3.1

t has the degrees of freedom of Barnard and Rubin 1999, Biometrika 86:948; the fraction of missing information is Rubin's, with
its correction for few data sets (section 3.3.3). Coefficients are per 1 of a term. R's mice does the same.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

LEAST_SHARE = 1e-4  # of the variance that is between data sets: below it degrees of freedom have no limit (as in mice)


class Pooled(NamedTuple):
    """degrees: of freedom of t; missing_information: the fraction of it; lower, upper: the 95 % interval."""

    coefficient: float
    standard_error: float
    degrees: float
    missing_information: float
    lower: float
    upper: float
    p_value: float


def pooled(coefficients: np.ndarray, standard_errors: np.ndarray, complete_degrees: int) -> Pooled:
    """coefficients, standard_errors: (data sets,), two at least; complete_degrees: of freedom, if nothing were missing."""
    from scipy.stats import t

    m = len(coefficients)
    within, between = float(np.mean(standard_errors**2)), float(np.var(coefficients, ddof=1))
    variance = within + (1 + 1 / m) * between
    degrees = barnard_rubin(m, (1 + 1 / m) * between / variance, complete_degrees)
    increase = (1 + 1 / m) * between / within
    value, error = float(np.mean(coefficients)), float(np.sqrt(variance))
    width = float(t.ppf(0.975, degrees)) * error
    return Pooled(
        value, error, degrees, (increase + 2 / (degrees + 3)) / (increase + 1), value - width, value + width,
        float(2 * t.sf(abs(value / error), degrees)),
    )  # fmt: skip


def barnard_rubin(m: int, share: float, complete_degrees: int) -> float:
    """Degrees of freedom. share: of the variance that is between the m data sets."""
    share = max(share, LEAST_SHARE)
    of_many = (m - 1) / share**2
    observed = (complete_degrees + 1) / (complete_degrees + 3) * complete_degrees * (1 - share)
    return of_many * observed / (of_many + observed)
