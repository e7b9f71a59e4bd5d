"""Shares of cells by non-negative least squares on reference profiles: a second deconvolution, in the place of MCP-counter.

minimise |S f - x|  with f >= 0, of linear expression x; the shares are f / sum f
Finotello et al. 2019, Genome Med 11:34, doi:10.1186/s13073-019-0638-6 (quanTIseq): least squares with such constraints
"""

from pathlib import Path

from sqlalchemy.orm import Mapped, mapped_column

from tshdb.config import Parameters
from tshdb.engine.analysis import Need, Reference, analysis
from tshdb.engine.relations import SAME_PROFILE
from tshdb.schema import CellAbundance, ExpressionProfile
from tshdb.schema.base import Base, UnitPayload

FILE = "reference_profiles.csv"  # in the study's folder: gene, then a population a column


class ReferenceProfile(UnitPayload, Base):
    """One row is the expression of one gene in one population of cells."""

    __tablename__ = "xy_reference_profiles"
    population: Mapped[str] = mapped_column(primary_key=True)
    gene: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[float] = mapped_column(doc="linear")


class MixtureParameters(Parameters):
    """[mixture_abundances]"""

    references: str = FILE
    """a csv in the study's folder"""


def _read(params: MixtureParameters, root: Path) -> tuple[str, list[dict]]:
    import csv

    with (root / params.references).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return params.references, [
        {"population": name, "gene": row["gene"], "value": float(row[name])}
        for row in rows
        for name in row
        if name != "gene"
    ]


def _genes(references) -> list[str]:
    return list(dict.fromkeys(references["gene"]))


@analysis(
    kind="map", per="profile", makes=CellAbundance, params=MixtureParameters, replaces="cell_abundances",
    needs={
        "expression": Need(ExpressionProfile, SAME_PROFILE, values=True, genes=("references", _genes)),
        "references": Reference(ReferenceProfile, _read),
    },
    libraries=("numpy",), strict_libraries=("scipy",), source="doi:10.1186/s13073-019-0638-6, the constrained fit",
)  # fmt: skip
def mixture_abundances(expression, references, params):
    """One row a profile and population: its share of the cells."""
    import numpy as np
    import pandas as pd
    from scipy.optimize import nnls

    signature = references.pivot(index="gene", columns="population", values="value")
    genes = [g for g in expression.genes if g in signature.index]
    matrix, rows = signature.loc[genes].to_numpy(), []
    position = {gene: i for i, gene in enumerate(expression.genes)}
    for j, profile_id in enumerate(expression.profiles.index):
        x = np.array([expression.values[position[g], j] for g in genes])
        weights, _ = nnls(matrix, x)
        shares = weights / weights.sum() if weights.sum() > 0 else weights
        rows += [
            {"profile_id": profile_id, "population": population, "abundance": float(share), "n_markers_found": len(genes),
             "n_markers_measured": len(genes), "n_markers_total": len(signature), "reason": None,
             "unit": expression.profiles["unit"].iloc[j], "transform": "none", "signature": params.references,
             "gene_filter": "unfiltered"}
            for population, share in zip(signature.columns, shares, strict=True)
        ]  # fmt: skip
    return pd.DataFrame(rows)
