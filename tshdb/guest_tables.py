"""Tables of results that are not this program's: made, altered and dropped by the engine, since results can be made again.

Each is described in the database (`guest_tables`): its columns, its key, what one row is. So whoever reads a study knows them
without the package that declared them. Ours are made by migrations, these by the first rebuild that needs them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Double,
    Enum,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    delete,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy.schema import CreateTable, DropTable

from tshdb.engine.needs import Reference
from tshdb.errors import IntegrityError, InvalidInput
from tshdb.offered import Origin
from tshdb.schema.base import Base, is_ours, metadata_beside_units
from tshdb.schema.guests import GuestAnalysis, GuestTable

if TYPE_CHECKING:
    from tshdb.engine.analysis import Analysis

NAME = re.compile(r"[a-z][a-z0-9]*_[a-z0-9_]+")  # a prefix of its own, then what it holds
COLUMN = re.compile(r"[a-z_][a-z0-9_]*")
TYPES = {"boolean": Boolean, "bigint": BigInteger, "integer": Integer, "double": Double, "text": Text}
EVENTS = ("INSERT", "UPDATE", "DELETE")
BEFORE = "tshdb_before"  # the name that a table has while the new one takes its rows


def columns_of(table: Table) -> list[dict[str, Any]]:
    """The columns of a table as plain values: what `guest_tables` keeps."""
    kinds = ((Boolean, "boolean"), (BigInteger, "bigint"), (Integer, "integer"), (Double, "double"))
    return [
        {
            "name": column.name,
            "type": next((name for kind, name in kinds if isinstance(column.type, kind)), "text"),
            "is_key": column.primary_key,
            "is_nullable": bool(column.nullable),
            "meaning": _meaning(column),
            "info": {key: column.info[key] for key in sorted(column.info)},
        }
        for column in table.columns
    ]


def _meaning(column: Column) -> str:
    values = f"one of {', '.join(column.type.enums)}" if isinstance(column.type, Enum) else ""
    return "; ".join(filter(None, [column.doc, values]))


def table_of(name: str, columns: str) -> Table:
    """The table that a row of `guest_tables` describes. Raises IntegrityError for one that cannot be a guest's."""
    try:
        parsed = json.loads(columns)
        fit = NAME.fullmatch(name) and all(COLUMN.fullmatch(c["name"]) and c["type"] in TYPES for c in parsed)
        made = [_column(c) for c in parsed] if fit else []
    except (ValueError, TypeError, KeyError):
        made = []
    if not made or "unit_id" not in {c.name for c in made}:
        raise IntegrityError(
            "the description of the table cannot be read", where=f"guest_tables/{name}",
            repair="Restore a backup of the study",
        )  # fmt: skip
    return Table(name, metadata_beside_units(), *made)


def _column(said: Mapping[str, Any]) -> Column:
    references = [ForeignKey("units.unit_id")] if said["name"] == "unit_id" else []
    return Column(
        said["name"], TYPES[said["type"]](), *references, primary_key=bool(said["is_key"]),
        nullable=bool(said["is_nullable"]), doc=str(said["meaning"]), info=dict(said["info"]),
        autoincrement=False,
    )  # fmt: skip


def guests_of(connection: Connection) -> dict[str, Table]:
    """name -> table, of all guests' tables of a study."""
    rows = connection.execute(select(GuestTable.table_name, GuestTable.columns).order_by(GuestTable.table_name))
    return {name: table_of(name, columns) for name, columns in rows.fetchall()}


def tables_of(connection: Connection) -> list[Table]:
    """All tables of a study, those that others refer to first: this program's, then its guests'."""
    return [*Base.metadata.sorted_tables, *guests_of(connection).values()]


def object_columns(connection: Connection) -> list[tuple[Table, str, str]]:
    """(table, column, suffix) of all columns that name objects."""
    return [
        (table, column.name, column.info["object"])
        for table in tables_of(connection)
        for column in table.columns
        if "object" in column.info
    ]


def stored(connection: Connection, table: Table) -> Table | None:
    """A table as it stands in the database: one of a guest may be declared otherwise by now, or not be there yet."""
    return table if is_ours(table) else guests_of(connection).get(table.name)


def fits_of(connection: Connection, analyses: Iterable[Analysis]) -> set[str]:
    """The analyses that make models: those that are here, and those of which the study has models all the same."""
    described = connection.execute(select(GuestAnalysis.analysis).where(GuestAnalysis.kind == "fit")).scalars()
    return {a.name for a in analyses if a.kind == "fit"} | set(described)


def tables_made(connection: Connection, analyses: Iterable[Analysis]) -> dict[str, Table]:
    """analysis -> the table that it makes, of those that are here and those of which the study has results all the same."""
    by_name = {table.name: table for table in tables_of(connection)}
    rows = connection.execute(select(GuestAnalysis.analysis, GuestAnalysis.table_name)).fetchall()
    described = {name: by_name[table] for name, table in rows if table in by_name}
    return described | {a.name: by_name.get(a.makes.__tablename__, a.makes.__table__) for a in analyses}


def unknown_tables(connection: Connection) -> list[str]:
    """The tables of the database that neither this program nor a guest has declared."""
    known = {table.name for table in tables_of(connection)} | {"alembic_version"}
    return sorted(name for name in inspect(connection).get_table_names() if name not in known)


# ------------------------------------------------------------------------------------------- made, altered, dropped


def declare(
    connection: Connection, analyses: Iterable[Analysis], origin_of: Callable[[Analysis], Origin | None]
) -> dict[str, set[int]]:
    """Have the database hold and describe what these analyses make. Inside `writing`.

    origin_of: None for an analysis of this program. Gives table -> the units whose rows an altered table could not keep.
    Raises InvalidInput for a table whose name is taken.
    """
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
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
            _refuse_taken(table.name, origin, known, there)
            lost |= _settle(connection, model, origin, known.get(table.name), now)
        _note(connection, analysis, origin, now)
    return lost


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


def _settle(connection: Connection, model: type[Base], origin: Origin, before: Any, now: str) -> dict[str, set[int]]:
    """Make the table, or make it anew where it was declared otherwise. Gives the units whose rows it could not keep."""
    table = model.__table__
    columns = columns_of(table)
    said = {"one_row": " ".join((model.__doc__ or "").split()).removeprefix("One row is "),
            "columns": json.dumps(columns), "origin": origin.name}  # fmt: skip
    if before is None:
        connection.execute(CreateTable(table_of(table.name, said["columns"])))
        _watch(connection, table.name)
        connection.execute(insert(GuestTable).values(table_name=table.name, made_at=now, **said))
        return {}
    of_it = GuestTable.table_name == table.name
    if _form(json.loads(before.columns)) == _form(columns):
        if any(getattr(before, key) != value for key, value in said.items()):
            connection.execute(update(GuestTable).where(of_it).values(**said))
        return {}
    lost = _altered(connection, table_of(table.name, before.columns), table_of(table.name, said["columns"]))
    connection.execute(update(GuestTable).where(of_it).values(made_at=now, **said))
    return {table.name: lost}


def _form(columns: Sequence[Mapping[str, Any]]) -> list[tuple]:
    """What the database itself knows of columns."""
    return sorted((c["name"], c["type"], c["is_key"], c["is_nullable"]) for c in columns)


def _altered(connection: Connection, old: Table, new: Table) -> set[int]:
    """The table made anew, with the rows that still fit. Gives the units whose rows do not."""
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
    """Take a guest's table away, with its description. Inside `writing`."""
    _forget(connection, name)
    connection.execute(DropTable(Table(name, MetaData())))
    connection.execute(delete(GuestAnalysis).where(GuestAnalysis.guest_table == name))
    connection.execute(delete(GuestTable).where(GuestTable.table_name == name))


def _note(connection: Connection, analysis: Analysis, origin: Origin, now: str) -> None:
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
        connection.execute(insert(GuestAnalysis).values(analysis=analysis.name, seen_at=now, **row))
    elif any(getattr(stood, key) != value for key, value in row.items()):
        of_it = GuestAnalysis.analysis == analysis.name
        connection.execute(update(GuestAnalysis).where(of_it).values(seen_at=now, **row))


def _watch(connection: Connection, table: str) -> None:
    """The triggers that note when another hand changes the table, as `migrations.watch` gives ours. SQLite alone."""
    if connection.dialect.name != "sqlite":
        return
    connection.exec_driver_sql(f"INSERT INTO table_versions (table_name, version) VALUES ('{table}', random())")
    for event in EVENTS:
        connection.exec_driver_sql(
            f"CREATE TRIGGER watch_{table}_{event.lower()} AFTER {event} ON {table} BEGIN "
            f"UPDATE table_versions SET version = random() WHERE table_name = '{table}'; END"
        )


def _forget(connection: Connection, table: str) -> None:
    if connection.dialect.name != "sqlite":
        return
    for event in EVENTS:
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS watch_{table}_{event.lower()}")
    connection.exec_driver_sql(f"DELETE FROM table_versions WHERE table_name = '{table}'")
