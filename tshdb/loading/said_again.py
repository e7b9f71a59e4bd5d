"""Raw values and records of sources that are read again: what a file says as before is left where it stands, and is now the new
file's; what moved is written. A release with one patient more costs one patient's rows.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, select, update

from tshdb.canonical import json_text
from tshdb.database import bulk_insert, next_id, numbers, texts, tuples, upsert
from tshdb.engine.units import select_ids
from tshdb.file_content import RawValue
from tshdb.loading.compare import Comparison
from tshdb.loading.sources import Key, Source, SourceRow, as_json_gives, of_source
from tshdb.schema import ClinicalValue, SourceFile, SourceRecord

Placed = tuple[int, str, str | None, str | None]  # line, field, value, how it is missing


@dataclass
class Standing:
    """Raw values of one source, before rows of patients are written.

    was, now: patient -> what was and is said of her. to_write: patients whose values are not those that stand. gone: of whom a
    source that is taken whole says nothing any more.
    """

    was: dict[str, list[Placed]] = field(default_factory=dict)
    now: dict[str, list[RawValue]] = field(default_factory=dict)
    to_write: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)


def take_out_raw_values(
    connection: Connection, comparison: Comparison, files: dict[Source, int]
) -> dict[Source, Standing]:
    """Take out the raw values that moved, and give the others to the new file: rows of patients go only where nothing hangs on
    them."""
    complete_sources = {source for source, _ in comparison.removed} | comparison.gone_sources
    standing = {}
    for source in [*comparison.raw_values, *comparison.gone_sources]:
        file_id = files.get(source)
        earlier = _earlier_files(connection, source, file_id)
        own = standing[source] = Standing(_values_of(connection, earlier))
        for value in comparison.raw_values.get(source, ()):
            own.now.setdefault(value.patient_id, []).append(value)
        same = {p for p, values in own.now.items() if sorted(map(_placed, values), key=_order) == own.was.get(p)}
        own.to_write = own.now.keys() - same
        own.gone = own.was.keys() - own.now.keys() if source in complete_sources else set()
        if not earlier:
            continue
        with numbers(connection, "earlier_files", earlier) as of_files, texts(
            connection, "moved_patients", own.to_write | own.gone
        ) as moved, texts(connection, "same_patients", same) as stay:  # fmt: skip
            in_files = ClinicalValue.source_file_id.in_(select_ids(of_files))
            connection.execute(delete(ClinicalValue).where(in_files, ClinicalValue.patient_id.in_(select_ids(moved))))
            if file_id is not None and same:
                of_same = ClinicalValue.patient_id.in_(select_ids(stay))
                connection.execute(update(ClinicalValue).where(in_files, of_same).values(source_file_id=file_id))
    return standing


def write_raw_values(connection: Connection, files: dict[Source, int], standing: dict[Source, Standing]) -> set[str]:
    """Write the raw values that moved. Gives the patients of whom something else is said than before."""
    moved: set[str] = set()
    for source, own in standing.items():
        said = [
            {**v._asdict(), "source_file_id": files.get(source)}
            for p in own.now
            if p in own.to_write
            for v in own.now[p]
        ]
        bulk_insert(connection, ClinicalValue.__table__, said)
        moved |= own.gone | {p for p in own.to_write if _words(own.was.get(p, ())) != _words(map(_placed, own.now[p]))}
    return moved


def _earlier_files(connection: Connection, source: Source, file_id: int | None) -> list[int]:
    earlier = select(SourceFile.source_file_id).where(of_source(SourceFile, source))
    if file_id is not None:
        earlier = earlier.where(SourceFile.source_file_id != file_id)
    return list(connection.execute(earlier).scalars())


def _values_of(connection: Connection, files: Iterable[int]) -> dict[str, list[Placed]]:
    """patient -> her values in these files, in one order."""
    ids = ", ".join(map(str, map(int, files)))
    by_patient: dict[str, list[Placed]] = defaultdict(list)
    if ids:
        query = "SELECT patient_id, line, field, value, missing_reason FROM clinical_values"
        for patient, *placed in tuples(connection, f"{query} WHERE source_file_id IN ({ids})"):
            by_patient[patient].append(tuple(placed))
    for values in by_patient.values():
        values.sort(key=_order)
    return dict(by_patient)


def _placed(value: RawValue) -> Placed:
    return value.line, value.field, value.value, value.missing_reason


def _order(placed: Placed) -> tuple[int, str]:
    return placed[:2]


def _words(values: Iterable[Placed]) -> Counter[tuple[str | None, ...]]:
    """What is said, wherever it stands in the file."""
    return Counter(placed[1:] for placed in values)


def write_records(connection: Connection, comparison: Comparison, files: dict[Source, int]) -> None:
    """Point every record of the sources to the new files, whether its row changed or not."""
    first = next_id(connection, SourceRecord.source_record_id)
    same: dict[int, list[int]] = defaultdict(list)  # new file -> its records that say what they said, in the same place
    rows = []
    for i, ((source, key), row) in enumerate(comparison.incoming.items()):
        recorded = comparison.recorded.get((source, key))
        if recorded is not None and recorded.record_id is not None and _stands(recorded, row):
            same[files[source]].append(recorded.record_id)
        else:
            record_id = first + i if recorded is None else recorded.record_id
            rows.append(_record(record_id, key, source, files[source], row))
    for file_id, records in same.items():
        with numbers(connection, "same_records", records) as name:
            of_same = SourceRecord.source_record_id.in_(select_ids(name))
            connection.execute(update(SourceRecord).where(of_same).values(source_file_id=file_id))
    upsert(connection, SourceRecord.__table__, rows, ("source_record_id",))
    removed = [comparison.recorded[sk].record_id for sk in comparison.removed]
    with numbers(connection, "removed_records", removed) as name:
        connection.execute(delete(SourceRecord).where(SourceRecord.source_record_id.in_(select_ids(name))))


def _stands(recorded: SourceRow, row: SourceRow) -> bool:
    """Whether a record says what it said, in the same place of the file."""
    place = (row.line, row.column, row.as_of) == (recorded.line, recorded.column, recorded.as_of)
    return place and recorded.values == as_json_gives(row.values)


def _record(record_id: int | None, key: Key, source: Source, file_id: int, row: SourceRow) -> dict:
    return {
        "source_record_id": record_id,
        "table_name": key[0],
        "row_key": key[1],
        **source._asdict(),
        "source_file_id": file_id,
        "line": row.line,
        "column_number": row.column,
        "row_values": json_text(as_json_gives(row.values)),
        "as_of": row.as_of,
    }
