"""Tables of the database that nobody has declared: nothing says what their rows are, so nothing of theirs can be erased."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, inspect

from tshdb.database import tuples
from tshdb.errors import IntegrityError
from tshdb.guest_tables import unknown_tables
from tshdb.withdrawal.identifiers import Identifiers


def refuse_if_named(connection: Connection, names: Identifiers) -> None:
    """Raises IntegrityError where a table that nobody has declared names the patient: no certificate could be true."""
    for table in unknown_tables(connection):
        n = sum(any(names.is_in(text) for text in row) for row in texts_of(connection, table))
        if n:
            raise IntegrityError(
                f"it names the patient in {n:,} rows, and neither this program nor an analysis has declared it",
                where=f"table {table}",
                repair="Take the table out of the database, or have its analysis declare it; nothing was erased",
            )


def texts_of(connection: Connection, table: str) -> Iterator[list[str]]:
    """Every row of a table as texts: bytes too, as far as they are text."""
    quote = connection.dialect.identifier_preparer.quote
    columns = ", ".join(quote(column["name"]) for column in inspect(connection).get_columns(table))
    if not columns:
        return
    for row in tuples(connection, f"SELECT {columns} FROM {quote(table)}"):
        yield [bytes(v).decode("latin-1") if isinstance(v, bytes | memoryview) else str(v) for v in row]


def columns_of(connection: Connection, table: str) -> dict[str, list[str]]:
    """column -> its values as texts, of such a table."""
    names = [column["name"] for column in inspect(connection).get_columns(table)]
    rows = list(texts_of(connection, table))
    return {name: [row[i] for row in rows] for i, name in enumerate(names)}
