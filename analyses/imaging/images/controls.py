"""Altered images: what is left of a region when the places of its grey levels, or the grey levels, are taken from it.

Shuffled voxels      the voxels of the region change places, by one permutation for all phases. What stays: the region's shape,
                     each phase's histogram, the joint histogram of the phases (a voxel keeps its curve). What goes: which
                     voxel is whose neighbour, and so all texture.
Noise in the region  normal noise with the region's means, standard deviations and covariances of the phases, in the place of its
                     grey levels. What stays: the shape, and the mean and standard deviation of every phase and of
                     differences of phases, but for chance. What goes: the form of the histogram as well.

Voxels outside of the region are untouched in both. Welch et al. 2019, doi:10.1016/j.radonc.2018.10.027, shuffled the voxels of
the tumour to see whether a published signature knew more of it than its volume.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import SimpleITK as sitk

from analyses.imaging.images.grids import array_of, image_of
from tshdb.images.prepared import KEPT_BITS, keep_bits

SHUFFLED, NOISE = "shuffled voxels", "noise in the region"
CONTROLS = (SHUFFLED, NOISE)


def altered(
    phases: Mapping[str, sitk.Image], mask: sitk.Image, control: str, random: np.random.Generator
) -> dict[str, sitk.Image]:
    """The phases on one grid with the mask, with other grey levels where it is not 0."""
    inside = array_of(mask) > 0
    values = {name: array_of(image) for name, image in phases.items()}
    region = np.stack([of_phase[inside] for of_phase in values.values()], axis=1)
    region = shuffled(region, random) if control == SHUFFLED else noise(region, random)
    for at, of_phase in enumerate(values.values()):
        of_phase[inside] = region[:, at]
    return {name: image_of(of_phase, phases[name]) for name, of_phase in values.items()}


def shuffled(region: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """(voxels, phases) in another order of the voxels."""
    return region[random.permutation(len(region))]


def noise(region: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Normal noise with the means and covariances of (voxels, phases), rounded as images are kept."""
    exact = region.astype(np.float64)
    variances, axes = np.linalg.eigh(np.atleast_2d(np.cov(exact, rowvar=False, bias=True)))
    # the symmetric root: it does not hang on the signs of the axes, which libraries choose as they like
    root = (axes * np.sqrt(np.maximum(variances, 0))) @ axes.T
    made = (exact.mean(axis=0) + random.standard_normal(exact.shape) @ root).astype(np.float32)
    keep_bits(made, KEPT_BITS)
    return made
