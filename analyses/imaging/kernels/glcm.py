"""Grey level co-occurrence: how often two levels lie side by side, a matrix a direction, each feature the mean over directions.

Haralick et al. 1973, doi:10.1109/TSMC.1973.4309314, with PyRadiomics' definitions. Directions without a pair do not count.
"""

from __future__ import annotations

import math

import numpy as np

from analyses.imaging.kernels.logarithm import EPS, entropy_of, log2
from analyses.imaging.kernels.symmetric import eigenvalue, tridiagonal
from analyses.shared.compiling import kernel
from tshdb.images.feature_names import NAMES

N_FEATURES = len(NAMES["glcm"])
MCC = NAMES["glcm"].index("MCC")


def glcm(pairs: np.ndarray, present: np.ndarray, symmetric: bool) -> np.ndarray:
    """(24,) the features in the order of NAMES["glcm"]. pairs: (directions, levels, levels) of `visits`; present: levels
    that occur; symmetric: a pair counts both ways. NaN where no direction has a pair."""
    made = []
    for of_direction in pairs:
        counts = _counts(of_direction, present, symmetric)
        n = counts.sum()  # of whole numbers
        if n > 0:
            features, of_first, of_second = _of_direction(counts, n, present)
            features[MCC] = _maximal_correlation(counts, n, of_first, of_second)
            made.append(features)
    found = np.mean(made, axis=0) if made else np.full(N_FEATURES, np.nan)
    if len(present) == 1:
        found[MCC] = 1.0
    return found


@kernel
def _counts(pairs, present, symmetric):
    n_levels = len(present)
    counts = np.empty((n_levels, n_levels))
    for i in range(n_levels):
        for j in range(n_levels):
            counts[i, j] = pairs[present[i], present[j]]
            if symmetric:
                counts[i, j] += pairs[present[j], present[i]]
    return counts


@kernel
def _of_direction(counts, n, present):
    """(the features but for MCC, shares of the first level of a pair, of the second)."""
    n_levels = len(present)
    top = present[n_levels - 1]
    of_first = np.zeros(n_levels)
    of_second = np.zeros(n_levels)
    of_sum = np.zeros(2 * top + 1)
    of_difference = np.zeros(top)
    product = energy = joint = largest = 0.0
    for i in range(n_levels):
        for j in range(n_levels):
            count = counts[i, j]
            if count == 0.0:
                continue
            of_first[i] += count
            of_second[j] += count
            of_sum[present[i] + present[j]] += count
            of_difference[abs(present[i] - present[j])] += count
            p = count / n
            product += p * (present[i] * present[j])
            energy += p * p
            joint -= p * log2(p + EPS)
            largest = max(largest, p)
    of_first /= n
    of_second /= n
    of_sum /= n
    of_difference /= n
    mean_first = mean_second = 0.0
    for i in range(n_levels):
        mean_first += of_first[i] * present[i]
        mean_second += of_second[i] * present[i]
    made = np.zeros(24)
    made[0] = product
    for k in range(2, 2 * top + 1):
        p = of_sum[k]
        away = k - mean_first - mean_second
        made[1] += p * away**4
        made[2] += p * away**3
        made[3] += p * away**2
        made[21] += p * k
    for k in range(top):
        p = of_difference[k]
        made[4] += p * k**2
        made[6] += p * k
        made[9] += p / (1 + k)
        made[10] += p / (1 + k**2)
        made[11] += p / (1 + k**2 / top**2)
        made[12] += p / (1 + k / top)
        if k > 0:
            made[15] += p / k**2
    for k in range(top):
        made[8] += of_difference[k] * (k - made[6]) ** 2
    made[5], made[23] = _correlation(counts, n, present, of_first, of_second, mean_first, mean_second)
    made[7] = entropy_of(of_difference)
    made[13], made[14] = _information(counts, n, of_first, of_second, joint)
    made[16] = mean_first
    made[17] = energy
    made[18] = joint
    made[20] = largest
    made[22] = entropy_of(of_sum)
    return made, of_first, of_second


@kernel
def _correlation(counts, n, present, of_first, of_second, mean_first, mean_second):
    """(correlation of the two levels, variance of the first)."""
    together = variance_first = variance_second = 0.0
    for i in range(len(present)):
        a = present[i] - mean_first
        row = 0.0
        for j in range(len(present)):
            row += counts[i, j] * (present[j] - mean_second)
        together += row / n * a
        variance_first += of_first[i] * a**2
        variance_second += of_second[i] * (present[i] - mean_second) ** 2
    spread = math.sqrt(variance_first) * math.sqrt(variance_second)
    return 1.0 if spread == 0.0 else together / (spread + EPS), variance_first


@kernel
def _information(counts, n, of_first, of_second, joint):
    """Both informational measures of correlation. joint: entropy of the pairs.

    log2(a b + EPS) is log2 a + log2 b + EPS / (a b ln 2) and less than what a double can hold, unless a b is tiny.
    """
    n_levels = len(of_first)
    log_first = np.zeros(n_levels)
    log_second = np.zeros(n_levels)
    for i in range(n_levels):
        if of_first[i] > 0.0:
            log_first[i] = log2(of_first[i])
        if of_second[i] > 0.0:
            log_second[i] = log2(of_second[i])
    crossed = apart = 0.0
    for i in range(n_levels):
        for j in range(n_levels):
            both = of_first[i] * of_second[j]
            if both == 0.0:
                continue
            if both > 1e-9:
                length = log_first[i] + log_second[j] + EPS / both * 1.4426950408889634
            else:
                length = log2(both + EPS)
            crossed -= counts[i, j] / n * length
            apart -= both * length
    first, second = entropy_of(of_first), entropy_of(of_second)
    larger = max(first, second)
    one = 0.0 if larger <= 4 * EPS else (joint - crossed) / larger
    known = apart - joint
    two = math.sqrt(1.0 - math.exp(-2.0 * known)) if known > 0.0 else 0.0
    return one, two


def _maximal_correlation(counts: np.ndarray, n: float, of_first: np.ndarray, of_second: np.ndarray) -> float:
    """The root of the second largest eigenvalue of Q, Q[i, j] = sum over k of p[i, k] p[j, k] / (first[i] second[k] + EPS).

    Q has the eigenvalues of B B', B[i, k] = p[i, k] / sqrt(first[i] second[k]), up to EPS, which enters half in each B; and where
    the matrix is symmetric those of B squared, so that B need not be multiplied.
    """
    seen = np.flatnonzero((of_first > 0) | (of_second > 0))
    m = len(seen)
    if m < 2:
        return 0.0
    b = _scaled(counts, n, of_first, of_second, seen)
    if (b == b.T).all():
        diagonal, beside = tridiagonal(b)
        return max(eigenvalue(diagonal, beside, m - 2), abs(eigenvalue(diagonal, beside, 0)))
    diagonal, beside = tridiagonal(_times_transposed(b))
    return math.sqrt(max(eigenvalue(diagonal, beside, m - 2), 0.0))


@kernel
def _scaled(counts, n, of_first, of_second, seen):
    m = len(seen)
    b = np.zeros((m, m))
    for i in range(m):
        for k in range(m):
            count = counts[seen[i], seen[k]]
            if count > 0.0:
                both = of_first[seen[i]] * of_second[seen[k]]
                b[i, k] = count / n * math.sqrt(both) / (both + EPS / 2.0)
    return b


@kernel
def _times_transposed(b):
    m = len(b)
    made = np.zeros((m, m))
    for i in range(m):
        for j in range(i + 1):
            for k in range(m):
                made[i, j] += b[i, k] * b[j, k]
            made[j, i] = made[i, j]
    return made
