"""Cell networks: populations are nodes, and correlated abundances edges, in each group and compartment.

    edge if Pearson r > 0.5 over the patients of the group        Fan et al. 2023, cell network analysis, Fig. 5

The correlation has no unit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from analyses.networks.cell_networks import matrices
from analyses.networks.topology import adjacency, correlations
from tshdb.config import Parameters
from tshdb.engine.analysis import Need, analysis
from tshdb.engine.relations import SAME_PATIENT
from tshdb.schema import NetworkEdge, SurvivalGroup, TshRatio
from tshdb.vocabulary import ExpressionUnit

if TYPE_CHECKING:
    import pandas as pd


class NetworkEdgeParameters(Parameters):
    """[network_edges]"""

    cohorts: tuple[str, ...] = ("tumor_stroma_development",)
    threshold: float = Field(default=0.5, gt=0, lt=1)
    """of Pearson's r, above which two populations are joined"""
    sign: Literal["positive", "absolute"] = "positive"
    """positive correlations alone, or negative ones too"""
    min_patients: int = Field(default=5, ge=3)
    unit: ExpressionUnit | None = None


@analysis(
    kind="summary",
    per="cohort",
    needs={"ratios": Need(TshRatio, SAME_PATIENT), "groups": Need(SurvivalGroup, SAME_PATIENT)},
    makes=NetworkEdge,
    params=NetworkEdgeParameters,
    cohorts="cohorts",
    libraries=("numpy", "pandas"),
    source="doi:10.1186/s12967-023-04748-6, Cell network analysis, Fig. 5; A08",
)
def network_edges(ratios: pd.DataFrame, groups: pd.DataFrame, params: NetworkEdgeParameters) -> pd.DataFrame:
    """One row per edge; a group with fewer than min_patients has none."""
    import pandas as pd

    networks = matrices(ratios, groups, params.unit, "network_edges")
    rows = []
    for prognosis in ("good", "poor") if networks else ():
        is_in_group = networks.is_good == (prognosis == "good")
        if is_in_group.sum() < params.min_patients:
            continue
        for compartment, values in networks.values.items():
            r, linked = correlations(values[is_in_group]), adjacency(values[is_in_group], params.threshold, params.sign)
            for i, population in enumerate(networks.populations):
                for j in range(i + 1, len(networks.populations)):
                    if linked[i, j]:
                        rows.append(
                            {
                                "prognosis": prognosis,
                                "compartment": compartment,
                                "population": population,
                                "other_population": networks.populations[j],
                                "correlation": float(r[i, j]),
                                "n": int(is_in_group.sum()),
                            }
                        )
    return pd.DataFrame(rows)
