"""Masks and phases on one grid: helpers without a database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tshdb.geometry import Grid, placed
from tshdb.images.directions import common_direction, directions_of
from tshdb.images.pixels import Image

if TYPE_CHECKING:
    import pandas as pd

IMAGE = ["sop_uid", "frame_number"]  # what names an image: a file, or one frame of an enhanced one


CUT = "cut by the view: "  # how the flag of a region begins that goes on beyond the images


def cut_flag(inside: np.ndarray) -> str | None:
    """What is to be said of a region that touches the border of the view. inside: (slices, rows, columns)."""
    ends = [
        f"{end} {name}"
        for axis, name in enumerate(("slice", "row", "column"))
        if inside.shape[axis] > 1
        for end, at in (("first", 0), ("last", -1))
        if inside.take(at, axis=axis).any()
    ]
    return f"{CUT}it touches the {', '.join(ends)}, and may go on beyond" if ends else None


class File(NamedTuple):
    """One slice of one phase. image: where its pixels are, for `read_volume`."""

    sop_uid: str
    image: Image
    instance_number: int


def grid_of_phases(
    slices: pd.DataFrame, instances: pd.DataFrame, series: pd.DataFrame
) -> tuple[Grid, list[list[File]]]:
    """(the grid of an examination's phases, the files of every phase in the order of its slices).

    slices, instances, series: rows of dce_slices, imaging_instances and imaging_series of one examination.
    """
    table = slices.merge(
        instances[[*IMAGE, "path", "sha256", "rescale_slope", "rescale_intercept", "instance_number", "x_mm", "y_mm",
                   "z_mm", "orientation", "series_uid", "n_rows", "n_columns"]],
        on=IMAGE, validate="one_to_one",
    ).sort_values(["phase_index", "slice_index"])  # fmt: skip
    first = table[table["phase_index"] == 0]
    row, column = directions_of(common_direction(first["orientation"]))
    normal = np.cross(row, column)
    places = first[["x_mm", "y_mm", "z_mm"]].to_numpy(float)
    steps = np.diff(places @ normal)
    facts = series[series["series_uid"] == first["series_uid"].iloc[0]].iloc[0]
    step = float(steps.mean()) if len(steps) else float(facts["slice_thickness_mm"])
    shape = (len(first), int(first["n_rows"].iloc[0]), int(first["n_columns"].iloc[0]))
    grid = Grid(
        shape, (step, float(facts["row_spacing_mm"]), float(facts["column_spacing_mm"])), tuple(places[0].tolist()),
        tuple(row.tolist()), tuple(column.tolist()), tuple(normal.tolist()),
    )  # fmt: skip
    files = [
        [
            File(r.sop_uid, Image(r.path, r.sha256, r.frame_number), int(r.instance_number or 0))
            for r in phase.itertuples()
        ]
        for _, phase in table.groupby("phase_index", sort=True)
    ]
    return grid, files


def image_of(row: Any) -> Image:
    """Where the pixels of a row of imaging_instances are, and what they are rescaled by."""
    slope, intercept = (None if v is None or v != v else float(v) for v in (row.rescale_slope, row.rescale_intercept))
    return Image(row.path, row.sha256, int(row.frame_number), (slope or 1.0, intercept or 0.0))


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
