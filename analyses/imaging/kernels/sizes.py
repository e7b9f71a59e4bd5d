"""What matrices of levels by sizes have in common: runs by their length, zones by their voxels, voxels by their dependent
neighbours.

Galloway 1975, doi:10.1016/S0146-664X(75)80008-6, with PyRadiomics' definitions.
"""

from __future__ import annotations

import numpy as np

from analyses.imaging.kernels.logarithm import EPS, log2
from analyses.shared.compiling import kernel

(SMALL, LARGE, LEVELS, LEVELS_NORMALIZED, SIZES, SIZES_NORMALIZED, PERCENTAGE, LEVEL_VARIANCE, SIZE_VARIANCE, ENTROPY, LOW, HIGH,
 SMALL_LOW, SMALL_HIGH, LARGE_LOW, LARGE_HIGH) = range(16)  # fmt: skip


@kernel
def of_sizes(counts, sizes):
    """(16,) the measures by the numbers above. counts: (levels, n), level 0 is not looked at; sizes: (n,) of the columns."""
    made = np.zeros(16)
    of_level = np.zeros(len(counts))
    of_size = np.zeros(len(sizes))
    n = 0.0
    for g in range(1, len(counts)):
        for k in range(len(sizes)):
            count = counts[g, k]
            if count > 0:
                of_level[g] += count
                of_size[k] += count
                n += count
    if n == 0.0:
        made[:] = np.nan
        return made
    mean_level = mean_size = voxels = 0.0
    for g in range(1, len(counts)):
        c = of_level[g]
        if c == 0.0:
            continue
        level = np.float64(g)
        mean_level += c / n * level
        made[LEVELS] += c * c
        made[LOW] += c / level**2
        made[HIGH] += c * level**2
    for k in range(len(sizes)):
        c = of_size[k]
        if c == 0.0:
            continue
        size = np.float64(sizes[k])
        voxels += c * size
        mean_size += c / n * size
        made[SIZES] += c * c
        made[SMALL] += c / size**2
        made[LARGE] += c * size**2
    for g in range(1, len(counts)):
        made[LEVEL_VARIANCE] += of_level[g] / n * (g - mean_level) ** 2
    for k in range(len(sizes)):
        made[SIZE_VARIANCE] += of_size[k] / n * (sizes[k] - mean_size) ** 2
    for g in range(1, len(counts)):
        if of_level[g] == 0.0:
            continue
        squared = np.float64(g) ** 2
        for k in range(len(sizes)):
            count = counts[g, k]
            if count > 0:
                size_squared = np.float64(sizes[k]) ** 2
                p = count / n
                made[ENTROPY] -= p * log2(p + EPS)
                made[SMALL_LOW] += count / (squared * size_squared)
                made[SMALL_HIGH] += count * squared / size_squared
                made[LARGE_LOW] += count * size_squared / squared
                made[LARGE_HIGH] += count * squared * size_squared
    made[LEVELS_NORMALIZED] = made[LEVELS] / n**2
    made[SIZES_NORMALIZED] = made[SIZES] / n**2
    made[PERCENTAGE] = n / voxels
    for k in (LEVELS, SIZES, SMALL, LARGE, LOW, HIGH, SMALL_LOW, SMALL_HIGH, LARGE_LOW, LARGE_HIGH):
        made[k] /= n
    return made
