"""Where the images of a series lie: in one plane, one above the other, at even steps. Helpers without a database.

A grid is the origin, the positions of its slices, spacing, direction and matrix. What is further off than a tenth of a step from
voxel to voxel, at any corner, is another grid (`tshdb.geometry.TOLERANCE`): within a series, between the series of phases, for
masks. What does not fit is refused with how far it is off, in mm.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tshdb.geometry import TOLERANCE
from tshdb.images.directions import are_one_direction, common_direction, directions_of

if TYPE_CHECKING:
    import pandas as pd

SAME_POSITION_MM = 0.05  # where no step between positions is known
COMMON = 0.9  # of the positions, which the series of phases must share


class Unsplit(Exception):
    """The images do not fall into whole phases; the text says why."""


@dataclass(frozen=True)
class Plane:
    """The plane in which all images of a series lie.

    row, column: unit vectors, to the next column and to the next row.
    spacing: between rows and between columns, mm.
    shape: rows, columns.
    origin: (3,) a place of the first pixel, mm: that of one image of the series.
    """

    row: np.ndarray
    column: np.ndarray
    spacing: tuple[float, float]
    shape: tuple[int, int]
    origin: np.ndarray

    @property
    def normal(self) -> np.ndarray:
        """The direction in which slices are counted."""
        return np.cross(self.row, self.column)

    def corners(
        self, origin: np.ndarray | None = None, row: np.ndarray | None = None, column: np.ndarray | None = None
    ):
        """(4, 3) the middles of the corner pixels, mm; of an image of its own place and directions."""
        origin = self.origin if origin is None else origin
        row, column = self.row if row is None else row, self.column if column is None else column
        rows, columns = (n - 1 for n in self.shape)
        places = [(i, j) for i in (0, rows) for j in (0, columns)]
        return np.array([origin + i * self.spacing[0] * column + j * self.spacing[1] * row for i, j in places])

    def in_pixels(self, places: np.ndarray) -> np.ndarray:
        """(..., 2) along rows' and columns' counts, in pixels from the origin."""
        offset = places - self.origin
        return np.stack([offset @ self.column / self.spacing[0], offset @ self.row / self.spacing[1]], axis=-1)


def by_orientation(instances: pd.DataFrame) -> np.ndarray:
    """(images,) the number of each image's orientation; those within the tolerance are one. Without one: -1."""
    sizes = instances[["n_rows", "n_columns"]].max(axis=1).fillna(1).to_numpy(float)
    numbers = np.full(len(instances), -1)
    seen: list[str] = []
    counted = Counter(t for t in instances["orientation"] if isinstance(t, str))
    of_text = {}
    for text in sorted(counted, key=lambda t: (-counted[t], t)):
        largest = int(sizes[(instances["orientation"] == text).to_numpy()].max())
        number = next((i for i, other in enumerate(seen) if are_one_direction(text, other, largest)), len(seen))
        if number == len(seen):
            seen.append(text)
        of_text[text] = number
    for i, text in enumerate(instances["orientation"]):
        numbers[i] = of_text.get(text, -1)
    return numbers


def positions_of(instances: pd.DataFrame) -> np.ndarray:
    """(images,) the place of each along the normal of its slices, mm; NaN where the header does not say it.

    Images of one orientation within the tolerance share one normal: that which most of them have.
    """
    positions = np.full(len(instances), np.nan)
    place = instances[["x_mm", "y_mm", "z_mm"]].to_numpy(float)
    numbers = by_orientation(instances)
    for number in sorted(set(numbers) - {-1}):
        index = np.flatnonzero(numbers == number)
        row, column = directions_of(common_direction(instances["orientation"].iloc[index]))
        positions[index] = place[index] @ np.cross(row, column)
    return positions


def grouped_positions(positions: np.ndarray) -> np.ndarray:
    """(images,) the number of each position, from the lowest; those within a tenth of the step between slices are one."""
    order = np.argsort(positions, kind="stable")
    steps = np.diff(positions[order]) > _same_within(positions[order])
    ranks = np.concatenate([[0], np.cumsum(steps)]) if len(order) else np.zeros(0, int)
    numbers = np.empty(len(positions), int)
    numbers[order] = ranks
    return numbers


def _same_within(ascending: np.ndarray) -> float:
    """What two positions may differ by and be one, mm."""
    steps = np.diff(ascending)
    apart = steps[steps > SAME_POSITION_MM / 10]
    if not len(apart):
        return SAME_POSITION_MM
    usual = float(np.median(apart[apart > 0.3 * np.percentile(apart, 95)]))
    return TOLERANCE * usual


def plane_of(instances: pd.DataFrame) -> Plane:
    """The plane of a series. Raises Unsplit where its images do not lie in one plane, one above the other.

    instances: place, orientation and matrix of each, row_spacing_mm and column_spacing_mm of the series.
    """
    if instances["orientation"].isna().any() or instances[["x_mm", "y_mm", "z_mm"]].isna().any(axis=None):
        raise Unsplit("images without position or orientation")
    if (by_orientation(instances) > 0).any():
        raise Unsplit("images of several orientations in one series")
    shapes = Counter(
        zip(instances["n_rows"].fillna(1).astype(int), instances["n_columns"].fillna(1).astype(int), strict=True)
    )
    if len(shapes) > 1:
        raise Unsplit(f"images of several matrices in one series: {', '.join(f'{r} x {c}' for r, c in sorted(shapes))}")
    row, column = directions_of(common_direction(instances["orientation"]))
    places = instances[["x_mm", "y_mm", "z_mm"]].to_numpy(float)
    spacing = tuple(_spacing(instances, name) for name in ("row_spacing_mm", "column_spacing_mm"))
    plane = Plane(
        row, column, (spacing[0], spacing[1]), next(iter(shapes)), places[np.argsort(places @ np.cross(row, column))[0]]
    )
    at = plane.in_pixels(places)
    off = np.abs(at - np.median(at, axis=0))
    if (off > TOLERANCE).any():
        n_off = int((off > TOLERANCE).any(axis=1).sum())
        furthest = float(np.linalg.norm(off * np.array(spacing), axis=1).max())
        raise Unsplit(f"{n_off} of {len(off)} images lie beside the others of their series, by up to {furthest:.2f} mm")
    return plane


def _spacing(instances: pd.DataFrame, name: str) -> float:
    values = instances[name].dropna() if name in instances else ()
    return float(values.iloc[0]) if len(values) else 1.0


def beside(one: Plane, other: Plane) -> str | None:
    """What keeps the pixels of one series from lying on those of another, with how much; None where they do."""
    if one.shape != other.shape:
        return f"{one.shape[0]} x {one.shape[1]} and {other.shape[0]} x {other.shape[1]} pixels"
    corners = other.in_pixels(one.corners()) - other.in_pixels(other.corners())
    across = (one.corners() - one.origin) @ other.normal
    off = np.linalg.norm(corners * np.array(other.spacing), axis=1).max()
    tilt = np.abs(across).max()
    if (np.abs(corners) <= TOLERANCE).all() and tilt <= TOLERANCE * min(other.spacing):
        return None
    shift = ", ".join(f"{v:.1f}" for v in np.round(corners.mean(axis=0), 3))
    return f"{max(off, tilt):.2f} mm off at the furthest corner (rows, columns: {shift} pixels)"


def unevenness(positions: list[float]) -> str | None:
    """What keeps slices from lying at even steps, within the tolerance; None where they do."""
    n = len(positions)
    if n < 3:
        return None
    step = (positions[-1] - positions[0]) / (n - 1)
    off = np.abs(np.array(positions) - (positions[0] + step * np.arange(n)))
    if (off <= TOLERANCE * step).all():
        return None
    steps = np.diff(positions)
    usual, widest = float(np.median(steps)), int(np.argmax(steps))
    if steps[widest] > 1.5 * usual:
        missing = round(float(steps[widest]) / usual) - 1
        n_wide = int((steps > 1.5 * usual).sum())
        more = f", and {n_wide - 1} more gaps" if n_wide > 1 else ""
        return (
            f"gap: {missing} slice{' is' if missing == 1 else 's are'} missing between {positions[widest]:g} and "
            f"{positions[widest + 1]:g} mm{more}; the others lie {usual:g} mm apart"
        )
    return f"uneven slices: steps of {float(steps.min()):g} to {float(steps.max()):g} mm"
