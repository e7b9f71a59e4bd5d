"""Cohorts: who is in the study's questions."""

from sqlalchemy import ForeignKey, ForeignKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from tshdb.schema.base import Base, closed
from tshdb.vocabulary import CohortMode


class Cohort(Base):
    """One row is one cohort: a name and the SQL that finds its members."""

    __tablename__ = "cohorts"
    cohort: Mapped[str] = mapped_column(primary_key=True, doc="the cohort's name")
    sql_text: Mapped[str] = mapped_column(doc="one SELECT that gives patient_id")
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


class CohortMember(Base):
    """One row is one patient in one version of a cohort."""

    __tablename__ = "cohort_members"
    cohort: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    patient_id: Mapped[str] = mapped_column(primary_key=True, index=True)

    __table_args__ = (
        ForeignKeyConstraint(["cohort", "version"], ["cohort_versions.cohort", "cohort_versions.version"]),
    )
