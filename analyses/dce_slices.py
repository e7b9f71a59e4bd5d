"""Which image of the dynamic set is in which phase, and where it lies in the stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyses.dce_rule import DceParameters, phases_of
from analyses.phase_split import Unsplit
from tshdb.engine.analysis import Need, analysis
from tshdb.engine.relations import SAME_STUDY
from tshdb.schema import DceSlice, ImagingDecision, ImagingInstance, ImagingSeries, SeriesRoleRow

if TYPE_CHECKING:
    import pandas as pd


@analysis(
    kind="map",
    per="imaging_study",
    needs={
        "roles": Need(SeriesRoleRow, SAME_STUDY),
        "series": Need(ImagingSeries, SAME_STUDY),
        "instances": Need(ImagingInstance, SAME_STUDY),
        "decisions": Need(ImagingDecision, SAME_STUDY, optional=True),
    },
    makes=DceSlice,
    params=DceParameters,
    source="doi:10.1186/s12967-023-04748-6, Imaging data",
    batch=16,
)
def dce_slices(
    roles: pd.DataFrame,
    series: pd.DataFrame,
    instances: pd.DataFrame,
    decisions: pd.DataFrame,
    params: DceParameters,
) -> pd.DataFrame:
    """One row per image of the dynamic set; none where it does not fall into phases (dce_sets says why)."""
    import pandas as pd

    rows = []
    for study_uid, mine in roles.groupby("study_uid", sort=True):
        dynamic = mine[mine["is_dynamic"].astype(bool)]
        if not len(dynamic):
            continue
        try:
            found = phases_of(study_uid, dynamic, series, instances, decisions, params)
        except Unsplit:
            continue
        rows += [
            {
                "study_uid": study_uid,
                "sop_uid": sop_uid,
                "phase_index": phase,
                "slice_index": i,
                "position_mm": found.positions[i],
            }
            for phase, images in enumerate(found.phases)
            for i, sop_uid in enumerate(images)
        ]
    return pd.DataFrame(rows, columns=["study_uid", "sop_uid", "phase_index", "slice_index", "position_mm"])
