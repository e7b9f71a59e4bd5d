"""What a study holds of a patient, and the models that learned from the patient."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Column, ColumnElement, Connection, Table, func, or_, select

from tshdb.database import numbers, texts
from tshdb.engine.analysis import Analysis
from tshdb.engine.graph import units_below
from tshdb.engine.units import COHORT, select_ids
from tshdb.guest_tables import fits_of, tables_of
from tshdb.schema import CohortMember, SourceRecord, Unit
from tshdb.vocabulary import UnitState
from tshdb.withdrawal.identifiers import Identifiers


def named_in(table: Table, names: Identifiers) -> list[tuple[Column, tuple[str, ...]]]:
    """The columns of a table that can hold the patient's keys, with those keys."""
    columns: list[tuple[Column, tuple[str, ...]]] = []
    for column in table.columns:
        if column.name == "patient_id":
            columns.append((column, (names.patient_id,)))
        elif column.name == "sample_id":
            columns.append((column, names.sample_ids))
        elif column.name == "profile_id":
            columns.append((column, names.profile_ids))
        elif column.name == "study_uid":
            columns.append((column, names.study_uids))
        elif column.name == "series_uid":
            columns.append((column, names.series_uids))
        elif column.name == "segmentation_id":
            columns.append((column, names.segmentation_ids))
        elif column.name == "examination":
            columns.append((column, (*names.examinations, *names.study_uids)))
        elif column.name in ("entity_key", "row_key"):
            columns.append((column, names.keys))
    return columns


def rows_of(table: Table, names: Identifiers):
    """The condition that finds the patient's rows in a table; None where it has none."""
    conditions: list[ColumnElement[bool]] = []
    for column, keys in named_in(table, names):
        if keys:
            conditions.append(column.in_(keys))
        if column.name == "row_key":  # composite keys, parts joined by |
            conditions += [column.startswith(f"{key}|", autoescape=True) for key in keys]
    return or_(*conditions) if conditions else None


def counted(connection: Connection, names: Identifiers) -> dict[str, int]:
    """table -> how many rows are the patient's, for the tables that have some."""
    counts = {}
    for table in tables_of(connection):
        condition = rows_of(table, names)
        if condition is not None:
            n = connection.execute(select(func.count()).select_from(table).where(condition)).scalar_one()
            if n:
                counts[table.name] = n
    return counts


def unit_ids(connection: Connection, names: Identifiers) -> dict[int, str]:
    """The patient's units -> their analysis; also those of profiles and examinations that the study does not have any more."""
    with texts(connection, "patients_keys", names.keys) as asked:
        query = select(Unit.unit_id, Unit.analysis).where(Unit.key.in_(select_ids(asked)), Unit.analysis != COHORT)
        units = {unit_id: analysis for unit_id, analysis in connection.execute(query)}
    every = select(Unit.unit_id, Unit.analysis, Unit.key).where(Unit.analysis != COHORT)
    return units | {unit: analysis for unit, analysis, key in connection.execute(every) if names.is_in(key)}


def models_of(connection: Connection, analyses: Sequence[Analysis], names: Identifiers) -> list[tuple[int, str]]:
    """The fits that learned from the patient, directly or through what they rest on: (unit, analysis/cohort@version)."""
    fits = fits_of(connection, analyses)
    resting = units_below(connection, unit_ids(connection, names))
    with numbers(connection, "resting", resting) as name:
        rows = connection.execute(
            select(Unit.unit_id, Unit.analysis, Unit.key).where(
                Unit.unit_id.in_(select_ids(name)), Unit.state != UnitState.RETIRED
            )
        ).fetchall()
    return sorted((unit, f"{analysis}/{key}") for unit, analysis, key in rows if analysis in fits)


def cohorts_of(connection: Connection, names: Identifiers) -> list[tuple[str, int]]:
    """The (cohort, version) that have the patient as a member."""
    query = select(CohortMember.cohort, CohortMember.version).where(CohortMember.patient_id == names.patient_id)
    return sorted((cohort, version) for cohort, version in connection.execute(query))


def files_of(connection: Connection, names: Identifiers) -> set[int]:
    """The source files that say something of the patient."""
    condition = rows_of(SourceRecord.__table__, names)
    query = select(SourceRecord.source_file_id).where(condition).distinct()
    return set(connection.execute(query).scalars())
