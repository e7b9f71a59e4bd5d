"""Univariable Cox regression of the abundances themselves: in the tumour (Table S2) and in the stroma (Table S3).

One model a population and compartment; a hazard ratio is per 1 of the abundance (a doubling of the markers' geometric
mean). p values are of the Wald test, adjusted by Benjamini and Hochberg within a compartment. Fan et al. 2023.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyses.prognosis.settings import OneByOneParameters
from analyses.shared.cox import cox
from analyses.shared.left_out import left_out
from analyses.shared.multiple_testing import benjamini_hochberg
from analyses.shared.populations import in_table_order, only_unit
from analyses.shared.survival import censored
from tshdb.engine.analysis import Need, analysis
from tshdb.engine.relations import SAME_PATIENT
from tshdb.schema import CoxTerm, FollowUp, TshRatio, TumorAbundance

if TYPE_CHECKING:
    import pandas as pd


class AbundanceCoxParameters(OneByOneParameters):
    """[abundance_cox]"""


@analysis(
    kind="summary",
    per="cohort",
    needs={
        "tumor": Need(TumorAbundance, SAME_PATIENT),
        "ratios": Need(TshRatio, SAME_PATIENT),
        "follow_ups": Need(FollowUp, SAME_PATIENT),
    },
    makes=CoxTerm,
    params=AbundanceCoxParameters,
    cohorts="cohorts",
    tests=("follow_ups",),
    libraries=("numpy", "pandas", "scipy"),
    source="doi:10.1186/s12967-023-04748-6, Results, Tables S2 and S3; A07",
    tracks=("hazard_ratio", "p_value"),
)
def abundance_cox(
    tumor: pd.DataFrame,
    ratios: pd.DataFrame,
    follow_ups: pd.DataFrame,
    members: pd.DataFrame,
    params: AbundanceCoxParameters,
) -> pd.DataFrame:
    """One row per compartment and population. Raises ValueError when abundances are of several units and `unit` is not set.

    ratios: hold the stroma's abundances, of patients who have both samples.
    """
    import pandas as pd

    unit = only_unit(tumor, params.unit, "abundance_cox")
    outcome = censored(follow_ups, params.endpoint, params.censor_at_days)
    stroma = ratios.rename(columns={"stroma_abundance": "abundance", "abundance": "tumor"})
    parts = []
    for compartment, rows in (("tumor", tumor), ("stroma", stroma)):
        rows = rows[(rows["unit"] == unit) & rows["abundance"].notna()]
        terms = []
        for position, population in enumerate(in_table_order(rows["population"])):
            of_population = rows[rows["population"] == population]
            lacking = {"abundance": of_population["patient_id"], f"{params.endpoint} follow-up": outcome["patient_id"]}
            data = of_population.merge(outcome, on="patient_id").sort_values("patient_id", ignore_index=True)
            data = data.rename(columns={"abundance": population})
            terms.append(
                {
                    "model": compartment,
                    "term": population,
                    "endpoint": params.endpoint,
                    "unit": unit,
                    "transform": of_population["transform"].iloc[0],
                    "position": position,
                    "n": len(data),
                    "n_events": int(data["event"].sum()),
                    "n_left_out": len(members) - len(data),
                    "left_out": left_out(members["patient_id"], data["patient_id"], lacking),
                    "censored_at_days": params.censor_at_days,
                    **cox(data, [population], params.min_events)[population],
                }
            )
        if terms:
            table = pd.DataFrame(terms)
            table["p_adjusted"] = benjamini_hochberg(table["p_value"].to_numpy(float))
            parts.append(table)
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
