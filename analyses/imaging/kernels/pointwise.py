"""Images made voxel by voxel by an own logarithm and the C library's exponential, not by a vector library's: the same digits
everywhere."""

from __future__ import annotations

import math

import numpy as np

from analyses.imaging.kernels.logarithm import log2
from analyses.shared.compiling import kernel

LN_2 = 0.6931471805599453


def logarithm(values: np.ndarray, largest: float) -> np.ndarray:
    """m log(|x| + 1) / log(m + 1) with the sign of x. values: float64 of any shape; largest: m, the largest |x|, above 0."""
    return np.copysign(_logarithms(np.abs(values).ravel(), largest), values.ravel()).reshape(values.shape)


def exponential(values: np.ndarray, largest: float) -> np.ndarray:
    """m^(x / m). values, largest: as above."""
    return _powers(values.ravel(), largest).reshape(values.shape)


@kernel
def _logarithms(values, largest):
    made = np.empty(len(values))
    scale = largest / log2(largest + 1.0)
    for i in range(len(values)):
        made[i] = log2(values[i] + 1.0) * scale
    return made


@kernel
def _powers(values, largest):
    made = np.empty(len(values))
    scale = log2(largest) * LN_2 / largest
    for i in range(len(values)):
        made[i] = math.exp(scale * values[i])
    return made
