"""Masks and phases on one grid: helpers without a database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tshdb.geometry import Grid, placed

if TYPE_CHECKING:
    import pandas as pd


class File(NamedTuple):
    """One slice of one phase."""

    sop_uid: str
    path: str
    sha256: str
    instance_number: int


def grid_of_phases(
    slices: pd.DataFrame, instances: pd.DataFrame, series: pd.DataFrame
) -> tuple[Grid, list[list[File]]]:
    """(the grid of an examination's phases, the files of every phase in the order of its slices).

    slices, instances, series: rows of dce_slices, imaging_instances and imaging_series of one examination.
    """
    table = slices.merge(
        instances[["sop_uid", "path", "sha256", "instance_number", "x_mm", "y_mm", "z_mm", "orientation", "series_uid",
                   "n_rows", "n_columns"]],
        on="sop_uid", validate="one_to_one",
    ).sort_values(["phase_index", "slice_index"])  # fmt: skip
    first = table[table["phase_index"] == 0]
    numbers = [float(part) for part in first["orientation"].iloc[0].split("\\")]
    row, column = np.array(numbers[:3]), np.array(numbers[3:])
    normal = np.cross(row, column)
    places = first[["x_mm", "y_mm", "z_mm"]].to_numpy(float)
    steps = np.diff(places @ normal)
    facts = series[series["series_uid"] == first["series_uid"].iloc[0]].iloc[0]
    step = float(np.median(steps)) if len(steps) else float(facts["slice_thickness_mm"])
    shape = (len(first), int(first["n_rows"].iloc[0]), int(first["n_columns"].iloc[0]))
    grid = Grid(
        shape, (step, float(facts["row_spacing_mm"]), float(facts["column_spacing_mm"])), tuple(places[0].tolist()),
        tuple(row.tolist()), tuple(column.tolist()), tuple(normal.tolist()),
    )  # fmt: skip
    files = [
        [File(r.sop_uid, r.path, r.sha256, int(r.instance_number or 0)) for r in phase.itertuples()]
        for _, phase in table.groupby("phase_index", sort=True)
    ]
    return grid, files


def read_mask(path: str) -> np.ndarray:
    """The voxels of a segmentation's object, (slices, rows, columns)."""
    import SimpleITK as sitk

    return sitk.GetArrayFromImage(sitk.ReadImage(str(path)))


def on_images(segmentation: Any, grid: Grid, files: list[list[File]]) -> np.ndarray:
    """The values of a segmentation on the images' grid. Raises ValueError where it does not lie on them.

    segmentation: a row of segmentations with object_path. A .les counts slices in the order of the files.
    """
    values = read_mask(segmentation.object_path)
    if segmentation.format != "les":
        return placed(values, Grid.of_text(segmentation.grid), grid)
    box = Grid.of_text(segmentation.grid)
    x, y, z = (round(v) for v in box.origin_mm)
    n_slices, n_rows, n_columns = values.shape
    if z + n_slices > grid.shape[0] or y + n_rows > grid.shape[1] or x + n_columns > grid.shape[2]:
        raise ValueError(
            f"the box ends at slice {z + n_slices}, row {y + n_rows}, column {x + n_columns}; the images have {grid.shape}"
        )
    in_order = np.argsort([f.instance_number for f in files[0]], kind="stable")
    out = np.zeros(grid.shape, values.dtype)
    for i in range(n_slices):
        out[in_order[z + i], y : y + n_rows, x : x + n_columns] = values[i]
    return out
