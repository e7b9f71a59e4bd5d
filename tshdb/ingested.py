"""Ingested rows by the unit that stands for them: `ingest.TABLE` with the entity, such as a patient, for its key.

What the unit says of the rows is their fingerprint. Rows of clinical values and of DICOM files have no records of their own:
for them speak the records of their patient, or of their series.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator

from sqlalchemy import Connection, Table, select

from tshdb.canonical import rows_fingerprint
from tshdb.database import texts
from tshdb.engine.units import ENTITY_COLUMN, INGEST, select_ids
from tshdb.schema import Base, ClinicalValue, SourceFile, SourceRecord, Unit
from tshdb.vocabulary import UnitState

Entity = tuple[str, str]  # table, the key of its ingest unit
Key = tuple[str, str]  # table, row key
SourceKey = tuple[str, str, str]  # collection, reader, name

SPOKEN_BY = {"clinical_values": "patients", "imaging_instances": "imaging_series"}
OF_PATIENTS = {name for name, column in ENTITY_COLUMN.items() if column == "patient_id"} - {"patients"}


def table_of(name: str) -> Table:
    return Base.metadata.tables[name]


def key_of(table: Table, row) -> str:
    """The primary key of a row as text, parts joined by |."""
    return "|".join(str(row[c.name]) for c in table.primary_key)


def counted(name: str) -> list:
    """The columns of a table that are data, in the order of the fingerprint."""
    return sorted((c for c in table_of(name).columns if c.info.get("fingerprint", True)), key=lambda c: c.name)


def entity_fingerprints(connection: Connection, table: str, among=None) -> dict[str, str]:
    """entity -> the fingerprint of its rows, of those entities that have some. among: a SELECT of entities, else all."""
    columns = counted(table)
    entity = table_of(table).c[ENTITY_COLUMN[table]]
    query = select(entity, *columns)
    if among is not None:
        query = query.where(entity.in_(among))
    by_entity: dict[str, list] = {}
    for row in connection.execute(query):
        by_entity.setdefault(row[0], []).append(tuple(row[1:]))
    names = [c.name for c in columns]
    return {key: rows_fingerprint(names, rows) for key, rows in by_entity.items()}


def known_fingerprints(connection: Connection, table: str) -> dict[str, str]:
    """entity -> the fingerprint that its ingest unit has."""
    query = select(Unit.key, Unit.fingerprint).where(Unit.analysis == INGEST + table, Unit.state == UnitState.CURRENT)
    return dict(map(tuple, connection.execute(query)))


def edited(connection: Connection, table: str) -> dict[str, str]:
    """entity -> what is wrong with its rows, of a table that ingests write."""
    known = known_fingerprints(connection, table)
    there = entity_fingerprints(connection, table)
    problems = {}
    for key in sorted(known.keys() | there.keys()):
        if key not in there:
            problems[key] = "was ingested, and has no row"
        elif key not in known:
            problems[key] = "has rows that were never ingested"
        elif there[key] != known[key]:
            problems[key] = "was edited: its rows are not those that were ingested"
    return problems


def marked(connection: Connection) -> dict[str, set[str]]:
    """table -> the entities whose ingest unit `check` has marked."""
    query = select(Unit.analysis, Unit.key).where(Unit.damage.is_not(None), Unit.analysis.startswith(INGEST))
    by_table: dict[str, set[str]] = defaultdict(set)
    for analysis, key in connection.execute(query):
        by_table[analysis.removeprefix(INGEST)].add(key)
    return {table: keys for table, keys in by_table.items() if table in ENTITY_COLUMN}


def records_of(connection: Connection, table: str, entities: set[str], source: SourceKey | None = None) -> Iterator:
    """The records of the rows of some entities, of all sources or of one."""
    column = ENTITY_COLUMN[table]
    query = select(SourceRecord.__table__).where(SourceRecord.table_name == table)
    if source is not None:
        own = (SourceRecord.collection, SourceRecord.reader, SourceRecord.name)
        query = query.where(*[c == value for c, value in zip(own, source, strict=True)])
    for record in connection.execute(query):
        if str(json.loads(record.row_values).get(column)) in entities:
            yield record


def keys_of(connection: Connection, entities: dict[str, set[str]]) -> list[Key]:
    """The rows of these entities, those that stand and those that a source says."""
    ordered: dict[Key, None] = {}
    for name, keys in entities.items():
        table = table_of(name)
        with texts(connection, "asked_entities", keys) as asked:
            of_entities = table.c[ENTITY_COLUMN[name]].in_(select_ids(asked))
            for row in connection.execute(select(*table.primary_key).where(of_entities)).mappings():
                ordered[name, key_of(table, row)] = None
        ordered |= {(name, record.row_key): None for record in records_of(connection, name, keys)}
    return list(ordered)


def speakers(
    connection: Connection, entities: dict[str, set[str]], only: SourceKey | None = None
) -> dict[SourceKey, set[Entity]]:
    """The sources that say the rows of these entities, each with what it speaks of. only: ask of this source alone."""
    by_source: dict[SourceKey, set[Entity]] = defaultdict(set)
    for name, keys in entities.items():
        spoken = SPOKEN_BY.get(name, name)
        column = ENTITY_COLUMN[name]
        of_table: dict[SourceKey, set[Entity]] = defaultdict(set)
        for record in records_of(connection, spoken, keys, None if name in SPOKEN_BY else only):
            source = (record.collection, record.reader, record.name)
            of_table[source].add((name, str(json.loads(record.row_values)[column])))
        if name == ClinicalValue.__tablename__ and of_table:
            with_values = _with_values(connection)
            of_table = {source: of_table[source] for source in of_table if source in with_values} or of_table
        for source, spoken_of in of_table.items():
            by_source[source] |= spoken_of
    return by_source


def _with_values(connection: Connection) -> set[SourceKey]:
    """The sources that have values as found, or had: those that say outcomes."""
    file, record = SourceFile, SourceRecord
    with_rows = select(file.collection, file.reader, file.name).where(
        file.source_file_id.in_(select(ClinicalValue.source_file_id))
    )
    with_outcomes = select(record.collection, record.reader, record.name).where(record.table_name.in_(OF_PATIENTS))
    return {tuple(row) for query in (with_rows, with_outcomes) for row in connection.execute(query.distinct())}
