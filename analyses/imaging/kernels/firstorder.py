"""First-order features: of the values inside, wherever they lie. Entropy and uniformity are of the grey levels."""

from __future__ import annotations

import math

import numpy as np

from analyses.imaging.kernels.logarithm import entropy_of
from analyses.shared.compiling import kernel

BLOCK = 256  # values are summed in blocks, and blocks then: rounding grows with the block


def firstorder(ordered: np.ndarray, n_of: np.ndarray, voxel_volume: float, shift: float) -> np.ndarray:
    """(18,) the features in the order of NAMES["firstorder"]. ordered: (n,) values by size; n_of: voxels of each grey level;
    voxel_volume: mm³; shift: added to values before they are squared."""
    percentiles = np.array([_percentile(ordered, percent) for percent in (10, 25, 50, 75, 90)])
    return _measures(ordered, n_of.astype(np.float64), percentiles, voxel_volume, shift)


@kernel
def _measures(ordered, n_of, percentiles, voxel_volume, shift):
    n = len(ordered)
    mean, energy = _mean_and_energy(ordered, shift)
    if ordered[0] == ordered[n - 1]:
        mean = ordered[0]  # and not beside it by rounding
    low, high = percentiles[0], percentiles[4]
    absolute = second = third = fourth = 0.0
    robust_total, n_robust = 0.0, 0
    for start in range(0, n, BLOCK):
        a = b = c = d = e = 0.0
        for x in ordered[start : start + BLOCK]:
            away = x - mean
            squared = away * away
            a += abs(away)
            b += squared
            c += squared * away
            d += squared * squared
            if low <= x <= high:
                e += x
                n_robust += 1
        absolute += a
        second += b
        third += c
        fourth += d
        robust_total += e
    second, third, fourth = second / n, third / n, fourth / n
    robust_mean = robust_total / n_robust if ordered[0] < ordered[n - 1] else mean
    robust = 0.0
    for start in range(0, n, BLOCK):
        e = 0.0
        for x in ordered[start : start + BLOCK]:
            if low <= x <= high:
                e += abs(x - robust_mean)
        robust += e
    shares = n_of / n
    made = np.empty(18)
    made[0], made[1] = low, high
    made[2] = energy
    made[3] = entropy_of(shares)
    made[4] = percentiles[3] - percentiles[1]
    made[5] = fourth / second**2 if second > 0.0 else 0.0
    made[6] = ordered[n - 1]
    made[7] = absolute / n
    made[8] = mean
    made[9] = percentiles[2]
    made[10] = ordered[0]
    made[11] = ordered[n - 1] - ordered[0]
    made[12] = robust / n_robust
    made[13] = math.sqrt(energy / n)
    made[14] = third / (second * math.sqrt(second)) if second > 0.0 else 0.0
    made[15] = energy * voxel_volume
    made[16] = (shares * shares).sum()
    made[17] = second
    return made


@kernel
def _mean_and_energy(ordered, shift):
    total = energy = 0.0
    for start in range(0, len(ordered), BLOCK):
        a = b = 0.0
        for x in ordered[start : start + BLOCK]:
            a += x
            b += (x + shift) * (x + shift)
        total += a
        energy += b
    return total / len(ordered), energy


def _percentile(ordered: np.ndarray, percent: int) -> float:
    """Between the two values beside it, by how near it is to each."""
    at = percent / 100 * (len(ordered) - 1)
    below = int(at)
    share = at - below
    a = ordered[below]
    b = ordered[min(below + 1, len(ordered) - 1)]
    return b - (b - a) * (1.0 - share) if share >= 0.5 else a + (b - a) * share
