"""Cohorts: who is in the study's questions."""

from sqlalchemy import ForeignKey, ForeignKeyConstraint

from tshdb.schema.base import Base, closed
from tshdb.schema.declared import Mapped, mapped_column
from tshdb.vocabulary import CohortMode, StepEffect


class Cohort(Base):
    """One row is one cohort: a name and the steps of SQL that find its members."""

    __tablename__ = "cohorts"
    cohort: Mapped[str] = mapped_column(primary_key=True, doc="the cohort's name")
    sql_text: Mapped[str] = mapped_column(doc="ordered steps, each a SELECT that gives patient_id")
    mode: Mapped[CohortMode] = mapped_column(closed(CohortMode), doc="frozen once a version was frozen, else live")
    tables: Mapped[str] = mapped_column(doc="the tables that the SQL reads, as JSON")
    defined_at: Mapped[str] = mapped_column(doc="UTC")


class CohortVersion(Base):
    """One row is one immutable list of members: frozen by a person, or the latest state of a live cohort."""

    __tablename__ = "cohort_versions"
    cohort: Mapped[str] = mapped_column(ForeignKey("cohorts.cohort"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    mode: Mapped[CohortMode] = mapped_column(closed(CohortMode), doc="frozen by a person, or committed by a rebuild")
    sql_text: Mapped[str] = mapped_column(doc="the SQL as it ran")
    n_members: Mapped[int]
    fingerprint: Mapped[str] = mapped_column(doc="digest of the members")
    created_at: Mapped[str] = mapped_column(doc="UTC")
    program: Mapped[str | None] = mapped_column(doc="what ran the SQL: this program and DuckDB, with versions")


class CohortMember(Base):
    """One row is one patient in one version of a cohort."""

    __tablename__ = "cohort_members"
    cohort: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    patient_id: Mapped[str] = mapped_column(primary_key=True, index=True)

    __table_args__ = (
        ForeignKeyConstraint(["cohort", "version"], ["cohort_versions.cohort", "cohort_versions.version"]),
    )


class CohortFlow(Base):
    """One row is one step of one version of a cohort: whom it brought in or took out, and why."""

    __tablename__ = "cohort_flow"
    cohort: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    step: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, doc="1 for the first")
    effect: Mapped[StepEffect] = mapped_column(closed(StepEffect))
    reason: Mapped[str] = mapped_column(doc="in words, as the definition says it")
    n_in: Mapped[int] = mapped_column(doc="members before the step")
    n_out: Mapped[int] = mapped_column(doc="members after it")
    sql: Mapped[str] = mapped_column(doc="the step's SELECT as it ran")

    __table_args__ = (
        ForeignKeyConstraint(["cohort", "version"], ["cohort_versions.cohort", "cohort_versions.version"]),
    )


class CohortExclusion(Base):
    """One row is one patient whom a step took out of one version of a cohort for good."""

    __tablename__ = "cohort_exclusions"
    cohort: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    patient_id: Mapped[str] = mapped_column(primary_key=True, index=True)
    step: Mapped[int] = mapped_column(doc="the step of cohort_flow")

    __table_args__ = (
        ForeignKeyConstraint(
            ["cohort", "version", "step"], ["cohort_flow.cohort", "cohort_flow.version", "cohort_flow.step"]
        ),
    )
