"""Radiomic features: 14 of the tumour's shape, and 93 of each of S0, SI and SL in tumour and stroma; 572 of an examination.

One unit is one region in one map, so that a redrawn mask makes that patient's units due and nothing else. Values are
PyRadiomics' (`analyses.imaging.images.features`); images are divided by the parenchyma's mean before contrast (A13). Where the
view cuts the tumour, every feature says so: of its part, and of the stroma around this part. Where PyRadiomics can be
imported, one unit in fifty is computed by it as well; a difference stops the rebuild (`analyses.imaging.images.court`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyses.imaging.feature_settings import FeatureParameters
from analyses.imaging.region_features import features_of_region
from analyses.imaging.region_images import cut_of
from tshdb.engine.analysis import Need, analysis
from tshdb.engine.relations import STUDY_OF_REGION_MAP
from tshdb.schema import PreparedImage, RadiomicFeature, StromaBand, TumorMask

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = [
    "region_map", "study_uid", "feature", "region", "map", "feature_class", "value", "reason", "n_voxels", "n_levels",
]  # fmt: skip


class RadiomicFeatureParameters(FeatureParameters):
    """[radiomic_features]"""


@analysis(
    kind="map",
    per="region_map",
    needs={
        "images": Need(PreparedImage, STUDY_OF_REGION_MAP),
        "tumors": Need(TumorMask, STUDY_OF_REGION_MAP),
        "bands": Need(StromaBand, STUDY_OF_REGION_MAP),
    },
    makes=RadiomicFeature,
    params=RadiomicFeatureParameters,
    libraries=("numpy", "numba", "pyradiomics"),
    strict_libraries=("SimpleITK",),
    source="doi:10.1186/s12967-023-04748-6, Image preprocessing and feature analysis; doi:10.1158/0008-5472.CAN-17-0339; A15",
    batch=14,
    same_as={"cf7178a0efdc9b9c17721a20b2087aad": ("9299b1910e4e569476c8558068ed84cb",)},
)
def radiomic_features(
    images: pd.DataFrame, tumors: pd.DataFrame, bands: pd.DataFrame, params: RadiomicFeatureParameters
) -> pd.DataFrame:
    """93 rows per region and map, 14 of the shape; one row with the reason where a region has no mask.

    images, tumors, bands: rows of prepared_images, tumor_masks and stroma_bands, with the region_map that they are for.
    """
    import pandas as pd

    rows = []
    for region_map, tumor in tumors.groupby("region_map", sort=True):
        band = bands[bands["region_map"] == region_map]
        rows += _of_unit(region_map, images[images["region_map"] == region_map], tumor.iloc[0], band.iloc[0], params)
    return pd.DataFrame(rows, columns=COLUMNS)


def _of_unit(region_map: str, images: pd.DataFrame, tumor, band, params: RadiomicFeatureParameters) -> list[dict]:
    study_uid, region, map_name = region_map.split("|")
    row = dict.fromkeys(COLUMNS) | {"region_map": region_map, "study_uid": study_uid}
    mask = tumor if region == "tumor" else band
    found = features_of_region(map_name, region, mask, band, images, cut_of(tumor), params, heard_as=region_map)
    return [row | feature for feature in found]
