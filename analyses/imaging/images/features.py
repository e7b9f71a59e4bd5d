"""Radiomic features of a region in a map, with PyRadiomics' definitions (van Griethuysen et al. 2017,
doi:10.1158/0008-5472.CAN-17-0339; version 3.0.1), or with those of the Image Biomarker Standardisation Initiative where they
differ (`kernels.classes`; Zwanenburg et al. 2020, doi:10.1148/radiol.2020191145, and its reference manual, arXiv:1612.07003).

Set        93 of intensity and texture (18 first-order, 24 GLCM, 16 GLRLM, 16 GLSZM, 14 GLDM, 5 NGTDM) of each of S0, SI, SL in
           tumour and stroma, and 14 of shape, of the tumour once: 6 x 93 + 14 = 572 (Fan et al. 2023).
Names      tumor.SI.glcm.Idmn: region, map, class, PyRadiomics' name; tumor.shape.Flatness; tumor.SI.wavelet-LLH.glcm.Idmn.
Engine     compiled (`analyses.imaging.kernels`), or pyradiomics, a hundred times slower, with the same values (`court`).
Grey levels of a fixed width (images divided by the parenchyma have values about 1, so 0.05, not PyRadiomics' 25), or a fixed
           number. Fewer than 8 are flagged (IDMN is 1 there), more than 256 refused (texture matrices grow with their square).
Missing    a feature that cannot be computed has no value and the reason.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from analyses.imaging.images import referee
from analyses.imaging.images.filters import filtered
from analyses.imaging.images.grids import box_of, require_one_grid
from analyses.imaging.kernels.classes import border_of, of_classes
from analyses.imaging.kernels.region import Region, region_of
from analyses.imaging.kernels.shape import shape
from tshdb.images.feature_names import IBSI, NAMES, Settings

FEW_LEVELS = 8
MOST_LEVELS = 256
LEAST_VOXELS = 8  # below, no texture is a texture, and no shape a shape
AXES = ("MajorAxisLength", "MinorAxisLength", "LeastAxisLength")
NO_AXIS = 1e-6  # of the longest axis, below which an axis is none


@dataclass(frozen=True)
class Value:
    """One feature. value: None with a reason; n_levels: grey levels of the region, None for shape and first-order alone."""

    feature: str
    feature_class: str
    value: float | None
    reason: str | None
    n_voxels: int
    n_levels: int | None


def of_map(
    image: sitk.Image, mask: sitk.Image, region: str, map_name: str, settings: Settings = Settings()
) -> list[Value]:
    """Intensity and texture of one map in one region. What is not 0 is inside. Raises ValueError for an empty mask, one on
    another grid than the map, and for a map that is not finite inside of it."""
    require_one_grid(map=image, mask=mask)
    return _of_map(image, _Place(mask), region, map_name, settings)


class _Place:
    """Where a region is: its box, and what is inside of it (slices, rows, columns). Raises ValueError for an empty mask."""

    def __init__(self, mask: sitk.Image):
        inside = _view(mask) > 0
        self.box = box_of(inside)
        self.inside = np.ascontiguousarray(inside[self.box])
        self.n = int(self.inside.sum())


def _of_map(image: sitk.Image, place: _Place, region: str, map_name: str, settings: Settings) -> list[Value]:
    if not np.isfinite(_view(image)[place.box][place.inside]).all():
        raise ValueError("the map has voxels inside of the mask that are no numbers")
    values = []
    for prefix, made, reason in filtered(image, settings.filters, settings.gradient_use_spacing):
        before = f"{region}.{map_name}.{prefix}"
        if made is not None:
            values += _of_image(made, place, before, settings)
            continue
        for name in settings.classes:
            values += [Value(f"{before}{name}.{f}", name, None, reason, place.n, None) for f in NAMES[name]]
    return values


def of_shape(mask: sitk.Image, region: str = "tumor", settings: Settings = Settings()) -> list[Value]:
    """The 14 features of a region's shape. What is not 0 is inside. Raises ValueError for an empty mask."""
    return _of_shape(_Place(mask), _spacing(mask), region, settings)


def _of_shape(place: _Place, spacing: tuple[float, float, float], region: str, settings: Settings) -> list[Value]:
    by = referee.shape if settings.engine == "pyradiomics" else shape
    found = dict(zip(NAMES["shape"], by(place.inside, spacing).tolist(), strict=True))
    n = place.n
    if settings.definition == IBSI and n > 1:  # variances of coordinates are over n - 1
        found |= {name: found[name] * math.sqrt(n / (n - 1)) for name in AXES}
    nothing = _shapeless(found, place.inside, n)
    return [
        Value(f"{region}.shape.{name}", "shape", None, nothing[name], n, None) if name in nothing
        else _value(f"{region}.shape.{name}", "shape", value, n, None, "")
        for name, value in found.items()
    ]  # fmt: skip


def _view(image: sitk.Image) -> np.ndarray:
    return sitk.GetArrayViewFromImage(image)


def _spacing(image: sitk.Image) -> tuple[float, float, float]:
    columns, rows, slices = image.GetSpacing()
    return slices, rows, columns


def _shapeless(found: Mapping[str, float], inside: np.ndarray, n: int) -> dict[str, str]:
    """Shape feature -> why its value means nothing: of a few voxels, and of a region without a second or third axis."""
    if n < LEAST_VOXELS:
        return {name: f"{n} voxels have no shape" for name in found if name != "VoxelVolume"}
    thick = [len(np.flatnonzero(inside.any(axis=tuple(a for a in range(3) if a != axis)))) for axis in range(3)]
    names = ("slice", "row", "column")
    flat = [name for name, t in zip(names, thick, strict=True) if t == 1]
    what = f"one {' and one '.join(flat)} thick" if flat else "without thickness"
    nothing = {}
    if found["LeastAxisLength"] <= NO_AXIS * found["MajorAxisLength"]:
        nothing |= dict.fromkeys(("LeastAxisLength", "Flatness"), f"{what}: it has no third axis")
    if found["MinorAxisLength"] <= NO_AXIS * found["MajorAxisLength"]:
        nothing |= dict.fromkeys(("MinorAxisLength", "Elongation"), f"{what}: it has no second axis")
    return nothing


def _of_image(image: sitk.Image, place: _Place, prefix: str, settings: Settings) -> list[Value]:
    values, inside, n = np.ascontiguousarray(_view(image)[place.box]), place.inside, place.n
    if n_bad := int((~np.isfinite(values[inside])).sum()):
        raise ValueError(f"{n_bad:,} of {n:,} voxels inside are no numbers (NaN or infinite)")
    start = None
    if settings.definition == IBSI:
        least = float(values[inside].min())
        start = least if settings.bin_start is None else settings.bin_start
        if least < start:
            n_below = int((values[inside] < start).sum())
            why = f"{n_below:,} of {n:,} voxels are below bin_start = {start:g}"
            return [
                Value(f"{prefix}{name}.{f}", name, None, why, n, None) for name in settings.classes for f in NAMES[name]
            ]
    region = region_of(values, inside, settings.bin_width, settings.bin_count, border_of(settings), start)
    n_levels = len(region.present)
    flag = f"only {n_levels} grey levels: a smaller bin width is wanted" if n_levels < FEW_LEVELS else ""
    refused = {name: reason for name in settings.classes if (reason := _refusal(name, region)) is not None}
    wanted = [name for name in settings.classes if name not in refused]
    if settings.engine == "pyradiomics":
        found = referee.of_classes(values, inside, _spacing(image), wanted, settings)
    else:
        found = of_classes(region, wanted, settings, float(np.prod(_spacing(image))))
    measured = []
    for name in settings.classes:
        if name in refused:
            measured += [Value(f"{prefix}{name}.{f}", name, None, refused[name], n, n_levels) for f in NAMES[name]]
        else:
            by_name = zip(NAMES[name], found[name].tolist(), strict=True)
            measured += [_value(f"{prefix}{name}.{f}", name, value, n, n_levels, flag) for f, value in by_name]
    return measured


def _refusal(name: str, region: Region) -> str | None:
    if name == "firstorder":
        return None
    if region.n < LEAST_VOXELS:
        return f"{region.n} voxels are no texture"
    if region.top > MOST_LEVELS:
        return f"{region.top} grey levels, at most {MOST_LEVELS}: a larger bin width is wanted"
    return None


def _value(feature: str, class_: str, value: float, n: int, n_levels: int | None, flag: str) -> Value:
    if not np.isfinite(value):
        return Value(feature, class_, None, "not defined for this region", n, n_levels)
    return Value(feature, class_, value, flag or None, n, n_levels)


def whole_set(
    maps: Mapping[str, sitk.Image], tumor: sitk.Image, stroma: sitk.Image, settings: Settings = Settings()
) -> list[Value]:
    """All features of an examination. maps: S0, SI, SL. Raises ValueError for masks on another grid than theirs."""
    require_one_grid(**maps, tumor=tumor, stroma=stroma)
    values: list[Value] = []
    for region, mask in (("tumor", tumor), ("stroma", stroma)):
        place = _Place(mask)
        if region == "tumor":
            values += _of_shape(place, _spacing(mask), region, settings)
        for map_name, image in maps.items():
            values += _of_map(image, place, region, map_name, settings)
    return values
