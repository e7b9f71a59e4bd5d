"""Whether an examination's dynamic series fall into phases, and by which key.

One row an examination, also where there are no phases: the reason stands in it, never a guess.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from analyses.imaging.dce_rule import phases_of
from analyses.imaging.phase_split import Unsplit, flags_text
from tshdb.config import Parameters
from tshdb.engine.analysis import Need, analysis
from tshdb.engine.relations import SAME_STUDY
from tshdb.schema import DceSet, ImagingDecision, ImagingInstance, ImagingSeries, SeriesRoleRow
from tshdb.vocabulary import SetStatus

if TYPE_CHECKING:
    import pandas as pd

REASONS = {
    SetStatus.NONE: "no series can be a dynamic scan",
    SetStatus.AMBIGUOUS: "several sets of series could be the dynamic scan; decide with: tshdb ingest decisions FILE",
}


class DceSetParameters(Parameters):
    """[dce_sets]"""

    merge_s: float = Field(default=2.0, gt=0)
    """times closer than this are one phase, seconds"""
    most_left_out: float = Field(default=0.1, ge=0, lt=1)
    """the fraction of positions that may be left out, flagged, because an image is missing or there twice"""


@analysis(
    kind="map",
    per="imaging_study",
    needs={
        "roles": Need(SeriesRoleRow, SAME_STUDY),
        "series": Need(ImagingSeries, SAME_STUDY),
        "instances": Need(ImagingInstance, SAME_STUDY),
        "decisions": Need(ImagingDecision, SAME_STUDY, optional=True),
    },
    makes=DceSet,
    params=DceSetParameters,
    source="doi:10.1186/s12967-023-04748-6, Imaging data; order of keys after SlicerBreast_DCEMRI_FTV",
    batch=16,
)
def dce_sets(
    roles: pd.DataFrame,
    series: pd.DataFrame,
    instances: pd.DataFrame,
    decisions: pd.DataFrame,
    params: DceSetParameters,
) -> pd.DataFrame:
    """One row per study_uid. roles, series, instances, decisions: rows of the tables of these names."""
    import pandas as pd

    rows = []
    for study_uid, of_study in roles.groupby("study_uid", sort=True):
        dynamic = of_study[of_study["is_dynamic"].astype(bool)]
        row = {
            "study_uid": study_uid,
            "status": of_study["set_status"].iloc[0],
            "n_series": len(dynamic),
            "n_phases": None,
            "n_slices": None,
            "key_used": None,
            "qc_flags": None,
            "reason": REASONS.get(SetStatus(of_study["set_status"].iloc[0])),
            **params.model_dump(),
            "decided_by": next((d for d in of_study["decided_by"] if d != "rule"), "rule"),
        }
        if len(dynamic):
            try:
                split = phases_of(study_uid, dynamic, series, instances, decisions, **params.model_dump())
                row |= {
                    "status": SetStatus.FOUND,
                    "n_phases": len(split.phases),
                    "n_slices": len(split.positions),
                    "key_used": split.key,
                    "qc_flags": flags_text(split.flags),
                }
            except Unsplit as error:
                row |= {"status": SetStatus.UNSPLIT, "reason": str(error)}
        rows.append(row)
    return pd.DataFrame(rows)
