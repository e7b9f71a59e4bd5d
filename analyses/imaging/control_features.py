"""Features of altered images, the ladder's controls, on request: what a signature could learn without any texture.

shuffled voxels      the voxels of tumour and stroma, each region by itself, change places: histogram and shape stay
noise in the region  normal noise with the region's own means and covariances of the phases: shape, means and spreads stay

The features are those of [radiomic_features], by the same settings, of the same masks. Images are divided by the parenchyma's
mean of the image as it was scanned. An examination's permutations and noise hang on its name, the control and the region alone.
What the two keep and take: `analyses.imaging.images.controls`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

from analyses.imaging.feature_settings import FeatureParameters, settings_of
from analyses.imaging.region_features import feature_row
from analyses.imaging.region_images import MEANS, SHAPE, Images, cropped_map, cut_of, image_at, missing
from tshdb.engine.analysis import Need, analysis
from tshdb.engine.relations import SAME_STUDY
from tshdb.schema import ControlFeature, PreparedImage, StromaBand, TumorMask

if TYPE_CHECKING:
    import pandas as pd
    import SimpleITK as sitk

    from analyses.imaging.images.features import Value

COLUMNS = [
    "study_uid", "control", "feature", "region", "map", "feature_class", "value", "reason", "n_voxels", "n_levels",
]  # fmt: skip


class ControlFeatureParameters(FeatureParameters):
    """[control_features]: how features are measured is said in [radiomic_features]."""

    FOLLOWS = tuple(FeatureParameters.model_fields)

    controls: tuple[Literal["shuffled voxels", "noise in the region"], ...] = ()
    """altered images whose features are computed, for the ladder: shuffled voxels, noise in the region; without any there are no
    units of them"""


@analysis(
    kind="map",
    per="imaging_study",
    needs={
        "images": Need(PreparedImage, SAME_STUDY),
        "tumors": Need(TumorMask, SAME_STUDY),
        "bands": Need(StromaBand, SAME_STUDY),
    },
    makes=ControlFeature,
    params=ControlFeatureParameters,
    base="radiomic_features",
    asked_by="controls",
    libraries=("numpy", "numba", "pyradiomics"),
    strict_libraries=("SimpleITK",),
    source="doi:10.1016/j.radonc.2018.10.027, shuffled voxels; doi:10.1158/0008-5472.CAN-17-0339, the features",
    batch=2,
)
def control_features(
    images: pd.DataFrame,
    tumors: pd.DataFrame,
    bands: pd.DataFrame,
    seeds: dict[str, int],
    params: ControlFeatureParameters,
) -> pd.DataFrame:
    """572 rows per examination and control; one with the reason where a region has no mask. All are rows of these tables."""
    import pandas as pd

    rows = []
    for study_uid, tumor in tumors.groupby("study_uid", sort=True):
        of_images = images[images["study_uid"] == study_uid]
        band = bands[bands["study_uid"] == study_uid].iloc[0]
        found = _of_examination(of_images, tumor.iloc[0], band, seeds[str(study_uid)], params)
        rows += [dict.fromkeys(COLUMNS) | row | {"study_uid": study_uid} for row in found]
    return pd.DataFrame(rows, columns=COLUMNS)


def _of_examination(
    images: pd.DataFrame, tumor: Any, band: Any, seed: int, params: ControlFeatureParameters
) -> Iterator[dict]:
    import numpy as np

    from analyses.imaging.images import court
    from analyses.imaging.images.controls import CONTROLS, altered
    from analyses.imaging.images.grids import one_thread
    from analyses.imaging.images.prepare import MAPS

    cut = cut_of(tumor)
    with one_thread():
        if params.engine == "compiled":
            court.canary()
        for number, (region, mask, names) in enumerate((("tumor", tumor, (SHAPE, *MAPS)), ("stroma", band, MAPS))):
            reasons = {name: missing(mask, band, name, params.per_phase) for name in names}
            around = None if None not in reasons.values() else _around(images, mask, params.filters)
            for control in params.controls:
                row = {"control": control, "region": region}
                if around is not None:
                    random = np.random.default_rng([seed, CONTROLS.index(control), number])
                    phases, inside = altered(*around, control, random), around[1]
                for name, reason in reasons.items():
                    shared = row | {"map": name}
                    if reason is not None:
                        yield shared | {"feature": f"{region}.{name}", "reason": reason}
                        continue
                    for value in _values(phases, inside, region, name, band, params):
                        yield shared | feature_row(value, cut)


def _around(images: pd.DataFrame, mask: Any, filters: tuple[str, ...]) -> tuple[dict[str, sitk.Image], sitk.Image]:
    """(the phases, the mask): the box of the region, or, for filters that see further, all of the image."""
    from analyses.imaging.images.grids import array_of, box_of, cropped

    inside, volumes = image_at(mask["object_path"]), Images(images)
    if filters != ("original",):
        return dict(volumes), inside
    box = box_of(array_of(inside) > 0, (1, 1, 1))
    return dict(volumes.in_box(box)), cropped(inside, box)


def _values(
    phases: Mapping[str, sitk.Image], inside: sitk.Image, region: str, name: str, band: Any, params: ControlFeatureParameters
) -> list[Value]:  # fmt: skip
    from analyses.imaging.images.features import of_map, of_shape

    settings = settings_of(params)
    if name == SHAPE:
        return of_shape(inside, region, settings)
    means = {phase: band[column if params.per_phase else MEANS["S0"]] for phase, column in MEANS.items()}
    image, inside = cropped_map(phases, inside, name, means, params.filters)
    return of_map(image, inside, region, name, settings)
