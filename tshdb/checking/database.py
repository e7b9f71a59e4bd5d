"""The database file, its schema, its foreign keys, its settings."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from sqlalchemy import inspect
from sqlalchemy.exc import DatabaseError

from tshdb import installed
from tshdb.checking.rule import Context, Problem, rule
from tshdb.code_in_database import Code, code_of_others, drop_statement
from tshdb.database import tuples
from tshdb.errors import TshdbError
from tshdb.guest_tables import tables_of, unknown_tables

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
    for table in tables_of(c.connection):
        if table.name not in there:
            yield Problem(table.name, "the table is missing")
            continue
        columns = {column["name"] for column in inspector.get_columns(table.name)}
        for name in sorted({column.name for column in table.columns} ^ columns):
            yield Problem(f"{table.name}.{name}", "is missing" if name not in columns else "is not this program's")


def _take_out_code(c: Context, _problems: list[Problem]) -> None:
    for code in _code_of_others(c):
        if code.kind in ("trigger", "view"):
            c.connection.exec_driver_sql(drop_statement(code, is_sqlite=c.connection.dialect.name == "sqlite"))


def _code_of_others(c: Context) -> list[Code]:
    return code_of_others(lambda sql: tuples(c.connection, sql), c.connection.dialect.name == "sqlite")


@rule(
    "database.code", "no code in the database is another's than this program's",
    "Ask who put it there, and what it has changed; tshdb check --repair takes triggers and views out",
    mend=_take_out_code,
)  # fmt: skip
def _code(c: Context) -> Iterator[Problem]:
    for code in _code_of_others(c):
        yield Problem(f"{code.kind} {code.name}", f"runs whenever {code.table} is used, and is not this program's")


@rule("schema.indexes", "every index is this program's", "Take the index out of the study's database")
def _indexes(c: Context) -> Iterator[Problem]:
    inspector = inspect(c.connection)
    there = set(inspector.get_table_names())
    for table in tables_of(c.connection):
        known = {index.name for index in table.indexes} | {constraint.name for constraint in table.constraints}
        for index in inspector.get_indexes(table.name) if table.name in there else ():
            if index["name"] not in known and not index.get("duplicates_constraint"):
                yield Problem(f"{table.name}.{index['name']}", "is not this program's")


@rule("database.foreign-keys", "every reference leads somewhere", OF_ROWS, is_full=True)
def _foreign_keys(c: Context) -> Iterator[Problem]:
    if c.connection.dialect.name == "sqlite":
        for table, row, other, _ in tuples(c.connection, "PRAGMA foreign_key_check"):
            yield Problem(f"{table} row {row}", f"names a row of {other} that is not there")


@rule("settings.readable", "study.toml can be read", "Mend the line that it names")
def _settings(c: Context) -> Iterator[Problem]:
    try:
        c.world()
    except TshdbError as error:
        yield Problem("study.toml", str(error))


@rule(
    "schema.unknown", "every table is known: what is in it can be shown, checked and withdrawn",
    "Take the table out of the study's database, or have the analysis that makes it declare it",
)  # fmt: skip
def _unknown(c: Context) -> Iterator[Problem]:
    for name in unknown_tables(c.connection):
        (n,) = tuples(c.connection, f'SELECT count(*) FROM "{name.replace(chr(34), chr(34) * 2)}"')[0]
        yield Problem(name, f"neither this program nor an analysis has declared it; it has {n:,} rows")


@rule("guest.absent", "every analysis with results in the study is here", "Install its package", is_warning=True)
def _absent(c: Context) -> Iterator[Problem]:
    for name, says in c.absent.items():
        is_own = "analyses/" in says
        yield Problem(name, says, repair="Read its file in analyses/, then run: tshdb trust" if is_own else "")


@rule(
    "reader.absent", "the reader of every source is installed",
    "Install the package that it came with: till then no other source can speak of its rows, and it cannot be read again",
    is_warning=True,
)  # fmt: skip
def _readers(c: Context) -> Iterator[Problem]:
    here = {reader.name for reader in installed.readers()}
    query = "SELECT reader, count(*) FROM source_files WHERE is_current GROUP BY reader ORDER BY reader"
    for name, n in tuples(c.connection, query):
        if name not in here:
            yield Problem(f"reader {name}", f"is not here, and read {n:,} {'source' if n == 1 else 'sources'}")


@rule("guest.untrusted", "the study's own analyses may run", "Read them, then run: tshdb trust", is_warning=True)
def _untrusted(c: Context) -> Iterator[Problem]:
    for name in c.untrusted:
        yield Problem(f"analyses/{name}", "is not trusted, so nothing of it runs")


RULES = (_bytes, _code, _tables, _indexes, _unknown, _foreign_keys, _settings, _absent, _untrusted, _readers)
