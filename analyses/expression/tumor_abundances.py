"""Abundances by patient: those of the selected tumour profile, for patients with and without a stroma sample.

The same numbers as `cell_abundances`, keyed by whom they speak for, so that models of tumour RNA alone need no pairs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tshdb.config import Parameters
from tshdb.engine.analysis import Need, analysis
from tshdb.engine.relations import TUMOR_OF_PATIENT
from tshdb.schema import CellAbundance, TumorAbundance

if TYPE_CHECKING:
    import pandas as pd


class TumorAbundanceParameters(Parameters):
    """[tumor_abundances]"""


@analysis(
    kind="map",
    per="patient",
    needs={"tumor": Need(CellAbundance, TUMOR_OF_PATIENT)},
    makes=TumorAbundance,
    params=TumorAbundanceParameters,
    libraries=("pandas",),
    source="doi:10.1186/s12967-023-04748-6, Cell subpopulation estimation",
)
def tumor_abundances(tumor: pd.DataFrame, params: TumorAbundanceParameters) -> pd.DataFrame:
    """One row per (patient_id, population, unit)."""
    return tumor[["patient_id", "population", "unit", "transform", "abundance", "reason"]]
