"""What analyses make. Every row carries the unit that made it."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from tshdb.schema.base import Base, UnitPayload, closed
from tshdb.vocabulary import Endpoint, ExpressionUnit


class MarkerGene(UnitPayload, Base):
    """One row is one marker gene of one cell population in a signature that the study uses."""

    __tablename__ = "marker_genes"
    signature: Mapped[str] = mapped_column(primary_key=True, doc="the table's name, such as mcp_counter")
    population: Mapped[str] = mapped_column(primary_key=True)
    marker: Mapped[str] = mapped_column(primary_key=True, doc="HUGO symbol or probe set")
    entrez: Mapped[str | None]
    ensembl: Mapped[str | None]
    position: Mapped[int] = mapped_column(doc="order in the table")


class GeneFilter(UnitPayload, Base):
    """One row is one gene that the gene filter drops, fitted on one frozen cohort version."""

    __tablename__ = "gene_filters"
    gene_id: Mapped[str] = mapped_column(primary_key=True)
    cohort: Mapped[str] = mapped_column(doc="cohort@version it was fitted on", info={"fingerprint": False})
    absent_fraction: Mapped[float] = mapped_column(
        doc="fraction of profiles with zero or no value", info={"fingerprint": False, "digits": 12}
    )
    n_profiles: Mapped[int] = mapped_column(doc="profiles it was fitted on", info={"fingerprint": False})


class CellAbundance(UnitPayload, Base):
    """One row is the abundance of one cell population in one expression profile (mean log2 of its marker genes)."""

    __tablename__ = "cell_abundances"
    profile_id: Mapped[str]
    population: Mapped[str] = mapped_column(primary_key=True)
    abundance: Mapped[float | None] = mapped_column(
        doc="mean log2 expression; none when no marker was measured", info={"digits": 14}
    )
    n_markers_found: Mapped[int] = mapped_column(doc="markers that the profile has and the gene filter keeps")
    n_markers_measured: Mapped[int] = mapped_column(doc="markers found that have a value")
    n_markers_total: Mapped[int]
    reason: Mapped[str | None] = mapped_column(doc="why the abundance is missing, or doubtful (low coverage)")
    unit: Mapped[ExpressionUnit] = mapped_column(closed(ExpressionUnit), doc="what the expression values count")
    transform: Mapped[str] = mapped_column(doc="log2(x + 1), or none for values on a log2 scale already")
    signature: Mapped[str] = mapped_column(doc="the marker table")
    gene_filter: Mapped[str] = mapped_column(doc="the gene filter's cohort, or unfiltered", info={"fingerprint": False})

    __table_args__ = (Index("ix_cell_abundances_profile_id", "profile_id"),)


class TshRatio(UnitPayload, Base):
    """One row is the tumour-stroma heterogeneity of one population in one patient: (A_tumor - A_stroma) / A_stroma."""

    __tablename__ = "tsh_ratios"
    patient_id: Mapped[str]
    population: Mapped[str] = mapped_column(primary_key=True)
    unit: Mapped[ExpressionUnit] = mapped_column(closed(ExpressionUnit), primary_key=True)
    transform: Mapped[str]
    tumor_abundance: Mapped[float | None] = mapped_column(info={"digits": 14})
    stroma_abundance: Mapped[float | None] = mapped_column(
        doc="of the patient's solid tissue normal (code 11)", info={"digits": 14}
    )
    value: Mapped[float | None] = mapped_column(doc="no unit: 0 is equal abundance", info={"digits": 14})
    biomarker: Mapped[str] = mapped_column(doc="ratio, difference or log2_ratio")
    reason: Mapped[str | None] = mapped_column(doc="why the value is missing")

    __table_args__ = (Index("ix_tsh_ratios_patient_id", "patient_id"),)


class CoxTerm(UnitPayload, Base):
    """One row is one term of one Cox model, in one cohort."""

    __tablename__ = "cox_terms"
    model: Mapped[str] = mapped_column(primary_key=True, doc="univariable: one model a population")
    term: Mapped[str] = mapped_column(primary_key=True, doc="the covariate, here a cell population")
    cohort: Mapped[str] = mapped_column(doc="cohort@version, or the name of a live cohort", info={"fingerprint": False})
    endpoint: Mapped[Endpoint] = mapped_column(closed(Endpoint))
    unit: Mapped[ExpressionUnit | None] = mapped_column(closed(ExpressionUnit), doc="what the expression values count")
    transform: Mapped[str | None]
    position: Mapped[int] = mapped_column(doc="order in the table")
    coefficient: Mapped[float | None] = mapped_column(doc="log hazard ratio per unit of the term", info={"digits": 12})
    standard_error: Mapped[float | None] = mapped_column(info={"digits": 12})
    hazard_ratio: Mapped[float | None] = mapped_column(info={"digits": 12})
    ci_lower: Mapped[float | None] = mapped_column(doc="95 % interval of the hazard ratio", info={"digits": 12})
    ci_upper: Mapped[float | None] = mapped_column(info={"digits": 12})
    wald: Mapped[float | None] = mapped_column(doc="(coefficient / standard_error)^2", info={"digits": 12})
    p_value: Mapped[float | None] = mapped_column(doc="of the Wald test", info={"digits": 12})
    p_adjusted: Mapped[float | None] = mapped_column(doc="Benjamini-Hochberg over the table", info={"digits": 12})
    n: Mapped[int] = mapped_column(doc="patients in the model")
    n_events: Mapped[int]
    n_left_out: Mapped[int] = mapped_column(doc="members without ratio or follow-up")
    censored_at_days: Mapped[float | None]
    reason: Mapped[str | None] = mapped_column(doc="why the term was refused, or a warning")
