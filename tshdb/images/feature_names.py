"""The radiomic features by name: which there are with the paper's settings, and in which order.

tumor.SI.glcm.Idmn: region, map, class, PyRadiomics' name (van Griethuysen et al. 2017, doi:10.1158/0008-5472.CAN-17-0339).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

REGIONS = ("tumor", "stroma")
CLASSES = ("firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm")
ORIGINAL = "original"
DEFINITIONS = "3.0.1"  # the version of PyRadiomics whose definitions features have, by whichever engine
PYRADIOMICS, IBSI = "pyradiomics", "ibsi"  # whose definitions features can have
# class -> its features, as PyRadiomics computes them by default (the deprecated left out), in its order
NAMES = {
    "shape": (
        "Elongation", "Flatness", "LeastAxisLength", "MajorAxisLength", "Maximum2DDiameterColumn", "Maximum2DDiameterRow",
        "Maximum2DDiameterSlice", "Maximum3DDiameter", "MeshVolume", "MinorAxisLength", "Sphericity", "SurfaceArea",
        "SurfaceVolumeRatio", "VoxelVolume",
    ),
    "firstorder": (
        "10Percentile", "90Percentile", "Energy", "Entropy", "InterquartileRange", "Kurtosis", "Maximum",
        "MeanAbsoluteDeviation", "Mean", "Median", "Minimum", "Range", "RobustMeanAbsoluteDeviation", "RootMeanSquared",
        "Skewness", "TotalEnergy", "Uniformity", "Variance",
    ),
    "glcm": (
        "Autocorrelation", "ClusterProminence", "ClusterShade", "ClusterTendency", "Contrast", "Correlation",
        "DifferenceAverage", "DifferenceEntropy", "DifferenceVariance", "Id", "Idm", "Idmn", "Idn", "Imc1", "Imc2",
        "InverseVariance", "JointAverage", "JointEnergy", "JointEntropy", "MCC", "MaximumProbability", "SumAverage",
        "SumEntropy", "SumSquares",
    ),
    "glrlm": (
        "GrayLevelNonUniformity", "GrayLevelNonUniformityNormalized", "GrayLevelVariance", "HighGrayLevelRunEmphasis",
        "LongRunEmphasis", "LongRunHighGrayLevelEmphasis", "LongRunLowGrayLevelEmphasis", "LowGrayLevelRunEmphasis",
        "RunEntropy", "RunLengthNonUniformity", "RunLengthNonUniformityNormalized", "RunPercentage", "RunVariance",
        "ShortRunEmphasis", "ShortRunHighGrayLevelEmphasis", "ShortRunLowGrayLevelEmphasis",
    ),
    "glszm": (
        "GrayLevelNonUniformity", "GrayLevelNonUniformityNormalized", "GrayLevelVariance", "HighGrayLevelZoneEmphasis",
        "LargeAreaEmphasis", "LargeAreaHighGrayLevelEmphasis", "LargeAreaLowGrayLevelEmphasis", "LowGrayLevelZoneEmphasis",
        "SizeZoneNonUniformity", "SizeZoneNonUniformityNormalized", "SmallAreaEmphasis", "SmallAreaHighGrayLevelEmphasis",
        "SmallAreaLowGrayLevelEmphasis", "ZoneEntropy", "ZonePercentage", "ZoneVariance",
    ),
    "gldm": (
        "DependenceEntropy", "DependenceNonUniformity", "DependenceNonUniformityNormalized", "DependenceVariance",
        "GrayLevelNonUniformity", "GrayLevelVariance", "HighGrayLevelEmphasis", "LargeDependenceEmphasis",
        "LargeDependenceHighGrayLevelEmphasis", "LargeDependenceLowGrayLevelEmphasis", "LowGrayLevelEmphasis",
        "SmallDependenceEmphasis", "SmallDependenceHighGrayLevelEmphasis", "SmallDependenceLowGrayLevelEmphasis",
    ),
    "ngtdm": (
        "Busyness", "Coarseness", "Complexity", "Contrast", "Strength",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """How features are computed. bin_width or bin_count (then bin_width is not used); filters: original, wavelet, log-sigma-N (N
    mm), square, squareroot, logarithm, exponential, gradient (per mm, or per voxel without its spacing); symmetric: pairs of the
    co-occurrence count both ways; alpha: difference of levels that still depend on each other; classes: of PyRadiomics; engine:
    compiled or pyradiomics, with the same values; definition: pyradiomics or ibsi (docs/ibsi.md); bin_start: of ibsi, where bins
    of a width begin, the least value where it is None."""

    bin_width: float = 0.05
    bin_count: int | None = None
    distances: tuple[int, ...] = (1,)
    force_2d: bool = False
    symmetric: bool = True
    alpha: int = 0
    voxel_array_shift: float = 0.0
    filters: tuple[str, ...] = (ORIGINAL,)
    gradient_use_spacing: bool = True
    classes: tuple[str, ...] = CLASSES
    engine: str = "compiled"
    definition: str = PYRADIOMICS
    bin_start: float | None = None

    def of_pyradiomics(self) -> dict:
        """The same in PyRadiomics' words."""
        binning = {"binWidth": self.bin_width} if self.bin_count is None else {"binCount": self.bin_count}
        return binning | {
            "distances": list(self.distances), "force2D": self.force_2d, "force2Ddimension": 0,
            "voxelArrayShift": self.voxel_array_shift, "label": 1, "symmetricalGLCM": self.symmetric, "gldm_a": self.alpha,
        }  # fmt: skip


def all_names(maps: Sequence[str] = ("S0", "SI", "SL"), settings: Settings = Settings()) -> list[str]:
    """The names of the whole set in order, of the original images: 572 with the paper's settings."""
    names = [f"tumor.shape.{name}" for name in NAMES["shape"]]
    for region in REGIONS:
        for map_name in maps:
            names += [f"{region}.{map_name}.{c}.{name}" for c in settings.classes for name in NAMES[c]]
    return names
