"""The court over the compiled kernels: where PyRadiomics can be imported, a part of what they compute is computed by it too.

A canary, a small region made here, in every process that computes features, and one region of a study in fifty. A difference
(`agreement`) stops the rebuild with both values: numbers of a kernel that is wrong are worse than none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from functools import cache

import numpy as np
import SimpleITK as sitk

from analyses.imaging.images import features, referee
from analyses.imaging.images.agreement import apart, voxels_apart
from analyses.imaging.images.features import Value
from analyses.imaging.images.filters import filtered
from tshdb.errors import Untrustworthy
from tshdb.images.feature_names import DEFINITIONS, ORIGINAL, PYRADIOMICS, Settings

ONE_IN = 50
REPAIR = 'Nothing more is computed. Set engine = "pyradiomics" in [radiomic_features], and report it'
NOT_A_NUMBER = float("nan")
OF_CANARY = ("wavelet", "log-sigma-1.5", "square", "squareroot", "logarithm", "exponential", "gradient")


def is_open() -> bool:
    """Whether there is a PyRadiomics to ask."""
    return referee.is_here()


def is_heard(name: str) -> bool:
    """Whether a region is one of those that are computed twice, by its name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) % ONE_IN == 0


def hear_map(
    found: list[Value], image: sitk.Image, mask: sitk.Image, region: str, map_name: str, settings: Settings, where: str
) -> None:
    """Compare a region's features, and the filtered images in it, with PyRadiomics'. Raises Untrustworthy where they differ.
    where: said with it."""
    hear_filters(image, mask, settings, where)
    plain = replace(settings, engine="pyradiomics", definition=PYRADIOMICS, bin_start=None)
    if settings.definition != PYRADIOMICS:  # the same kernels, with its definitions
        found = features.of_map(image, mask, region, map_name, replace(plain, engine="compiled"))
    _compare(found, features.of_map(image, mask, region, map_name, plain), where)


def hear_shape(found: list[Value], mask: sitk.Image, region: str, where: str) -> None:
    """Compare a region's shape with PyRadiomics'. Raises Untrustworthy where they differ. found: with its definitions."""
    _compare(found, features.of_shape(mask, region, Settings(engine="pyradiomics")), where)


def hear_filters(image: sitk.Image, mask: sitk.Image, settings: Settings, where: str) -> None:
    """Compare filtered images inside of a mask with PyRadiomics'. Raises Untrustworthy where they differ."""
    names = tuple(name for name in settings.filters if name != ORIGINAL)
    inside = sitk.GetArrayViewFromImage(mask) > 0
    largest = float(np.abs(sitk.GetArrayViewFromImage(image)).max()) if names else 0.0
    theirs = dict(referee.filtered(image, names, settings.gradient_use_spacing))
    for prefix, made, _ in filtered(image, names, settings.gradient_use_spacing):
        mine, other = (
            np.full(int(inside.sum()), NOT_A_NUMBER) if of is None else sitk.GetArrayViewFromImage(of)[inside]
            for of in (made, theirs.get(prefix))
        )
        for voxel in voxels_apart(mine, other, largest)[:1]:
            raise Untrustworthy(
                f"a voxel of {prefix.rstrip('.')} is {float(mine[voxel])!r} here and {float(other[voxel])!r} by PyRadiomics "
                f"{DEFINITIONS}", where=where, repair=REPAIR,
            )  # fmt: skip


def _compare(ours: list[Value], theirs: list[Value], where: str) -> None:
    if [v.feature for v in ours] != [v.feature for v in theirs]:
        raise Untrustworthy("the kernels have other features than PyRadiomics", where=where, repair=REPAIR)
    for (_, class_), (mine, other) in _of_classes(ours, theirs):
        for name in apart(class_, mine, other)[:1]:
            raise Untrustworthy(
                f"{class_}.{name} is {mine[name]!r} by the compiled kernels and {other[name]!r} by PyRadiomics "
                f"{DEFINITIONS}", where=where, repair=REPAIR,
            )  # fmt: skip


def _of_classes(*lists: Iterable[Value]):
    """((filter and region, class), name -> value of each list) of every class."""
    grouped: dict[tuple[str, str], list[dict[str, float]]] = {}
    for k, values in enumerate(lists):
        for v in values:
            before, _, name = v.feature.rpartition(".")
            group = grouped.setdefault((before, v.feature_class), [{} for _ in lists])
            group[k][name] = NOT_A_NUMBER if v.value is None else v.value
    return grouped.items()


# ------------------------------------------------------------------------------------------------------------ the canary


@cache
def canary() -> None:
    """A small region by both, once a process; nothing where there is no PyRadiomics. Raises Untrustworthy."""
    if not referee.is_here():
        return
    image, mask = _canary()
    for settings in (
        Settings(),
        Settings(bin_count=12, distances=(1, 2), alpha=1),
        Settings(bin_width=0.1, distances=(2,), force_2d=True, symmetric=False),
    ):
        settings = replace(settings, filters=(ORIGINAL,))
        found = features.of_map(image, mask, "canary", "S0", settings)
        hear_map(found, image, mask, "canary", "S0", settings, "canary")
    hear_shape(features.of_shape(mask, "canary"), mask, "canary", "canary")
    for use_spacing in (True, False):
        hear_filters(image - 1.4, mask, Settings(filters=OF_CANARY, gradient_use_spacing=use_spacing), "canary")


def _canary() -> tuple[sitk.Image, sitk.Image]:
    """A lump with a hole and a loose voxel, of whole numbers mixed by a rule, the same everywhere."""
    z, y, x = np.indices((7, 13, 12))
    values = 1 + ((z * 37 + y * 101 + x * 53 + z * y * x * 7) % 97) / 194 + (x + y) / 24
    inside = ((z - 3) ** 2 * 4 + (y - 6) ** 2 + (x - 5) ** 2 < 30) & ~((y == 6) & (x == 5))
    inside[6, 12, 11] = True
    image, mask = sitk.GetImageFromArray(values), sitk.GetImageFromArray(inside.astype(np.uint8))
    for made in (image, mask):
        made.SetSpacing((0.8, 0.8, 2.0))
    return image, mask
