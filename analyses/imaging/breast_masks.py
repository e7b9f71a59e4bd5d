"""The breast of each examination, without skin and chest wall.

A person's segmentation of the breast goes first (`prefer`). Else it is found in S0 (`analyses.imaging.images.breast`); where
that fails there is no mask, and the reason. The archives' tissue masks are scattered tissue, no region: they are taken only if
asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from analyses.imaging.region_images import Images, grid_like, mask_on
from tshdb.config import Parameters
from tshdb.dated import is_later
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
    of_breast = segmentations[
        (segmentations["region"] == MaskRegion.BREAST) & segmentations["kind"].isin(params.prefer)
    ]
    with one_thread():
        try:
            if len(of_breast):
                chosen, mask, notes = _given(of_breast, masks, grid_like(images), slices, instances, series, params)
                row |= {"status": RegionStatus.GIVEN, "segmentation_id": chosen, "qc_flags": "; ".join(notes) or None}
                row |= _sides(mask)
            else:
                breast = find(Images(images)["S0"], skin_mm=params.skin_mm, wall_mm=params.wall_mm)
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


def _given(of_breast, masks, like, slices, instances, series, params):
    """(segmentation, mask, flags) of the kind that goes first: the later one; of the same day the one that all others equal.

    Parts of different places, such as a left and a right breast, are one. Raises ValueError where nothing decides.
    """
    import pandas as pd

    from analyses.imaging.images.grids import array_of, image_of

    ranks = of_breast["kind"].map(params.prefer.index)
    held = masks.set_index("segmentation_id")
    drawn, problems = {}, []
    for row in of_breast[ranks == ranks.min()].itertuples():
        try:
            mask = mask_on(row, held.loc[row.segmentation_id], like, slices, instances, series, params.resample)
            drawn[row.segmentation_id] = (array_of(mask) > 0, None if pd.isna(row.drawn_on) else row.drawn_on)
        except ValueError as error:
            problems.append(str(error))
    if not drawn:
        raise ValueError("; ".join(problems))
    left = dict(drawn)
    for name, (inside, day) in drawn.items():
        if any(is_later(d, day) and (i & inside).any() for i, d in drawn.values()):
            del left[name]
    first = min(left)
    whole = left[first][0]
    for name, (inside, _) in left.items():
        if name != first and (inside & whole).any() and not (inside == whole).all():
            raise ValueError(
                f"{len(left)} segmentations of the breast differ, and none is known to be the later one: date them"
            )
        whole = whole | inside
    notes = [f"a segmentation of the breast was not taken: {p}" for p in problems]
    return first, image_of(whole.astype("uint8"), like), notes


def _sides(mask) -> dict[str, float]:
    """ml on the patient's right and left: by the sign of x."""
    import numpy as np

    from analyses.imaging.images.grids import array_of, turn_of

    turn = turn_of(mask)
    inside = turn.upright(array_of(mask)) > 0
    if not inside.any():
        raise ValueError("the segmentation of the breast is empty on the images")
    x = turn.origin[0] + np.arange(inside.shape[2]) * turn.spacing[2]
    ml = float(np.prod(turn.spacing)) / 1000
    return {"right_ml": float(inside[:, :, x < 0].sum()) * ml, "left_ml": float(inside[:, :, x >= 0].sum()) * ml}
