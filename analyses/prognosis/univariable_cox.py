"""Univariable Cox regression of every TSH ratio, one model a population (the paper's Table 2).

    h(t | x) = h0(t) exp(coefficient * x), Efron's treatment of ties        Cox 1972; Fan et al. 2023, Statistical analysis

x is the TSH ratio, so a hazard ratio is per 1 of the ratio (the tumour having twice the stroma's abundance, against
equal). Follow-up is censored at ten years. p values are of the Wald test; p_adjusted is Benjamini and Hochberg's over
the table. Durations are in days.
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
from tshdb.schema import CoxTerm, FollowUp, TshRatio

if TYPE_CHECKING:
    import pandas as pd


class UnivariableCoxParameters(OneByOneParameters):
    """[univariable_cox]"""


@analysis(
    kind="summary",
    per="cohort",
    needs={"ratios": Need(TshRatio, SAME_PATIENT), "follow_ups": Need(FollowUp, SAME_PATIENT)},
    makes=CoxTerm,
    params=UnivariableCoxParameters,
    cohorts="cohorts",
    tests=("follow_ups",),
    libraries=("numpy", "pandas", "scipy"),
    source="doi:10.1186/s12967-023-04748-6, Statistical analysis, Table 2; A07",
    tracks=("hazard_ratio", "p_value"),
)
def univariable_cox(
    ratios: pd.DataFrame, follow_ups: pd.DataFrame, members: pd.DataFrame, params: UnivariableCoxParameters
) -> pd.DataFrame:
    """One row per population. Fewer than min_events events, or a ratio that does not vary, give a row with the reason.

    Raises ValueError when the ratios are of several expression units and `unit` does not say which.
    """
    import pandas as pd

    unit = only_unit(ratios, params.unit, "univariable_cox")
    ratios = ratios[ratios["unit"] == unit] if unit else ratios
    outcome = censored(follow_ups, params.endpoint, params.censor_at_days)
    populations = in_table_order(ratios["population"])
    rows = []
    for position, population in enumerate(populations):
        of_population = ratios[(ratios["population"] == population) & ratios["value"].notna()]
        lacking = {"TSH ratio": of_population["patient_id"], f"{params.endpoint} follow-up": outcome["patient_id"]}
        data = of_population.merge(outcome, on="patient_id").sort_values("patient_id", ignore_index=True)
        rows.append(
            {
                "model": "univariable",
                "term": population,
                "endpoint": params.endpoint,
                "unit": unit,
                "transform": of_population["transform"].iloc[0] if len(of_population) else None,
                "position": position,
                "n": len(data),
                "n_events": int(data["event"].sum()),
                "n_left_out": len(members) - len(data),
                "left_out": left_out(members["patient_id"], data["patient_id"], lacking),
                "censored_at_days": params.censor_at_days,
                **cox(data.rename(columns={"value": population}), [population], params.min_events)[population],
            }
        )
    table = pd.DataFrame(rows)
    if len(table):
        table["p_adjusted"] = benjamini_hochberg(table["p_value"].to_numpy(float))
    return table
