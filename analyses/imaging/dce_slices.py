"""Which image of the dynamic set is in which phase, and where it lies in the stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyses.imaging.dce_rule import phases_of
from tshdb.config import Parameters
from tshdb.engine.analysis import Need, analysis
from tshdb.engine.relations import SAME_STUDY
from tshdb.schema import DceSet, DceSlice, ImagingDecision, ImagingInstance, ImagingSeries, SeriesRoleRow
from tshdb.vocabulary import SetStatus

if TYPE_CHECKING:
    import pandas as pd


class DceSliceParameters(Parameters):
    """[dce_slices]: phases are told apart as dce_sets did."""


@analysis(
    kind="map",
    per="imaging_study",
    needs={
        "sets": Need(DceSet, SAME_STUDY),
        "roles": Need(SeriesRoleRow, SAME_STUDY),
        "series": Need(ImagingSeries, SAME_STUDY),
        "instances": Need(ImagingInstance, SAME_STUDY),
        "decisions": Need(ImagingDecision, SAME_STUDY, optional=True),
    },
    makes=DceSlice,
    params=DceSliceParameters,
    source="doi:10.1186/s12967-023-04748-6, Imaging data",
    batch=16,
)
def dce_slices(
    sets: pd.DataFrame,
    roles: pd.DataFrame,
    series: pd.DataFrame,
    instances: pd.DataFrame,
    decisions: pd.DataFrame,
    params: DceSliceParameters,
) -> pd.DataFrame:
    """One row per image of the dynamic set; none where it does not fall into phases (dce_sets says why)."""
    import pandas as pd

    rows = []
    for known in sets[sets["status"] == SetStatus.FOUND].sort_values("study_uid").itertuples():
        study_uid = known.study_uid
        dynamic = roles[(roles["study_uid"] == study_uid) & roles["is_dynamic"].astype(bool)]
        split = phases_of(
            study_uid, dynamic, series, instances, decisions, merge_s=known.merge_s, most_left_out=known.most_left_out
        )
        rows += [
            {
                "study_uid": study_uid,
                "sop_uid": sop_uid,
                "frame_number": frame_number,
                "phase_index": phase,
                "slice_index": i,
                "position_mm": split.positions[i],
            }
            for phase, images in enumerate(split.phases)
            for i, (sop_uid, frame_number) in enumerate(images)
        ]
    columns = ["study_uid", "sop_uid", "frame_number", "phase_index", "slice_index", "position_mm"]
    return pd.DataFrame(rows, columns=columns)
