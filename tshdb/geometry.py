"""Where a stack of slices lies in the patient: plain arithmetic, no imaging library.

Coordinates are DICOM's (left, posterior, superior; mm). A grid is (slices, rows, columns); its directions are unit vectors:
`row` along a row (to the next column), `column` along a column (to the next row), `normal` to the next slice.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np

TOLERANCE_MM = 0.05
TOLERANCE_DIRECTION = 1e-3


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

    A mask that covers a part of the image, or is turned end to end, is no difference.
    """
    texts = []
    for name, of_mask, of_image in (
        ("slice", mask.spacing_mm[0], image.spacing_mm[0]),
        ("row", mask.spacing_mm[1], image.spacing_mm[1]),
        ("column", mask.spacing_mm[2], image.spacing_mm[2]),
    ):
        if abs(of_mask - of_image) > 0.01 * of_image and not (name == "slice" and mask.shape[0] == 1):
            texts.append(f"{name} spacing {of_mask:g} mm, the image's is {of_image:g} mm")
    for name in ("row", "column", "normal"):
        cosine = float(np.dot(getattr(mask, name), getattr(image, name)))
        if abs(abs(cosine) - 1) > TOLERANCE_DIRECTION:
            angle = float(np.degrees(np.arccos(np.clip(abs(cosine), 0, 1))))
            texts.append(f"{name} direction turned by {angle:.1f} degrees")
    if texts:
        return texts
    corner = image.index_of(np.array(mask.origin_mm))
    shift = np.abs(corner - np.round(corner)) * np.array(image.spacing_mm)
    if (shift > TOLERANCE_MM).any():
        worst = ", ".join(f"{s:.2f}" for s in shift)
        texts.append(f"voxels lie between the image's (slice, row, column: {worst} mm off)")
    other = image.index_of(mask.at(*(n - 1 for n in mask.shape)))
    low, high = np.minimum(corner, other), np.maximum(corner, other)
    if (high < -0.5).any() or (low > np.array(image.shape) - 0.5).any():
        texts.append("outside of the image")
    return texts


def placed(values: np.ndarray, mask: Grid, image: Grid) -> np.ndarray:
    """A mask's values on the image's grid, 0 where it does not reach. Raises ValueError where `differences` finds some.

    values: of shape mask.shape. What of the mask lies outside the image must be 0, else it is an error as well.
    """
    wrong = differences(mask, image)
    if wrong:
        raise ValueError("; ".join(wrong))
    corner = np.round(image.index_of(np.array(mask.origin_mm))).astype(int)
    axes = zip((mask.normal, mask.column, mask.row), (image.normal, image.column, image.row), strict=True)
    steps = [1 if np.dot(a, b) > 0 else -1 for a, b in axes]
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
