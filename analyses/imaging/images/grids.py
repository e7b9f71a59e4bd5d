"""SimpleITK images and numpy arrays of one grid: helpers."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import SimpleITK as sitk

from tshdb.geometry import TOLERANCE
from tshdb.images.prepared import grid_of, image_on

__all__ = [
    "AXES", "Turn", "apart", "array_of", "box_of", "cropped", "grid_of", "image_of", "image_on", "is_same_grid", "nrrd",
    "one_thread", "require_one_grid", "turn_of",
]  # fmt: skip
AXES = "LPS"  # orientation in which arrays are (z up, y back, x left)


def image_of(values: np.ndarray, like: sitk.Image) -> sitk.Image:
    """An image with the values (slices, rows, columns) on the grid of another."""
    image = sitk.GetImageFromArray(np.ascontiguousarray(values))
    image.CopyInformation(like)
    return image


def array_of(image: sitk.Image) -> np.ndarray:
    """Its values, (slices, rows, columns); a copy."""
    return sitk.GetArrayFromImage(image)


def apart(a: sitk.Image, b: sitk.Image) -> str | None:
    """What keeps two images from having one grid, with how much; None where voxel lies on voxel, within the tolerance."""
    one, other = grid_of(a), grid_of(b)
    if one.shape != other.shape:
        return (
            f"{' x '.join(map(str, one.shape))} and {' x '.join(map(str, other.shape))} voxels (slices, rows, columns)"
        )
    off = np.array([one.index_of(other.at(*corner)) - corner for corner in one.corners()])
    if (np.abs(off) <= TOLERANCE).all():
        return None
    furthest = float(np.linalg.norm(off * np.array(one.spacing_mm), axis=1).max())
    return f"{furthest:.2f} mm off at the furthest corner"


def is_same_grid(a: sitk.Image, b: sitk.Image) -> bool:
    """Whether two images have one grid."""
    return apart(a, b) is None


def require_one_grid(**images: sitk.Image) -> None:
    """Raises ValueError, with what differs, where images do not lie on the grid of the first of them."""
    (first, one), *others = images.items()
    for name, other in others:
        if (difference := apart(one, other)) is not None:
            raise ValueError(f"{name} lies on another grid than {first} ({difference}): resample it onto that one")


class Turn(NamedTuple):
    """How an image's array is turned to (z up, y back, x left): axes swapped and flipped, nothing resampled.

    order: its axes in the new order; steps: 1, or -1 for those that run the other way. spacing (z, y, x) and origin (x, y, z) of
    the turned array, mm.
    """

    order: tuple[int, ...]
    steps: tuple[int, ...]
    spacing: tuple[float, float, float]
    origin: tuple[float, float, float]

    def upright(self, values: np.ndarray) -> np.ndarray:
        """A view of an array of the image, turned."""
        return values.transpose(self.order)[tuple(slice(None, None, s) for s in self.steps)]

    def back(self, values: np.ndarray) -> np.ndarray:
        """A view of a turned array in the order of the image."""
        return values[tuple(slice(None, None, s) for s in self.steps)].transpose(np.argsort(self.order))


def turn_of(image: sitk.Image) -> Turn:
    """How the array of an image is turned upright."""
    voxel = sitk.Image([1, 1, 1], sitk.sitkUInt8)
    voxel.SetDirection(image.GetDirection())
    own = np.array(image.GetDirection()).reshape(3, 3)
    new = np.array(sitk.DICOMOrient(voxel, AXES).GetDirection()).reshape(3, 3)
    along = own.T @ new  # (own axis, new axis), x y z: 1 or -1 where one has become the other
    axes = [int(i) for i in np.abs(along).argmax(axis=0)]
    steps = [1 if along[axis, i] > 0 else -1 for i, axis in enumerate(axes)]
    voxel.SetDirection(own[:, axes].ravel().tolist())
    voxel.SetSpacing([image.GetSpacing()[axis] for axis in axes])
    voxel.SetOrigin(image.GetOrigin())
    corner = [0 if step > 0 else image.GetSize()[axis] - 1 for axis, step in zip(axes, steps, strict=True)]
    return Turn(
        tuple(2 - axis for axis in reversed(axes)), tuple(reversed(steps)), voxel.GetSpacing()[::-1],
        voxel.TransformIndexToPhysicalPoint(corner),
    )  # fmt: skip


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
    left = mask  # cut to what was found along the axes before: the first cut leaves little to look through
    for axis, (m, n) in enumerate(zip(margin, mask.shape, strict=True)):
        where = np.flatnonzero(left.any(axis=tuple(a for a in range(mask.ndim) if a != axis)))
        if not len(where):
            raise ValueError("the mask is empty")
        first, after = int(where[0]), int(where[-1]) + 1
        left = left[(slice(None),) * axis + (slice(first, after),)]
        slices.append(slice(max(first - m, 0), min(after + m, n)))
    return tuple(slices)


def cropped(image: sitk.Image, box: tuple[slice, ...]) -> sitk.Image:
    """The part of an image in a box of array indices (slices, rows, columns)."""
    start = [int(s.start) for s in reversed(box)]
    size = [int(s.stop - s.start) for s in reversed(box)]
    return sitk.RegionOfInterest(image, size, start)
