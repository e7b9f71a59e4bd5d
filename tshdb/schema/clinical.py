"""Patients, what is known of them, and how long they were followed."""

from sqlalchemy import CheckConstraint, ForeignKey

from tshdb.schema.base import Base, closed
from tshdb.schema.declared import Mapped, mapped_column
from tshdb.vocabulary import Effect, Endpoint


class Patient(Base):
    """One row is one patient of one collection, with the values that hold after sources were reconciled."""

    __tablename__ = "patients"
    patient_id: Mapped[str] = mapped_column(primary_key=True, doc="identifier in the collection, such as TCGA-A7-A0CE")
    collection: Mapped[str] = mapped_column(doc="the archive's collection, such as tcga-brca")
    age_years: Mapped[float | None] = mapped_column(doc="age at diagnosis, in years")
    sex: Mapped[str | None] = mapped_column(doc="female or male")
    race: Mapped[str | None] = mapped_column(doc="by the words of the NIH, else as recorded")
    ethnicity: Mapped[str | None] = mapped_column(doc="hispanic or latino, or not, else as recorded")
    menopausal_status: Mapped[str | None] = mapped_column(doc="pre, peri or post")
    er_status: Mapped[str | None] = mapped_column(doc="oestrogen receptor: positive or negative")
    pr_status: Mapped[str | None] = mapped_column(doc="progesterone receptor: positive or negative")
    her2_status: Mapped[str | None] = mapped_column(doc="HER2: positive or negative")
    tumor_size_mm: Mapped[float | None] = mapped_column(doc="greatest diameter of the tumour, in mm")
    tumor_size_source: Mapped[str | None] = mapped_column(doc="what the size was measured on")
    t_stage: Mapped[str | None] = mapped_column(doc="AJCC pathologic T, such as T1c")
    n_stage: Mapped[str | None] = mapped_column(doc="AJCC pathologic N, such as N0 (i-)")
    m_stage: Mapped[str | None] = mapped_column(doc="AJCC pathologic M")
    stage: Mapped[str | None] = mapped_column(doc="AJCC pathologic stage, such as Stage IIA")
    histology: Mapped[str | None] = mapped_column(doc="by ICD-O-3 morphology: ductal, lobular, mixed or other")
    family_history: Mapped[str | None] = mapped_column(doc="family history of cancer: yes or no")
    er_status_reason: Mapped[str | None] = mapped_column(doc="why er_status is not known")
    pr_status_reason: Mapped[str | None] = mapped_column(doc="why pr_status is not known")
    her2_status_reason: Mapped[str | None] = mapped_column(doc="why her2_status is not known")
    her2_rule: Mapped[str | None] = mapped_column(doc="the rule that made her2_status of IHC and FISH")
    laterality: Mapped[str | None] = mapped_column(doc="side of the index tumour: left or right")


class ClinicalValue(Base):
    """One row is one field of one line of a clinical file, as found. Fields that are empty for everyone make no row."""

    __tablename__ = "clinical_values"
    source_file_id: Mapped[int] = mapped_column(
        ForeignKey("source_files.source_file_id"), primary_key=True, info={"fingerprint": False}
    )
    line: Mapped[int] = mapped_column(
        primary_key=True,
        autoincrement=False,
        doc="line in the file, counted from 1",
        info={"fingerprint": False},
    )
    field: Mapped[str] = mapped_column(primary_key=True, doc="the column's name in the file")
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.patient_id"), index=True)
    value: Mapped[str | None] = mapped_column(doc="as found; empty when the file says that it is missing")
    missing_reason: Mapped[str | None] = mapped_column(doc="how the file says that the value is missing")


class FollowUp(Base):
    """One row is the outcome of one patient for one endpoint."""

    __tablename__ = "follow_ups"
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.patient_id"), primary_key=True)
    endpoint: Mapped[Endpoint] = mapped_column(closed(Endpoint), primary_key=True)
    event: Mapped[bool | None] = mapped_column(doc="true if the endpoint was reached, false if censored")
    duration_days: Mapped[float | None] = mapped_column(doc="days from time_origin to the event or to last contact")
    time_origin: Mapped[str] = mapped_column(doc="what day 0 is: diagnosis, surgery, study_entry")
    reason: Mapped[str | None] = mapped_column(doc="why event or duration is not known")
    rule: Mapped[str] = mapped_column(doc="the rule and its version by which event and duration were derived")

    __table_args__ = (CheckConstraint("duration_days IS NULL OR duration_days >= 0", name="duration_not_negative"),)


class Annotation(Base):
    """One row is one notice of the archive about a patient, a sample or an aliquot (GDC: /annotations)."""

    __tablename__ = "annotations"
    annotation_id: Mapped[str] = mapped_column(primary_key=True)
    collection: Mapped[str]
    patient_id: Mapped[str] = mapped_column(index=True, doc="the patient concerned, whether in the study or not")
    entity_type: Mapped[str] = mapped_column(doc="case, sample, portion, analyte, aliquot or file")
    entity_id: Mapped[str] = mapped_column(doc="barcode (or uuid) of what the notice is about")
    category: Mapped[str] = mapped_column(doc="as published, such as: Item flagged DNU")
    classification: Mapped[str | None] = mapped_column(doc="as published: Redaction, Notification or Observation")
    status: Mapped[str | None] = mapped_column(doc="as published: Approved or Rescinded")
    notes: Mapped[str | None] = mapped_column(doc="as published")
    effect: Mapped[Effect] = mapped_column(closed(Effect), doc="exclude: not selected, not in the preset's cohorts")
    rule: Mapped[str] = mapped_column(doc="the rule that gave the effect")


class Conflict(Base):
    """One row is one source that says another value than the one that holds, with the rule that says so.

    Where sources of one kind differ and none is known to be the later one, all of them are here: nobody's word holds.
    """

    __tablename__ = "conflicts"
    table_name: Mapped[str] = mapped_column(primary_key=True)
    row_key: Mapped[str] = mapped_column(primary_key=True)
    column_name: Mapped[str] = mapped_column(primary_key=True)
    other_source: Mapped[str] = mapped_column(primary_key=True, doc="collection/reader/name of the source overruled")
    held_source: Mapped[str] = mapped_column(doc="collection/reader/name of the source that holds; empty: undecided")
    held_value: Mapped[str | None] = mapped_column(doc="empty where it is not known")
    other_value: Mapped[str | None]
    rule: Mapped[str] = mapped_column(doc="the rule of precedence, the dates, or who decided and why")
