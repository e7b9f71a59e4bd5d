"""All classes of features of a region's intensity and texture, from one visit of its neighbours.

Definitions are PyRadiomics'. With `definition = "ibsi"` they are otherwise where IBSI's reference manual (arXiv:1612.07003) says
otherwise: kurtosis is in excess of 3; voxels without a neighbour are in no neighbourhood difference; every direction has runs,
also where no line meets the region twice; bins of a width begin at a stated value (`region`); axes (`images.features`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analyses.imaging.kernels.firstorder import firstorder
from analyses.imaging.kernels.glcm import glcm
from analyses.imaging.kernels.gldm import gldm
from analyses.imaging.kernels.glrlm import glrlm
from analyses.imaging.kernels.glszm import glszm
from analyses.imaging.kernels.ngtdm import ngtdm
from analyses.imaging.kernels.region import Region, directions_of
from analyses.imaging.kernels.visits import has_line, has_neighbours, visit
from tshdb.images.feature_names import IBSI, NAMES, Settings

KURTOSIS, VARIANCE = (NAMES["firstorder"].index(name) for name in ("Kurtosis", "Variance"))
NEXT = (1,)  # the distance of a run's and a zone's next voxel


def border_of(settings: Settings) -> int:
    """How far the furthest neighbour is, in voxels."""
    return max(*settings.distances, 1)


def of_classes(
    region: Region, classes: Sequence[str], settings: Settings, voxel_volume: float
) -> dict[str, np.ndarray]:
    """Class -> its features, in the order of NAMES; NaN is not defined. region: with a border of `border_of`."""
    made = {}
    if "firstorder" in classes:
        made["firstorder"] = firstorder(region.ordered, region.n_of, voxel_volume, settings.voxel_array_shift)
        if settings.definition == IBSI and made["firstorder"][VARIANCE] > 0.0:
            made["firstorder"][KURTOSIS] -= 3.0
    textures = [name for name in classes if name != "firstorder"]
    return made | _textures(region, textures, settings) if textures else made


def _textures(region: Region, classes: Sequence[str], settings: Settings) -> dict[str, np.ndarray]:
    near = directions_of(NEXT, settings.force_2d)
    far = directions_of(settings.distances, settings.force_2d)
    is_near = np.abs(far).max(axis=1) == 1
    steps = far if is_near.any() else np.concatenate([far, near])
    has_pairs = np.arange(len(steps)) < len(far)
    has_runs = np.abs(steps).max(axis=1) == 1
    strides = np.array(region.grey.strides) // region.grey.itemsize
    grey, places, top = region.grey.ravel(), region.places, region.top
    longest = max(region.grey.shape)
    pairs, along, seen = visit(grey, places, steps @ strides, has_pairs, has_runs, top, settings.alpha, longest)
    made = {}
    for name in classes:
        if name == "glcm":
            made[name] = glcm(pairs, region.present, settings.symmetric)
        elif name == "glrlm":
            is_ibsi = settings.definition == IBSI
            made[name] = glrlm(along, np.ones(len(near), bool) if is_ibsi else _lines(region, near, along))
        elif name == "glszm":
            made[name] = glszm(grey, places, near @ strides, top)
        elif name == "gldm":
            made[name] = gldm(grey, places, seen, top, 2 * len(far))
        elif name == "ngtdm":
            met = places[has_neighbours(seen[places])] if settings.definition == IBSI else places
            present = np.unique(grey[met]).astype(np.int64) if len(met) < len(places) else region.present
            made[name] = ngtdm(grey, met, seen, present) if len(met) else np.full(len(NAMES["ngtdm"]), np.nan)
    return made


def _lines(region: Region, near: np.ndarray, along: np.ndarray) -> np.ndarray:
    """(directions,) whether a line of the direction meets the region twice."""
    longer = along[:, :, 2:].any(axis=(1, 2))  # a run of two voxels is such a line
    return np.array([bool(found) or has_line(region.grey, step) for found, step in zip(longer, near, strict=True)])
