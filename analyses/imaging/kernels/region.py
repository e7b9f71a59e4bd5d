"""A region cut out of its image and binned once, as every class of features needs it.

Grey levels count from 1, by PyRadiomics' rules: edges of a fixed width on the multiples of the width (by IBSI's, from a stated
value on), or a fixed number of bins between the least and the largest value. They stand in a box with a border of zeros as wide
as the furthest neighbour: no visit of a neighbour asks where the image ends.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analyses.shared.compiling import kernel


@dataclass(frozen=True)
class Region:
    """values: (n,) inside, slice by slice, float64; ordered: the same by size; grey: the box with its border, 0 outside;
    places: (n,) where the voxels are in it, flat; present: grey levels that occur; n_of: how many voxels have each of them."""

    values: np.ndarray
    ordered: np.ndarray
    grey: np.ndarray
    places: np.ndarray
    present: np.ndarray
    n_of: np.ndarray

    @property
    def n(self) -> int:
        return len(self.values)

    @property
    def top(self) -> int:
        """The largest grey level."""
        return int(self.present[-1])


def region_of(
    values: np.ndarray, inside: np.ndarray, bin_width: float, bin_count: int | None = None, border: int = 1,
    start: float | None = None,
) -> Region:  # fmt: skip
    """The region of a map. values, inside: (slices, rows, columns), inside boolean and as small as its box; border: voxels;
    start: where bins of a width begin, not above the least value; None: at a multiple of the width.

    The number of levels is not bounded here: who builds a matrix looks at `top` first.
    """
    found = values[inside]
    if start is None or bin_count is not None:
        edges = edges_of(found, bin_width, bin_count).astype(np.float64, copy=False)
        found = found.astype(np.float64, copy=False)
        levels = levels_of(found, edges)
    else:
        found = found.astype(np.float64, copy=False)
        levels = np.floor((found - start) / bin_width).astype(np.int64) + 1
    present, n_of = np.unique(levels, return_counts=True) if levels.max() > 1 << 16 else _counted(levels)
    grey, places = _in_a_box(levels, inside, border)
    return Region(found, np.sort(found), grey, places, present, n_of)


def edges_of(found: np.ndarray, bin_width: float, bin_count: int | None) -> np.ndarray:
    """The lower edges of the bins, by PyRadiomics' rules and in the precision of the image's values."""
    low, high = found.min(), found.max()
    if bin_count is not None:
        edges = np.histogram_bin_edges(found, bin_count)
        edges[-1] += 1
        return edges
    edges = np.arange(low - low % bin_width, high + 2 * bin_width, bin_width)
    return np.array([edges[0] - 0.5, edges[0] + 0.5]) if len(edges) == 1 else edges


def _counted(levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    n_of = np.bincount(levels)
    present = np.flatnonzero(n_of)
    return present, n_of[present]


@kernel
def levels_of(values, edges):
    """(n,) how many edges are not above each value."""
    n = len(edges)
    levels = np.empty(len(values), np.int64)
    scale = (n - 1) / (edges[n - 1] - edges[0])
    for i in range(len(values)):
        x = values[i]
        at = min(max(int((x - edges[0]) * scale), 0), n - 1)
        while at < n and edges[at] <= x:  # a guess by the width may be beside by rounding; the edges decide
            at += 1
        while at > 0 and edges[at - 1] > x:
            at -= 1
        levels[i] = at
    return levels


@kernel
def _in_a_box(levels, inside, border):
    """(grey levels in a box with a border, flat places of the voxels in it)."""
    slices, rows, columns = inside.shape
    grey = np.zeros((slices + 2 * border, rows + 2 * border, columns + 2 * border), np.uint32)
    places = np.empty(len(levels), np.uint64)
    n = 0
    for z in range(slices):
        for y in range(rows):
            start = ((z + border) * grey.shape[1] + y + border) * grey.shape[2] + border
            for x in range(columns):
                if inside[z, y, x]:
                    grey[z + border, y + border, x + border] = levels[n]
                    places[n] = start + x
                    n += 1
    return grey, places


def directions_of(distances: tuple[int, ...], force_2d: bool) -> np.ndarray:
    """(n, 3) steps to one of each two opposite neighbours whose largest coordinate is one of the distances."""
    far = max(distances)
    steps = np.indices((2 * far + 1,) * 3).reshape(3, -1).T - far
    steps = steps[np.isin(np.abs(steps).max(axis=1), distances)]
    if force_2d:
        steps = steps[steps[:, 0] == 0]
    first = np.where(steps[:, 0] != 0, steps[:, 0], np.where(steps[:, 1] != 0, steps[:, 1], steps[:, 2]))
    return np.ascontiguousarray(steps[first > 0])
