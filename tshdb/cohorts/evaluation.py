"""What a cohort's steps give now, writing nothing.

The SELECTs run on the study's own database, read only: on SQLite under an authorizer that lets them read tables and
nothing else, on PostgreSQL in a read-only transaction.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Connection

from tshdb.cohorts.guarded import Refused, run_guarded
from tshdb.cohorts.steps import Moved, members_after, parse, walk
from tshdb.database import tuples
from tshdb.errors import InvalidInput
from tshdb.guest_tables import tables_of


class Evaluated(NamedTuple):
    """What a cohort's steps give now: members (sorted), the tables that they read, and what every step did."""

    members: tuple[str, ...]
    tables: tuple[str, ...]
    flow: tuple[Moved, ...]
    disjoint_from: tuple[str, ...]


def evaluate(connection: Connection, name: str, text: str) -> Evaluated:
    """Run the steps of a cohort's file, one after the other.

    Raises InvalidInput unless each is one SELECT that gives patients of the study in a column patient_id.
    """
    where = f"cohort {name}"
    definition = parse(text, where)
    known = {patient for (patient,) in tuples(connection, "SELECT patient_id FROM patients")}
    tables: set[str] = set()

    def select(sql: str, place: str) -> set[str]:
        patients, read = _patients(connection, sql, place, known)
        tables.update(read)
        return patients

    flow = walk(definition, where, select)
    known_tables = sorted(tables & {table.name for table in tables_of(connection)})
    return Evaluated(tuple(sorted(members_after(flow))), tuple(known_tables), tuple(flow), definition.disjoint_from)


def _patients(connection: Connection, sql: str, where: str, known: set[str]) -> tuple[set[str], set[str]]:
    """The patients that one SELECT gives, and the tables that it read."""
    run = _on_sqlite if connection.dialect.name == "sqlite" else _on_postgresql
    columns, rows, tables = run(connection, sql, where)
    if "patient_id" not in columns:
        raise InvalidInput(
            f"the SELECT gives {', '.join(columns)}", where=where, repair="It must give a column patient_id"
        )
    position = columns.index("patient_id")
    patients = {row[position] for row in rows} - {None}
    if strangers := sorted(map(str, patients - known)):
        raise InvalidInput(
            f"{len(strangers)} of its {len(patients)} values of patient_id are no patients of the study, "
            f"such as {strangers[0]!r}",
            where=where,
            repair="Select patient_id from patients, samples or follow_ups",
        )
    return patients, tables


def _on_sqlite(connection: Connection, sql: str, where: str):
    raw: Any = connection.connection.driver_connection
    try:
        return run_guarded(raw, sql)
    except Refused as error:
        raise InvalidInput(f"the SQL was refused ({error})", where=where, repair="It must be one SELECT") from None


def _on_postgresql(connection: Connection, sql: str, where: str):
    from sqlalchemy.exc import DBAPIError

    nested = connection.begin_nested()
    sql = sql.replace("%", "%%")  # the driver's mark of a parameter
    try:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        plan = connection.exec_driver_sql(f"EXPLAIN (VERBOSE, FORMAT JSON) {sql}").scalar()
        result = connection.exec_driver_sql(sql)
        columns, rows = list(result.keys()), result.fetchall()
    except DBAPIError as error:
        first = str(error.orig).splitlines()[0]
        raise InvalidInput(f"the SQL was refused ({first})", where=where, repair="It must be one SELECT") from None
    finally:
        nested.rollback()
    tables: set[str] = set()
    waiting = [plan]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if "Relation Name" in node:
                tables.add(node["Relation Name"])
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
    return columns, rows, tables
