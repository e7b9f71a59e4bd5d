"""Simulated examinations in which the patient lay still between the phases, or moved by a planted shift within the slices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from analyses.imaging.images.motion import Motion, measured
from analyses.imaging.images.prepare import resample
from ingest.simulate.breast import Scan, scanned
from ingest.simulate.dicom_files import Geometry
from ingest.simulate.subjects import SimulationSettings, stream


class Trial(NamedTuple):
    """planted: how far the phase was shifted within the slices, in voxels of the prepared image; 0: not at all."""

    planted: float
    motion: Motion


def image_of(geometry: Geometry, values: np.ndarray) -> sitk.Image:
    image = sitk.GetImageFromArray(values.astype(np.float32))
    rows, columns, slices = geometry.spacing_mm
    row, column = np.array(geometry.orientation[:3]), np.array(geometry.orientation[3:])
    image.SetSpacing((columns, rows, slices))
    image.SetOrigin(geometry.origin_mm)
    image.SetDirection(np.column_stack([row, column, np.cross(row, column)]).ravel().tolist())
    return image


def trials(seed: int, n: int, voxel_mm: tuple[float, ...], slice_mm: float) -> Iterator[Trial]:
    """Of each of n examinations one trial at rest and one with a shift of 1.3 to 6 voxels in any direction."""
    for i in range(n):
        random = np.random.default_rng((seed, i))
        is_axial, voxel = i % 2 == 0, voxel_mm[i % len(voxel_mm)]
        scan = Scan(is_axial, "both" if is_axial else "left", [-60.0, 100.0, 300.0], voxel, slice_mm)
        made = scanned(scan, random.uniform(), 25.0, 1.0, stream(SimulationSettings(seed=seed), "motion", i))
        prepared = (voxel, voxel, slice_mm)
        before = resample(image_of(made.geometry, made.volumes[0]), prepared)
        later = made.volumes[1].astype(np.float32)
        yield Trial(0.0, measured(before, resample(image_of(made.geometry, later), prepared)))
        size, angle = random.uniform(1.3, 6), random.uniform(0, 2 * np.pi)
        moved = ndimage.shift(later, (0, size * np.sin(angle), size * np.cos(angle)), order=1, mode="nearest")
        yield Trial(size, measured(before, resample(image_of(made.geometry, moved), prepared)))
