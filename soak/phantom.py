"""IBSI's CT phantom: configurations A to E of its reference manual (arXiv:1612.07003), every feature that we have.

     interpolation       resegmentation     grey levels
A    none                -500 to 400 HU     25 HU from -500 on     slice by slice
B    2 mm, bilinear      -500 to 400 HU     32                     slice by slice
C    2 mm, trilinear     -1000 to 400 HU    25 HU from -1000 on
D    2 mm, trilinear     3 sd               32
E    2 mm, cubic spline  -1000 to 400, 3 sd 32

The manual's steps before features are taken here: interpolated on a grid about the same middle, rounded to whole HU, the mask by
linear interpolation and from a half on, voxels beyond the range or 3 standard deviations left out of the region of intensities.

TSHDB_IBSI names the folder ibsi_1_ct_radiomics_phantom of github.com/theibsi/data_sets, which is not kept here (CC BY-NC).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import SimpleITK as sitk

from analyses.imaging.images import features
from soak import Figure
from tests.support.phantom import agrees
from tshdb.images.feature_names import Settings

DATA = os.environ.get("TSHDB_IBSI", "")
REFERENCE = Path(__file__).parents[1] / "tests/data/ibsi_ct_phantom.json"
BEYOND_SD = 3.0


class Configuration(NamedTuple):
    """mm: of the new voxels along x, y, z, None as they are; within: HU; without_outliers: beyond 3 standard deviations."""

    mm: tuple[float | None, float | None, float | None] = (None, None, None)
    by: int = sitk.sitkLinear
    within: tuple[float, float] | None = None
    without_outliers: bool = False
    settings: Settings = Settings()


def _settings(start: float | None = None, force_2d: bool = False) -> Settings:
    bins = {"bin_count": 32} if start is None else {"bin_width": 25.0, "bin_start": start}
    return Settings(definition="ibsi", force_2d=force_2d, **bins)


IN_3D, IN_2D = (2.0, 2.0, 2.0), (2.0, 2.0, None)
CONFIGURATIONS = {
    "A": Configuration(within=(-500, 400), settings=_settings(-500.0, force_2d=True)),
    "B": Configuration(IN_2D, within=(-500, 400), settings=_settings(force_2d=True)),
    "C": Configuration(IN_3D, within=(-1000, 400), settings=_settings(-1000.0)),
    "D": Configuration(IN_3D, without_outliers=True, settings=_settings()),
    "E": Configuration(IN_3D, sitk.sitkBSpline, (-1000, 400), True, _settings()),
}


def run(folder: Path, seed: int) -> Iterator[Figure]:
    files = [Path(DATA) / f"nifti/{what}/{name}.nii.gz" for what, name in (("image", "phantom"), ("mask", "mask"))]
    if not DATA or not all(file.is_file() for file in files):
        yield Figure("CT phantom", "none; set TSHDB_IBSI to the folder ibsi_1_ct_radiomics_phantom")
        return
    image, mask = (sitk.Cast(sitk.ReadImage(str(file)), sitk.sitkFloat64) for file in files)
    reference = json.loads(REFERENCE.read_text())
    for name, configuration in CONFIGURATIONS.items():
        found = _found(image, mask, configuration)
        wanted = reference[name]
        off = [f for f, (want, tolerance) in wanted.items() if not agrees(found[f], want, tolerance)]
        yield Figure(f"values of configuration {name}", f"{len(wanted) - len(off)} of {len(wanted)}", "all", not off)
        for feature in off:
            want, tolerance = wanted[feature]
            yield Figure("differs", f"{name} {feature}: {found[feature]:.4g}, reference {want:g} ± {tolerance:g}")


def _found(image: sitk.Image, mask: sitk.Image, configuration: Configuration) -> dict[str, float]:
    """class.name -> value."""
    made = sitk.Round(_on_grid(image, configuration.mm, configuration.by))
    region = _on_grid(mask, configuration.mm, sitk.sitkLinear) >= 0.5
    values, inside = sitk.GetArrayFromImage(made), sitk.GetArrayFromImage(region) > 0
    kept = inside.copy()
    if configuration.within is not None:
        kept &= (values >= configuration.within[0]) & (values <= configuration.within[1])
    if configuration.without_outliers:
        kept &= np.abs(values - values[kept].mean()) <= BEYOND_SD * values[kept].std()
    intensities = sitk.GetImageFromArray(kept.astype(np.uint8))
    intensities.CopyInformation(made)
    settings = configuration.settings
    found = features.of_map(made, intensities, "tumor", "S0", settings) + features.of_shape(region, settings=settings)
    return {f"{v.feature_class}.{v.feature.rpartition('.')[2]}": v.value for v in found if v.value is not None}


def _on_grid(image: sitk.Image, mm: tuple[float | None, ...], by: int) -> sitk.Image:
    """An image on voxels of other sizes about the same middle, as many as cover it."""
    before, size = np.array(image.GetSpacing()), np.array(image.GetSize())
    after = np.array([new or old for new, old in zip(mm, before, strict=True)])
    if (after == before).all():
        return image
    voxels = np.ceil(np.round(size * before / after, 6)).astype(int)
    first = ((size - 1) * before - (voxels - 1) * after) / 2  # from the first voxel's middle, along the axes
    origin = image.TransformContinuousIndexToPhysicalPoint((first / before).tolist())
    return sitk.Resample(
        image,
        voxels.tolist(),
        sitk.Transform(),
        by,
        origin,
        after.tolist(),
        image.GetDirection(),
        0.0,
        sitk.sitkFloat64,
        True,
    )
