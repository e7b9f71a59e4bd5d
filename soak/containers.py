"""UCSF-BR-06 written anew as enhanced MR and in nine encodings: the same 572 features, bit for bit; and in a turned frame.

Turned, all axes of the images are oblique: places and directions have other digits, and features may differ in their last ones.
"""

from __future__ import annotations

import copy
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk
from scipy.spatial.transform import Rotation

from soak import Figure
from tests.support import containers, tiny
from tshdb.actions import imaging
from tshdb.vocabulary import MaskKind

SHARED = Path(os.environ.get("TSHDB_SHARED", Path(__file__).parents[2] / "shared/data"))
SERIES = "dicom/nact-pilot/UCSF-BR-06/image_dce_3dfgre_orig"
ANALYSES = (
    "series_roles", "dce_sets", "dce_slices", "dce_phases", "masks", "prepared_images", "breast_masks", "tumor_masks",
    "stroma_bands", "radiomic_features",
)  # fmt: skip
LESION_MM = (107.8, -41.05, -18.85)  # middle of what enhances most
RADIUS_MM = 15.0
TURNED_DEGREES = (7, -11, 13)  # about x, y, z
MOST_OFF = 1e-9  # relative, of a feature of the turned images


def run(folder: Path, seed: int) -> Iterator[Figure]:
    files = sorted((SHARED / SERIES).glob("*.dcm"))
    if not files:
        yield Figure("published images", f"none in {SHARED}; set TSHDB_SHARED")
        return
    datasets = [pydicom.dcmread(file) for file in files]
    for dataset in datasets:
        dataset.remove_private_tags()
    _write_mask(datasets, folder / "masks")
    ways = {"single files": lambda where: containers.save(copy.deepcopy(datasets), where)}
    for name, convert in containers.CONTAINERS.items():
        ways[name] = lambda where, convert=convert: containers.save(convert(copy.deepcopy(datasets)), where)
    for name in containers.SYNTAXES:
        ways[name] = lambda where, name=name: containers.encoded(datasets, name, where)
    wanted = None
    for i, (name, write) in enumerate(ways.items()):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom's, of values of the archive's
            found = _features(write(folder / f"{i}/images"), folder / "masks", folder / f"{i}/study")
        wanted = wanted or found
        n_same = sum(found.get(key) == value for key, value in wanted.items())
        n_values = sum(value is not None for value in found.values())
        yield Figure(
            f"features of {name}", f"{n_values} values, {n_same} as of single files", "572 and 572",
            n_values == n_same == 572 == len(found),
        )  # fmt: skip
    yield _turned(datasets, folder, wanted or {})


def _turned(datasets: list, folder: Path, wanted: dict[tuple, str | None]) -> Figure:
    """How far the features of the same voxels in a turned frame are off."""
    rotation = Rotation.from_euler("xyz", TURNED_DEGREES, degrees=True).as_matrix()
    _write_mask(datasets, folder / "turned/masks", rotation)
    images = containers.save(containers.oblique(datasets, rotation), folder / "turned/images")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = _features(images, folder / "turned/masks", folder / "turned/study")
    off = {key: _off(found.get(key), value) for key, value in wanted.items()}
    furthest = max(off, key=lambda key: off[key])
    return Figure(
        "features of an oblique frame",
        f"{len(found)} values, furthest off by {off[furthest]:.1e} of itself ({furthest[-1]})",
        f"572, {MOST_OFF:g}", len(found) == len(wanted) == 572 and off[furthest] <= MOST_OFF,
    )  # fmt: skip


def _off(one: str | None, other: str | None) -> float:
    """The relative difference of two values as they are kept; infinite where only one has a value."""
    if one is None or other is None:
        return 0.0 if one is other else float("inf")
    a, b = float.fromhex(one), float.fromhex(other)
    return abs(a - b) / max(abs(b), 1e-300) if a != b else 0.0


def _features(images: Path, masks: Path, place: Path) -> dict[tuple, str | None]:
    """(region, map, feature) -> its value, exactly."""
    study = tiny.new_study(place)
    imaging.dicom(study, images, "sim", jobs=1)
    imaging.masks(study, masks, "sim", imaging.MaskOptions(MaskKind.MANUAL))
    tiny.rebuild(study, names=ANALYSES)
    table = study.sql("SELECT * FROM radiomic_features")
    study.engine.dispose()
    keys = [c for c in ("region", "map", "feature") if c in table]
    return {
        tuple(row[k] for k in keys): None if row["value"] != row["value"] else float(row["value"]).hex()
        for _, row in table.iterrows()
    }


def _write_mask(datasets: list, folder: Path, rotation: np.ndarray | None = None) -> None:
    """A ball around what enhances most, on the grid of the first phase; in a frame that is turned by a rotation (3, 3)."""
    phase = containers.phases_of(datasets)[0]
    first, rows, columns = phase[0], int(phase[0].Rows), int(phase[0].Columns)
    axes = np.array(first.ImageOrientationPatient, float)
    direction = np.column_stack([axes[:3], axes[3:], np.cross(axes[:3], axes[3:])])
    step = float(np.median(np.diff([containers.along(d) for d in phase])))
    spacing = (float(first.PixelSpacing[1]), float(first.PixelSpacing[0]), step)
    origin = np.array(first.ImagePositionPatient, float)
    index = np.stack(np.indices((len(phase), rows, columns))[::-1], -1) * spacing
    inside = np.linalg.norm(index @ direction.T + origin - LESION_MM, axis=-1) <= RADIUS_MM
    image = sitk.GetImageFromArray(inside.astype(np.uint8))
    image.SetSpacing(spacing)
    turn = np.eye(3) if rotation is None else rotation
    image.SetOrigin((turn @ origin).tolist())
    image.SetDirection((turn @ direction).ravel().tolist())
    folder.mkdir(parents=True)
    sitk.WriteImage(image, str(folder / "UCSF-BR-06_tumor.nrrd"), True)
