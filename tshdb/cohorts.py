"""Cohorts: defined by one SELECT, live until a version is frozen; versions are immutable.

The SELECT runs on the study's own database, read only: on SQLite under an authorizer that lets it read tables and
nothing else, on PostgreSQL in a read-only transaction.
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from sqlalchemy import Connection, func, insert, select, update

from tshdb.canonical import rows_fingerprint
from tshdb.cohort_sql import Refused, run_guarded
from tshdb.database import bulk_insert, tuples, upsert
from tshdb.engine.units import COHORT, now, retire, set_fingerprints
from tshdb.errors import InvalidInput, NotFound, TshdbError
from tshdb.schema import Base, Cohort, CohortMember, CohortVersion, Unit
from tshdb.vocabulary import CohortMode

NAME = re.compile(r"[a-z][a-z0-9_]*")


class Evaluated(NamedTuple):
    """What a cohort's SQL gives now: members (sorted) and the tables that it read."""

    members: tuple[str, ...]
    tables: tuple[str, ...]


def members_fingerprint(members) -> str:
    return rows_fingerprint(("patient_id",), ((m,) for m in members))


def evaluate(connection: Connection, name: str, sql: str) -> Evaluated:
    """Run a cohort's SQL, writing nothing.

    Raises InvalidInput unless it is one SELECT that gives patients of the study in a column patient_id.
    """
    where = f"cohort {name}"
    text = sql.strip().rstrip(";").strip()
    if not re.match(r"(?is)(--[^\n]*\n|/\*.*?\*/|\s)*(select|with)\b", text):
        raise InvalidInput("the definition is not a SELECT", where=where, repair="Write: SELECT patient_id FROM …")
    run = _on_sqlite if connection.dialect.name == "sqlite" else _on_postgresql
    columns, rows, tables = run(connection, text, where)
    if "patient_id" not in columns:
        raise InvalidInput(
            f"the SELECT gives {', '.join(columns)}", where=where, repair="It must give a column patient_id"
        )
    position = columns.index("patient_id")
    members = {row[position] for row in rows} - {None}
    known = {patient for (patient,) in tuples(connection, "SELECT patient_id FROM patients")}
    if strangers := sorted(map(str, members - known)):
        raise InvalidInput(
            f"{len(strangers)} of its {len(members)} values of patient_id are no patients of the study, "
            f"such as {strangers[0]!r}",
            where=where,
            repair="Select patient_id from patients, samples or follow_ups",
        )
    known_tables = {table for table in tables if table in Base.metadata.tables}
    return Evaluated(tuple(sorted(members)), tuple(sorted(known_tables)))


def _on_sqlite(connection: Connection, sql: str, where: str):
    try:
        return run_guarded(connection.connection.driver_connection, sql)
    except Refused as error:
        raise InvalidInput(f"the SQL was refused ({error})", where=where, repair="It must be one SELECT") from None


def _on_postgresql(connection: Connection, sql: str, where: str):
    from sqlalchemy.exc import DBAPIError

    nested = connection.begin_nested()
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


def define(connection: Connection, name: str, sql: str) -> Evaluated:
    """Define a cohort, or give it other SQL; frozen versions stay as they are. Gives its members now."""
    if not NAME.fullmatch(name):
        raise InvalidInput(f"'{name}' cannot name a cohort", repair="Use lower-case letters, digits and _")
    found = evaluate(connection, name, sql)
    before = connection.execute(select(Cohort.mode).where(Cohort.cohort == name)).scalar()
    row = {
        "cohort": name,
        "sql_text": sql,
        "mode": before or CohortMode.LIVE,
        "tables": json.dumps(list(found.tables)),
        "defined_at": now(),
    }
    upsert(connection, Cohort.__table__, [row], ("cohort",))
    return found


def freeze(connection: Connection, name: str) -> tuple[int, tuple[str, ...], bool]:
    """Freeze the members of now as the next version. Gives (version, members, whether the version is new)."""
    sql = connection.execute(select(Cohort.sql_text).where(Cohort.cohort == name)).scalar()
    if sql is None:
        raise NotFound(f"no cohort '{name}'", repair=f"Run: tshdb cohort define {name} FILE.sql")
    members = evaluate(connection, name, sql).members
    if not members:
        raise InvalidInput("nobody is a member now", where=f"cohort {name}", repair="Ingest patients, or mend its SQL")
    latest = latest_version(connection, name, CohortMode.FROZEN)
    if latest is not None and latest.fingerprint == members_fingerprint(members):
        return latest.version, members, False
    version = _new_version(connection, name, sql, members, CohortMode.FROZEN)
    connection.execute(update(Cohort).where(Cohort.cohort == name).values(mode=CohortMode.FROZEN))
    set_fingerprints(connection, COHORT, {f"{name}@{version}": members_fingerprint(members)})
    live = connection.execute(select(Unit.unit_id).where(Unit.analysis == COHORT, Unit.key == name)).scalars().all()
    retire(connection, live)
    return version, members, True


def commit_live(connection: Connection, name: str) -> bool:
    """Commit the members of a live cohort as a version, if they moved. Inside `writing`."""
    sql = connection.execute(select(Cohort.sql_text).where(Cohort.cohort == name)).scalar_one()
    members = evaluate(connection, name, sql).members
    latest = latest_version(connection, name, CohortMode.LIVE)
    if latest is not None and latest.fingerprint == members_fingerprint(members):
        return False
    _new_version(connection, name, sql, members, CohortMode.LIVE)
    set_fingerprints(connection, COHORT, {name: members_fingerprint(members)})
    return True


def _new_version(connection: Connection, name: str, sql: str, members: tuple[str, ...], mode: CohortMode) -> int:
    last = connection.execute(select(func.max(CohortVersion.version)).where(CohortVersion.cohort == name)).scalar()
    version = (last or 0) + 1
    connection.execute(
        insert(CohortVersion).values(
            cohort=name,
            version=version,
            mode=mode,
            sql_text=sql,
            n_members=len(members),
            fingerprint=members_fingerprint(members),
            created_at=now(),
        )
    )
    bulk_insert(
        connection,
        CohortMember.__table__,
        [{"cohort": name, "version": version, "patient_id": m} for m in members],
    )
    return version


def latest_version(connection: Connection, name: str, mode: CohortMode):
    """The newest row of cohort_versions of that mode, or None."""
    return connection.execute(
        select(CohortVersion.version, CohortVersion.fingerprint, CohortVersion.n_members)
        .where(CohortVersion.cohort == name, CohortVersion.mode == mode)
        .order_by(CohortVersion.version.desc())
        .limit(1)
    ).one_or_none()


def members_of(connection: Connection, name: str, version: int) -> tuple[str, ...]:
    """The members of one version, sorted."""
    if not NAME.fullmatch(name):
        return ()
    query = f"SELECT patient_id FROM cohort_members WHERE cohort = '{name}' AND version = {version:d}"
    return tuple(sorted(patient for (patient,) in tuples(connection, query)))


class CohortState(NamedTuple):
    """A cohort as the planner sees it. key: `name@version` when frozen, the name when live."""

    name: str
    key: str
    mode: CohortMode
    members: tuple[str, ...]
    newly_eligible: tuple[str, ...]
    no_longer: tuple[str, ...]
    problem: str | None
    has_moved: bool  # of a live cohort: the members are not those of its last committed version


def states(connection: Connection) -> dict[str, CohortState]:
    """Every cohort with its members now, writing nothing. A definition that fails keeps its last members, and says so."""
    found = {}
    for name, sql, mode in connection.execute(select(Cohort.cohort, Cohort.sql_text, Cohort.mode)).fetchall():
        problem = None
        latest = latest_version(connection, name, mode)
        frozen = members_of(connection, name, latest.version) if latest else ()
        try:
            now_members = evaluate(connection, name, sql).members
        except TshdbError as error:
            problem, now_members = str(error), frozen
        if mode == CohortMode.FROZEN:
            key, members = f"{name}@{latest.version}", frozen
        else:
            key, members = name, now_members
        found[name] = CohortState(
            name,
            key,
            CohortMode(mode),
            members,
            tuple(sorted(set(now_members) - set(members))),
            tuple(sorted(set(members) - set(now_members))),
            problem,
            mode == CohortMode.LIVE and bool(members) and problem is None and members != frozen,
        )
    return found
