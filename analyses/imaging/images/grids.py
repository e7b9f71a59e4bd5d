"""SimpleITK images and numpy arrays of one grid: helpers."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from tshdb.geometry import Grid

AXES = "LPS"  # orientation in which arrays are (z up, y back, x left)


def image_of(values: np.ndarray, like: sitk.Image) -> sitk.Image:
    """An image with the values (slices, rows, columns) on the grid of another."""
    image = sitk.GetImageFromArray(np.ascontiguousarray(values))
    image.CopyInformation(like)
    return image


def array_of(image: sitk.Image) -> np.ndarray:
    """Its values, (slices, rows, columns); a copy."""
    return sitk.GetArrayFromImage(image)


def image_on(values: np.ndarray, grid: Grid) -> sitk.Image:
    """An image with the values on a grid."""
    image = sitk.GetImageFromArray(np.ascontiguousarray(values))
    slices, rows, columns = grid.spacing_mm
    image.SetSpacing((columns, rows, slices))
    image.SetOrigin(tuple(map(float, grid.origin_mm)))
    image.SetDirection(np.column_stack([grid.row, grid.column, grid.normal]).astype(float).ravel().tolist())
    return image


def is_same_grid(a: sitk.Image, b: sitk.Image, tolerance: float = 1e-3) -> bool:
    """Whether two images have one grid."""
    if a.GetSize() != b.GetSize():
        return False
    pairs = ((a.GetSpacing(), b.GetSpacing()), (a.GetOrigin(), b.GetOrigin()), (a.GetDirection(), b.GetDirection()))
    return all(np.allclose(x, y, atol=tolerance) for x, y in pairs)


def code_of(image: sitk.Image) -> str:
    """Its orientation in DICOM's letters, such as LPS."""
    return sitk.DICOMOrientImageFilter().GetOrientationFromDirectionCosines(image.GetDirection())


def upright(image: sitk.Image) -> sitk.Image:
    """The same image with its array turned to (z up, y back, x left): axes swapped and flipped, nothing resampled."""
    return sitk.DICOMOrient(image, AXES)


def turned_back(image: sitk.Image, like: sitk.Image) -> sitk.Image:
    """An upright image in the orientation of another."""
    turned = sitk.DICOMOrient(image, code_of(like))
    turned.CopyInformation(like)
    return turned


def nrrd(image: sitk.Image, level: int = 1) -> bytes:
    """An image as NRRD, compressed; the same bytes for the same image. NIfTI would keep its place in 32 bits only."""
    with tempfile.TemporaryDirectory(prefix="tshdb-image-") as folder:
        path = Path(folder) / "image.nrrd"
        sitk.WriteImage(image, str(path), useCompression=True, compressionLevel=level)
        return path.read_bytes()


@contextmanager
def one_thread() -> Iterator[None]:
    """SimpleITK with one thread: workers side by side do not fight for cores."""
    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)


def box_of(mask: np.ndarray, margin: tuple[int, ...] = (0, 0, 0)) -> tuple[slice, ...]:
    """The smallest box around what is inside, with a margin of voxels, within the array. Raises ValueError for none."""
    slices = []
    for axis, (m, n) in enumerate(zip(margin, mask.shape, strict=True)):
        where = np.flatnonzero(mask.any(axis=tuple(a for a in range(mask.ndim) if a != axis)))
        if not len(where):
            raise ValueError("the mask is empty")
        slices.append(slice(max(int(where[0]) - m, 0), min(int(where[-1]) + 1 + m, n)))
    return tuple(slices)


def cropped(image: sitk.Image, box: tuple[slice, ...]) -> sitk.Image:
    """The part of an image in a box of array indices (slices, rows, columns)."""
    start = [int(s.start) for s in reversed(box)]
    size = [int(s.stop - s.start) for s in reversed(box)]
    return sitk.RegionOfInterest(image, size, start)
