"""Where a stack of slices lies in the patient: plain arithmetic, no imaging library.

Coordinates are DICOM's (left, posterior, superior; mm). A grid is (slices, rows, columns); its directions are unit vectors:
`row` along a row (to the next column), `column` along a column (to the next row), `normal` to the next slice.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

TOLERANCE = (
    0.1  # of a step from voxel to voxel: two grids fit if no corner is further off, in the image's index coordinates
)
ACROSS = 0.7  # the cosine from which on an axis runs along another: of three axes at right angles one alone can


@dataclass(frozen=True)
class Grid:
    """shape: slices, rows, columns; spacing_mm: between slices, rows, columns; origin_mm: middle of the first voxel."""

    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    origin_mm: tuple[float, float, float]
    row: tuple[float, float, float]
    column: tuple[float, float, float]
    normal: tuple[float, float, float]

    @property
    def voxel_ml(self) -> float:
        return float(np.prod(self.spacing_mm)) / 1000

    def at(self, slices: float, rows: float, columns: float) -> np.ndarray:
        """The place of a voxel, mm."""
        steps = (
            slices * self.spacing_mm[0] * np.array(self.normal)
            + rows * self.spacing_mm[1] * np.array(self.column)
            + columns * self.spacing_mm[2] * np.array(self.row)
        )
        return np.array(self.origin_mm) + steps

    def index_of(self, place: np.ndarray) -> np.ndarray:
        """The (slice, row, column) of a place, not rounded."""
        offset = np.asarray(place) - np.array(self.origin_mm)
        axes = (self.normal, self.column, self.row)
        return np.array([offset @ np.array(axis) / step for axis, step in zip(axes, self.spacing_mm, strict=True)])

    @property
    def axes(self) -> tuple[tuple[float, float, float], ...]:
        """The directions in which slices, rows and columns are counted."""
        return self.normal, self.column, self.row

    def corners(self) -> np.ndarray:
        """(8, 3) the indices of the first and last voxel along each axis."""
        ends = [(0, n - 1) for n in self.shape]
        return np.array([(i, j, k) for i in ends[0] for j in ends[1] for k in ends[2]], float)

    def with_axes(self, order: Sequence[int]) -> Grid:
        """The same voxels, counted with the axes in another order: the new first axis is the old one of number order[0]."""
        shape, spacing, axes = self.shape, self.spacing_mm, self.axes
        s, r, c = order
        return Grid(
            (shape[s], shape[r], shape[c]), (spacing[s], spacing[r], spacing[c]), self.origin_mm,
            row=axes[c], column=axes[r], normal=axes[s],
        )  # fmt: skip

    def text(self) -> str:
        """Canonical JSON."""
        facts = {
            name: list(map(float, getattr(self, name)))
            for name in ("spacing_mm", "origin_mm", "row", "column", "normal")
        }
        return json.dumps({"shape": list(map(int, self.shape)), **facts}, sort_keys=True)

    @classmethod
    def of_text(cls, text: str) -> Grid:
        facts = json.loads(text)
        return cls(**{name: tuple(value) for name, value in facts.items()})


def differences(mask: Grid, image: Grid) -> list[str]:
    """What keeps a mask's voxels from being voxels of the image, with how much; empty where each is one.

    Each of the mask's eight corners must lie within TOLERANCE of a voxel's middle of the image, the same steps apart as in the
    mask. A mask that covers a part of the image, whose axes run the other way, or stand in another order, is no difference.
    """
    order = axes_order(mask, image)
    if order is None:
        return [f"turned by {_largest_angle(mask, image):.1f} degrees"]
    ordered = mask.with_axes(order)
    off = corners_off(ordered, image)
    if (np.abs(off) > TOLERANCE).any():
        furthest = float(np.linalg.norm(off * np.array(image.spacing_mm), axis=1).max())
        return [f"{furthest:.2f} mm off at the furthest corner ({_in_words(ordered, image, off)})"]
    first, last = (
        np.array([image.index_of(ordered.at(*corner)) for corner in ordered.corners()[i]]) for i in ([0], [-1])
    )
    low, high = np.minimum(first, last)[0], np.maximum(first, last)[0]
    if (high < -0.5).any() or (low > np.array(image.shape) - 0.5).any():
        return ["outside of the image"]
    return []


def axes_order(mask: Grid, image: Grid) -> tuple[int, int, int] | None:
    """Which of the mask's axes runs along each of the image's; None where one runs along none."""
    cosines = np.abs(np.array(image.axes) @ np.array(mask.axes).T)
    order = [int(i) for i in cosines.argmax(axis=1)]
    if sorted(order) != [0, 1, 2] or cosines.max(axis=1).min() < ACROSS:
        return None
    return order[0], order[1], order[2]


def corners_off(mask: Grid, image: Grid) -> np.ndarray:
    """(8, 3) how far each corner of the mask is from where it would be if its voxels were the image's, in voxels of the image.

    The mask's axes stand in the image's order.
    """
    steps = np.array([1 if np.dot(a, b) > 0 else -1 for a, b in zip(mask.axes, image.axes, strict=True)])
    corners = mask.corners()
    at = np.array([image.index_of(mask.at(*corner)) for corner in corners])
    return at - (np.round(at[0]) + corners * steps)


def _largest_angle(mask: Grid, image: Grid) -> float:
    cosines = np.abs(np.array(image.axes) @ np.array(mask.axes).T).max(axis=1)
    return float(np.degrees(np.arccos(np.clip(cosines.min(), 0, 1))))


def _in_words(mask: Grid, image: Grid, off: np.ndarray) -> str:
    """What of spacing, direction and place differs most, for a person."""
    words = [
        f"{name} spacing {mine:g} mm, the image's is {its:g} mm"
        for name, mine, its, n in zip(
            ("slice", "row", "column"), mask.spacing_mm, image.spacing_mm, mask.shape, strict=True
        )
        if abs(mine - its) * (n - 1) > TOLERANCE * its
    ]
    angle = _largest_angle(mask, image)
    if angle >= 0.01:
        words.append(f"turned by {angle:.2g} degrees")
    if not words:
        worst = ", ".join(f"{d * step:.2f}" for d, step in zip(np.abs(off).max(axis=0), image.spacing_mm, strict=True))
        words.append(f"voxels lie between the image's: slice, row, column {worst} mm off")
    return "; ".join(words)


def placed(values: np.ndarray, mask: Grid, image: Grid) -> np.ndarray:
    """A mask's values on the image's grid, 0 where it does not reach. Raises ValueError where `differences` finds some.

    values: of shape mask.shape. What of the mask lies outside the image must be 0, else it is an error as well.
    """
    wrong = differences(mask, image)
    order = axes_order(mask, image)
    if wrong or order is None:
        raise ValueError("; ".join(wrong))
    ordered, values = mask.with_axes(order), values.transpose(order)
    steps = [1 if np.dot(a, b) > 0 else -1 for a, b in zip(ordered.axes, image.axes, strict=True)]
    corner = np.round(image.index_of(np.array(ordered.origin_mm))).astype(int)
    out = np.zeros(image.shape, values.dtype)
    where = np.nonzero(values)
    index = [corner[i] + steps[i] * where[i] for i in range(3)]
    inside = np.ones(len(where[0]), bool)
    for i in range(3):
        inside &= (index[i] >= 0) & (index[i] < image.shape[i])
    if not inside.all():
        raise ValueError(f"{int((~inside).sum()):,} of {len(inside):,} voxels lie outside of the image")
    out[tuple(index)] = values[where]
    return out
