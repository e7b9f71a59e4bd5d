"""Which sources speak through rows or objects that are lost: these are read again, though their bytes are as before.

An object is lost when its file is not there, has another size, or has other bytes; and rows of any table count as lost when
`check` has marked their ingest unit.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import Connection, literal, select

from tshdb.guest_tables import object_columns
from tshdb.ingested import marked, speakers
from tshdb.objects import ObjectStore
from tshdb.schema import ExpressionPart, ExpressionProfile, SourceRecord

Key = tuple[str, str, str]  # of a source: collection, reader, name


class Spoken(NamedTuple):
    """An object that speaks for rows of a source. size: where it is known."""

    source: Key
    digest: str
    suffix: str
    size: int | None


def lost_sources(connection: Connection, objects: ObjectStore, collection: str) -> set[Key]:
    """The sources of a collection that lost rows or an object. Reads no bytes of objects."""
    of_rows = {source for source in speakers(connection, marked(connection)) if source[0] == collection}
    return of_rows | {s.source for s in _spoken(connection, collection) if not objects.is_there(*s[1:4])}


def has_lost(connection: Connection, objects: ObjectStore, source: Key) -> bool:
    """Whether one source lost rows or an object; its objects' bytes are read, once in the life of the store."""
    return source in speakers(connection, marked(connection), source) or any(
        not objects.is_there(*s[1:4]) or not objects.is_whole(s.digest, s.suffix)
        for s in _spoken(connection, source[0], source)
    )


def _spoken(connection: Connection, collection: str, source: Key | None = None) -> Iterator[Spoken]:
    for row in connection.execute(_of_profiles(collection, source)):
        yield Spoken((collection, row[0], row[1]), row[2], ".parquet", row[3])
    for table, column, suffix in object_columns(connection):
        if "unit_id" not in table.columns:
            for row in connection.execute(_of_table(table, table.c[column], collection, source)):
                yield Spoken((collection, row[0], row[1]), row[2], suffix, row[3])


def _of_profiles(collection: str, source: Key | None):
    profiles, parts = ExpressionProfile.__table__, ExpressionPart.__table__
    query = _records(profiles, parts.c.part_id, parts.c.size_bytes, collection, source)
    return query.join(parts, parts.c.part_id == profiles.c.part_id)


def _of_table(table, column, collection: str, source: Key | None):
    return _records(table, column, literal(None), collection, source).where(column.is_not(None))


def _records(table, digest, size, collection: str, source: Key | None):
    """(reader, name, digest, size) of the rows of a table, by the sources that speak of them."""
    (key,) = table.primary_key
    query = (
        select(SourceRecord.reader, SourceRecord.name, digest, size)
        .select_from(SourceRecord)
        .join(table, key == SourceRecord.row_key)
        .where(SourceRecord.table_name == table.name, SourceRecord.collection == collection)
        .distinct()
    )
    if source is not None:
        query = query.where(SourceRecord.reader == source[1], SourceRecord.name == source[2])
    return query
