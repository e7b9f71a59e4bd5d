"""Features measured again after a small change, to see which of them can be relied on: noise on the image, a shifted mask.

noise  normal noise of `noise` (in units of the parenchyma's mean) on the image that the map is of (SI: the intermediate one),
       drawn from the unit's seed; the image keeps the significant bits that images are kept with, so that noise below
       them changes nothing, not even voxels that lie on the edge of a bin
shift  the mask moved by one voxel along the rows and one along the columns: as if it were drawn a little beside
Off unless `perturbations` names some: it costs as much again for each.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from analyses.imaging.feature_settings import FeatureParameters, settings_of
from analyses.imaging.region_images import MEANS, SHAPE, Images, cropped_map, image_at, missing, not_brighter, zeros_of
from tshdb.engine.analysis import Need, analysis
from tshdb.engine.relations import STUDY_OF_REGION_MAP
from tshdb.schema import PreparedImage, RetestFeature, StromaBand, TumorMask

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import SimpleITK as sitk

COLUMNS = ["region_map", "study_uid", "feature", "perturbation", "value"]


class RetestFeatureParameters(FeatureParameters):
    """[retest_features]: how features are measured is said in [radiomic_features]."""

    FOLLOWS = tuple(FeatureParameters.model_fields)

    perturbations: tuple[Literal["noise", "shift"], ...] = ()
    """noise, shift, or none"""
    noise: float = Field(default=0.05, gt=0)
    """its standard deviation, of the parenchyma's mean"""


@analysis(
    kind="map",
    per="region_map",
    needs={
        "images": Need(PreparedImage, STUDY_OF_REGION_MAP),
        "tumors": Need(TumorMask, STUDY_OF_REGION_MAP),
        "bands": Need(StromaBand, STUDY_OF_REGION_MAP),
    },
    makes=RetestFeature,
    params=RetestFeatureParameters,
    base="radiomic_features",
    libraries=("numpy", "numba", "pyradiomics"),
    strict_libraries=("SimpleITK",),
    source="doi:10.1186/s12967-023-04748-6, Radiomic features (not in it: perturbations, doi:10.1038/s41598-018-36938-4)",
    batch=14,
    same_as={"da13a390cfc8cdfa2373a4207169ffff": ("a9b643a485908b03ddedb45351264307",)},
)
def retest_features(
    images: pd.DataFrame,
    tumors: pd.DataFrame,
    bands: pd.DataFrame,
    seeds: dict[str, int],
    params: RetestFeatureParameters,
) -> pd.DataFrame:
    """One row per feature and perturbation, none where there is no mask.

    images, tumors, bands: rows of prepared_images, tumor_masks and stroma_bands, with the region_map that they are for.
    """
    import pandas as pd

    rows = []
    for region_map, tumor in tumors.groupby("region_map", sort=True) if params.perturbations else ():
        band = bands[bands["region_map"] == region_map].iloc[0]
        of_map = images[images["region_map"] == region_map]
        rows += _of_unit(region_map, of_map, tumor.iloc[0], band, seeds[region_map], params)
    return pd.DataFrame(rows, columns=COLUMNS)


def _of_unit(region_map: str, images, tumor, band, seed: int, params: RetestFeatureParameters) -> list[dict]:
    from analyses.imaging.images import court
    from analyses.imaging.images.features import of_map, of_shape
    from analyses.imaging.images.grids import array_of, image_of, one_thread

    study_uid, region, map_name = region_map.split("|")
    mask = tumor if region == "tumor" else band
    if missing(mask, band, map_name, params.per_phase) is not None:
        return []
    settings = settings_of(params)
    means = {name: band[column if params.per_phase else MEANS["S0"]] for name, column in MEANS.items()}
    zeros = None if map_name == SHAPE else zeros_of(images, params.greyscale, params.per_phase)
    if not_brighter(means, zeros) is not None:
        return []
    inside = image_at(mask["object_path"])
    rows = []
    with one_thread():
        if params.engine == "compiled":
            court.canary()
        for perturbation in params.perturbations:
            moved = image_of(_beside(array_of(inside)), inside) if perturbation == "shift" else inside
            if map_name == SHAPE:
                values = of_shape(moved, region, settings)
            else:
                noisy = partial(_noisy, means=means, noise=params.noise, seed=seed) if perturbation == "noise" else None
                image, moved = cropped_map(Images(images), moved, map_name, means, params.filters, noisy, zeros)
                values = of_map(image, moved, region, map_name, settings)
            rows += [
                {"region_map": region_map, "study_uid": study_uid, "feature": v.feature, "perturbation": perturbation,
                 "value": v.value}
                for v in values
            ]  # fmt: skip
    return rows


def _noisy(image: sitk.Image, name: str, means: Mapping[str, float], noise: float, seed: int) -> sitk.Image:
    """The image with normal noise of so many of its parenchyma's means, as an image is kept. Where no signal is, none comes."""
    import numpy as np

    from analyses.imaging.images.grids import array_of, image_of
    from analyses.imaging.images.prepare import rounded

    values = array_of(image).astype(np.float64)
    added = np.random.default_rng(seed).normal(0, noise * means[name], values.shape)
    return rounded(image_of(values + np.where(values == 0, 0, added), image))


def _beside(mask: np.ndarray) -> np.ndarray:
    """A mask (slices, rows, columns) one voxel further down and to the right; what leaves the image is gone."""
    import numpy as np

    moved = np.zeros_like(mask)
    moved[:, 1:, 1:] = mask[:, :-1, :-1]
    return moved
