"""Contours filled on a grid: which voxels of the images a region has.

Inside    a voxel whose middle lies in the polygon or on its border. A contour within another one is a hole: the parity of how
          many enclose a voxel, which also reads the keyhole technique. A voxel on the border of a hole is inside.
Slices    each contour lies in one; slices between contours, in which nobody drew, stay empty and are flagged.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ingest.imaging.unreadable import Unreadable
from tshdb.geometry import Grid

RULE = "voxels whose middle is in a contour or on its border; a contour within another is a hole (XOR)"
OFF_SLICE = 0.1  # of the distance of slices
ON_BORDER = 0.01  # of a voxel: contours are written with few decimals


class Filled(NamedTuple):
    """values: (slices, rows, columns), uint8."""

    values: np.ndarray
    flags: list[str]


def filled(contours: list[np.ndarray], grid: Grid) -> Filled:
    """The voxels within closed contours, (points, 3) in mm. Raises Unreadable where they do not lie in slices of the grid."""
    by_slice: dict[int, list[np.ndarray]] = {}
    for points in contours:
        k, in_plane = _placed(points, grid)
        by_slice.setdefault(k, []).append(in_plane)
    values = np.zeros(grid.shape, np.uint8)
    flags: list[str] = []
    n_empty, overlapping = 0, []
    for k, of_slice in sorted(by_slice.items()):
        masks = [_polygon(points, grid.shape[1:]) for points in of_slice]
        n_empty += sum(not (inside | border).any() for inside, border in masks)
        parity = np.logical_xor.reduce([inside for inside, _ in masks])
        values[k] = parity | np.logical_or.reduce([border for _, border in masks])
        if any(_overlap(a, b) for i, (a, _) in enumerate(masks) for b, _ in masks[:i]):
            overlapping.append(k)
    gaps = sorted(set(range(min(by_slice), max(by_slice) + 1)) - set(by_slice)) if by_slice else []
    if gaps:
        flags.append(f"no contour in {len(gaps)} slices between the first and the last: these are empty")
    if overlapping:
        flags.append(f"contours overlap in part in {len(overlapping)} slices: what two of them hold is left out")
    if n_empty:
        flags.append(f"{n_empty} contours are too small to hold the middle of a voxel")
    return Filled(values, flags)


def _placed(points: np.ndarray, grid: Grid) -> tuple[int, np.ndarray]:
    """(slice, (points, 2) rows and columns in voxels)."""
    axes = np.array([grid.normal, grid.column, grid.row])
    index = (points - np.array(grid.origin_mm)) @ axes.T / np.array(grid.spacing_mm)
    along = index[:, 0]
    k = round(float(along.mean()))
    off = float(np.abs(along - k).max())
    if np.ptp(along) > OFF_SLICE:
        raise Unreadable("rtstruct.other-plane", "its contours do not lie in the slices of the series that it names")
    if off > OFF_SLICE:
        mm = off * grid.spacing_mm[0]
        raise Unreadable(
            "rtstruct.between", f"its contours lie {mm:.2f} mm beside the slices of the series that it names"
        )
    low, high = index[:, 1:].min(axis=0), index[:, 1:].max(axis=0)
    n_slices, *sides = grid.shape
    if not 0 <= k < n_slices or (low < -0.5 - OFF_SLICE).any() or (high > np.array(sides) - 0.5 + OFF_SLICE).any():
        raise Unreadable("rtstruct.outside", "its contours reach beyond the images of the series that it names")
    return k, index[:, 1:]


def _polygon(points: np.ndarray, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """(middles in the polygon, middles on its border), both (rows, columns). points: rows and columns, closed by itself."""
    inside, border = np.zeros(shape, bool), np.zeros(shape, bool)
    ends = np.roll(points, -1, axis=0)
    low = np.maximum(np.floor(points.min(axis=0)).astype(int), 0)
    high = np.minimum(np.ceil(points.max(axis=0)).astype(int) + 1, shape)
    columns = np.arange(low[1], high[1])
    for row in range(low[0], high[0]):
        crosses = (points[:, 0] <= row) != (ends[:, 0] <= row)
        a, b = points[crosses], ends[crosses]
        at = np.sort(a[:, 1] + (row - a[:, 0]) / (b[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1]))
        inside[row, low[1] : high[1]] = np.searchsorted(at, columns, side="left") % 2 == 1
    for a, b in zip(points, ends, strict=True):
        r0, c0 = np.maximum(np.ceil(np.minimum(a, b) - ON_BORDER).astype(int), 0)
        r1, c1 = np.minimum(np.floor(np.maximum(a, b) + ON_BORDER).astype(int) + 1, shape)
        if r0 >= r1 or c0 >= c1:
            continue
        places = np.stack(np.meshgrid(np.arange(r0, r1), np.arange(c0, c1), indexing="ij"), -1)
        along = b - a
        length = float(along @ along)
        t = np.clip((places - a) @ along / length, 0, 1) if length else np.zeros(places.shape[:2])
        near = np.linalg.norm(places - (a + t[..., None] * along), axis=-1) <= ON_BORDER
        border[r0:r1, c0:c1] |= near
    return inside, border


def _overlap(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two regions share voxels, and neither lies in the other."""
    both = int((a & b).sum())
    return both not in (0, int(a.sum()), int(b.sum()))
