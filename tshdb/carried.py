"""Rows carried from one database to another, SQLite or PostgreSQL, and the digests that prove them equal.

A row is its values in the canonical spelling (`tshdb.canonical`), columns in the order of the table's model. The digest of a
table is the sum of the digests of its rows (blake2b, 256 bits, modulo 2^256), so that it does not depend on the order in which
a database gives them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import Any, NamedTuple

from sqlalchemy import Boolean, Connection, Table, text

from tshdb.canonical import digest, encode
from tshdb.errors import IntegrityError, InvalidInput

AT_ONCE = 5_000
BITS = 256


class Dumped(NamedTuple):
    """What a table holds."""

    n_rows: int
    digest: str


class Tally:
    """The digest of rows that pass, in whatever order."""

    def __init__(self, table: Table):
        self.table, self.n_rows, self._sum = table, 0, 0

    def add(self, rows: Iterable[tuple]) -> None:
        """Count these rows in."""
        for row in rows:
            try:
                spelt = b"".join(map(encode, row))
            except (TypeError, UnicodeEncodeError) as error:
                raise IntegrityError(
                    f"a value is none that tshdb writes ({error})", where=f"table {self.table.name}",
                    repair="Somebody has edited the table: run tshdb check",
                ) from None  # fmt: skip
            self._sum += int.from_bytes(blake2b(spelt, digest_size=BITS // 8).digest(), "big")
            self.n_rows += 1

    @property
    def dumped(self) -> Dumped:
        """What was counted so far."""
        return Dumped(self.n_rows, f"{self._sum % (1 << BITS):0{BITS // 4}x}")


def rows_of(connection: Connection, table: Table) -> Iterator[list[tuple]]:
    """The rows of a table as plain values, some thousand at a time."""
    quote = connection.dialect.identifier_preparer.quote
    names = ", ".join(quote(c.name) for c in table.columns)
    truths = [i for i, c in enumerate(table.columns) if isinstance(c.type, Boolean)]
    result = connection.execute(
        text(f"SELECT {names} FROM {quote(table.name)}"), execution_options={"stream_results": True}
    )
    for part in result.partitions(AT_ONCE):
        yield [_plain(row, truths) for row in part]


def _plain(row: Any, truths: list[int]) -> tuple:
    values = list(row)
    for i in truths:  # SQLite has numbers; any other than 0 and 1 is another hand's, and no truth value
        values[i] = bool(values[i]) if values[i] in (0, 1) else values[i]
    return tuple(values)


def whole_digest(tables: Mapping[str, Dumped]) -> str:
    """One digest for all tables."""
    return digest(*(f"{name} {held.n_rows} {held.digest}".encode() for name, held in sorted(tables.items())))


def dumped(connection: Connection, table: Table) -> Dumped:
    """What a table holds now."""
    tally = Tally(table)
    for rows in rows_of(connection, table):
        tally.add(rows)
    return tally.dumped


def carry(source: Connection, target: Connection, table: Table) -> Dumped:
    """Write the rows of a table of one database into that of another. Gives what was read; rows that stood there go."""
    from sqlalchemy.exc import DBAPIError

    quote = target.dialect.identifier_preparer.quote
    mark = "?" if target.dialect.name == "sqlite" else "%s"
    names, marks = ", ".join(quote(c.name) for c in table.columns), ", ".join(mark for _ in table.columns)
    insert = f"INSERT INTO {quote(table.name)} ({names}) VALUES ({marks})"
    tally = Tally(table)
    try:
        target.exec_driver_sql(f"DELETE FROM {quote(table.name)}")
        for rows in rows_of(source, table):
            tally.add(rows)
            target.exec_driver_sql(insert, rows)
    except DBAPIError as error:
        said = str(error.orig).strip().partition("\n")[0]
        raise InvalidInput(
            f"its rows do not go into the other database ({said})", where=f"table {table.name}",
            repair="Somebody may have edited the table: run tshdb check. Nothing was moved",
        ) from error  # fmt: skip
    return tally.dumped


def follow_keys(connection: Connection, table: Table) -> None:
    """Let a sequence of PostgreSQL behind a key go on behind the largest that is there."""
    if connection.dialect.name != "postgresql":
        return
    quote = connection.dialect.identifier_preparer.quote
    for column in table.primary_key:
        named = connection.execute(
            text("SELECT pg_get_serial_sequence(:t, :c)"), {"t": quote(table.name), "c": column.name}
        ).scalar()
        if named is not None:
            connection.exec_driver_sql(
                f"SELECT setval('{named}', coalesce(max({quote(column.name)}), 0) + 1, false) FROM {quote(table.name)}"
            )
