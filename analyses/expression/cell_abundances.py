"""Abundance of cell populations: MCP-counter.

    A(population, profile) = mean of log2 expression over the population's marker genes, missing values left out
    Becht et al. 2016, Genome Biol 17:218, doi:10.1186/s13059-016-1070-5; Fan et al. 2023, Methods

log2 expression is log2(x + 1) of linear values, and log2(CPM + 1) of counts, so that depth is in none; values on a log2 scale are
used as they are. The unit is that of the mean log2 value: abundances compare between samples, not between populations.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from analyses.expression import markers as marker_tables
from analyses.shared.transforms import CPM_TRANSFORM, library_sizes, log2_values, transform_names
from tshdb.config import Parameters
from tshdb.engine.analysis import Model, Need, Reference, analysis
from tshdb.engine.relations import SAME_PROFILE
from tshdb.schema import CellAbundance, ExpressionProfile, GeneFilter, MarkerGene

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from tshdb.expression_store import ExpressionMatrix

ROUNDING = 1e-9
NO_MARKER = "no marker gene in the profile"
NO_VALUE = "no marker gene has a value"
BELOW_ZERO = "marker values below 0: the scale has no zero"
NO_LIBRARY = "counts without a library size: read them again"


class CellAbundanceParameters(Parameters):
    """[cell_abundances]"""

    markers: str = "mcp_counter"
    """mcp_counter, mcp_counter_upstream, mcp_counter_affy133, or a csv in the study's folder (population, marker)"""
    min_coverage: float = Field(default=0.5, ge=0, le=1)
    """below this share of a population's markers the abundance says `low coverage`"""


def _read_markers(params: CellAbundanceParameters, root: Path) -> tuple[str, list[dict]]:
    return marker_tables.read(params.markers, root)


@analysis(
    kind="map",
    per="profile",
    needs={
        "expression": Need(ExpressionProfile, SAME_PROFILE, values=True, genes=("markers", marker_tables.gene_ids)),
        "markers": Reference(MarkerGene, _read_markers),
        "genes_dropped": Model(GeneFilter),
    },
    makes=CellAbundance,
    params=CellAbundanceParameters,
    libraries=("numpy",),
    source="doi:10.1186/s12967-023-04748-6, Cell subpopulation estimation; doi:10.1186/s13059-016-1070-5; A03, A04",
)
def cell_abundances(
    expression: ExpressionMatrix,
    markers: pd.DataFrame,
    genes_dropped: pd.DataFrame,
    params: CellAbundanceParameters,
) -> pd.DataFrame:
    """One row per (profile_id, population) of the marker table.

    markers: population, marker, entrez, ensembl, in the table's order; genes_dropped: gene_id of the gene filter.
    Without any measured marker the abundance is missing, with the reason.
    """
    import numpy as np
    import pandas as pd

    values = log2_values(expression)
    dropped = set(genes_dropped["gene_id"])
    names = genes_dropped.attrs.get("key", "unfiltered").split("@")[0]
    row_of = {gene: i for i, gene in enumerate(expression.genes)}
    candidates = [_candidates(m, row_of, dropped) for m in markers.itertuples()]
    populations = list(dict.fromkeys(markers["population"]))
    owner = markers["population"].to_numpy()
    transforms = transform_names(expression)
    has_library = ~np.isnan(library_sizes(expression))
    rows = []
    for j, profile_id in enumerate(expression.profiles.index):
        positions = np.array([_first_present(c, expression.present, j) for c in candidates])
        for population in populations:
            of_population = positions[owner == population]
            rows.append(
                {
                    "profile_id": profile_id,
                    "population": population,
                    **_abundance(values[of_population[of_population >= 0], j], len(of_population), params.min_coverage),
                    "unit": expression.profiles["unit"].iloc[j],
                    "transform": transforms[j],
                    "signature": markers["signature"].iloc[0],
                    "gene_filter": names,
                }
            )
            if transforms[j] == CPM_TRANSFORM and not has_library[j]:
                rows[-1]["reason"] = NO_LIBRARY
    return pd.DataFrame(rows)


def _candidates(marker, row_of: dict[str, int], dropped: set[str]) -> list[int]:
    """The rows that may hold a marker: by symbol or probe set, then Ensembl id, then Entrez id; none if it is dropped."""
    names = [marker.marker, marker.ensembl, f"entrez:{marker.entrez}"]
    if any(name in dropped for name in names if name):
        return []
    return [row_of[name] for name in names if name in row_of]


def _first_present(rows: list[int], present: np.ndarray, profile: int) -> int:
    return next((row for row in rows if present[row, profile]), -1)


def _abundance(values: np.ndarray, n_total: int, min_coverage: float) -> dict:
    """The mean of one population's markers in one profile, as a vector of its own."""
    import numpy as np

    measured = np.ascontiguousarray(values[~np.isnan(values)])
    abundance = float(np.mean(measured)) if len(measured) else None
    reason = None
    if not len(values):
        reason = NO_MARKER
    elif not len(measured):
        reason = NO_VALUE
    elif len(values) < min_coverage * n_total:
        reason = f"low coverage: {len(values)} of {n_total} markers"
    if len(measured) and measured.min() < -ROUNDING:
        reason = "; ".join(filter(None, [BELOW_ZERO, reason]))
    return {
        "abundance": abundance,
        "n_markers_found": len(values),
        "n_markers_measured": len(measured),
        "n_markers_total": n_total,
        "reason": reason,
    }
