"""A simulated patient in every dialect: what was planted, and what a study finds of it, voxel by voxel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import SimpleITK as sitk

from ingest.simulate.deliveries import DELIVERIES
from ingest.simulate.enhanced_layouts import ALL
from ingest.simulate.examinations import planted
from ingest.simulate.outlines import OUTLINES
from ingest.simulate.study import write_study
from ingest.simulate.subjects import COLLECTION, Effects, Role, SimulationSettings, subject
from tests.support import tiny
from tests.support.program import run_quick
from tshdb.geometry import Grid
from tshdb.images.pixels import read_volume

IMAGES = ("series_roles", "dce_sets", "dce_slices", "dce_phases", "masks")
REGIONS = (*IMAGES, "prepared_images", "breast_masks", "lesions", "tumor_masks", "stroma_bands")
FEATURES = (*REGIONS, "radiomic_features")
MASKS = (
    "SELECT s.segmentation_id, s.format, s.object_id, s.grid, m.status, m.qc_flags FROM segmentations s "
    "JOIN masks m USING (segmentation_id) WHERE s.is_outline"
)
SLICES = (
    "SELECT phase_index, slice_index, path, sha256, frame_number, rescale_slope, rescale_intercept, x_mm, y_mm, z_mm "
    "FROM dce_slices JOIN imaging_instances USING (sop_uid, frame_number) ORDER BY 1, 2"
)


class Found(NamedTuple):
    """An examination. tumor, phases: (slices, rows, columns) on the grid that was scanned; regions, features: of tables."""

    tumor: np.ndarray
    phases: list[np.ndarray]
    n_outlines: int
    said: tuple[Any, ...] = ()
    regions: tuple[Any, ...] = ()
    features: dict[tuple[str, ...], str | None] = {}


def settings_of(seed: int = 3, **ways: str | None) -> SimulationSettings:
    """Of a trial, as coarse as may be; ways: layout, outline, delivery."""
    return SimulationSettings(seed, Effects(), 120, voxel_mm=4.0, slice_mm=6.0, n_visits=1, has_images=True, **ways)


def scanned(role: Role, settings: SimulationSettings) -> Found:
    """What was planted in the first patient of a role."""
    _, _, phantom, _ = planted(subject(settings, role, 0), settings, 0)
    return Found(phantom.tumor, list(phantom.volumes), 1)


def grid_of(role: Role, settings: SimulationSettings) -> Grid:
    _, _, phantom, _ = planted(subject(settings, role, 0), settings, 0)
    return phantom.geometry.grid(phantom.tumor.shape)


def found(place: Path, role: Role, settings: SimulationSettings, analyses: tuple[str, ...] = IMAGES) -> Found:
    """Simulate the first patient of a role, ingest all of it as its README says, rebuild: what the study finds."""
    write_study(place / "sim", {role: 1}, settings, (), jobs=1)
    study = tiny.new_study(place / "study")
    run_quick("ingest", COLLECTION[role], "--from", place / "sim" / COLLECTION[role], cwd=study.root)
    tiny.rebuild(study, names=analyses)
    try:
        return _found(study, grid_of(role, settings), analyses)
    finally:
        study.engine.dispose()


def _found(study, grid: Grid, analyses: tuple[str, ...]) -> Found:
    outlines = study.sql(MASKS)
    tumor = np.zeros(grid.shape, bool)
    for row in outlines.itertuples():
        assert row.status == "fits" and not row.qc_flags, (row.format, row.status, row.qc_flags)
        tumor |= _placed(study.objects.path(row.object_id, ".nrrd"), grid)
    slices = study.sql(SLICES)
    phases = []
    for _, of in slices.groupby("phase_index"):
        volume = read_volume(list(zip(of["path"], of["sha256"], of["frame_number"], strict=True)))
        at = [round(grid.index_of(place)[0]) for place in of[["x_mm", "y_mm", "z_mm"]].to_numpy(float)]
        phases.append(volume[np.argsort(at)])
    (row,) = study.sql("SELECT status, n_phases, qc_flags FROM dce_sets").itertuples(index=False)
    roles = study.sql("SELECT is_intermediate, is_last FROM dce_phases ORDER BY phase_index")
    regions, features = (), {}
    if "stroma_bands" in analyses:
        images = study.sql("SELECT image, object_id FROM prepared_images ORDER BY 1").itertuples(index=False)
        masks = [study.sql(f"SELECT object_id FROM {t}") for t in ("breast_masks", "tumor_masks", "stroma_bands")]
        regions = (*map(tuple, images), *(tuple(r) for m in masks for r in m.itertuples(index=False)))
    if "radiomic_features" in analyses:
        table = study.sql("SELECT region, map, feature, value FROM radiomic_features")
        features = {
            (r.region, r.map, r.feature): None if r.value != r.value else float(r.value).hex()
            for r in table.itertuples()
        }
    return Found(
        tumor, phases, len(outlines), (row.status, int(row.n_phases or 0), *map(tuple, roles.to_numpy().tolist())),
        regions, features,
    )  # fmt: skip


def _placed(path: Path, grid: Grid) -> np.ndarray:
    """The voxels of a mask on a grid, each by its place in mm, as SimpleITK says it."""
    image = sitk.ReadImage(str(path))
    inside = np.argwhere(sitk.GetArrayFromImage(image) > 0)
    places = np.array([image.TransformIndexToPhysicalPoint([int(v) for v in at[::-1]]) for at in inside])
    index = np.array([grid.index_of(place) for place in places])
    assert np.abs(index - np.round(index)).max(initial=0) < 0.01
    made = np.zeros(grid.shape, bool)
    made[tuple(np.round(index).astype(int).T)] = True
    return made


def differences(one: Found, other: Found) -> list[str]:
    """What is not the same of two, in words."""
    wrong = []
    if n := int((one.tumor != other.tumor).sum()):
        wrong.append(f"{n} voxels of the outline")
    if one.n_outlines != other.n_outlines:
        wrong.append(f"{one.n_outlines} and {other.n_outlines} outlines")
    if len(one.phases) != len(other.phases):
        wrong.append(f"{len(one.phases)} and {len(other.phases)} phases")
    elif n := sum(not np.array_equal(a, b) for a, b in zip(one.phases, other.phases, strict=True)):
        wrong.append(f"the voxels of {n} phases")
    for name in ("said", "regions"):
        a, b = getattr(one, name), getattr(other, name)
        if a and b and a != b:
            wrong.append(f"{name}: {a} and {b}")
    if one.features and other.features:
        keys = one.features.keys() | other.features.keys()
        n = sum(one.features.get(k, "none") != other.features.get(k, "none") for k in keys)
        if n:
            wrong.append(f"{n} of {len(keys)} features")
    return wrong


def every_way() -> Iterator[tuple[Role, dict[str, str | None]]]:
    """Each outline with every role; each delivery with every layout."""
    for outline in OUTLINES:
        for role in (Role.RADIOGENOMIC, Role.ISPY1, Role.NACT):
            yield role, {"outline": outline}
    for delivery in DELIVERIES:
        for layout in (None, *ALL):
            yield Role.ISPY1, {"layout": layout, "delivery": delivery}
