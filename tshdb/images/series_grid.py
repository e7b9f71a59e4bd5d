"""Where the slices of a series lie, by the positions of its images: plain arithmetic, without a database and without pixels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from tshdb.geometry import Grid
from tshdb.images.directions import are_one_direction, common_direction, directions_of

EVEN = 0.05  # of the distance of slices
SAME = 0.1  # of a voxel
COLUMNS = ("orientation", "x_mm", "y_mm", "z_mm", "n_rows", "n_columns")


class Stack(NamedTuple):
    """A series as a stack of slices, and whose it is."""

    study_uid: str
    patient_id: str
    grid: Grid


def grid_of_images(images: Iterable[Mapping[str, Any]], series: Mapping[str, Any]) -> Grid | None:
    """The stack of a series, each position once; None where its images are no stack of one grid, evenly apart.

    images: with COLUMNS; series: row_spacing_mm, column_spacing_mm, slice_thickness_mm.
    """
    images = list(images)
    shapes = {(i["n_rows"], i["n_columns"]) for i in images}
    texts = [i["orientation"] for i in images]
    spacing = (series["row_spacing_mm"], series["column_spacing_mm"])
    if len(shapes) != 1 or None in (*next(iter(shapes)), *texts, *spacing) or any(i["x_mm"] is None for i in images):
        return None
    n_rows, n_columns = shapes.pop()
    orientation = common_direction(texts)
    if not all(are_one_direction(text, orientation, max(n_rows, n_columns)) for text in set(texts)):
        return None
    row, column = directions_of(orientation)
    normal = np.cross(row, column)
    places = np.array([[i["x_mm"], i["y_mm"], i["z_mm"]] for i in images], dtype=float)
    along = places @ normal
    order = np.argsort(along, kind="stable")
    distinct = order[np.concatenate([[True], np.diff(along[order]) > 1e-3])]
    steps = np.diff(along[distinct])
    step = float(np.median(steps)) if len(steps) else float(series["slice_thickness_mm"] or 1.0)
    if len(steps) and np.abs(steps - step).max() > EVEN * step:
        return None
    first = places[distinct[0]]
    drift = places[distinct] - first - np.outer(along[distinct] - along[distinct[0]], normal)
    if np.abs(drift).max() > SAME * min(spacing):
        return None
    return Grid(
        (len(distinct), int(n_rows), int(n_columns)), (step, *map(float, spacing)), tuple(first.tolist()),
        tuple(row.tolist()), tuple(column.tolist()), tuple(normal.tolist()),
    )  # fmt: skip


def corners(grid: Grid) -> np.ndarray:
    """(8, 3) the places of the voxels at its corners, mm."""
    return np.array([grid.at(*index) for index in product(*((0, n - 1) for n in grid.shape))])


def is_same_stack(one: Grid, other: Grid) -> bool:
    """Whether two grids have the same voxels, in whatever order of their axes."""
    if sorted(one.shape) != sorted(other.shape):
        return False
    found = np.array([other.index_of(place) for place in corners(one)])
    last = np.array(other.shape) - 1
    is_at_a_corner = np.minimum(np.abs(found), np.abs(found - last)) <= SAME
    return bool(is_at_a_corner.all()) and len({tuple(np.round(f).astype(int)) for f in found}) == len(
        {tuple(c) for c in product(*((0, n - 1) for n in other.shape))}
    )
