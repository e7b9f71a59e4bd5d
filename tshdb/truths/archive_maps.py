"""A parametric map that came with the images (PE, SER), as one number an examination. Read from the files; nothing is stored.

measure    volume_ml, the volume of the voxels above a bound; mean, median, of their values
region     tumor: of the voxels of the study's own tumour mask alone, each taken where its middle lies in the map

Why there is no number (another examination has no such series, a file is gone, slices are no stack) stands beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from sqlalchemy import select

from tshdb.database import reading
from tshdb.errors import InvalidInput, NotFound
from tshdb.geometry import Grid
from tshdb.images.directions import common_direction, directions_of
from tshdb.images.known_bytes import PixelsGone
from tshdb.images.pixels import Image, read_volume
from tshdb.images.series_grid import grid_of_images
from tshdb.objects import VOXELS
from tshdb.schema import ImagingInstance, ImagingSeries, ImagingStudy, TumorMask

if TYPE_CHECKING:
    from tshdb.study import Study

MEASURES = {
    "volume_ml": lambda values, grid: len(values) * grid.voxel_ml,
    "mean": lambda values, grid: float(values.mean()) if len(values) else None,
    "median": lambda values, grid: float(np.median(values)) if len(values) else None,
}
_INSTANCES, _SERIES = ImagingInstance.__table__, ImagingSeries.__table__


class MapValue(NamedTuple):
    """What a map says of one examination, or why it says nothing."""

    study_uid: str
    patient_id: str
    time_point: str | None
    value: float | None
    reason: str | None = None


def map_values(
    study: Study, pattern: str, measure: str, above: float, in_tumor: bool, where: str
) -> Iterator[MapValue]:
    """One for each examination that has a series whose description fits the pattern (* and ?, upper or lower case).

    Raises NotFound where none has, and InvalidInput where one has several.
    """
    with reading(study.engine) as connection:
        query = select(ImagingSeries.series_uid, ImagingSeries.description, ImagingStudy.study_uid, ImagingStudy.patient_id,
                       ImagingStudy.time_point).join(ImagingStudy, ImagingStudy.study_uid == ImagingSeries.study_uid)  # fmt: skip
        rows = connection.execute(query.where(ImagingSeries.n_without_pixels == 0).order_by(ImagingSeries.series_uid))
        series = [row for row in rows if fnmatchcase((row.description or "").casefold(), pattern.casefold())]
        masks = {}
        if in_tumor:
            of_tumors = connection.execute(select(TumorMask.study_uid, TumorMask.object_id))
            masks = {uid: object_id for uid, object_id in of_tumors}
    if not series:
        raise NotFound(
            f"no series '{pattern}' with pixels", where=where, repair="tshdb sql 'from imaging_series' lists them"
        )
    seen: dict[str, str] = {}
    for row in series:
        description = row.description or ""
        if row.study_uid in seen:
            raise InvalidInput(
                f"two series of {row.patient_id} fit '{pattern}': {seen[row.study_uid]}, {description}", where=where,
                repair="Say more of the description",
            )  # fmt: skip
        seen[row.study_uid] = description
    for row in series:
        mask = None
        if (object_id := masks.get(row.study_uid)) is not None:
            mask = str(study.objects.verified(object_id, VOXELS))
        found: tuple[float | None, str | None] = (None, "no mask of the tumour")
        if mask is not None or not in_tumor:
            found = _value(study, row.series_uid, measure, above, mask)
        yield MapValue(row.study_uid, row.patient_id, row.time_point, *found)


def _value(
    study: Study, series_uid: str, measure: str, above: float, mask: str | None
) -> tuple[float | None, str | None]:
    """(the number, why there is none) of one series. mask: the file of the voxels that alone count."""
    with reading(study.engine) as connection:
        of_series = _SERIES.c.series_uid == series_uid
        facts = dict(connection.execute(select(_SERIES).where(of_series)).mappings().one())
        query = select(_INSTANCES).where(_INSTANCES.c.series_uid == series_uid)
        images = [dict(row) for row in connection.execute(query).mappings()]
    grid = grid_of_images(images, facts)
    if grid is None or len(images) != grid.shape[0]:
        return None, "the series is no stack of slices"
    try:
        volume = read_volume(_in_order(study, images))
    except PixelsGone as gone:
        return None, str(gone)
    values = volume.ravel() if mask is None else _inside(volume, grid, mask)
    if not len(values):
        return None, "the tumour lies outside of the map"
    return MEASURES[measure](values[values > above], grid), None


def _in_order(study: Study, images: Sequence[Mapping[str, Any]]) -> list[Image]:
    """The images from slice to slice, as `grid_of_images` counts them."""
    normal = np.cross(*directions_of(common_direction([i["orientation"] for i in images])))
    along = np.array([[i["x_mm"], i["y_mm"], i["z_mm"]] for i in images], float) @ normal
    return [
        Image(str(study.paths.at(images[i]["path"])), images[i]["sha256"], images[i]["frame_number"])
        for i in np.argsort(along, kind="stable")
    ]


def _inside(volume: np.ndarray, grid: Grid, mask: str) -> np.ndarray:
    """The values of the map at the middles of a mask's voxels, of those that lie in it."""
    import SimpleITK as sitk

    image = sitk.ReadImage(mask)
    index = np.argwhere(sitk.GetArrayFromImage(image) > 0)[:, ::-1]  # columns, rows, slices
    axes = np.array(image.GetDirection()).reshape(3, 3)
    places = np.array(image.GetOrigin()) + (index * np.array(image.GetSpacing())) @ axes.T
    offset = places - np.array(grid.origin_mm)
    at = np.stack(
        [offset @ np.array(axis) / step for axis, step in zip(grid.axes, grid.spacing_mm, strict=True)], axis=1
    )
    nearest = np.round(at).astype(int)
    is_there = ((nearest >= 0) & (nearest < np.array(grid.shape))).all(axis=1)
    return volume[tuple(nearest[is_there].T)]
