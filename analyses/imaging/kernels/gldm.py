"""Grey level dependence: how many neighbours of a voxel differ from it by no more than alpha, and the voxel itself.

Sun and Wee 1983, doi:10.1016/0734-189X(83)90032-4.
"""

from __future__ import annotations

import numpy as np

from analyses.imaging.kernels import sizes as of
from analyses.imaging.kernels.visits import ALIKE
from analyses.shared.compiling import kernel

PICKED = [
    of.ENTROPY, of.SIZES, of.SIZES_NORMALIZED, of.SIZE_VARIANCE, of.LEVELS, of.LEVEL_VARIANCE, of.HIGH, of.LARGE, of.LARGE_HIGH,
    of.LARGE_LOW, of.LOW, of.SMALL, of.SMALL_HIGH, of.SMALL_LOW,
]  # fmt: skip


def gldm(grey: np.ndarray, places: np.ndarray, seen: np.ndarray, top: int, n_neighbours: int) -> np.ndarray:
    """(14,) the features in the order of NAMES["gldm"]. grey, seen: flat, of `visits`; n_neighbours: that a voxel can have."""
    return of.of_sizes(_dependences(grey, places, seen, top, n_neighbours), np.arange(n_neighbours + 2))[PICKED]


@kernel
def _dependences(grey, places, seen, top, n_neighbours):
    counts = np.zeros((top + 1, n_neighbours + 2), np.int64)
    for v in places:
        counts[grey[v], (seen[v] >> ALIKE) + 1] += 1
    return counts
