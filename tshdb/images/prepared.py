"""Images at the study's voxel size, kept as the scanner's voxels: what is read is made again from them, the same each time.

Kept      the voxels as they were scanned, whole numbers as 16 bits, and where both grids lie. At a finer voxel size an image is
          several times as large as what was scanned and knows no more. Where it would be smaller, or was made in another way
          (B-splines, put back where the patient moved), it is kept as it is.
Made      by linear interpolation, along columns, rows and slices one after the other, in 64 bits; beyond the last voxels the
          border goes on. It is that of SimpleITK to the last of 24 bits, since the axes of both grids run alike. 12 significant
          bits are kept of a voxel: 1 part in 8,000, far below the noise of a scanner.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from tshdb.geometry import Grid

KEY = "tshdb_prepared"  # of the NRRD's own facts: where the scanned voxels and those of the image lie
KEPT_BITS = 12
WHOLE = (np.int16, np.uint16)


def image_on(values: np.ndarray, grid: Grid) -> sitk.Image:
    """An image with the values on a grid."""
    return _on(sitk.GetImageFromArray(np.ascontiguousarray(values)), grid)


def empty_on(grid: Grid) -> sitk.Image:
    """An image of zeros (8 bits) on a grid."""
    return _on(sitk.Image(list(map(int, reversed(grid.shape))), sitk.sitkUInt8), grid)


def _on(image: sitk.Image, grid: Grid) -> sitk.Image:
    slices, rows, columns = grid.spacing_mm
    image.SetSpacing((columns, rows, slices))
    image.SetOrigin(tuple(map(float, grid.origin_mm)))
    image.SetDirection(np.column_stack([grid.row, grid.column, grid.normal]).astype(float).ravel().tolist())
    return image


def grid_of(image: sitk.Image) -> Grid:
    """The grid of an image."""
    d = image.GetDirection()
    columns, rows, slices = image.GetSpacing()
    n_columns, n_rows, n_slices = image.GetSize()
    return Grid(
        (n_slices, n_rows, n_columns), (slices, rows, columns), tuple(image.GetOrigin()),
        (d[0], d[3], d[6]), (d[1], d[4], d[7]), (d[2], d[5], d[8]),
    )  # fmt: skip


def places(image: sitk.Image, grid: sitk.Image) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where the voxels of a grid lie in an image whose axes run alike: in its (slices, rows, columns), not rounded.

    Along columns as SimpleITK has them: shares of the way from the first place to that after the last.
    """

    def at(index: Sequence[float]) -> tuple[float, ...]:
        return image.TransformPhysicalPointToContinuousIndex(grid.TransformContinuousIndexToPhysicalPoint(index))

    n_columns, n_rows, n_slices = grid.GetSize()
    first, after = at((0, 0, 0))[0], at((n_columns, 0, 0))[0]
    return (
        np.array([at((0, 0, k))[2] for k in range(n_slices)]),
        np.array([at((0, j, 0))[1] for j in range(n_rows)]),
        first + (after - first) * (np.arange(n_columns) / n_columns),
    )


def linear(values: np.ndarray, at: Sequence[np.ndarray], bits: int | None = None) -> np.ndarray:
    """Values, float32, at places between those of an array. at: as `places` gives them; bits: significant ones to keep."""
    (below, above, share), *_ = plan = [_between(place, n) for place, n in zip(at, values.shape, strict=True)]
    made = np.empty(tuple(map(len, at)), np.float32)
    planes: dict[int, np.ndarray] = {}  # those of the slices on both sides of the present one
    for k in range(len(share)):
        sides = below[k], above[k]
        for number in sides:
            if number not in planes:
                planes[number] = _plane(values[number].astype(np.float64), *plan[1:])
        planes = {number: planes[number] for number in sides}
        one, other = (planes[number] for number in sides)
        made[k] = one if share[k] == 0 else one + (other - one) * share[k]
        if bits is not None:
            keep_bits(made[k], bits)
    return made


def _between(place: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(the voxel below, the one above, the share of the way to it) of places along an axis of n voxels."""
    inside = np.clip(place, 0, n - 1)
    below = np.floor(inside).astype(np.intp)
    return below, np.minimum(below + 1, n - 1), inside - below


def _plane(plane: np.ndarray, rows: tuple, columns: tuple) -> np.ndarray:
    below, above, share = columns
    one = plane.take(below, axis=1)
    step = plane.take(above, axis=1)
    step -= one
    step *= share
    step += one
    below, above, share = rows
    one, made = step.take(below, axis=0), step.take(above, axis=0)
    made -= one
    made *= share[:, None]
    made += one
    return made


def keep_bits(values: np.ndarray, bits: int) -> None:
    """Keep so many significant bits of each value (float32), in place; halves are rounded away from zero."""
    drop = np.uint32(24 - bits)
    raw = values.view(np.uint32)
    raw += np.uint32(1) << (drop - np.uint32(1))
    raw >>= drop
    raw <<= drop


Box = tuple[slice, ...]  # of (slices, rows, columns)
WHOLE_IMAGE: Box = (slice(None), slice(None), slice(None))


def prepared(scanned: sitk.Image, grid: sitk.Image, box: Box = WHOLE_IMAGE) -> np.ndarray:
    """The voxels (float32) on a grid whose axes run as those of the scanned image, or those of a box of it."""
    at = places(scanned, grid)
    return linear(sitk.GetArrayViewFromImage(scanned), [p[s] for p, s in zip(at, box, strict=True)], KEPT_BITS)


def as_kept(scanned: sitk.Image, grid: sitk.Image) -> sitk.Image | None:
    """The scanned voxels as they are written to be made into the image on the grid; None where that image itself is smaller."""
    values = sitk.GetArrayViewFromImage(scanned)
    low, high = values.min(), values.max()
    fits = next((t for t in WHOLE if np.iinfo(t).min <= low and high <= np.iinfo(t).max), None)
    if fits is not None and not (values == (whole := values.astype(fits))).all():
        fits = None
    size = values.size * (4 if fits is None else 2)
    if size >= 4 * int(np.prod(grid.GetSize())):
        return None
    kept = sitk.GetImageFromArray(values.astype(np.float32) if fits is None else whole)
    kept.CopyInformation(scanned)
    kept.SetMetaData(KEY, json.dumps({"scanned": grid_of(scanned).text(), "image": grid_of(grid).text()}))
    return kept


def read(path: str | Path) -> sitk.Image:
    """The image of an object: made from the scanned voxels where these are what it holds."""
    image = sitk.ReadImage(str(path))
    if not image.HasMetaDataKey(KEY):
        return image
    scanned, grid = _grids(image.GetMetaData(KEY))
    return image_on(prepared(_on(image, scanned), empty_on(grid)), grid)


def read_box(path: str | Path, box: Box) -> np.ndarray:
    """The voxels of a box of what `read` gives."""
    image = sitk.ReadImage(str(path))
    if not image.HasMetaDataKey(KEY):
        return sitk.GetArrayViewFromImage(image)[box].copy()
    scanned, grid = _grids(image.GetMetaData(KEY))
    return prepared(_on(image, scanned), empty_on(grid), box)


def geometry(path: str | Path) -> sitk.Image:
    """An image of zeros where the image of an object lies; its voxels are not read."""
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.ReadImageInformation()
    if reader.HasMetaDataKey(KEY):
        return empty_on(_grids(reader.GetMetaData(KEY))[1])
    empty = sitk.Image(reader.GetSize(), sitk.sitkUInt8)
    empty.SetSpacing(reader.GetSpacing())
    empty.SetOrigin(reader.GetOrigin())
    empty.SetDirection(reader.GetDirection())
    return empty


def _grids(text: str) -> tuple[Grid, Grid]:
    facts = json.loads(text)
    return Grid.of_text(facts["scanned"]), Grid.of_text(facts["image"])
