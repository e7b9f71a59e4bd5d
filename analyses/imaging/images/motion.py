"""How far a phase lies from the one before contrast: a rigid registration, in one process the same each time.

Other seeds move the answer by a quarter of a millimetre, and so may another processor, whose last digits differ.

Mutual information (Mattes et al. 2003, doi:10.1109/TMI.2002.803315), since contrast agent changes intensities; from the image's
middle, in two steps of resolution, one thread, samples on a regular pattern.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import SimpleITK as sitk

from analyses.imaging.images.grids import array_of, one_thread, require_one_grid

BINS = 32
SAMPLED = 0.15  # of the voxels
WORKING_MM = (2.5, 4.0)  # voxels at which it works: in the plane, across
SEED = 1
LEAST_STEP = 2e-2  # mm, at which it stops: a tenth of what other seeds move the answer by


class Motion(NamedTuple):
    """transform: from places of S0 to places of the phase. shift_mm: of the body's middle, along x, y, z of DICOM.

    angle_deg: of the turn. furthest_mm: how far a voxel of the body's box moves at most; in_plane_voxels: the same within slices.
    """

    transform: sitk.Euler3DTransform
    shift_mm: tuple[float, float, float]
    angle_deg: float
    furthest_mm: float
    in_plane_voxels: float


def measured(before: sitk.Image, phase: sitk.Image) -> Motion:
    """The motion between two phases on one grid. Raises ValueError for other grids, or images without a body."""
    require_one_grid(before=before, phase=phase)
    body = _body(before)
    with one_thread():  # sums of several threads differ in the last digits
        return _described(_registered(_reduced(before), _reduced(phase), _middle(before, body)), before, body)


def _registered(fixed: sitk.Image, moving: sitk.Image, middle: tuple[float, ...]) -> sitk.Euler3DTransform:
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(BINS)
    method.SetMetricSamplingStrategy(method.REGULAR)
    method.SetMetricSamplingPercentage(SAMPLED, SEED)
    method.SetNumberOfThreads(1)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(
        1.0, LEAST_STEP, 80, relaxationFactor=0.6, gradientMagnitudeTolerance=1e-7
    )
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([2, 1])
    method.SetSmoothingSigmasPerLevel([2.0, 0.0])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    start = sitk.Euler3DTransform()
    start.SetCenter(middle)
    method.SetInitialTransform(start, inPlace=False)
    return sitk.Euler3DTransform(sitk.CompositeTransform(method.Execute(fixed, moving)).GetNthTransform(0))


def _body(image: sitk.Image) -> tuple[slice, ...]:
    """The box of what is brighter than the mean."""
    values = array_of(image)
    bright = values > values.mean(dtype=np.float64)
    if not bright.any():
        raise ValueError("no body in the image: all voxels are alike")
    sides = []
    for axis in range(3):
        share = bright.mean(axis=tuple(a for a in range(3) if a != axis))
        where = np.flatnonzero(share > 0.05 * share.max())
        sides.append(slice(int(where[0]), int(where[-1]) + 1))
    return tuple(sides)


def _corners(body: tuple[slice, ...]) -> list[list[float]]:
    ends = [(s.start, s.stop - 1) for s in body]
    return [[float(k), float(j), float(i)] for i in ends[0] for j in ends[1] for k in ends[2]]


def _middle(image: sitk.Image, body: tuple[slice, ...]) -> tuple[float, ...]:
    index = [(s.start + s.stop - 1) / 2 for s in reversed(body)]
    return image.TransformContinuousIndexToPhysicalPoint(index)


def _reduced(image: sitk.Image) -> sitk.Image:
    """The image with about WORKING_MM a voxel, smoothed before."""
    across, within = WORKING_MM[1], WORKING_MM[0]
    wanted = (within, within, across)
    factors = [max(1, round(w / s)) for w, s in zip(wanted, image.GetSpacing(), strict=True)]
    return sitk.BinShrink(sitk.Cast(image, sitk.sitkFloat32), factors)


def _described(found: sitk.Euler3DTransform, image: sitk.Image, body: tuple[slice, ...]) -> Motion:
    middle = np.array(_middle(image, body))
    shift = np.array(found.TransformPoint(middle.tolist())) - middle
    matrix = np.array(found.GetMatrix()).reshape(3, 3)
    angle = float(np.degrees(np.arccos(np.clip((np.trace(matrix) - 1) / 2, -1, 1))))
    axes, spacing = np.array(image.GetDirection()).reshape(3, 3), np.array(image.GetSpacing())
    furthest, in_plane = 0.0, 0.0
    for corner in _corners(body):
        place = np.array(image.TransformContinuousIndexToPhysicalPoint(corner))
        moved = np.array(found.TransformPoint(place.tolist())) - place
        furthest = max(furthest, float(np.linalg.norm(moved)))
        in_plane = max(in_plane, float(np.linalg.norm((axes.T @ moved)[:2] / spacing[:2])))
    x, y, z = (float(s) for s in shift)
    return Motion(found, (x, y, z), angle, furthest, in_plane)
