"""The settings of radiomic features, one for all analyses that compute some: what is measured again is measured alike."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from pydantic import Field, ValidationInfo, field_validator

from tshdb.config import Parameters

if TYPE_CHECKING:
    from tshdb.images.feature_names import Settings

LOG = "log-sigma-"
FILTERS = ("original", "wavelet", "square", "squareroot", "logarithm", "exponential", "gradient")
MOST_NEIGHBOURS = 1 << 15
FURTHEST = 20


class TextureParameters(Parameters):
    """What all features of textures have in common, whatever the map and its grey levels."""

    distances: tuple[int, ...] = (1,)
    """of neighbours, voxels"""
    force_2d: bool = False
    """textures slice by slice"""
    engine: Literal["compiled", "pyradiomics"] = "compiled"
    """who computes, with the same values; pyradiomics needs Python 3.11 and takes a hundred times as long"""
    definition: Literal["pyradiomics", "ibsi"] = Field(
        default="pyradiomics", exclude_if=lambda value: value == "pyradiomics"
    )
    """whose features they are; ibsi: the Image Biomarker Standardisation Initiative's, which compare with no others"""

    @field_validator("distances")
    @classmethod
    def _reaches_neighbours(cls, distances: tuple[int, ...]) -> tuple[int, ...]:
        if not distances:
            raise ValueError("without a distance no voxel has a neighbour: write distances = [1]")
        for distance in distances:
            if not 1 <= distance <= FURTHEST:
                raise ValueError(f"a neighbour at {distance} voxels gives no texture: 1 to {FURTHEST}")
        if len(set(distances)) < len(distances):
            raise ValueError("a distance stands there twice")
        if sum(24 * d * d + 2 for d in distances) >= MOST_NEIGHBOURS:
            raise ValueError(f"these are more than {MOST_NEIGHBOURS:,} neighbours of a voxel: name fewer distances")
        return distances

    @field_validator("definition")
    @classmethod
    def _is_of_the_engine(cls, definition: str, info: ValidationInfo) -> str:
        if definition == "ibsi" and info.data.get("engine") == "pyradiomics":
            raise ValueError('engine = "pyradiomics" has its own definitions alone: take it out')
        return definition


class FeatureParameters(TextureParameters):
    """What [radiomic_features] holds, and holds for the analyses that follow it."""

    bin_width: float = Field(default=0.05, gt=0)
    """of grey levels, of images divided by the parenchyma's mean"""
    bin_count: int | None = Field(default=None, ge=2, le=256)
    """a fixed number of levels instead"""
    bin_start: float | None = Field(default=None, exclude_if=lambda value: value is None)
    """of definition ibsi: where the first grey level begins; without it at the least value of the region"""
    filters: tuple[str, ...] = ("original",)
    """original, wavelet, log-sigma-N (N mm), square, squareroot, logarithm, exponential, gradient"""
    gradient_use_spacing: bool = Field(default=True, exclude_if=bool)
    """of the filter gradient: per mm; false: per voxel"""
    per_phase: bool = False
    """divide each phase by its own parenchyma's mean, not all by S0's"""
    greyscale: Literal["none", "linear"] = Field(default="none", exclude_if=lambda value: value == "none")
    """of images before they are divided (A22); linear: from their 1st to their 99th percentile, of which only the zero stays"""

    @field_validator("filters")
    @classmethod
    def _gives_an_image(cls, filters: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if not filters:
            raise ValueError('without a filter there is no image to measure: write filters = ["original"]')
        for name in filters:
            if name not in FILTERS and not _is_log(name):
                raise ValueError(f"no filter '{name}': {', '.join(FILTERS)}, {LOG}N (N mm, above 0)")
        if len(set(filters)) < len(filters):
            raise ValueError("a filter stands there twice")
        if info.data.get("definition") == "ibsi" and filters != FILTERS[:1]:
            raise ValueError('filters are PyRadiomics\' and not of definition = "ibsi": write filters = ["original"]')
        return filters

    @field_validator("bin_start")
    @classmethod
    def _begins_bins(cls, start: float | None, info: ValidationInfo) -> float | None:
        if start is not None and info.data.get("definition") == "pyradiomics":
            raise ValueError('grey levels of PyRadiomics begin at multiples of bin_width: it needs definition = "ibsi"')
        if start is not None and info.data.get("bin_count") is not None:
            raise ValueError("with bin_count grey levels begin at the least value: take one of them out")
        return start

    @field_validator("gradient_use_spacing")
    @classmethod
    def _has_a_gradient(cls, use_spacing: bool, info: ValidationInfo) -> bool:
        if not use_spacing and "gradient" not in info.data.get("filters", ("gradient",)):
            raise ValueError('without the filter gradient it changes nothing: add "gradient" to filters')
        return use_spacing


def _is_log(name: str) -> bool:
    try:
        sigma = float(name.removeprefix(LOG)) if name.startswith(LOG) else 0.0
    except ValueError:
        return False
    return sigma > 0 and math.isfinite(sigma)


def settings_of(params: FeatureParameters) -> Settings:
    """The same as the functions of images take them."""
    from tshdb.images.feature_names import Settings

    return Settings(
        bin_width=params.bin_width, bin_count=params.bin_count, distances=params.distances, force_2d=params.force_2d,
        filters=params.filters, gradient_use_spacing=params.gradient_use_spacing, engine=params.engine,
        definition=params.definition, bin_start=params.bin_start,
    )  # fmt: skip
