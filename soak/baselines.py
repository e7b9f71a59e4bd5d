"""PyRadiomics' published baselines (data/baseline/*.csv of its repository): all 3,325 values of our classes, by the kernels.

Five images (brain1, brain2, breast1, lung1, lung2) with the settings that stand in the baseline files: as they are, slice by
slice, 64 levels, directions merged, one level, normalised, resampled to 2 mm, without outliers. What is done to an image before
its features (normalised, resampled, outliers) is PyRadiomics', which must be installed.

TSHDB_PYRADIOMICS names the folder `data` of github.com/AIM-Harvard/pyradiomics, or of its source package 3.0.1.
"""

from __future__ import annotations

import ast
import csv
import logging
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from analyses.imaging.images import referee
from analyses.imaging.images.agreement import apart
from analyses.imaging.images.grids import box_of
from analyses.imaging.kernels.classes import border_of, of_classes
from analyses.imaging.kernels.glcm import glcm
from analyses.imaging.kernels.glrlm import glrlm
from analyses.imaging.kernels.region import Region, directions_of, region_of
from analyses.imaging.kernels.shape import shape
from analyses.imaging.kernels.visits import visit
from soak import Figure
from tshdb.images.feature_names import NAMES, Settings

DATA = os.environ.get("TSHDB_PYRADIOMICS", "")
SETTINGS = "diagnostics_Configuration_Settings"
# by 1e-4 to 1e-3: PyRadiomics 3.0.1 computes these today as we do, and so did every build of it that we have seen
KNOWN = {("brain1", "shape", name) for name in ("MeshVolume", "Sphericity", "SurfaceArea", "SurfaceVolumeRatio")}


def run(folder: Path, seed: int) -> Iterator[Figure]:
    files = {class_: Path(DATA) / f"baseline/baseline_{class_}.csv" for class_ in NAMES}
    if not DATA or not all(file.is_file() for file in files.values()):
        yield Figure("baselines", "none; set TSHDB_PYRADIOMICS to the folder data of PyRadiomics' repository")
        return
    if not referee.is_here():
        yield Figure("baselines", "PyRadiomics, which prepares the images, is not installed here")
        return
    n, off, absent = 0, [], set()
    for class_, file in files.items():
        with file.open(newline="") as lines:
            rows = {row["featureName"]: row for row in csv.DictReader(lines)}
        for case in list(rows[SETTINGS])[1:]:
            image = case.partition("_")[0]
            if not (Path(DATA) / f"{image}_image.nrrd").is_file():
                absent.add(image)
                continue
            theirs = {name: float(rows[f"original_{class_}_{name}"][case]) for name in NAMES[class_]}
            ours = _computed(class_, *_prepared(image, ast.literal_eval(rows[SETTINGS][case])))
            n += len(theirs)
            off += [(case, class_, name, ours[name], theirs[name]) for name in apart(class_, ours, theirs)]
    known = [one for one in off if one[:3] in KNOWN]
    yield Figure("values compared", f"{n:,}", "3,325", n == 3325)
    said = f"{len(off)}, of these {len(known)} known"
    yield Figure("beyond 1e-9, of shape 1e-6", said, "none but known", len(off) == len(known))
    for image in sorted(absent):
        yield Figure("image", f"{image} is not in {DATA}")
    for (case, class_), n_off in Counter(one[:2] for one in off).items():
        yield Figure("beyond", f"{n_off} of {case} {class_}")
    for case, class_, name, ours, theirs in off[:40]:
        yield Figure("differs", f"{case} {class_}.{name}: {ours!r}, baseline {theirs!r}, {abs(ours / theirs - 1):.1e}")


def _prepared(image: str, given: dict[str, Any]) -> tuple[sitk.Image, sitk.Image, Settings, bool]:
    """(image, mask, settings of the features, whether directions are merged)."""
    from radiomics import featureextractor, imageoperations

    logging.getLogger("radiomics").setLevel(logging.ERROR)
    files = (str(Path(DATA) / f"{image}_{what}.nrrd") for what in ("image", "label"))
    values, mask = featureextractor.RadiomicsFeatureExtractor(**given).loadImage(*files, None, **given)
    if given.get("resegmentRange") is not None:
        mask = imageoperations.resegmentMask(values, mask, **given)
    settings = Settings(
        bin_width=float(given.get("binWidth", 25)), bin_count=given.get("binCount"), force_2d=given.get("force2D", False),
        distances=tuple(given.get("distances", [1])), alpha=given.get("gldm_a", 0),
        voxel_array_shift=float(given.get("voxelArrayShift", 0)),
    )  # fmt: skip
    return values, mask, settings, given.get("weightingNorm") is not None


def _computed(
    class_: str, image: sitk.Image, mask: sitk.Image, settings: Settings, is_merged: bool
) -> dict[str, float]:
    inside = sitk.GetArrayFromImage(mask) == 1
    box = box_of(inside)
    inside, spacing = np.ascontiguousarray(inside[box]), image.GetSpacing()[::-1]
    if class_ == "shape":
        found = shape(inside, spacing)
    else:
        values = np.ascontiguousarray(sitk.GetArrayFromImage(image)[box])
        region = region_of(values, inside, settings.bin_width, settings.bin_count, border_of(settings))
        found = (
            _merged(class_, region)
            if is_merged
            else of_classes(region, [class_], settings, float(np.prod(spacing)))[class_]
        )
    return dict(zip(NAMES[class_], found.tolist(), strict=True))


def _merged(class_: str, region: Region) -> np.ndarray:
    """The features of the counts of all directions together, with weights of 1."""
    steps = directions_of((1,), False)
    strides = np.array(region.grey.strides) // region.grey.itemsize
    every = np.ones(len(steps), bool)
    pairs, along, _ = visit(
        region.grey.ravel(), region.places, steps @ strides, every, every, region.top, 0, max(region.grey.shape)
    )
    if class_ == "glcm":
        return glcm(pairs.sum(axis=0, keepdims=True), region.present, True)
    return glrlm(along.sum(axis=0, keepdims=True), every[:1])
