"""What hangs on rows that are not loaded is not loaded either: one place for all readers.

A reader leaves out a bad row, and says so. Values as found, outcomes, samples, profiles of the same file that point to it go
with it here. What points to a row that neither the study nor this ingest has is an error of its own.
"""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import Connection, select

from tshdb.database import texts
from tshdb.engine.units import select_ids
from tshdb.file_content import FileContent, Finding, Record
from tshdb.loading.believed import is_decision
from tshdb.loading.sources import TABLES
from tshdb.schema import Base
from tshdb.vocabulary import Severity

RULE = "id.unknown-owner"
PATIENTS = "patients"
PARENTS: dict[
    str, list[tuple[str, str]]
] = {  # table -> (column, the table whose key it names), tables in loading order
    table.name: [
        (key.parent.name, key.column.table.name)
        for key in sorted(table.foreign_keys, key=lambda k: k.parent.name)
        if key.column.table.name in TABLES
    ]
    for table in Base.metadata.sorted_tables
    if table.name in TABLES
}


def take_out_withheld(content: FileContent) -> None:
    """Take out what hangs on the patients whose rows the reader left out: it has values of them, and no row."""
    there = {r.values["patient_id"] for r in content.records if r.table.__tablename__ == PATIENTS}
    gone = {PATIENTS: {v.patient_id for v in content.raw_values} - there}
    if not gone[PATIENTS]:
        return
    kept: list[Record] = content.records
    for name, references in PARENTS.items():
        parents = {*references, ("patient_id", PATIENTS)}  # notices of patients name them without a reference
        lost = [
            r
            for r in kept
            if r.table.__tablename__ == name and any(r.values.get(c) in gone.get(parent, ()) for c, parent in parents)
        ]
        if lost:
            (key, *_) = TABLES[name].__table__.primary_key
            gone[name] = {r.values[key.name] for r in lost}
            taken = set(map(id, lost))
            kept = [r for r in kept if id(r) not in taken]
    content.records = kept
    content.raw_values = [v for v in content.raw_values if v.patient_id not in gone[PATIENTS]]


def take_out_orphans(connection: Connection, comparison) -> list[Finding]:
    """Take out of a Comparison what points to rows that nobody has. Gives an error for each."""
    findings = []
    path = {item.source: str(item.path) for item in comparison.items}
    keys_of_table: dict[str, set[str]] = defaultdict(set)
    for _, (table, key) in comparison.incoming:
        keys_of_table[table].add(key)
    for name, parents in PARENTS.items():
        of_table = [(sk, row) for sk, row in comparison.incoming.items() if sk[1][0] == name and not is_decision(row)]
        for column, parent in parents if of_table else ():
            wanted = {str(row.values[column]) for _, row in of_table if column in row.values} - keys_of_table[parent]
            lost = wanted - _standing(connection, parent, wanted)
            for sk, row in of_table if lost else ():
                if str(row.values.get(column)) in lost and comparison.incoming.pop(sk, None) is not None:
                    keys_of_table[name].discard(sk[1][1])
                    findings.append(_finding(row.line, column, str(row.values[column]), parent, path[sk[0]]))
    wanted = {v.patient_id for values in comparison.raw_values.values() for v in values} - keys_of_table[PATIENTS]
    lost = wanted - _standing(connection, PATIENTS, wanted)
    for source, values in comparison.raw_values.items() if lost else ():
        comparison.raw_values[source] = [v for v in values if v.patient_id not in lost]
        lines = {v.patient_id: v.line for v in reversed(values) if v.patient_id in lost}
        findings += [_finding(line, "patient_id", p, PATIENTS, path[source]) for p, line in sorted(lines.items())]
    return findings


def _finding(line: int, column: str, value: str, parent: str, path: str) -> Finding:
    message = f"neither the study nor this ingest has it in {parent}"
    return Finding(line, column, value, RULE, Severity.ERROR, message, path)


def _standing(connection: Connection, table: str, keys: set[str]) -> set[str]:
    """The keys that the study has in a table."""
    if not keys:
        return set()
    (column, *_) = TABLES[table].__table__.primary_key
    with texts(connection, "looked_for", keys) as name:
        return set(connection.execute(select(column).where(column.in_(select_ids(name)))).scalars())
