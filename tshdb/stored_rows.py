"""The second digest of a result: of every column of its rows, as the database gives them back.

A row is one line of JSON, its columns by name, without the unit, without labels (`schema.base.Labelled`, which are noted when
the result stands) and without what is NULL, so that a column that is added later and may be empty changes no digest. The digest
is of the lines in order. It is the same on SQLite and PostgreSQL. Migrations write it too: this form stays as it is.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Boolean, Connection, Float, Table

from tshdb.canonical import digest

UNIT = "unit_id"


class Stored(NamedTuple):
    """The rows of one unit in one table."""

    digest: str
    n_rows: int


def _odd(value) -> str:
    """What only another hand can have put into a column: bytes."""
    return f"bytes {bytes(value).hex()}"


_json = json.JSONEncoder(separators=(",", ":"), default=_odd).encode  # ASCII, so that no table of Unicode counts


def digest_of(table: Table, rows: Iterable[Mapping]) -> str:
    """The digest of rows that are about to be stored."""
    names = _names(table)
    return _digest(_lines(table, names, [[row[name] for name in names] for row in rows]))


def stored_digests(connection: Connection, table: Table, among: str | None = None) -> dict[int, Stored]:
    """unit -> its rows as they are stored. among: a table of ids, else all units that have rows."""
    names = _names(table)
    quote = connection.dialect.identifier_preparer.quote
    where = f" WHERE unit_id IN (SELECT id FROM {among})" if among else ""
    result = connection.exec_driver_sql(f"SELECT {', '.join(map(quote, (UNIT, *names)))} FROM {table.name}{where}")
    lines: dict[int, list[str]] = defaultdict(list)
    try:
        while rows := result.cursor.fetchmany(10_000):
            for row, line in zip(rows, _lines(table, names, [row[1:] for row in rows]), strict=True):
                lines[row[0]].append(line)
    finally:
        result.close()
    return {unit: Stored(_digest(of_unit), len(of_unit)) for unit, of_unit in lines.items()}


def _names(table: Table) -> list[str]:
    return sorted(c.name for c in table.columns if c.name != UNIT and not c.info.get("label"))


def _digest(lines: Iterable[str]) -> str:
    return digest(*(line.encode() for line in sorted(lines)))


def _lines(table: Table, names: Sequence[str], rows: Sequence[Sequence]) -> list[str]:
    if not rows:
        return []
    columns = list(zip(*rows, strict=True))
    for i, name in enumerate(names):
        kind = table.columns[name].type
        if isinstance(kind, Float):  # one zero: SQLite keeps no sign of it
            columns[i] = [v + 0.0 if isinstance(v, float) else v for v in columns[i]]
        elif isinstance(kind, Boolean):  # SQLite has numbers; any other than 0 and 1 is another hand's
            columns[i] = [bool(v) if v in (0, 1) else v for v in columns[i]]
    return [
        _json({n: v for n, v in zip(names, row, strict=True) if v is not None}) for row in zip(*columns, strict=True)
    ]


EMPTY = _digest(())
