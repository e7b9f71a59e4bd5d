"""The cut-off of the TSH biomarker: who has a good and who a poor prognosis by the ratio of one population.

    good if ratio >= cut-off (higher is better), else poor        Fan et al. 2023, Results

Methods  fixed: prespecified (the paper's -0.3512: its printed sign contradicts its own group means); median or quantile
         of the development cohort; maxstat: the cut-off with the largest log-rank statistic, whose p value is biased
         and stands beside the one by permutation (Hothorn and Lausen 2003, doi:10.1016/S0167-9473(02)00225-6).
Chosen on the development cohort alone: others read it. The interval is of the bootstrap over patients. No unit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from analyses.shared.survival import censored, logrank, logrank_scan, maxstat_p_value
from tshdb.config import Parameters
from tshdb.engine.analysis import Learns, Need, analysis
from tshdb.engine.relations import SAME_PATIENT
from tshdb.schema import Cutoff, FollowUp, TshRatio
from tshdb.vocabulary import Endpoint, ExpressionUnit

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


class CutoffParameters(Parameters):
    """[cutoff]"""

    cohort: str = "tumor_stroma_development"
    population: str = "Cytotoxic lymphocytes"
    """whose ratio is cut"""
    method: Literal["fixed", "median", "quantile", "maxstat"] = "median"
    """fixed takes value, quantile takes quantile, maxstat chooses by the outcome"""
    value: float = -0.3512
    """of method fixed"""
    chosen_on: str = Field(
        default="", exclude=True
    )  # says something of the value, and changes none: no part of identity
    """collection on whose patients the value of method fixed was chosen by their outcome; empty: on none"""
    quantile: float = Field(default=0.25, gt=0, lt=1)
    """of method quantile"""
    higher_is: Literal["good", "poor"] = "good"
    """what the upper group foretells"""
    min_group: float = Field(default=0.1, gt=0, lt=0.5)
    """share of the patients that a group of maxstat has at least"""
    n_permutations: int = Field(default=10_000, ge=1)
    """of the outcomes, for the p value of maxstat"""
    n_bootstrap: int = Field(default=1_000, ge=0)
    """for the interval of the cut-off, 0 for none"""
    endpoint: Endpoint = Endpoint.OS
    censor_at_days: float | None = Field(default=3652.5, gt=0)
    unit: ExpressionUnit | None = None


@analysis(
    kind="fit",
    per="cohort",
    needs={"ratios": Need(TshRatio, SAME_PATIENT), "follow_ups": Need(FollowUp, SAME_PATIENT)},
    makes=Cutoff,
    params=CutoffParameters,
    cohorts="cohort",
    learns=(
        Learns("follow_ups", when=("method", ("maxstat",)), honest="p_permutation"),
        Learns(None, when=("method", ("median", "quantile"))),
        Learns("follow_ups", when=("method", ("fixed",)), elsewhere="chosen_on"),
    ),
    libraries=("numpy", "scipy"),
    source="doi:10.1186/s12967-023-04748-6, Results; A01, A02",
    tracks=("value",),
)
def cutoff(ratios: pd.DataFrame, follow_ups: pd.DataFrame, params: CutoffParameters, seed: int) -> pd.DataFrame:
    """One row. Raises ValueError when no member has the ratio, or ratios are of several units and `unit` is not set."""
    import numpy as np
    import pandas as pd

    from analyses.shared.populations import only_unit

    unit = only_unit(ratios, params.unit, "cutoff")
    of_population = ratios[
        (ratios["population"] == params.population) & (ratios["unit"] == unit) & ratios["value"].notna()
    ]
    data = of_population.merge(censored(follow_ups, params.endpoint, params.censor_at_days), on="patient_id")
    data = data.sort_values("patient_id", ignore_index=True)
    if not len(data):
        raise ValueError(f"no member of the cohort has a ratio of {params.population} and an outcome")
    values = data["value"].to_numpy(float)
    durations, events = data["duration_days"].to_numpy(float), data["event"].to_numpy(bool)
    chosen = _choose(values, durations, events, params)
    high = values >= chosen
    row = {
        "population": params.population,
        "biomarker": of_population["biomarker"].iloc[0],
        "unit": unit,
        "transform": of_population["transform"].iloc[0],
        "method": params.method,
        "value": chosen,
        "higher_is": params.higher_is,
        "endpoint": params.endpoint,
        "n": len(data),
        "n_events": int(events.sum()),
        "n_high": int(high.sum()),
        "n_high_events": int(events[high].sum()),
    }
    if 0 < high.sum() < len(data) and events.any():
        row |= dict(zip(("chi2", "p_naive"), logrank(durations, events, high), strict=True))
    if params.method == "maxstat":
        row["p_permutation"] = maxstat_p_value(values, durations, events, params.min_group, params.n_permutations, seed)
        row["n_permutations"] = params.n_permutations
    if params.method != "fixed" and params.n_bootstrap:
        row |= _interval(values, durations, events, params, np.random.default_rng(seed))
    return pd.DataFrame([row])


def _choose(values: np.ndarray, durations: np.ndarray, events: np.ndarray, params: CutoffParameters) -> float:
    import numpy as np

    if params.method == "fixed":
        return params.value
    if params.method == "maxstat":
        scan = logrank_scan(values, durations, events, params.min_group)
        if not len(scan.cutoffs) or np.isnan(scan.chi2).all():
            raise ValueError("no cut-off leaves min_group of the patients and events on both sides")
        return float(scan.cutoffs[np.nanargmax(scan.chi2)])
    return float(np.quantile(values, 0.5 if params.method == "median" else params.quantile))


def _interval(values, durations, events, params: CutoffParameters, generator: np.random.Generator) -> dict:
    """The 2.5 % and 97.5 % points of the cut-offs of bootstrap samples."""
    import numpy as np

    cutoffs = []
    for _ in range(params.n_bootstrap):
        drawn = generator.integers(0, len(values), len(values))
        try:
            cutoffs.append(_choose(values[drawn], durations[drawn], events[drawn], params))
        except ValueError:
            continue  # a sample without two groups or without events has no cut-off
    if not cutoffs:
        return {}
    lower, upper = np.quantile(cutoffs, [0.025, 0.975])
    return {"ci_lower": float(lower), "ci_upper": float(upper), "n_bootstrap": len(cutoffs)}
