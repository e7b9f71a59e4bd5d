"""The topology of the cell networks, and whether it differs between good and poor prognosis.

Parameters by NetworkAnalyzer's formulas (`topology`). The p value is of the difference of the groups, by permutation of
who belongs to which group, so that the groups' sizes, on which the noise of a correlation depends, stay as they are:

    p = (1 + permutations whose difference is as large) / (1 + permutations)

Adjusted over all parameters of both compartments that have a p value: one family, each difference counted once.

The paper names eight of "nine" parameters (`is_in_paper`); the ninth is not known. Fan et al. 2023, Fig. 5, Table S5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from analyses.networks.cell_networks import matrices
from analyses.networks.topology import IN_PAPER, PARAMETERS, adjacency, topology
from analyses.shared.multiple_testing import benjamini_hochberg
from tshdb.config import Parameters
from tshdb.engine.analysis import Need, analysis
from tshdb.engine.relations import SAME_PATIENT
from tshdb.schema import NetworkParameter, SurvivalGroup, TshRatio
from tshdb.vocabulary import ExpressionUnit

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


class NetworkParameterParameters(Parameters):
    """[network_parameters]"""

    cohorts: tuple[str, ...] = ("tumor_stroma_development",)
    threshold: float = Field(default=0.5, gt=0, lt=1)
    """as in [network_edges]"""
    sign: Literal["positive", "absolute"] = "positive"
    """as in [network_edges]"""
    scope: Literal["largest", "whole"] = "largest"
    """paths over the largest connected part, or the whole network"""
    n_permutations: int = Field(default=1_000, ge=0)
    """of the patients over the groups, for the p values of differences"""
    min_patients: int = Field(default=5, ge=3)
    unit: ExpressionUnit | None = None


@analysis(
    kind="summary",
    per="cohort",
    needs={"ratios": Need(TshRatio, SAME_PATIENT), "groups": Need(SurvivalGroup, SAME_PATIENT)},
    makes=NetworkParameter,
    params=NetworkParameterParameters,
    cohorts="cohorts",
    libraries=("numpy", "pandas"),
    source="doi:10.1186/s12967-023-04748-6, Cell network analysis, Fig. 5, Table S5; A08, A09, A10",
    tracks=("value", "p_value"),
)
def network_parameters(
    ratios: pd.DataFrame, groups: pd.DataFrame, params: NetworkParameterParameters, seed: int
) -> pd.DataFrame:
    """One row per group, compartment and parameter; without both groups of min_patients there is none."""
    import numpy as np
    import pandas as pd

    networks = matrices(ratios, groups, params.unit, "network_parameters")
    if networks is None or min(networks.is_good.sum(), (~networks.is_good).sum()) < params.min_patients:
        return pd.DataFrame()
    rows = []
    p_values = np.full((len(networks.values), len(PARAMETERS)), np.nan)
    for i, (compartment, values) in enumerate(networks.values.items()):
        generator = np.random.default_rng(seed)
        observed = _of_groups(values, networks.is_good, params)
        gap = _gap(observed)
        reached = np.zeros(len(PARAMETERS), dtype=int)
        for _ in range(params.n_permutations):
            reached += _gap(_of_groups(values, generator.permutation(networks.is_good), params)) >= gap - 1e-12
        if params.n_permutations:
            p_values[i] = np.where(np.isnan(gap), np.nan, (1 + reached) / (1 + params.n_permutations))
        for prognosis, parameters in observed.items():
            n = int((networks.is_good == (prognosis == "good")).sum())
            rows += [
                {
                    "prognosis": prognosis, "compartment": compartment, "parameter": name, "value": parameters[name],
                    "p_value": p_values[i, j], "n_permutations": params.n_permutations, "n": n,
                    "is_in_paper": name in IN_PAPER,
                }
                for j, name in enumerate(PARAMETERS)
            ]  # fmt: skip
    adjusted = benjamini_hochberg(p_values.ravel()).reshape(p_values.shape)
    of_each = {
        (compartment, name): adjusted[i, j]
        for i, compartment in enumerate(networks.values)
        for j, name in enumerate(PARAMETERS)
    }
    return pd.DataFrame([row | {"p_adjusted": of_each[row["compartment"], row["parameter"]]} for row in rows])


def _of_groups(values: np.ndarray, is_good: np.ndarray, params: NetworkParameterParameters) -> dict[str, dict]:
    return {
        name: topology(adjacency(values[is_member], params.threshold, params.sign), params.scope)
        for name, is_member in (("good", is_good), ("poor", ~is_good))
    }


def _gap(groups: dict[str, dict]) -> np.ndarray:
    """Absolute differences of the groups' parameters; NaN where one is not defined, which reaches nothing."""
    import numpy as np

    good, poor = groups["good"], groups["poor"]
    return np.array(
        [np.nan if good[p] is None or poor[p] is None else abs(good[p] - poor[p]) for p in PARAMETERS], dtype=float
    )
