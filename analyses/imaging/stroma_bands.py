"""The stroma of the images (the band around the tumour inside the breast), and the parenchyma's means that images are divided by.

Another lesion that somebody outlined is in neither, whether it is part of the tumour or not.
Here "stroma" is the 20 mm band of the images; in expression it is the solid-tissue-normal sample.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from analyses.imaging.region_images import Images, band_row, doubts_of_band, image_at, without_others
from tshdb.config import Parameters
from tshdb.engine.analysis import Need, analysis
from tshdb.engine.relations import SAME_STUDY
from tshdb.schema import BreastMask, Lesion, PreparedImage, StromaBand, TumorMask

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = [
    "study_uid", "width_mm", "volume_ml", "whole_ml", "cut_off", "beyond_view", "parenchyma_n", "parenchyma_s0",
    "parenchyma_intermediate", "parenchyma_last", "reason", "object_id",
]  # fmt: skip


class StromaBandParameters(Parameters):
    """[stroma_bands]"""

    width_mm: float = Field(default=20.0, gt=0)
    """of the band, from the tumour's border"""
    in_plane: bool = False
    """measured in each slice, not in space (A14)"""


@analysis(
    kind="map",
    per="imaging_study",
    needs={
        "images": Need(PreparedImage, SAME_STUDY),
        "breasts": Need(BreastMask, SAME_STUDY),
        "tumors": Need(TumorMask, SAME_STUDY),
        "lesions": Need(Lesion, SAME_STUDY, optional=True),
    },
    makes=StromaBand,
    params=StromaBandParameters,
    libraries=("numpy",),
    strict_libraries=("SimpleITK",),
    source="doi:10.1186/s12967-023-04748-6, Tumor segmentation; A13, A14",
    batch=4,
)
def stroma_bands(
    images: pd.DataFrame,
    breasts: pd.DataFrame,
    tumors: pd.DataFrame,
    lesions: pd.DataFrame,
    params: StromaBandParameters,
) -> pd.DataFrame:
    """One row per examination with prepared images. All are rows of the tables of these names."""
    import pandas as pd

    rows = []
    for study_uid, of_study in images.groupby("study_uid", sort=True):
        breast, tumor = (frame[frame["study_uid"] == study_uid].iloc[0] for frame in (breasts, tumors))
        rows.append(_of_study(study_uid, of_study, breast, tumor, lesions[lesions["study_uid"] == study_uid], params))
    return pd.DataFrame(rows, columns=COLUMNS)


def _of_study(study_uid: str, images: pd.DataFrame, breast, tumor, lesions, params: StromaBandParameters) -> dict:
    from analyses.imaging.images.grids import array_of, box_of, cropped, one_thread
    from analyses.imaging.images.prepare import parenchyma_mean

    row = dict.fromkeys(COLUMNS) | {"study_uid": study_uid, "width_mm": params.width_mm}
    for what, region in (("breast", breast), ("tumour", tumor)):
        if region["object_path"] is None:
            return row | {"reason": f"no {what}: {region['reason']}"}
    inside, drawn = image_at(breast["object_path"]), image_at(tumor["object_path"])
    with one_thread():
        inside = without_others(inside, drawn, lesions)
        try:
            where = array_of(inside) > 0
            box = box_of(where) if where.any() else tuple(slice(0, n) for n in where.shape)
            breast_part, tumor_part = cropped(inside, box), cropped(drawn, box)
            for name, image in Images(images).in_box(box):
                mean, n = parenchyma_mean(image, breast_part, tumor_part)
                row |= {f"parenchyma_{name.lower()}": mean, "parenchyma_n": n}
            return row | band_row(drawn, inside, params) | {"reason": doubts_of_band("tumour", tumor, lesions)}
        except ValueError as error:
            return row | {"reason": str(error)}
