"""The stroma of each of several lesions: the band around it inside the breast, where `[tumor_masks] lesions = "each"`.

Every other outlined lesion is left out of the band, as it is left out of the tumour's (`stroma_bands`, which lies around all of
them together); what two bands share is the stroma of both. An examination with one lesion has none here: its band is that of
the tumour.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from analyses.imaging.region_images import band_row, doubts_of_band, image_at, without_others
from tshdb.config import Parameters
from tshdb.engine.analysis import Need, analysis
from tshdb.engine.relations import SAME_STUDY
from tshdb.schema import BreastMask, Lesion, LesionBand

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = [
    "study_uid", "lesion", "width_mm", "volume_ml", "whole_ml", "cut_off", "beyond_view", "reason", "object_id",
]  # fmt: skip


class LesionBandParameters(Parameters):
    """[lesion_bands]"""

    width_mm: float = Field(default=20.0, gt=0)
    """as in [stroma_bands]"""
    in_plane: bool = False
    """as in [stroma_bands]"""


@analysis(
    kind="map",
    per="imaging_study",
    needs={"breasts": Need(BreastMask, SAME_STUDY), "lesions": Need(Lesion, SAME_STUDY)},
    makes=LesionBand,
    params=LesionBandParameters,
    base="stroma_bands",
    libraries=("numpy",),
    strict_libraries=("SimpleITK",),
    source="doi:10.1186/s12967-023-04748-6, Tumor segmentation (not in it: several lesions); A13, A14",
    batch=4,
)
def lesion_bands(breasts: pd.DataFrame, lesions: pd.DataFrame, params: LesionBandParameters) -> pd.DataFrame:
    """One row per measured lesion. All are rows of the tables of these names."""
    import pandas as pd

    rows = []
    for study_uid, of_study in lesions.groupby("study_uid", sort=True):
        breast = breasts[breasts["study_uid"] == study_uid].iloc[0]
        measured = of_study[of_study["is_measured"].astype(bool)]
        rows += [
            _of_lesion(lesion, breast, of_study, params) for _, lesion in measured.sort_values("lesion").iterrows()
        ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _of_lesion(lesion, breast, lesions: pd.DataFrame, params: LesionBandParameters) -> dict:
    from analyses.imaging.images.grids import one_thread

    row = dict.fromkeys(COLUMNS) | {
        "study_uid": lesion["study_uid"], "lesion": int(lesion["lesion"]), "width_mm": params.width_mm,
    }  # fmt: skip
    if breast["object_path"] is None:
        return row | {"reason": f"no breast: {breast['reason']}"}
    with one_thread():
        outline = image_at(lesion["object_path"])
        others = lesions[lesions["lesion"] != lesion["lesion"]]
        try:
            inside = without_others(image_at(breast["object_path"]), outline, others)
            return row | band_row(outline, inside, params) | {"reason": doubts_of_band("lesion", lesion, lesions)}
        except ValueError as error:
            return row | {"reason": str(error)}
