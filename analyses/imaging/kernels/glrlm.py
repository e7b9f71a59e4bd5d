"""Grey level run lengths: how many voxels of one level follow each other, a matrix a direction, each feature the mean over
directions.

Directions in which no line meets the region twice do not count, as in PyRadiomics.
"""

from __future__ import annotations

import numpy as np

from analyses.imaging.kernels import sizes as of

PICKED = [
    of.LEVELS, of.LEVELS_NORMALIZED, of.LEVEL_VARIANCE, of.HIGH, of.LARGE, of.LARGE_HIGH, of.LARGE_LOW, of.LOW, of.ENTROPY,
    of.SIZES, of.SIZES_NORMALIZED, of.PERCENTAGE, of.SIZE_VARIANCE, of.SMALL, of.SMALL_HIGH, of.SMALL_LOW,
]  # fmt: skip


def glrlm(along: np.ndarray, counts_direction: np.ndarray) -> np.ndarray:
    """(16,) the features in the order of NAMES["glrlm"]. along: (directions, levels, lengths) of `visits`: voxels that are
    the j-th of their run; counts_direction: (directions,) whether a line meets the region twice. NaN where none does."""
    runs = along[counts_direction, :, :-1].astype(np.int64)
    runs[:, :, 1:] -= along[counts_direction, :, 2:]  # a run of a length has a voxel there, and none one further
    runs[:, :, 0] = 0
    lengths = np.arange(runs.shape[2])
    made = [of.of_sizes(of_direction, lengths)[PICKED] for of_direction in runs]
    return np.mean(made, axis=0) if made else np.full(len(PICKED), np.nan)
