"""RNA samples and expression profiles. The values themselves lie in Parquet parts under objects/."""

from sqlalchemy import BigInteger, ForeignKey, Index

from tshdb.schema.base import Base, closed
from tshdb.schema.declared import Mapped, mapped_column
from tshdb.vocabulary import Compartment, ExpressionUnit, Scale


class Sample(Base):
    """One row is one tissue sample of a patient (TCGA: to the vial where the source says it)."""

    __tablename__ = "samples"
    sample_id: Mapped[str] = mapped_column(primary_key=True, doc="TCGA-A7-A0CE-01A, or as far as the source goes")
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.patient_id"))
    sample_type_code: Mapped[str | None] = mapped_column(doc="TCGA sample type: 01 primary tumour, 11 solid normal")
    compartment: Mapped[Compartment] = mapped_column(
        closed(Compartment), doc="tumor (code 01), stroma (code 11, solid tissue normal) or other"
    )

    preservation_method: Mapped[str | None] = mapped_column(doc="as recorded, such as FFPE or OCT")

    __table_args__ = (Index("ix_samples_of_patient", "patient_id", "compartment", "sample_id"),)


class ExpressionPart(Base):
    """One row is one Parquet file of expression values (columns gene, profile, value), named by its SHA-256."""

    __tablename__ = "expression_parts"
    part_id: Mapped[str] = mapped_column(primary_key=True, doc="SHA-256 of the file; its name under objects/")
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    n_profiles: Mapped[int]
    n_genes: Mapped[int]


class ExpressionProfile(Base):
    """One row is one aliquot measured in one unit by one source: a column of an expression matrix."""

    __tablename__ = "expression_profiles"
    profile_id: Mapped[str] = mapped_column(primary_key=True, doc="aliquot:unit:source")
    sample_id: Mapped[str] = mapped_column(ForeignKey("samples.sample_id"))
    aliquot_id: Mapped[str] = mapped_column(doc="the name of the column in the source, a full barcode where known")
    unit: Mapped[ExpressionUnit] = mapped_column(closed(ExpressionUnit), doc="what one value counts")
    scale: Mapped[Scale] = mapped_column(
        closed(Scale), doc="linear values become log2(x + 1) when they are used, counts log2(CPM + 1)"
    )
    workflow: Mapped[str | None] = mapped_column(doc="the quantification workflow, as recorded")
    gene_model: Mapped[str | None] = mapped_column(doc="the gene annotation, as recorded")
    n_genes: Mapped[int] = mapped_column(doc="genes in the source")
    n_missing: Mapped[int] = mapped_column(doc="genes without a value in this profile")
    library_size: Mapped[float | None] = mapped_column(
        doc="of counts: their sum over all genes of the source, by which they become counts per million",
        info={"fingerprint": False},
    )
    values_fingerprint: Mapped[str] = mapped_column(doc="digest of (gene, value), whatever the order of rows")
    part_id: Mapped[str] = mapped_column(
        ForeignKey("expression_parts.part_id"), index=True, info={"fingerprint": False}
    )
    is_selected: Mapped[bool] = mapped_column(
        default=False, doc="the one that speaks for (patient, sample type, unit)", info={"fingerprint": False}
    )
    selection_rule: Mapped[str | None] = mapped_column(doc="the rule that chose it", info={"fingerprint": False})
    exclusion: Mapped[str | None] = mapped_column(
        doc="the annotation that keeps it from being selected", info={"fingerprint": False}
    )
    n_unmapped: Mapped[int | None] = mapped_column(BigInteger, doc="STAR's N_unmapped: reads")
    n_multimapping: Mapped[int | None] = mapped_column(BigInteger, doc="STAR's N_multimapping: reads")
    n_no_feature: Mapped[int | None] = mapped_column(BigInteger, doc="STAR's N_noFeature: reads, unstranded")
    n_ambiguous: Mapped[int | None] = mapped_column(BigInteger, doc="STAR's N_ambiguous: reads, unstranded")

    __table_args__ = (Index("ix_profiles_of_sample", "sample_id", "is_selected", "unit", "profile_id"),)


class Gene(Base):
    """One row is one gene as sources name it."""

    __tablename__ = "genes"
    gene_id: Mapped[str] = mapped_column(
        primary_key=True, doc="symbol, Ensembl id without version, entrez:<id>, or probe set"
    )
    id_type: Mapped[str] = mapped_column(doc="symbol, ensembl, entrez or probeset")
    source_name: Mapped[str | None] = mapped_column(doc="the name in the source, where it differs (legacy symbols)")
    symbol: Mapped[str | None] = mapped_column(index=True, doc="the symbol that the source gives beside its id")
    gene_type: Mapped[str | None] = mapped_column(doc="the biotype that the source gives, such as protein_coding")
