"""Directions in which rows and columns run, as ImageOrientationPatient says them: six cosines joined by \\.

Headers have them with as many digits as somebody wrote, and from slice to slice with noise in the last ones. What moves no corner
of an image by more than the tolerance (`tshdb.geometry.TOLERANCE`, in voxels) is one direction, that which most images have.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

from tshdb.geometry import TOLERANCE

ROUNDED = 1e-3  # cosines that are off by less were meant to be of unit length and at right angles


def directions_of(text: str) -> tuple[np.ndarray, np.ndarray]:
    """(row, column): unit vectors at right angles, where the cosines are that but for their digits; else as they stand."""
    numbers = np.array([float(part) for part in str(text).split("\\")])
    row, column = numbers[:3], numbers[3:]
    off = np.abs([row @ row - 1, column @ column - 1, row @ column])
    if off.max() > ROUNDED:
        return row, column
    row = row / np.linalg.norm(row)
    column = column - (column @ row) * row
    return row + 0.0, column / np.linalg.norm(column) + 0.0


def are_one_direction(one: str, other: str, n_pixels: int) -> bool:
    """Whether two orientations differ by no more than the tolerance at the far corner of an image of so many pixels a side."""
    if one == other:
        return True
    pairs = zip(directions_of(one), directions_of(other), strict=True)
    return all(float(np.linalg.norm(a - b)) * n_pixels <= TOLERANCE for a, b in pairs)


def common_direction(texts: Iterable[str]) -> str:
    """What most images say; of as many the first in the order of letters."""
    counted = Counter(texts)
    return min(counted, key=lambda t: (-counted[t], t))
