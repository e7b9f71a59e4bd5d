"""A geometry that was refused, as grids that can be drawn: from positions, spacing and directions, without a pixel.

A grid is drawn by its slices, a slice by the middles of its corner pixels: differences are measured between these. What is
furthest off is marked with its distance, by the rules by which it was refused (`tshdb.geometry`, `tshdb.images.stacks`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tshdb.geometry import TOLERANCE, Grid, axes_order, corners_off, differences
from tshdb.images.series_grid import corners, is_same_stack

HOLDS, REFUSED, LEFT_OUT, MISSING = (
    "holds",
    "refused",
    "left_out",
    "missing",
)  # what the lines mean: tshdb.figures.palette


@dataclass(frozen=True)
class Outline:
    """Slices of one grid, or some of them.

    name: whose; meaning: HOLDS, REFUSED, LEFT_OUT or MISSING; slices: (n, 4, 3) mm, the corner pixels' middles in a ring:
    first, last of the first row, last of all, first of the last row; shape: rows, columns.
    """

    name: str
    meaning: str
    slices: np.ndarray
    shape: tuple[int, int]

    def facts(self) -> list[tuple[str, str]]:
        """What a person compares: matrix, steps, place of the first voxel, directions."""
        rows, columns = self.shape
        along_row, along_column = self.slices[0, 1] - self.slices[0, 0], self.slices[0, 3] - self.slices[0, 0]
        steps = [_length(along_column) / max(rows - 1, 1), _length(along_row) / max(columns - 1, 1)]
        apart = np.linalg.norm(np.diff(self.slices[:, 0], axis=0), axis=1)
        between = f"{np.median(apart):.4g}" if len(apart) else "-"
        return [
            ("slices x rows x columns", f"{len(self.slices)} x {rows} x {columns}"),
            ("mm between them", f"{between} x {steps[0]:.4g} x {steps[1]:.4g}"),
            ("first voxel, mm", ", ".join(f"{v:.2f}" for v in self.slices[0, 0])),
            ("along a row", _direction(along_row)),
            ("along a column", _direction(along_column)),
        ]


@dataclass(frozen=True)
class Mark:
    """What is furthest off: from where it would fit to where it is (3,) mm, and what that is called."""

    start: np.ndarray
    end: np.ndarray
    words: str

    @property
    def mm(self) -> float:
        return _length(self.end - self.start)

    @property
    def text(self) -> str:
        return f"{self.mm:.2f} mm: {self.words}"


@dataclass(frozen=True)
class Refusal:
    """What was refused. key: phases, or the segmentation; said: the database's words, measured: those of the positions.

    axes: (3, 3) unit vectors along the rows, the columns and the normal of the images, in which it is drawn.
    """

    key: str
    title: str
    said: str
    measured: str
    outlines: tuple[Outline, ...]
    mark: Mark | None
    axes: np.ndarray
    repair: str | None = None


def of_mask(segmentation: Any, mask: Any, image: Grid) -> Refusal | None:
    """A mask that does not lie on the images; None where no place of it is to blame.

    segmentation, mask: its rows of segmentations and masks.
    """
    own = _grid_of(segmentation, image)
    measured, mark = apart(own, image)
    if mark is None:
        return None
    name = f"{segmentation.region} ({segmentation.kind})"
    outlines = (of_grid("the images", HOLDS, image), of_grid(f"the mask: {name}", REFUSED, own))
    said = next((text for text in (mask.differences, mask.qc_flags) if isinstance(text, str) and text), measured)
    repair = mask.repair if isinstance(mask.repair, str) else None
    file = segmentation.path if isinstance(segmentation.path, str) else segmentation.segmentation_id
    title = f"the mask {file}, label {segmentation.segment}, does not lie on the images"
    return Refusal(segmentation.segmentation_id, title, said, measured, outlines, mark, axes_of(image), repair)


def apart(mask: Grid, image: Grid) -> tuple[str, Mark | None]:
    """(what keeps a mask off the images, and its mark); no mark where each of its voxels is one of theirs, or may be."""
    wrong = "; ".join(differences(mask, image))
    order = axes_order(mask, image)
    if order is None:
        return wrong, _to_nearest_corner(mask, image, "its furthest corner from the nearest of the images'")
    ordered = mask.with_axes(order)
    off = corners_off(ordered, image)
    if (np.abs(off) > TOLERANCE).any():
        worst = int(np.linalg.norm(off * np.array(image.spacing_mm), axis=1).argmax())
        end = ordered.at(*ordered.corners()[worst])
        at = image.index_of(end)
        return wrong, Mark(image.at(*(at - off[worst])), end, "the furthest corner, from the nearest voxel that fits")
    if mask.shape == image.shape and not is_same_stack(mask, image):
        mark = _to_nearest_corner(mask, image, "a whole number of voxels beside the images")
        return wrong or f"as large as the images, and {mark.mm:.2f} mm beside them", mark
    return wrong, _beyond(ordered, image)


def _to_nearest_corner(mask: Grid, image: Grid, words: str) -> Mark:
    """The corner of the mask that is furthest from every corner of the images."""
    mine, theirs = corners(mask), corners(image)
    distances = np.linalg.norm(mine[:, None] - theirs[None], axis=2)
    worst = int(distances.min(axis=1).argmax())
    return Mark(theirs[int(distances[worst].argmin())], mine[worst], words)


def _beyond(mask: Grid, image: Grid) -> Mark | None:
    """How far the mask goes beyond the images; None where it does not."""
    ends = np.array([image.index_of(mask.at(*corner)) for corner in mask.corners()])
    inside = np.clip(ends, 0, np.array(image.shape) - 1)
    distances = np.linalg.norm((ends - inside) * np.array(image.spacing_mm), axis=1)
    worst = int(distances.argmax())
    if distances[worst] <= TOLERANCE * min(image.spacing_mm):
        return None
    return Mark(image.at(*inside[worst]), image.at(*ends[worst]), "beyond the view of the images")


def _grid_of(segmentation: Any, image: Grid) -> Grid:
    """Where a mask lies; a .les counts voxels of the images."""
    own = Grid.of_text(segmentation.grid)
    if segmentation.format != "les":
        return own
    x, y, z = own.origin_mm
    return Grid(own.shape, image.spacing_mm, tuple(image.at(z, y, x).tolist()), image.row, image.column, image.normal)


def of_grid(name: str, meaning: str, grid: Grid) -> Outline:
    """All slices of a grid."""
    n, rows, columns = grid.shape
    ring = [(0, 0), (0, columns - 1), (rows - 1, columns - 1), (rows - 1, 0)]
    slices = np.array([[grid.at(i, r, c) for r, c in ring] for i in range(n)])
    return Outline(name, meaning, slices, (rows, columns))


def axes_of(grid: Grid) -> np.ndarray:
    """(3, 3) unit vectors along the rows, the columns and the normal."""
    return np.array([grid.row, grid.column, grid.normal], float)


def _length(vector: np.ndarray) -> float:
    return float(np.linalg.norm(vector))


def _direction(vector: np.ndarray) -> str:
    length = _length(vector)
    return ", ".join(f"{v / length + 0.0:.4f}" for v in vector) if length else "-"
