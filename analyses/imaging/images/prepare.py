"""Prepared images: one voxel size for all, one intensity scale for all.

Resampling    to 0.8 x 0.8 mm in the plane and 2 mm across (Fan et al. 2023, Image preprocessing); the plane is the scanner's
              own. The new grid has the old one's middle, so that volumes and centroids stay; linear (no overshoot) or
              B-spline for images, nearest neighbour for masks.
Normalising   by the mean of the parenchyma, breast less tumour, before contrast (A13); or of each phase.
Greyscale     on request, a linear one from 0 at an image's 1st percentile to 1 at its 99th, before it is divided. The division
              cancels what stretches it: (x - p1) / (p99 - p1) over (mean - p1) / (p99 - p1) is (x - p1) / (mean - p1). So
              what stays of any linear greyscale is where its zero lies, and none is cut off at 0 or 1 (A22).
Maps          S0; SI = intermediate - S0; SL = last - S0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import SimpleITK as sitk

from analyses.imaging.images.grids import array_of, image_of, require_one_grid
from tshdb.images.prepared import KEPT_BITS, keep_bits, linear, places

SPACING_MM = (0.8, 0.8, 2.0)  # in the plane (column, row), across
INTERPOLATORS = {"linear": sitk.sitkLinear, "bspline": sitk.sitkBSpline, "nearest": sitk.sitkNearestNeighbor}
MAPS = ("S0", "SI", "SL")
LATER = {"SI": "intermediate", "SL": "last"}  # whose difference from S0 a map is
DARKEST_PERCENT = 1.0
TIE = 1e-6  # of a voxel: places so near to the middle between two count as the middle


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
    image: sitk.Image,
    spacing_mm: tuple[float, float, float] = SPACING_MM,
    interpolator: str = "linear",
    moved: sitk.Transform | None = None,
) -> sitk.Image:
    """The image (float32) at another voxel size. Beyond its last voxels its border goes on.

    moved: from places of the grid to those of the image, where the patient moved: both are done by one interpolation.
    """
    grid = target_grid(image, spacing_mm)
    if interpolator != "linear" or moved is not None:
        return _onto(image, grid, interpolator, moved)
    return image_of(linear(sitk.GetArrayViewFromImage(image), places(image, grid)), grid)


def _onto(image: sitk.Image, grid: sitk.Image, interpolator: str, moved: sitk.Transform | None = None) -> sitk.Image:
    make = sitk.ResampleImageFilter()
    if moved is not None:
        make.SetTransform(moved)
    make.SetReferenceImage(grid)
    make.SetInterpolator(INTERPOLATORS[interpolator])
    make.SetUseNearestNeighborExtrapolator(True)
    make.SetOutputPixelType(sitk.sitkFloat32)
    return make.Execute(sitk.Cast(image, sitk.sitkFloat32))


def rounded(image: sitk.Image, bits: int = KEPT_BITS) -> sitk.Image:
    """The same image (float32) with so many significant bits a voxel: the rest is noise that no compression can shrink."""
    values = array_of(sitk.Cast(image, sitk.sitkFloat32))
    keep_bits(values, bits)
    return image_of(values, image)


def resample_mask(mask: sitk.Image, like: sitk.Image) -> sitk.Image:
    """A mask (0 and 1) on the grid of an image, by nearest neighbour; outside of it 0.

    Of two voxels that are as near, that of the higher index counts: half a voxel between is met in whole rows (256 rows on 225),
    and must not hang on the last digits of directions.
    """
    mask = sitk.Cast(mask, sitk.sitkUInt8)
    along = np.array(mask.GetDirection()).reshape(3, 3) @ np.array(mask.GetSpacing())
    mask.SetOrigin((np.array(mask.GetOrigin()) - TIE * along).tolist())
    if mask.GetDirection() == like.GetDirection():
        return image_of(_nearest(sitk.GetArrayViewFromImage(mask), places(mask, like)), like)
    make = sitk.ResampleImageFilter()
    make.SetReferenceImage(like)
    make.SetInterpolator(sitk.sitkNearestNeighbor)
    make.SetDefaultPixelValue(0)
    make.SetOutputPixelType(sitk.sitkUInt8)
    return make.Execute(mask)


def _nearest(values: np.ndarray, at: Sequence[np.ndarray]) -> np.ndarray:
    """The values of the voxels that are nearest to places, as `places` gives them; outside of the array 0."""
    for axis in (2, 1, 0):
        number, n = np.floor(at[axis] + 0.5).astype(np.intp), values.shape[axis]
        values = values.take(number.clip(0, n - 1), axis=axis)
        outside = (number < 0) | (number >= n)
        if outside.any():
            values[(slice(None),) * axis + (outside,)] = 0
    return values


def moments(values: np.ndarray) -> tuple[float, float]:
    """(mean, standard deviation) of all voxels of a volume, in 64 bits, a slice at a time."""
    mean = sum(float(plane.sum(dtype=np.float64)) for plane in values) / values.size
    squares = 0.0
    for plane in values:
        off = plane - np.float64(mean)
        squares += float((off * off).sum())
    return mean, math.sqrt(squares / values.size)


def parenchyma_mean(image: sitk.Image, breast: sitk.Image, tumor: sitk.Image) -> tuple[float, int]:
    """(mean, voxels) of an image over breast less tumour. Raises ValueError where there is nothing, or no signal, and for
    masks on another grid."""
    require_one_grid(image=image, breast=breast, tumor=tumor)
    inside = (array_of(breast) > 0) & (array_of(tumor) == 0)
    n = int(inside.sum())
    if n == 0:
        raise ValueError("no parenchyma: the tumour fills the breast")
    mean = float(array_of(image)[inside].mean(dtype=np.float64))
    if mean <= 0:
        raise ValueError(f"the parenchyma's mean is {mean:g}")
    return mean, n


def darkest(image: sitk.Image) -> float:
    """The zero of a linear greyscale: the 1st percentile of all of an image's voxels, between two of them by proportion."""
    return float(np.percentile(array_of(image), DARKEST_PERCENT))


def normalised_map(
    phases: Mapping[str, sitk.Image], means: Mapping[str, float], name: str, zeros: Mapping[str, float] | None = None
) -> sitk.Image:
    """S0, SI or SL. phases: S0, intermediate, last, on one grid; means: by which each is divided; zeros: of a greyscale, each
    below its mean."""
    require_one_grid(**phases)

    def divided(phase: str) -> np.ndarray:
        values = array_of(phases[phase]).astype(np.float64)
        if zeros is None:
            return values / means[phase]
        return (values - zeros[phase]) / (means[phase] - zeros[phase])

    before = divided("S0")
    return image_of(before if name == "S0" else divided(LATER[name]) - before, phases["S0"])


def normalised_maps(phases: Mapping[str, sitk.Image], means: Mapping[str, float]) -> dict[str, sitk.Image]:
    """All three."""
    return {name: normalised_map(phases, means, name) for name in MAPS}
