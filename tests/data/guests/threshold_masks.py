"""The tumour by a threshold on enhancement, in the place of spatial fuzzy c-means: a guest that reads and makes objects."""

import tempfile
from pathlib import Path

from pydantic import Field

from tshdb.config import Parameters
from tshdb.engine.analysis import Need, analysis
from tshdb.engine.relations import SAME_STUDY
from tshdb.schema import PreparedImage, TumorMask
from tshdb.vocabulary import MaskKind, RegionStatus


class ThresholdParameters(Parameters):
    """[threshold_masks]"""

    least_percent: float = Field(default=70.0, gt=0)
    """enhancement from S0 to the intermediate phase, per cent of S0"""


@analysis(
    kind="map", per="imaging_study", needs={"images": Need(PreparedImage, SAME_STUDY)}, makes=TumorMask,
    params=ThresholdParameters, replaces="tumor_masks", libraries=("numpy",), strict_libraries=("SimpleITK",),
    source="doi:10.1148/radiol.11110795, the threshold of functional tumour volume", batch=2,
)  # fmt: skip
def threshold_masks(images, params):
    """One row an examination: all voxels that enhance by so much."""
    import pandas as pd

    return pd.DataFrame([_of_study(uid, frame, params) for uid, frame in images.groupby("study_uid", sort=True)])


def _of_study(study_uid, frame, params):
    import numpy as np
    import SimpleITK as sitk

    from tshdb.images.prepared import read

    paths = dict(zip(frame["image"], frame["object_path"], strict=True))
    before, after = (read(paths[name]) for name in ("S0", "intermediate"))
    s0, s1 = (sitk.GetArrayFromImage(image).astype(float) for image in (before, after))
    inside = (s0 > 0) & ((s1 - s0) * 100 >= params.least_percent * np.where(s0 > 0, s0, 1))
    n = int(inside.sum())
    row = {"study_uid": study_uid, "status": RegionStatus.FAILED, "n_outlines": 0, "reason": "nothing enhances enough"}
    if not n:
        return row
    mask = sitk.GetImageFromArray(inside.astype(np.uint8))
    mask.CopyInformation(before)
    middle = before.TransformContinuousIndexToPhysicalPoint([float(np.mean(c)) for c in reversed(np.nonzero(inside))])
    return row | {
        "status": RegionStatus.FOUND, "kind": MaskKind.AUTOMATIC, "reason": None, "n_voxels": n, "seed_rule": "threshold",
        "volume_ml": n * float(np.prod(before.GetSpacing())) / 1000, "side": "left" if middle[0] >= 0 else "right",
        "x_mm": middle[0], "y_mm": middle[1], "z_mm": middle[2], "object_id": _nrrd(mask),
    }  # fmt: skip


def _nrrd(image):
    import SimpleITK as sitk

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mask.nrrd"
        sitk.WriteImage(image, str(path), useCompression=True)
        return path.read_bytes()
