"""Tables of results that are not this program's: made, altered and dropped by the engine, since results can be made again.

Each is described in the database (`guest_tables`): its columns, its key, what one row is. So whoever reads a study knows them
without the package that declared them. Ours are made by migrations, these by the first rebuild that needs them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
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
    Table,
    Text,
    inspect,
    select,
)

from tshdb.errors import IntegrityError
from tshdb.schema.base import Base, is_ours, metadata_beside_units
from tshdb.schema.guests import GuestAnalysis, GuestTable

if TYPE_CHECKING:
    from tshdb.engine.analysis import Analysis

NAME = re.compile(r"[a-z][a-z0-9]*_[a-z0-9_]+")  # a prefix of its own, then what it holds
COLUMN = re.compile(r"[a-z_][a-z0-9_]*")
TYPES = {"boolean": Boolean, "bigint": BigInteger, "integer": Integer, "double": Double, "text": Text}


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
