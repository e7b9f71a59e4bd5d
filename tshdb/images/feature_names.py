"""The radiomic features by name: which there are with the paper's settings, and in which order.

tumor.SI.glcm.Idmn: region, map, class, PyRadiomics' name (van Griethuysen et al. 2017, doi:10.1158/0008-5472.CAN-17-0339).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

REGIONS = ("tumor", "stroma")
CLASSES = ("firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm")
ORIGINAL = "original"


@dataclass(frozen=True)
class Settings:
    """How features are computed. bin_width or bin_count (then bin_width is not used); filters: original, wavelet,
    log-sigma-N (N mm); classes: of PyRadiomics; the rest as PyRadiomics calls them."""

    bin_width: float = 0.05
    bin_count: int | None = None
    distances: tuple[int, ...] = (1,)
    force_2d: bool = False
    voxel_array_shift: float = 0.0
    filters: tuple[str, ...] = (ORIGINAL,)
    classes: tuple[str, ...] = CLASSES

    def of_pyradiomics(self) -> dict:
        """The same in PyRadiomics' words."""
        binning = {"binWidth": self.bin_width} if self.bin_count is None else {"binCount": self.bin_count}
        return binning | {
            "distances": list(self.distances), "force2D": self.force_2d, "force2Ddimension": 0,
            "voxelArrayShift": self.voxel_array_shift, "label": 1, "symmetricalGLCM": True, "gldm_a": 0,
        }  # fmt: skip


@cache
def names_of(class_: str) -> tuple[str, ...]:
    """The names of a class's features, as PyRadiomics computes them by default (the deprecated left out)."""
    import radiomics

    return tuple(name for name, is_deprecated in radiomics.getFeatureClasses()[class_].getFeatureNames().items()
                 if not is_deprecated)  # fmt: skip


def all_names(maps: Sequence[str] = ("S0", "SI", "SL"), settings: Settings = Settings()) -> list[str]:
    """The names of the whole set in order, of the original images: 572 with the paper's settings."""
    names = [f"tumor.shape.{name}" for name in names_of("shape")]
    for region in REGIONS:
        for map_name in maps:
            names += [f"{region}.{map_name}.{c}.{name}" for c in settings.classes for name in names_of(c)]
    return names
