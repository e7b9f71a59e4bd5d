"""How far the patient moved between the phases: each later prepared image against S0, by a rigid registration.

Where she moved by more than a voxel, differences of phases (SI, SL) show edges where nothing enhances: the row is flagged, and
`feature_sets.motion_voxels` bears it to the features. `[prepared_images] registration = "rigid"` puts the phases back on S0; what
is measured here is then what is left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from analyses.imaging.region_images import Images
from tshdb.config import Parameters
from tshdb.engine.analysis import Need, analysis
from tshdb.engine.relations import SAME_STUDY
from tshdb.schema import PhaseMotion, PreparedImage
from tshdb.vocabulary import PreparedKind

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = [
    "study_uid", "image", "phase_index", "x_mm", "y_mm", "z_mm", "angle_deg", "furthest_mm", "in_plane_voxels", "is_moved",
    "reason",
]  # fmt: skip


class PhaseMotionParameters(Parameters):
    """[phase_motions]"""

    most_voxels: float = Field(default=1.0, gt=0)
    """of the prepared images, within the slices: beyond it a phase is flagged as moved"""


@analysis(
    kind="map",
    per="imaging_study",
    needs={"images": Need(PreparedImage, SAME_STUDY)},
    makes=PhaseMotion,
    params=PhaseMotionParameters,
    libraries=("numpy",),
    strict_libraries=("SimpleITK",),
    source="doi:10.1109/TMI.2002.803315, mutual information of images",
    batch=2,
)
def phase_motions(images: pd.DataFrame, params: PhaseMotionParameters) -> pd.DataFrame:
    """One row per later image of an examination. images: rows of prepared_images, with object_path."""
    import pandas as pd

    rows = []
    for study_uid, of_study in images.groupby("study_uid", sort=True):
        rows += _of_study(str(study_uid), of_study, params)
    return pd.DataFrame(rows, columns=COLUMNS)


def _of_study(study_uid: str, images: pd.DataFrame, params: PhaseMotionParameters) -> list[dict]:
    from analyses.imaging.images.grids import one_thread
    from analyses.imaging.images.motion import measured

    volumes = Images(images)
    number = dict(zip(images["image"], images["phase_index"], strict=True))
    rows: list[dict] = []
    with one_thread():
        for kind in (PreparedKind.INTERMEDIATE, PreparedKind.LAST):
            row = dict.fromkeys(COLUMNS) | {"study_uid": study_uid, "image": kind, "phase_index": int(number[kind])}
            same = next((r for r in rows if r["phase_index"] == row["phase_index"]), None)
            if same is not None:  # one phase after contrast is both
                rows.append(same | {"image": kind})
                continue
            try:
                motion = measured(volumes[PreparedKind.S0], volumes[kind])
            except (ValueError, RuntimeError) as error:
                rows.append(row | {"reason": str(error).strip().splitlines()[-1]})
                continue
            x, y, z = motion.shift_mm
            rows.append(row | {
                "x_mm": x, "y_mm": y, "z_mm": z, "angle_deg": motion.angle_deg, "furthest_mm": motion.furthest_mm,
                "in_plane_voxels": motion.in_plane_voxels, "is_moved": motion.in_plane_voxels > params.most_voxels,
            })  # fmt: skip
    return rows
