"""Good or poor prognosis of every patient with a ratio, by the cut-off of the development cohort.

Reads the newest cut-off, and never fits one: a patient who arrives later is put into a group by what was frozen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tshdb.config import Parameters
from tshdb.engine.analysis import Model, Need, analysis
from tshdb.engine.relations import SAME_PATIENT
from tshdb.schema import Cutoff, SurvivalGroup, TshRatio
from tshdb.vocabulary import Prognosis

if TYPE_CHECKING:
    import pandas as pd


class SurvivalGroupParameters(Parameters):
    """[survival_groups]"""


@analysis(
    kind="apply",
    per="patient",
    needs={"ratios": Need(TshRatio, SAME_PATIENT), "cutoff": Model(Cutoff)},
    makes=SurvivalGroup,
    params=SurvivalGroupParameters,
    libraries=("numpy", "pandas"),
    tracks=("prognosis",),
    source="doi:10.1186/s12967-023-04748-6, Results",
)
def survival_groups(ratios: pd.DataFrame, cutoff: pd.DataFrame, params: SurvivalGroupParameters) -> pd.DataFrame:
    """One row per patient with a ratio of the cut-off's population and unit; the group is missing where the ratio is."""
    import numpy as np

    chosen = cutoff.iloc[0]
    grouped = ratios[(ratios["population"] == chosen["population"]) & (ratios["unit"] == chosen["unit"])].copy()
    high = Prognosis.GOOD if chosen["higher_is"] == "good" else Prognosis.POOR
    low = Prognosis.POOR if high is Prognosis.GOOD else Prognosis.GOOD
    groups = np.where(grouped["value"] >= chosen["value"], str(high), str(low))
    grouped["prognosis"] = np.where(grouped["value"].notna(), groups, None)
    grouped["cutoff"] = chosen["value"]
    return grouped[["patient_id", "population", "unit", "value", "cutoff", "prognosis", "reason"]]
