"""Prepared images: one voxel size for all, one intensity scale for all.

Resampling    to 0.8 x 0.8 mm in the plane and 2 mm across (Fan et al. 2023, Image preprocessing); the plane is the scanner's
              own. The new grid has the old one's middle, so that volumes and centroids stay; linear (no overshoot) or
              B-spline for images, nearest neighbour for masks.
Normalising   by the mean of the parenchyma, breast less tumour, before contrast (A13); or of each phase.
Maps          S0; SI = intermediate - S0; SL = last - S0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import SimpleITK as sitk

from analyses.imaging.images.grids import array_of, image_of, is_same_grid

SPACING_MM = (0.8, 0.8, 2.0)  # in the plane (column, row), across
INTERPOLATORS = {"linear": sitk.sitkLinear, "bspline": sitk.sitkBSpline, "nearest": sitk.sitkNearestNeighbor}
MAPS = ("S0", "SI", "SL")
LATER = {"SI": "intermediate", "SL": "last"}  # whose difference from S0 a map is
KEPT_BITS = 12  # of a stored voxel: 1 part in 8,000, far below the noise of a scanner


def target_grid(image: sitk.Image, spacing_mm: tuple[float, float, float] = SPACING_MM) -> sitk.Image:
    """An empty image of the voxel size whose middle is that of the image, and which ends within half a voxel of it."""
    size = [
        max(1, math.floor(n * old / new + 0.5))
        for n, old, new in zip(image.GetSize(), image.GetSpacing(), spacing_mm, strict=True)
    ]
    middle = image.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in image.GetSize()])
    direction = np.array(image.GetDirection()).reshape(3, 3)
    half = direction @ np.array([(n - 1) / 2 * s for n, s in zip(size, spacing_mm, strict=True)])
    grid = sitk.Image(size, sitk.sitkUInt8)
    grid.SetSpacing(spacing_mm)
    grid.SetDirection(image.GetDirection())
    grid.SetOrigin((np.array(middle) - half).tolist())
    return grid


def resample(
    image: sitk.Image, spacing_mm: tuple[float, float, float] = SPACING_MM, interpolator: str = "linear"
) -> sitk.Image:
    """The image (float32) at another voxel size. Beyond its last voxels its border goes on."""
    return _onto(image, target_grid(image, spacing_mm), interpolator)


def _onto(image: sitk.Image, grid: sitk.Image, interpolator: str) -> sitk.Image:
    make = sitk.ResampleImageFilter()
    make.SetReferenceImage(grid)
    make.SetInterpolator(INTERPOLATORS[interpolator])
    make.SetUseNearestNeighborExtrapolator(True)
    make.SetOutputPixelType(sitk.sitkFloat32)
    return make.Execute(sitk.Cast(image, sitk.sitkFloat32))


def rounded(image: sitk.Image, bits: int = KEPT_BITS) -> sitk.Image:
    """The same image (float32) with so many significant bits a voxel: the rest is noise that no compression can shrink."""
    drop = np.uint32(24 - bits)
    raw = array_of(sitk.Cast(image, sitk.sitkFloat32)).view(np.uint32)
    half = np.uint32(1) << (drop - np.uint32(1))
    return image_of((((raw + half) >> drop) << drop).view(np.float32), image)


def resample_mask(mask: sitk.Image, like: sitk.Image) -> sitk.Image:
    """A mask (0 and 1) on the grid of an image, by nearest neighbour; outside of it 0."""
    make = sitk.ResampleImageFilter()
    make.SetReferenceImage(like)
    make.SetInterpolator(sitk.sitkNearestNeighbor)
    make.SetDefaultPixelValue(0)
    make.SetOutputPixelType(sitk.sitkUInt8)
    return make.Execute(sitk.Cast(mask, sitk.sitkUInt8))


def parenchyma_mean(image: sitk.Image, breast: sitk.Image, tumor: sitk.Image) -> tuple[float, int]:
    """(mean, voxels) of an image over breast less tumour. Raises ValueError where there is nothing, or no signal."""
    inside = (array_of(breast) > 0) & (array_of(tumor) == 0)
    n = int(inside.sum())
    if n == 0:
        raise ValueError("no parenchyma: the tumour fills the breast")
    mean = float(array_of(image)[inside].mean(dtype=np.float64))
    if mean <= 0:
        raise ValueError(f"the parenchyma's mean is {mean:g}")
    return mean, n


def normalised_map(phases: Mapping[str, sitk.Image], means: Mapping[str, float], name: str) -> sitk.Image:
    """S0, SI or SL. phases: S0, intermediate, last, on one grid; means: by which each is divided."""
    if not all(is_same_grid(image, phases["S0"]) for image in phases.values()):
        raise ValueError("the phases have different grids: resample them onto one")

    def divided(phase: str) -> np.ndarray:
        return array_of(phases[phase]).astype(np.float64) / means[phase]

    before = divided("S0")
    return image_of(before if name == "S0" else divided(LATER[name]) - before, phases["S0"])


def normalised_maps(phases: Mapping[str, sitk.Image], means: Mapping[str, float]) -> dict[str, sitk.Image]:
    """All three."""
    return {name: normalised_map(phases, means, name) for name in MAPS}
