"""T0, T1 …: which examination of a patient comes first.

Rule: a patient's imaging studies that have an MR series, in the order of date, time and UID. Archives shift dates by one
interval a patient, so that the order holds. What a trial calls the time point is kept beside it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, exists, select, update

from tshdb.database import texts
from tshdb.engine.units import select_ids
from tshdb.schema import ImagingSeries, ImagingStudy


def numbered_otherwise(connection: Connection, patients: Iterable[str]) -> list[dict[str, str | None]]:
    """The studies of these patients that have another time point than the rule gives, with that."""
    has_mr = exists().where(ImagingSeries.study_uid == ImagingStudy.study_uid, ImagingSeries.modality == "MR")
    with texts(connection, "numbered_patients", patients) as name:
        rows = connection.execute(
            select(
                ImagingStudy.patient_id,
                ImagingStudy.study_uid,
                ImagingStudy.study_date,
                ImagingStudy.study_time_s,
                ImagingStudy.time_point,
                has_mr.label("has_mr"),
            ).where(ImagingStudy.patient_id.in_(select_ids(name)))
        ).fetchall()
    by_patient = defaultdict(list)
    wanted: dict[str, str | None] = {row.study_uid: None for row in rows}
    for row in rows:
        if row.has_mr:
            by_patient[row.patient_id].append((row.study_date or "", row.study_time_s or 0.0, row.study_uid))
    for studies in by_patient.values():
        wanted |= {uid: f"T{i}" for i, (_, _, uid) in enumerate(sorted(studies))}
    return [
        {"b_uid": row.study_uid, "b_point": wanted[row.study_uid]}
        for row in rows
        if row.time_point != wanted[row.study_uid]
    ]


def number_time_points(connection: Connection, patients: Iterable[str]) -> set[str]:
    """Number the studies of these patients anew. Gives the studies whose number moved."""
    moved = numbered_otherwise(connection, patients)
    if moved:
        table = ImagingStudy.__table__
        connection.execute(
            update(table).where(table.c.study_uid == bindparam("b_uid")).values(time_point=bindparam("b_point")), moved
        )
    return {row["b_uid"] for row in moved}
