"""All rows of a database into another that is empty, SQLite or PostgreSQL, in one transaction there, and proved equal.

What arrived is read again and held against what was read, table by table (`tshdb.carried`), before anything is committed. A move
and a backup of a server are made by it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import inspect, select

from tshdb import database, guest_tables, installed
from tshdb.carried import Dumped, carry, dumped, follow_keys
from tshdb.engine.guests_declared import make
from tshdb.errors import IntegrityError, InvalidInput
from tshdb.failpoints import fp
from tshdb.schema import TableVersion

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, Table

VERSIONS = TableVersion.__tablename__


def carry_all(
    source: Connection, target: Engine, arrived: Callable[[Connection, Mapping[str, Dumped]], None] = lambda *_: None
) -> dict[str, Dumped]:
    """All rows that the program knows, the tables of guests with them. Gives table -> what was read and has arrived.

    source: one state, which stays as it is to the end; target: an empty database, which is brought to the newest revision.
    arrived: called inside of the transaction when all is there and equal.

    Raises InvalidInput for tables that another hand has changed; IntegrityError where what arrived is not what was sent: then the
    target is as it was.
    """
    if edited := database.changed_by_others(source):
        raise InvalidInput(
            "another hand than tshdb's has changed it, and nobody has looked since", where=f"table {min(edited)}",
            repair="Run tshdb check, and tshdb rebuild for tables of results; then move",
        )  # fmt: skip
    tables = [table for table in guest_tables.tables_of(source) if table.name != VERSIONS]
    carried: dict[str, Dumped] = {}

    def arrive(connection: Connection) -> None:
        for table in guest_tables.guests_of(source).values():
            make(connection, table)
        for table in reversed(tables):  # a new database may hold rows that its revisions wrote
            connection.execute(table.delete())
        for table in tables:
            carried[table.name] = carry(source, connection, table)
            follow_keys(connection, table)
            fp("move.table")
        if source.dialect.name == connection.dialect.name == "sqlite":  # kept tables and answers are of these versions
            for version in source.execute(select(TableVersion.__table__)).mappings():
                of_it = TableVersion.table_name == version["table_name"]
                connection.execute(TableVersion.__table__.update().where(of_it).values(version=version["version"]))
        for table in tables:
            _refuse_other(table, carried[table.name], dumped(connection, table))
        arrived(connection, carried)

    installed.migrations().upgrade(target, then=arrive)
    return carried


@contextmanager
def private_copy_of_server(source: Engine) -> Iterator[Engine]:
    """One state of a server's database as a SQLite database of our own. A user who may only read can have it."""
    engine = database.private()
    try:
        with database.reading(source) as connection:
            carry_all(connection, engine)
        yield engine
    finally:
        engine.dispose()


def unknown_in(source: Connection) -> list[str]:
    """Tables and columns that are not this program's, in words: they would be left behind."""
    found = inspect(source)
    unknown = [f"table {name}" for name in guest_tables.unknown_tables(source)]
    for table in guest_tables.tables_of(source):
        there = {column["name"] for column in found.get_columns(table.name)}
        unknown += [f"table {table.name}, column {name}" for name in sorted(there - set(table.columns.keys()))]
    return unknown


def refuse_unknown(source: Connection) -> None:
    """Raises InvalidInput for a table or a column that is not this program's."""
    if unknown := unknown_in(source):
        raise InvalidInput(
            "tshdb does not know it and would leave it behind", where=unknown[0],
            repair="Take it out of the database first",
        )  # fmt: skip


def _refuse_other(table: Table, sent: Dumped, arrived: Dumped) -> None:
    if sent != arrived:
        raise IntegrityError(
            f"what arrived is not what was sent: {arrived.n_rows:,} of {sent.n_rows:,} rows, digest {arrived.digest[:12]} "
            f"for {sent.digest[:12]}",
            where=f"table {table.name}", repair="The study uses its database as before: try again",
        )  # fmt: skip
