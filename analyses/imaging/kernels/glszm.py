"""Grey level size zones: connected voxels of one level (26 neighbours, or 8 in a slice), one matrix.

Thibault et al. 2014, doi:10.1109/TBME.2013.2284600.
"""

from __future__ import annotations

import numpy as np

from analyses.imaging.kernels import sizes as of
from analyses.shared.compiling import kernel

PICKED = [
    of.LEVELS, of.LEVELS_NORMALIZED, of.LEVEL_VARIANCE, of.HIGH, of.LARGE, of.LARGE_HIGH, of.LARGE_LOW, of.LOW, of.SIZES,
    of.SIZES_NORMALIZED, of.SMALL, of.SMALL_HIGH, of.SMALL_LOW, of.ENTROPY, of.PERCENTAGE, of.SIZE_VARIANCE,
]  # fmt: skip


@kernel
def zones_of(grey, places, steps):
    """(levels, voxels) of each zone. grey: flat, with a border; steps: (n,) flat steps to half of the neighbours, unsigned."""
    left = grey.copy()
    waiting = np.empty(len(places), np.uint64)
    levels = np.empty(len(places), np.int64)
    voxels = np.empty(len(places), np.int64)
    n_zones = 0
    for place in places:
        level = left[place]
        if level == 0:
            continue
        left[place] = 0
        waiting[0] = place
        n_waiting = 1
        size = 0
        while n_waiting > 0:
            n_waiting -= 1
            v = waiting[n_waiting]
            size += 1
            for step in steps:
                after, before = v + step, v - step
                if left[after] == level:
                    left[after] = 0
                    waiting[n_waiting] = after
                    n_waiting += 1
                if left[before] == level:
                    left[before] = 0
                    waiting[n_waiting] = before
                    n_waiting += 1
        levels[n_zones] = level
        voxels[n_zones] = size
        n_zones += 1
    return levels[:n_zones], voxels[:n_zones]


def glszm(grey: np.ndarray, places: np.ndarray, steps: np.ndarray, top: int) -> np.ndarray:
    """(16,) the features in the order of NAMES["glszm"]. top: the largest level; the rest as for `zones_of`."""
    levels, voxels = zones_of(grey, places, steps.astype(np.uint64))
    n_of = np.bincount(voxels)
    sizes = np.flatnonzero(n_of)  # few, since together the zones are the region
    column = np.zeros(len(n_of), np.int64)
    column[sizes] = np.arange(len(sizes))
    counts = np.bincount(levels * len(sizes) + column[voxels], minlength=(top + 1) * len(sizes))
    return of.of_sizes(counts.reshape(top + 1, len(sizes)), sizes)[PICKED]
