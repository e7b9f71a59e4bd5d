"""The tables of guests are made, altered, renamed and dropped: by the rebuild that first finds them declared so.

All within one write transaction. An altered table keeps the rows that still fit; of units whose rows do not, the caller is
told. What an older version of a cohort gave is never computed again, so that its rows are worth keeping.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    Boolean,
    Connection,
    Double,
    Integer,
    MetaData,
    String,
    Table,
    delete,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy.schema import CreateTable, DropTable

from tshdb.code_in_database import EVENTS, watch_name, watch_text
from tshdb.engine.needs import Reference
from tshdb.engine.units import now
from tshdb.errors import InvalidInput
from tshdb.guest_tables import COLUMN, NAME, columns_of, table_of
from tshdb.offered import Origin
from tshdb.roles import act_as_owner
from tshdb.schema.base import Base, is_ours
from tshdb.schema.guests import GuestAnalysis, GuestTable

if TYPE_CHECKING:
    from tshdb.engine.analysis import Analysis

BEFORE = "tshdb_before"  # the name that a table has while the new one takes its rows


def declare(
    connection: Connection, analyses: Iterable[Analysis], origin_of: Callable[[Analysis], Origin | None]
) -> dict[str, set[int]]:
    """Have the database hold and describe what these analyses make. Inside `writing`.

    origin_of: None for an analysis of this program. Gives table -> the units whose rows an altered table could not keep.
    Raises InvalidInput for a table whose name is taken.
    """
    at = now()
    lost: dict[str, set[int]] = {}
    known = {row.table_name: row for row in connection.execute(select(GuestTable.__table__))}
    there = set(inspect(connection).get_table_names())
    settled: dict[str, Table] = {}
    for analysis in analyses:
        guests = [model for model in _models(analysis) if not is_ours(model.__table__)]
        origin = origin_of(analysis)
        if origin is None and not guests:
            continue
        origin = origin or Origin(analysis.function.__module__.partition(".")[0], None)
        for model in guests:
            table = model.__table__
            if table.name in settled:
                if settled[table.name] is not table:
                    raise InvalidInput(f"two tables are called {table.name}", where=str(origin), repair="Rename one")
                continue
            settled[table.name] = table
            refuse_name(table, origin)
            if model is analysis.makes:
                _follow_name(connection, analysis.name, table.name, known, there)
            _refuse_taken(table.name, origin, known, there)
            lost |= _settle(connection, model, origin, known.get(table.name), at)
        _note(connection, analysis, origin, at)
    return lost


def _follow_name(connection: Connection, analysis: str, name: str, known: dict[str, Any], there: set[str]) -> None:
    """A table that is declared under another name goes on under it with all its rows. One that stood there already is dropped."""
    rows = connection.execute(select(GuestAnalysis.analysis, GuestAnalysis.guest_table)).fetchall()
    before = dict(rows).get(analysis)
    if before is None or before == name or before not in known or any(t == before for a, t in rows if a != analysis):
        return
    if name in known and known[name].origin == known[before].origin and not any(t == name for _, t in rows):
        drop(connection, name)
        known.pop(name)
        there.discard(name)
    if name in known or name in there:
        return
    act_as_owner(connection, f"table {before}, which is called {name} now")
    _forget(connection, before)
    connection.exec_driver_sql(f"ALTER TABLE {before} RENAME TO {name}")
    table = table_of(before, known[before].columns)
    if connection.dialect.name == "postgresql":
        for constraint in table.constraints:
            if constraint.name is not None:
                renamed = str(constraint.name).replace(before, name)
                connection.exec_driver_sql(f"ALTER TABLE {name} RENAME CONSTRAINT {constraint.name} TO {renamed}")
    _watch(connection, name)
    row = connection.execute(select(GuestTable.__table__).where(GuestTable.table_name == before)).mappings().one()
    connection.execute(insert(GuestTable).values(**{**row, "table_name": name}))
    of_it = GuestAnalysis.guest_table == before
    connection.execute(update(GuestAnalysis).where(of_it).values(guest_table=name, table_name=name))
    connection.execute(delete(GuestTable).where(GuestTable.table_name == before))
    known.pop(before)
    known[name] = connection.execute(select(GuestTable.__table__).where(GuestTable.table_name == name)).one()
    there.discard(before)
    there.add(name)


def _models(analysis: Analysis) -> list[type[Base]]:
    """The table that an analysis makes, and those of its references: all that are filled by way of it."""
    return [analysis.makes, *(need.table for need in analysis.needs.values() if isinstance(need, Reference))]


def refuse_name(table: Table, origin: Origin) -> None:
    """Raises InvalidInput for a table that cannot be a guest's, by its name or its columns."""
    where = f"{origin.name}: __tablename__ = '{table.name}'"
    if not NAME.fullmatch(table.name):
        raise InvalidInput(
            "the table's name has no prefix of its own", where=where,
            repair="Write small letters, a prefix that is yours, and what it holds, such as xy_purities",
        )  # fmt: skip
    if table.name in Base.metadata.tables:
        raise InvalidInput(
            "this program has a table of that name", where=where, repair="Give it another prefix, such as xy_"
        )
    for column in table.columns:
        if not COLUMN.fullmatch(column.name):
            raise InvalidInput(
                f"the column '{column.name}' has other than small letters, digits and _", where=where,
                repair="Give it a plain name",
            )  # fmt: skip
        if not isinstance(column.type, Boolean | Integer | Double | String):
            raise InvalidInput(
                f"the column '{column.name}' is a {type(column.type).__name__}", where=where,
                repair="Declare Mapped[str], Mapped[float], Mapped[int] or Mapped[bool]; a date is text in ISO 8601",
            )  # fmt: skip


def _refuse_taken(name: str, origin: Origin, known: Mapping[str, Any], there: set[str]) -> None:
    if name in known and known[name].origin != origin.name:
        raise InvalidInput(
            f"the study has a table {name} of {known[name].origin}", where=origin.name,
            repair=f"Give it another prefix; or, if the other is no longer wanted: tshdb guests drop {name}",
        )  # fmt: skip
    if name not in known and name in there:
        raise InvalidInput(
            f"the database has a table {name} that nobody has described", where=origin.name,
            repair="Give it another prefix, or take that table away",
        )  # fmt: skip


def _settle(connection: Connection, model: type[Base], origin: Origin, before: Any, at: str) -> dict[str, set[int]]:
    """Make the table, or make it anew where it was declared otherwise. Gives the units whose rows it could not keep."""
    table = model.__table__
    columns = columns_of(table)
    said = {"one_row": " ".join((model.__doc__ or "").split()).removeprefix("One row is "),
            "columns": json.dumps(columns), "origin": origin.name}  # fmt: skip
    if before is None:
        make(connection, table_of(table.name, said["columns"]))
        connection.execute(insert(GuestTable).values(table_name=table.name, made_at=at, **said))
        return {}
    of_it = GuestTable.table_name == table.name
    if _form(json.loads(before.columns)) == _form(columns):
        if any(getattr(before, key) != value for key, value in said.items()):
            connection.execute(update(GuestTable).where(of_it).values(**said))
        return {}
    lost = _altered(connection, table_of(table.name, before.columns), table_of(table.name, said["columns"]))
    connection.execute(update(GuestTable).where(of_it).values(made_at=at, **said))
    return {table.name: lost}


def make(connection: Connection, table: Table) -> None:
    """A guest's table as the database holds it, without rows. Inside `writing`; on PostgreSQL an owner's work."""
    act_as_owner(connection, f"table {table.name}, which another package or the study's own folder declares")
    connection.execute(CreateTable(table))
    _watch(connection, table.name)


def _form(columns: Sequence[Mapping[str, Any]]) -> list[tuple]:
    """What the database itself knows of columns."""
    return sorted((c["name"], c["type"], c["is_key"], c["is_nullable"]) for c in columns)


def _altered(connection: Connection, old: Table, new: Table) -> set[int]:
    """The table made anew, with the rows that still fit. Gives the units whose rows do not."""
    act_as_owner(connection, f"table {old.name}, which is declared otherwise now")
    units = set(connection.execute(select(old.c.unit_id).distinct()).scalars())
    _forget(connection, old.name)
    connection.exec_driver_sql(f"ALTER TABLE {old.name} RENAME TO {BEFORE}")
    _drop_constraint_names(connection, old)
    connection.execute(CreateTable(new))
    shared = [c.name for c in new.columns if c.name in old.c and type(old.c[c.name].type) is type(c.type)]
    keys = [c.name for c in new.primary_key]
    fits = all(c.name in shared or c.nullable for c in new.columns) and keys == [c.name for c in old.primary_key]
    tightened = any(not new.c[name].nullable and old.c[name].nullable for name in shared)
    if fits and not tightened:
        names = ", ".join(shared)
        connection.exec_driver_sql(f"INSERT INTO {new.name} ({names}) SELECT {names} FROM {BEFORE}")
        units = set()
    connection.execute(DropTable(Table(BEFORE, MetaData())))
    _watch(connection, new.name)
    return units


def _drop_constraint_names(connection: Connection, old: Table) -> None:
    """PostgreSQL keeps the names of constraints when a table is renamed; the new one needs them."""
    if connection.dialect.name != "postgresql":
        return
    for constraint in old.constraints:
        if constraint.name is not None:
            connection.exec_driver_sql(f"ALTER TABLE {BEFORE} DROP CONSTRAINT IF EXISTS {constraint.name} CASCADE")


def drop(connection: Connection, name: str) -> None:
    """Take a guest's table away, with its description. Inside `writing`; on PostgreSQL an owner's work."""
    act_as_owner(connection, f"table {name}, which is to go")
    _forget(connection, name)
    connection.execute(DropTable(Table(name, MetaData())))
    connection.execute(delete(GuestAnalysis).where(GuestAnalysis.guest_table == name))
    connection.execute(delete(GuestTable).where(GuestTable.table_name == name))


def _note(connection: Connection, analysis: Analysis, origin: Origin, at: str) -> None:
    table = analysis.makes.__table__
    about = " ".join((analysis.function.__doc__ or "").split())
    row = {
        "origin": origin.name, "version": origin.version, "kind": str(analysis.kind), "per": analysis.per,
        "table_name": table.name, "guest_table": None if is_ours(table) else table.name, "replaces": analysis.replaces,
        "needs": json.dumps({role: need.table.__tablename__ for role, need in analysis.needs.items()}),
        "about": "; ".join(filter(None, [about, analysis.source])),
    }  # fmt: skip
    stood = connection.execute(
        select(GuestAnalysis.__table__).where(GuestAnalysis.analysis == analysis.name)
    ).one_or_none()
    if stood is None:
        connection.execute(insert(GuestAnalysis).values(analysis=analysis.name, seen_at=at, **row))
    elif any(getattr(stood, key) != value for key, value in row.items()):
        of_it = GuestAnalysis.analysis == analysis.name
        connection.execute(update(GuestAnalysis).where(of_it).values(seen_at=at, **row))


def _watch(connection: Connection, table: str) -> None:
    """The triggers that note when another hand changes the table, as `migrations.watch` gives ours. SQLite alone."""
    if connection.dialect.name != "sqlite":
        return
    connection.exec_driver_sql(f"INSERT INTO table_versions (table_name, version) VALUES ('{table}', random())")
    for event in EVENTS:
        connection.exec_driver_sql(watch_text(table, event))


def _forget(connection: Connection, table: str) -> None:
    if connection.dialect.name != "sqlite":
        return
    for event in EVENTS:
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {watch_name(table, event)}")
    connection.exec_driver_sql(f"DELETE FROM table_versions WHERE table_name = '{table}'")
