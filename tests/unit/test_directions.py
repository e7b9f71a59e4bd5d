"""Directions of images: all digits of a header count, noise in the last ones does not."""

from __future__ import annotations

import numpy as np
import pytest

from ingest.imaging.elements import SERIES
from tshdb.images.directions import are_one_direction, common_direction, directions_of
from tshdb.images.series_grid import grid_of_images

TURNED = "-0.2459320777377\\0.96187629867695\\0.11963026031541\\0.15711812704387\\0.16134858553444\\-0.9743102832774"
FACTS = {"row_spacing_mm": 0.7, "column_spacing_mm": 0.7, "slice_thickness_mm": 2.0}


def test_a_header_keeps_its_digits_in_one_spelling():
    """To six digits, as they were kept, a corner 180 mm away moves by 1e-4 mm, and a step between slices by 1e-6 of itself."""
    _, convert = SERIES["orientation"]
    assert convert(TURNED) == TURNED
    assert convert("-0\\1.000000\\0.0\\ 0 \\0\\-1.0") == "0\\1\\0\\0\\0\\-1"
    assert convert("1.00000000000000\\1e-15\\0\\0\\1\\0") == "1\\1e-15\\0\\0\\1\\0"


def test_directions_are_unit_vectors_at_right_angles_whatever_digits_were_written():
    exact = np.array([float(v) for v in TURNED.split("\\")])
    for digits in (3, 6, 14):
        row, column = directions_of("\\".join(f"{v:.{digits}f}" for v in exact))
        assert abs(row @ row - 1) < 1e-15 and abs(column @ column - 1) < 1e-15 and abs(row @ column) < 1e-15
        assert np.abs(np.concatenate([row, column]) - exact).max() < 10.0**-digits + 1e-12
    assert [v.tolist() for v in directions_of("0\\1\\0\\0\\0\\-1")] == [[0, 1, 0], [0, 0, -1]]
    assert [v.tolist() for v in directions_of("1\\0\\0\\0.5\\0.5\\0")] == [
        [1, 0, 0],
        [0.5, 0.5, 0],
    ]  # sheared: as it stands


def _images(texts: list[str]) -> list[dict]:
    return [
        {"orientation": text, "x_mm": 0.0, "y_mm": 0.0, "z_mm": 2.0 * i, "n_rows": 256, "n_columns": 256}
        for i, text in enumerate(texts)
    ]


@pytest.mark.parametrize(("noise", "is_one"), [(1e-9, True), (1e-6, True), (3e-4, True), (1e-3, False)])
def test_a_stack_has_one_direction_within_a_tenth_of_a_voxel_at_its_far_corner(noise, is_one):
    """0.1 voxel of 256: 3.9e-4."""
    usual, other = "1\\0\\0\\0\\1\\0", f"1\\{noise}\\0\\0\\1\\0"
    assert are_one_direction(usual, other, 256) is is_one
    grid = grid_of_images(_images([other, usual, usual, other, usual]), FACTS)
    assert (grid is not None) is is_one
    assert not is_one or (grid.row == (1, 0, 0) and grid.spacing_mm == (2.0, 0.7, 0.7))
    assert common_direction([other, usual]) == min(other, usual)
