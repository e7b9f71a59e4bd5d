"""Abundance of cell populations by base R, as MCP-counter has it: the mean of log2(x + 1) over the markers.

Becht et al. 2016, Genome Biol 17:218, doi:10.1186/s13059-016-1070-5
"""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from analyses.expression import markers as marker_tables
from analyses.expression.cell_abundances import CellAbundanceParameters, _read_markers
from tshdb.engine.analysis import Need, Reference
from tshdb.engine.program import program
from tshdb.engine.relations import SAME_PROFILE
from tshdb.schema import ExpressionProfile, MarkerGene
from tshdb.schema.base import Base, UnitPayload


class AbundanceByRParameters(CellAbundanceParameters):
    """[abundance_by_r]"""

    markers: str = "markers.csv"


class AbundanceByR(UnitPayload, Base):
    """One row is the abundance of one cell population in one expression profile, by R."""

    __tablename__ = "xr_abundances"
    profile_id: Mapped[str]
    population: Mapped[str] = mapped_column(primary_key=True)
    abundance: Mapped[float | None] = mapped_column(doc="mean log2(x + 1) of the markers", info={"digits": 12})


@program(
    kind="map",
    per="profile",
    needs={
        "expression": Need(ExpressionProfile, SAME_PROFILE, values=True, genes=("markers", marker_tables.gene_ids)),
        "markers": Reference(MarkerGene, _read_markers),
    },
    makes=AbundanceByR,
    params=AbundanceByRParameters,
    source="doi:10.1186/s13059-016-1070-5",
    command=("Rscript", "--vanilla", "abundance.R"),
    files=("abundance.R",),
    interpreter=("Rscript", "--version"),
    seconds=60,
    memory_gb=4,
    batch=8,
)
def abundance_by_r(expression, markers, params):
    """One row per (profile_id, population)."""
