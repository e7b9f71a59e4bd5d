"""Radiomic features of parametric maps: 93 of each map in tumour and stroma, beside those of S0, SI and SL.

Values are PyRadiomics', with the settings of [radiomic_features] but for grey levels, whose width is the map's (units differ),
and filters, which are of S0, SI and SL alone. A map is not divided by the parenchyma. Voxels without a value in the map are left
out of the region, and every value says how many.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from analyses.imaging.feature_settings import TextureParameters
from analyses.imaging.map_regions import COLUMNS, BinCounts, BinWidths, features_of_map
from analyses.imaging.region_images import cut_of
from tshdb.engine.analysis import Need, analysis
from tshdb.engine.relations import SAME_STUDY
from tshdb.schema import KineticMap, MapFeature, StromaBand, TumorMask

if TYPE_CHECKING:
    import pandas as pd


class MapFeatureParameters(TextureParameters):
    """[map_features]"""

    FOLLOWS = tuple(TextureParameters.model_fields)

    map_bin_widths: BinWidths = Field(default_factory=dict)
    """of grey levels, map = width in its unit; default 10 percent, 0.1 of SER, 30 seconds, 5 and (wash_out) 2 percent/min"""
    map_bin_counts: BinCounts = Field(default_factory=dict)
    """a fixed number of levels instead, map = number"""


@analysis(
    kind="map",
    per="imaging_study",
    needs={
        "maps": Need(KineticMap, SAME_STUDY),
        "tumors": Need(TumorMask, SAME_STUDY),
        "bands": Need(StromaBand, SAME_STUDY),
    },
    makes=MapFeature,
    params=MapFeatureParameters,
    base="radiomic_features",
    libraries=("numpy", "numba", "pyradiomics"),
    strict_libraries=("SimpleITK",),
    source="doi:10.1158/0008-5472.CAN-17-0339, the features; not in Fan et al. 2023: parametric maps",
    batch=4,
    same_as={"e60b1d61a748239aef3ae215603143e5": ("97e28dd88d86501116baa04f5c1b1d32",)},
)
def map_features(
    maps: pd.DataFrame, tumors: pd.DataFrame, bands: pd.DataFrame, params: MapFeatureParameters
) -> pd.DataFrame:
    """93 rows per region and map; one with the reason where there is no mask or no map. All are rows of these tables."""
    import pandas as pd

    rows: list[dict] = []
    for study_uid, of_study in maps.groupby("study_uid", sort=True):
        tumor, band = (frame[frame["study_uid"] == study_uid].iloc[0] for frame in (tumors, bands))
        for _, of_map in of_study.sort_values("map").iterrows():
            for region, mask in (("tumor", tumor), ("stroma", band)):
                rows += features_of_map(of_map, mask, region, cut_of(tumor), params)
    return pd.DataFrame(rows, columns=COLUMNS)
