"""An id that another collection holds already is another person, unless the study says that they are the same people.

Two hospitals number their patients 001, 002, …. Of a row that names such a patient nothing is loaded, with all that hangs on it:
the error says whose id it is, and what helps.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from tshdb.database import texts
from tshdb.engine.units import select_ids
from tshdb.file_content import Finding
from tshdb.schema import Patient
from tshdb.vocabulary import Severity

if TYPE_CHECKING:
    from tshdb.loading.compare import Comparison
    from tshdb.loading.sources import Source

RULE = "id.other-collection"
SHOWN = 20  # findings of one source; the rest is counted
HANGS_ON = {"samples": "sample_id", "imaging_studies": "study_uid"}  # what else names a patient's rows


def take_out_of_others(
    connection: Connection, comparison: Comparison, are_same: Callable[[str, str], bool]
) -> list[Finding]:
    """Take out of a Comparison what names patients of another collection. Gives an error for each of them.

    are_same: whether two collections have the same people under the same ids.
    """
    first_line: dict[tuple[Source, str], int] = {}
    for (source, _), row in comparison.incoming.items():
        _note(first_line, source, row.values.get("patient_id"), row.line)
    for source, values in comparison.raw_values.items():
        for value in values:
            _note(first_line, source, value.patient_id, value.line)
    held = _collections(connection, {patient for _, patient in first_line})
    strangers: dict[Source, dict[str, str]] = defaultdict(dict)
    for source, patient in first_line:
        other = held.get(patient)
        if other is not None and other != source.collection and not are_same(other, source.collection):
            strangers[source][patient] = other
    path = {item.source: str(item.path) for item in comparison.items}
    findings: list[Finding] = []
    for source, patients in strangers.items():
        _take_out(comparison, source, patients)
        told = sorted(patients, key=lambda p: first_line[source, p])
        findings += [_finding(source, p, patients[p], first_line[source, p], path[source]) for p in told[:SHOWN]]
        if len(told) > SHOWN:
            more = f"and {len(told) - SHOWN:,} more of its patients are another collection's"
            findings.append(Finding(None, "patient_id", None, RULE, Severity.ERROR, more, path[source]))
    return findings


def _note(first_line: dict[tuple[Source, str], int], source: Source, patient: Any, line: int) -> None:
    if patient is not None:
        first_line[source, str(patient)] = min(line, first_line.get((source, str(patient)), line))


def _collections(connection: Connection, patients: set[str]) -> dict[str, str]:
    """patient -> the collection that it came from, of those that the study has."""
    with texts(connection, "named_patients", patients) as name:
        query = select(Patient.patient_id, Patient.collection).where(Patient.patient_id.in_(select_ids(name)))
        return dict(connection.execute(query).fetchall())  # type: ignore[arg-type]


def _take_out(comparison: Comparison, source: Source, patients: Mapping[str, str]) -> None:
    """Their rows, and those of their samples and examinations."""
    mine = {key: row for (s, key), row in comparison.incoming.items() if s == source}
    hanging = {
        column: {
            row.values[column]
            for (t, _), row in mine.items()
            if t == table and row.values.get("patient_id") in patients
        }
        for table, column in HANGS_ON.items()
    }
    for key, row in mine.items():
        hangs = any(row.values.get(column) in values for column, values in hanging.items())
        if row.values.get("patient_id") in patients or hangs:
            del comparison.incoming[source, key]
    if source in comparison.raw_values:
        comparison.raw_values[source] = [v for v in comparison.raw_values[source] if v.patient_id not in patients]


def _finding(source: Source, patient: str, other: str, line: int, path: str) -> Finding:
    message = (
        f"is a patient of the collection {other}. Another person: give the ids of {source.collection} a prefix (in the map: "
        f'template = "B_{{}}"). The same person: [collections] same_patients = ["{other}", "{source.collection}"] in study.toml'
    )
    return Finding(line, "patient_id", patient, RULE, Severity.ERROR, message, path)
