"""Whether two programs agree about a region's features: to a billionth, of shape to a millionth; and about a filtered image.

What is 0 in exact numbers is a rounding error in both, and has no relative difference. For these features a difference is allowed
that is small beside what they are differences of (`_rounding`):

firstorder  deviations and variance of a constant region; skewness and kurtosis of one mean nothing, and are not compared
glcm        Imc2 and MCC are roots: of 0 up to rounding where neighbours tell nothing of each other; a shade of 0 is a difference
            of large cubes; a correlation and Imc1 are at most 1
shape       the axes that a region of one slice, row or column has not
filters     a voxel of a wavelet is a sum over others: what is small beside the largest before
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

RELATIVE = 1e-9
RELATIVE_SHAPE = 1e-6
ROUNDING = 1e-12
OF_ROOTS = 1e-7
CONSTANT = 1e-24  # of the largest value squared: the variance below which a region is constant
MEANINGLESS = ("Skewness", "Kurtosis")


def apart(class_: str, ours: Mapping[str, float], theirs: Mapping[str, float]) -> list[str]:
    """The features of a class about which two programs do not agree. NaN is a value: not defined."""
    rounding = _rounding(class_, theirs)
    relative = RELATIVE_SHAPE if class_ == "shape" else RELATIVE
    found = []
    for name, value in theirs.items():
        mine = ours[name]
        if math.isnan(mine) and math.isnan(value):
            continue
        allowed = relative * abs(value) + rounding.get(name, ROUNDING)
        if not abs(mine - value) <= allowed:  # nor where one is NaN
            found.append(name)
    return found


def voxels_apart(ours: np.ndarray, theirs: np.ndarray, largest: float) -> np.ndarray:
    """The places, flat, at which two programs do not agree about a filtered image. largest: the largest |x| before the filter.
    What is not finite in both is alike."""
    known = np.isfinite(theirs)
    with np.errstate(invalid="ignore"):
        is_near = np.abs(ours - theirs) <= RELATIVE * np.abs(theirs) + ROUNDING * largest
    return np.flatnonzero(~np.where(known, is_near, ~np.isfinite(ours)))


def _rounding(class_: str, of: Mapping[str, float]) -> dict[str, float]:
    """Feature -> the difference that rounding explains, whatever the value."""
    if class_ == "firstorder":
        size = max(abs(of["Minimum"]), abs(of["Maximum"]))
        allowed = dict.fromkeys(of, ROUNDING * size) | {"Variance": ROUNDING * size**2, "Entropy": ROUNDING}
        allowed |= dict.fromkeys(MEANINGLESS, math.inf if of["Variance"] <= CONSTANT * size**2 else RELATIVE)
        return allowed | dict.fromkeys(("Energy", "TotalEnergy", "Uniformity"), 0.0)
    if class_ == "glcm" and not math.isnan(of["SumAverage"]):
        of_power = {"ClusterTendency": 2, "ClusterShade": 3, "ClusterProminence": 4}
        return {name: ROUNDING * of["SumAverage"] ** power for name, power in of_power.items()} | {
            "Correlation": RELATIVE, "Imc1": RELATIVE, "Imc2": OF_ROOTS, "MCC": OF_ROOTS,
        }  # fmt: skip
    if class_ == "shape":
        axis = RELATIVE_SHAPE * of["MajorAxisLength"]
        return {
            "LeastAxisLength": axis,
            "MinorAxisLength": axis,
            "Flatness": RELATIVE_SHAPE,
            "Elongation": RELATIVE_SHAPE,
        }
    return {}
