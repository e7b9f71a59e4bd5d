"""How cohorts were evaluated before revision 0014: by the database itself, each in its own dialect.

For `tshdb migrate` alone, which says whose members differ by the SQL of `tshdb sql`; it goes when no study older than 0014
is to be expected any more. Nothing else may use it.
"""

from __future__ import annotations

import sqlite3
import time
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from tshdb.cohorts.evaluation import evaluate_each
from tshdb.cohorts.rows import rows_of
from tshdb.cohorts.steps import members_after, parse, walk
from tshdb.database import tuples
from tshdb.errors import InvalidInput, TshdbError
from tshdb.schema import Cohort
from tshdb.vocabulary import CohortMode

REVISION = "0014"  # the first that evaluates them otherwise
SECONDS = 15
_ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
_DENIED_FUNCTIONS = {"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer", "random", "randomblob"}


class Differing(NamedTuple):
    """A cohort whose definition gives others than it gave. came, left: patients; problem: why it gives nobody now."""

    cohort: str
    mode: CohortMode
    came: tuple[str, ...]
    left: tuple[str, ...]
    problem: str | None

    def facts(self) -> dict[str, Any]:
        return {**self._asdict(), "mode": self.mode.value, "came": list(self.came), "left": list(self.left)}


def differing(connection: Connection) -> list[Differing]:
    """The cohorts whose definitions give other members than the study's database would give, by name.

    What no longer runs is not run in the database either.
    """
    rows = connection.execute(select(Cohort.cohort, Cohort.mode, Cohort.sql_text).order_by(Cohort.cohort)).fetchall()
    now = evaluate_each(rows_of(connection), {name: text for name, _, text in rows})
    differ = []
    for name, mode, text in rows:
        evaluated = now[name]
        if isinstance(evaluated, TshdbError):
            differ.append(Differing(name, CohortMode(mode), (), (), str(evaluated)))
            continue
        before = _before(connection, name, text)
        if before is not None and before != set(evaluated.members):
            came, left = set(evaluated.members) - before, before - set(evaluated.members)
            differ.append(Differing(name, CohortMode(mode), tuple(sorted(came)), tuple(sorted(left)), None))
    return differ


def _before(connection: Connection, name: str, text: str) -> set[str] | None:
    """The members by the database's own SQL; None where it refuses."""
    known = {patient for (patient,) in tuples(connection, "SELECT patient_id FROM patients")}
    run = _on_sqlite if connection.dialect.name == "sqlite" else _on_postgresql

    def members(sql: str, where: str) -> set[str]:
        columns, rows = run(connection, sql)
        if "patient_id" not in columns:
            raise InvalidInput("no column patient_id", where=where)
        return {row[columns.index("patient_id")] for row in rows} & known

    try:
        return members_after(walk(parse(text, name), name, members))
    except (InvalidInput, sqlite3.Error, sqlite3.Warning):
        return None


def _on_sqlite(connection: Connection, sql: str) -> tuple[list[str], list[tuple]]:
    raw: Any = connection.connection.driver_connection
    until = time.monotonic() + SECONDS

    def authorize(action, _first, second, _database, _trigger):
        if action not in _ALLOWED or (action == sqlite3.SQLITE_FUNCTION and second in _DENIED_FUNCTIONS):
            return sqlite3.SQLITE_DENY
        return sqlite3.SQLITE_OK

    raw.set_authorizer(authorize)
    raw.set_progress_handler(lambda: time.monotonic() > until, 10_000)
    try:
        cursor = raw.execute(sql)
        return [d[0] for d in cursor.description], cursor.fetchall()
    finally:
        raw.set_progress_handler(None, 0)
        raw.set_authorizer(None)


def _on_postgresql(connection: Connection, sql: str) -> tuple[list[str], list[tuple]]:
    from sqlalchemy.exc import DBAPIError

    nested = connection.begin_nested()
    try:
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{SECONDS}s'")
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        result = connection.exec_driver_sql(sql.replace("%", "%%"))  # the driver's mark of a parameter
        return list(result.keys()), [tuple(row) for row in result.fetchall()]
    except DBAPIError as error:
        raise InvalidInput(str(error.orig)) from None
    finally:
        nested.rollback()
