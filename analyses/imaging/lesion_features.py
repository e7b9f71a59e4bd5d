"""Radiomic features of each of several lesions and of the stroma around it, beside those of the whole tumour: where
`[tumor_masks] lesions = "each"`.

Settings are those of [radiomic_features], parametric maps included; images are divided by the parenchyma's mean of the
examination. An examination with one lesion has none here: its features are the tumour's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from analyses.imaging.feature_settings import FeatureParameters
from analyses.imaging.map_regions import BinCounts, BinWidths, features_of_map
from analyses.imaging.region_features import features_of_region
from analyses.imaging.region_images import SHAPE, cut_of
from tshdb.engine.analysis import Need, analysis
from tshdb.engine.relations import SAME_STUDY
from tshdb.schema import KineticMap, Lesion, LesionBand, LesionFeature, PreparedImage, StromaBand

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = [
    "study_uid", "lesion", "feature", "region", "map", "unit", "feature_class", "value", "reason", "n_voxels", "n_levels",
]  # fmt: skip


class LesionFeatureParameters(FeatureParameters):
    """[lesion_features]: as [radiomic_features]."""

    FOLLOWS = tuple(FeatureParameters.model_fields)

    map_bin_widths: BinWidths = Field(default_factory=dict)
    """as in [map_features]"""
    map_bin_counts: BinCounts = Field(default_factory=dict)
    """as in [map_features]"""


@analysis(
    kind="map",
    per="imaging_study",
    needs={
        "images": Need(PreparedImage, SAME_STUDY),
        "lesions": Need(Lesion, SAME_STUDY),
        "bands": Need(StromaBand, SAME_STUDY),
        "lesion_bands": Need(LesionBand, SAME_STUDY),
        "maps": Need(KineticMap, SAME_STUDY, optional=True),
    },
    makes=LesionFeature,
    params=LesionFeatureParameters,
    base="radiomic_features",
    libraries=("numpy", "numba", "pyradiomics"),
    strict_libraries=("SimpleITK",),
    source="doi:10.1186/s12967-023-04748-6, Image preprocessing and feature analysis (not in it: several lesions)",
    batch=4,
    same_as={"a41c7707cea6cdcc906c0e4696ac8a52": ("a1fd6bb075ca24051a5d457016800c24",)},
)
def lesion_features(
    images: pd.DataFrame,
    lesions: pd.DataFrame,
    bands: pd.DataFrame,
    lesion_bands: pd.DataFrame,
    maps: pd.DataFrame,
    params: LesionFeatureParameters,
) -> pd.DataFrame:
    """93 rows per measured lesion, region and map, 14 of its shape. All are rows of the tables of these names."""
    import pandas as pd

    rows = []
    own = lesions[lesions["is_measured"].astype(bool)]
    for study_uid, of_study in own.groupby("study_uid", sort=True):
        of_images = images[images["study_uid"] == study_uid]
        means = bands[bands["study_uid"] == study_uid].iloc[0]
        around = lesion_bands[lesion_bands["study_uid"] == study_uid].set_index("lesion")
        of_maps = maps[maps["study_uid"] == study_uid].sort_values("map")
        for _, lesion in of_study.sort_values("lesion").iterrows():
            stroma = around.loc[lesion["lesion"]]
            rows += _of_lesion(lesion, stroma, of_images, means, of_maps, params)
    return pd.DataFrame(rows, columns=COLUMNS)


def _of_lesion(
    lesion, stroma, images: pd.DataFrame, means, maps: pd.DataFrame, params: LesionFeatureParameters
) -> list[dict]:
    from analyses.imaging.images.prepare import MAPS

    rows: list[dict] = []
    for region, mask, names in (("tumor", lesion, (SHAPE, *MAPS)), ("stroma", stroma, MAPS)):
        for name in names:
            rows += features_of_region(name, region, mask, means, images, cut_of(lesion), params)
        for _, row in maps.iterrows():
            rows += features_of_map(row, mask, region, cut_of(lesion), params)
    return [
        dict.fromkeys(COLUMNS) | row | {"study_uid": lesion["study_uid"], "lesion": int(lesion["lesion"])}
        for row in rows
    ]
