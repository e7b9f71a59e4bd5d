"""The database file, its schema, its foreign keys, its settings."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from sqlalchemy import inspect
from sqlalchemy.exc import DatabaseError

from tshdb.checking.rule import Context, Problem, rule
from tshdb.database import tuples
from tshdb.errors import TshdbError
from tshdb.schema import Base

RESTORE = "Restore a backup of the study"
OF_ROWS = "Run: tshdb check --repair. It puts ingested rows back. Else restore a backup of the study"


@rule("database.bytes", "the database file is whole", RESTORE, is_full=True)
def _bytes(c: Context) -> Iterator[Problem]:
    if c.connection.dialect.name != "sqlite":
        return
    try:
        lines = [row[0] for row in tuples(c.connection, "PRAGMA integrity_check(20)")]
    except (sqlite3.DatabaseError, DatabaseError) as error:
        lines = [str(getattr(error, "orig", error))]
    for text in lines:
        if text != "ok":
            yield Problem("study.db", text)


@rule("schema.tables", "the tables and columns are this program's", "Restore a backup, or run: tshdb migrate")
def _tables(c: Context) -> Iterator[Problem]:
    inspector = inspect(c.connection)
    there = set(inspector.get_table_names())
    for table in Base.metadata.sorted_tables:
        if table.name not in there:
            yield Problem(table.name, "the table is missing")
            continue
        columns = {column["name"] for column in inspector.get_columns(table.name)}
        for name in sorted({column.name for column in table.columns} ^ columns):
            yield Problem(f"{table.name}.{name}", "is missing" if name not in columns else "is not this program's")


@rule("database.foreign-keys", "every reference leads somewhere", OF_ROWS, is_full=True)
def _foreign_keys(c: Context) -> Iterator[Problem]:
    if c.connection.dialect.name == "sqlite":
        for table, row, other, _ in tuples(c.connection, "PRAGMA foreign_key_check"):
            yield Problem(f"{table} row {row}", f"names a row of {other} that is not there")


@rule("settings.readable", "study.toml can be read", "Mend the line that it names")
def _settings(c: Context) -> Iterator[Problem]:
    from tshdb.engine.world import World

    try:
        World(c.analyses, c.study.settings)
    except TshdbError as error:
        yield Problem("study.toml", str(error))


RULES = (_bytes, _tables, _foreign_keys, _settings)
