"""The breast of each examination, without skin and chest wall.

A person's segmentation of the breast goes first (`prefer`). Else it is found in S0 (`analyses.imaging.images.breast`); where
that fails there is no mask, and the reason. The archives' tissue masks are scattered tissue, no region: they are taken only if
asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from analyses.imaging.region_images import images_of, mask_on
from tshdb.config import Parameters
from tshdb.engine.analysis import Need, analysis
from tshdb.engine.relations import SAME_STUDY
from tshdb.schema import BreastMask, DceSlice, ImagingInstance, ImagingSeries, Mask, PreparedImage, Segmentation
from tshdb.vocabulary import MaskRegion, RegionStatus

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = [
    "study_uid", "status", "segmentation_id", "right_ml", "left_ml", "stands_out_mm", "qc_flags", "reason", "object_id",
]  # fmt: skip
DEEP_MM = 115.0  # a breast that stands out by more has muscle in it, or its chest wall is not where it was looked for


class BreastMaskParameters(Parameters):
    """[breast_masks]"""

    prefer: tuple[str, ...] = ("manual", "expert", "automatic", "other")
    """kinds of segmentations of the breast, the first goes first (tissue: the archives' masks of tissue)"""
    skin_mm: float = Field(default=3.0, ge=0)
    """of the skin that is left out"""
    wall_mm: float = Field(default=10.0)
    """how far behind the bridged skin the chest wall is looked for"""
    resample: bool = False
    """segmentations in another grid may be put on the images"""


@analysis(
    kind="map",
    per="imaging_study",
    needs={
        "images": Need(PreparedImage, SAME_STUDY),
        "segmentations": Need(Segmentation, SAME_STUDY, optional=True),
        "masks": Need(Mask, SAME_STUDY, optional=True),
        "slices": Need(DceSlice, SAME_STUDY),
        "instances": Need(ImagingInstance, SAME_STUDY),
        "series": Need(ImagingSeries, SAME_STUDY),
    },
    makes=BreastMask,
    params=BreastMaskParameters,
    libraries=("numpy", "scipy"),
    strict_libraries=("SimpleITK",),
    source="doi:10.1186/s12967-023-04748-6, Tumor segmentation",
    batch=2,
)
def breast_masks(
    images: pd.DataFrame,
    segmentations: pd.DataFrame,
    masks: pd.DataFrame,
    slices: pd.DataFrame,
    instances: pd.DataFrame,
    series: pd.DataFrame,
    params: BreastMaskParameters,
) -> pd.DataFrame:
    """One row per examination with prepared images. All are rows of the tables of these names."""
    import pandas as pd

    rows = []
    for study_uid, of_study in images.groupby("study_uid", sort=True):
        own = (frame[frame["study_uid"] == study_uid] for frame in (segmentations, masks, slices, instances, series))
        rows.append(_of_study(study_uid, of_study, *own, params))
    return pd.DataFrame(rows, columns=COLUMNS)


def _of_study(study_uid, images, segmentations, masks, slices, instances, series, params) -> dict:
    from analyses.imaging.images.breast import find
    from analyses.imaging.images.grids import nrrd, one_thread

    row = dict.fromkeys(COLUMNS) | {"study_uid": study_uid, "status": RegionStatus.FAILED}
    s0 = images_of(images)["S0"]
    of_breast = segmentations[
        (segmentations["region"] == MaskRegion.BREAST) & segmentations["kind"].isin(params.prefer)
    ]
    with one_thread():
        try:
            if len(of_breast):
                ranks = of_breast["kind"].map(params.prefer.index)
                chosen = of_breast.assign(rank=ranks).sort_values(["rank", "segmentation_id"]).iloc[0]
                held = masks[masks["segmentation_id"] == chosen["segmentation_id"]].iloc[0]
                mask = mask_on(chosen, held, s0, slices, instances, series, params.resample)
                row |= {"status": RegionStatus.GIVEN, "segmentation_id": chosen["segmentation_id"]} | _sides(mask)
            else:
                breast = find(s0, skin_mm=params.skin_mm, wall_mm=params.wall_mm)
                mask, flags = breast.mask, list(breast.flags)
                if breast.stands_out_mm > DEEP_MM:
                    flags.append(
                        f"it stands out by {breast.stands_out_mm:.0f} mm: is the chest wall where it should be?"
                    )
                row |= {
                    "status": RegionStatus.FOUND, "right_ml": breast.right_ml, "left_ml": breast.left_ml,
                    "stands_out_mm": breast.stands_out_mm, "qc_flags": "; ".join(flags) or None,
                }  # fmt: skip
        except ValueError as error:
            return row | {"reason": str(error)}
        return row | {"object_id": nrrd(mask, 6)}


def _sides(mask) -> dict[str, float]:
    """ml on the patient's right and left: by the sign of x."""
    import numpy as np

    from analyses.imaging.images.grids import array_of, upright

    turned = upright(mask)
    inside = array_of(turned) > 0
    if not inside.any():
        raise ValueError("the segmentation of the breast is empty on the images")
    x = turned.GetOrigin()[0] + np.arange(inside.shape[2]) * turned.GetSpacing()[0]
    ml = float(np.prod(turned.GetSpacing())) / 1000
    return {"right_ml": float(inside[:, :, x < 0].sum()) * ml, "left_ml": float(inside[:, :, x >= 0].sum()) * ml}
