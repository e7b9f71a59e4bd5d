"""Univariable Cox regression of every TSH ratio, one model a population (the paper's Table 2).

    h(t | x) = h0(t) exp(coefficient * x), Efron's treatment of ties        Cox 1972; Fan et al. 2023, Statistical analysis

x is the TSH ratio, so a hazard ratio is per 1 of the ratio (the tumour having twice the stroma's abundance, against
equal). Follow-up is censored at ten years. p values are of the Wald test; p_adjusted is Benjamini and Hochberg's over
the table. Durations are in days.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from analyses.helpers import benjamini_hochberg
from tshdb.config import Parameters
from tshdb.engine.analysis import Need, analysis
from tshdb.engine.relations import SAME_PATIENT
from tshdb.schema import CoxTerm, FollowUp, TshRatio
from tshdb.vocabulary import Endpoint, ExpressionUnit

if TYPE_CHECKING:
    import pandas as pd

# the order of the paper's Table 2; other populations follow by name
TABLE_ORDER = (
    "T cells", "CD8 T cells", "Cytotoxic lymphocytes", "B lineage", "NK cells", "Monocytic lineage",
    "Myeloid dendritic cells", "Neutrophils", "Endothelial cells", "Fibroblasts",
)  # fmt: skip
NO_ESTIMATE = ("coefficient", "standard_error", "hazard_ratio", "ci_lower", "ci_upper", "wald", "p_value", "p_adjusted")


class UnivariableCoxParameters(Parameters):
    """[univariable_cox]"""

    cohorts: tuple[str, ...] = ("tumor_stroma_development",)
    endpoint: Endpoint = Endpoint.OS
    censor_at_days: float | None = Field(default=3652.5, gt=0)
    min_events: int = Field(default=5, ge=1)
    unit: ExpressionUnit | None = None


@analysis(
    kind="summary",
    per="cohort",
    needs={"ratios": Need(TshRatio, SAME_PATIENT), "follow_ups": Need(FollowUp, SAME_PATIENT)},
    makes=CoxTerm,
    params=UnivariableCoxParameters,
    cohorts=lambda params: params.cohorts,
    libraries=("lifelines", "numpy", "pandas"),
    source="doi:10.1186/s12967-023-04748-6, Statistical analysis, Table 2; A07",
)
def univariable_cox(
    ratios: pd.DataFrame, follow_ups: pd.DataFrame, members: pd.DataFrame, params: UnivariableCoxParameters
) -> pd.DataFrame:
    """One row per population. Fewer than min_events events, or a ratio that does not vary, give a row with the reason.

    Raises ValueError when the ratios are of several expression units and `unit` does not say which.
    """
    import pandas as pd

    unit = _only_unit(ratios, params.unit)
    ratios = ratios[ratios["unit"] == unit] if unit else ratios
    outcome = censored(follow_ups, params.endpoint, params.censor_at_days)
    populations = sorted(set(ratios["population"]), key=_table_position)
    rows = []
    for position, population in enumerate(populations):
        mine = ratios[(ratios["population"] == population) & ratios["value"].notna()]
        data = mine.merge(outcome, on="patient_id").sort_values("patient_id", ignore_index=True)
        rows.append(
            {
                "model": "univariable",
                "term": population,
                "endpoint": params.endpoint,
                "unit": unit,
                "transform": mine["transform"].iloc[0] if len(mine) else None,
                "position": position,
                "n": len(data),
                "n_events": int(data["event"].sum()),
                "n_left_out": len(members) - len(data),
                "censored_at_days": params.censor_at_days,
                **_fit(data, params.min_events),
            }
        )
    table = pd.DataFrame(rows)
    if len(table):
        table["p_adjusted"] = benjamini_hochberg(table["p_value"].to_numpy(float))
    return table


def censored(follow_ups: pd.DataFrame, endpoint: Endpoint, at_days: float | None) -> pd.DataFrame:
    """patient_id, event, duration_days of one endpoint; what happens after `at_days` is not seen."""
    known = follow_ups[(follow_ups["endpoint"] == endpoint) & follow_ups["event"].notna()]
    known = known[known["duration_days"].notna()]
    outcome = known[["patient_id", "event", "duration_days"]].copy()
    outcome["event"] = outcome["event"].astype(bool)
    if at_days is not None:
        outcome["event"] &= outcome["duration_days"] <= at_days
        outcome["duration_days"] = outcome["duration_days"].clip(upper=at_days)
    return outcome


def _only_unit(ratios: pd.DataFrame, wanted: ExpressionUnit | None) -> str | None:
    units = sorted(set(map(str, ratios["unit"])))
    if wanted is not None or not units:
        return str(wanted) if wanted is not None else None
    if len(units) > 1:
        raise ValueError(f"ratios of several units ({', '.join(units)}): set [univariable_cox] unit in study.toml")
    return units[0]


def _table_position(population: str) -> tuple[int, str]:
    listed = TABLE_ORDER.index(population) if population in TABLE_ORDER else len(TABLE_ORDER)
    return listed, population


def _fit(data: pd.DataFrame, min_events: int) -> dict:
    """The estimate of one model, or missing values with the reason."""
    from lifelines import CoxPHFitter
    from lifelines.exceptions import ConvergenceError

    refused = dict.fromkeys(NO_ESTIMATE)
    n_events = int(data["event"].sum())
    if n_events < min_events:
        return refused | {"reason": f"{n_events} events, fewer than {min_events}"}
    if data["value"].nunique() < 2:
        return refused | {"reason": "the ratio does not vary"}
    try:
        fitted = CoxPHFitter().fit(
            data[["value", "duration_days", "event"]],
            duration_col="duration_days",
            event_col="event",
            # the defaults stop when the log-likelihood stands, 1e-6 short of the coefficient
            fit_options={"precision": 1e-20, "r_precision": 1e-18},
        )
    except ConvergenceError as error:
        return refused | {"reason": f"no convergence: {str(error).splitlines()[0]}"}
    term = fitted.summary.loc["value"]
    return {
        "coefficient": term["coef"],
        "standard_error": term["se(coef)"],
        "hazard_ratio": term["exp(coef)"],
        "ci_lower": term["exp(coef) lower 95%"],
        "ci_upper": term["exp(coef) upper 95%"],
        "wald": term["z"] ** 2,
        "p_value": term["p"],
        "p_adjusted": None,
        "reason": None,
    }
