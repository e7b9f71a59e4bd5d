"""Radiomic features: 14 of the tumour's shape, and 93 of each of S0, SI and SL in tumour and stroma; 572 of an examination.

One unit is one region in one map, so that a redrawn mask makes that patient's units due and nothing else. Values are
PyRadiomics' (`analyses.imaging.images.features`); images are divided by the parenchyma's mean before contrast (A13).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from analyses.imaging.region_images import MEANS, SHAPE, cropped_map, image_at, images_of, missing
from tshdb.config import Parameters
from tshdb.engine.analysis import Need, analysis
from tshdb.engine.relations import STUDY_OF_REGION_MAP
from tshdb.schema import PreparedImage, RadiomicFeature, StromaBand, TumorMask

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = [
    "region_map", "study_uid", "feature", "region", "map", "feature_class", "value", "reason", "n_voxels", "n_levels",
]  # fmt: skip


class RadiomicFeatureParameters(Parameters):
    """[radiomic_features]"""

    bin_width: float = Field(default=0.05, gt=0)
    """of grey levels, of images divided by the parenchyma's mean"""
    bin_count: int | None = Field(default=None, ge=2, le=256)
    """a fixed number of levels instead"""
    distances: tuple[int, ...] = (1,)
    """of neighbours, voxels"""
    force_2d: bool = False
    """textures slice by slice"""
    filters: tuple[str, ...] = ("original",)
    """original, wavelet, log-sigma-N (N mm)"""
    per_phase: bool = False
    """divide each phase by its own parenchyma's mean, not all by S0's"""


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
    libraries=("numpy", "scipy"),
    strict_libraries=("pyradiomics", "SimpleITK"),
    source="doi:10.1186/s12967-023-04748-6, Image preprocessing and feature analysis; doi:10.1158/0008-5472.CAN-17-0339; A15",
    batch=14,
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
    from analyses.imaging.images.features import of_map, of_shape
    from analyses.imaging.images.grids import one_thread

    study_uid, region, map_name = region_map.split("|")
    row = dict.fromkeys(COLUMNS) | {
        "region_map": region_map, "study_uid": study_uid, "region": region, "map": map_name,
    }  # fmt: skip
    mask = tumor if region == "tumor" else band
    reason = missing(mask, band, map_name, params.per_phase)
    if reason is not None:
        return [row | {"feature": f"{region}.{map_name}", "reason": reason}]
    inside = image_at(mask["object_path"])
    with one_thread():
        if map_name == SHAPE:
            values = of_shape(inside, region)
        else:
            means = {name: band[column if params.per_phase else MEANS["S0"]] for name, column in MEANS.items()}
            image, inside = cropped_map(images_of(images), inside, map_name, means, params.filters)
            values = of_map(image, inside, region, map_name, _settings(params))
    return [
        row | {
            "feature": v.feature, "feature_class": v.feature_class, "value": v.value, "reason": v.reason,
            "n_voxels": v.n_voxels, "n_levels": v.n_levels,
        }
        for v in values
    ]  # fmt: skip


def _settings(params: RadiomicFeatureParameters):
    from analyses.imaging.images.features import Settings

    return Settings(params.bin_width, params.bin_count, params.distances, params.force_2d, 0.0, params.filters)
