"""Which tables of a study leave it for other programs, whole and in long form, and which do not, with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Enum, Table, select

from tshdb.database import reading
from tshdb.exports.record import Column
from tshdb.guest_tables import guests_of
from tshdb.schema import Base
from tshdb.schema.guests import GuestTable
from tshdb.text.facts import facts_text

if TYPE_CHECKING:
    from tshdb.exports.chosen import Chosen
    from tshdb.study import Study

SECONDS = 6 * 3600.0  # of a query
TYPES = {"boolean": "true or false", "biginteger": "whole number", "integer": "whole number", "double": "number"}
OF_THIS_MACHINE = ("path", "mtime_ns", "ctime_ns", "inode")  # columns: where files lie, when they were written
LEFT_OUT = {  # subject, or table -> why
    "engine": "how results were computed is not in it: tshdb export rocrate, tshdb lineage",
    "provenance": "which files were read, and what changed, is not in it: tshdb export rocrate",
    "guests": "the descriptions of others' tables are in this file, and not as tables",
    "withdrawal": "nothing is said of withdrawn patients",
    "written_files": "what was written outside of the study concerns the study alone",
    "conflicts": "what other sources say is told by names of files and keys of rows: tshdb sql 'from conflicts'",
    "expression_parts": "names of the files in which the study keeps expression values",
}
EXPRESSION = "expression values: tshdb export anndata, or tshdb sql 'from expression' --out FILE.parquet"


class Told(NamedTuple):
    """A table as it leaves the study. one_row: what one row is; columns: those that leave; order: its key."""

    name: str
    one_row: str
    columns: tuple[Column, ...]
    order: tuple[str, ...]

    def query(self, chosen: Chosen) -> tuple[str, dict[str, Any]]:
        """(the SELECT of its rows that are the chosen patients', its values)."""
        names = [column.name for column in self.columns]
        condition, values = chosen.condition(names)
        columns, order = (", ".join(f'"{name}"' for name in each) for each in (names, self.order))
        return f'SELECT {columns} FROM "{self.name}" WHERE {condition} ORDER BY {order}', values


def tables(study: Study) -> list[Told]:
    """The tables that leave, those that others refer to first; guests' tables at the end."""
    found = [
        _told(model.__table__, " ".join((model.__doc__ or "").split()).removeprefix("One row is ").rstrip("."))
        for model in Base.declared
        if not {model.__module__.rpartition(".")[2], model.__tablename__} & LEFT_OUT.keys()
    ]
    with reading(study.engine) as connection:
        rows = connection.execute(select(GuestTable.table_name, GuestTable.one_row)).fetchall()
        one_row = {row.table_name: row.one_row for row in rows}
        found += [_told(table, one_row[name].rstrip(".")) for name, table in guests_of(connection).items()]
    return found


def told_of(study: Study, name: str) -> Told:
    """One of the tables."""
    return next(table for table in tables(study) if table.name == name)


def _told(table: Table, one_row: str) -> Told:
    columns = [column for column in table.columns if column.name not in OF_THIS_MACHINE]
    order = [column.name for column in table.primary_key if column.name not in OF_THIS_MACHINE]
    return Told(table.name, one_row, tuple(map(_column, columns)), tuple(order or (c.name for c in columns)))


def _column(column: Any) -> Column:
    kind = "text" if isinstance(column.type, Enum) else type(column.type).__name__.lower()
    meaning = [column.doc or ""]
    if isinstance(column.type, Enum):
        meaning.append("one of " + ", ".join(column.type.enums))
    meaning += [f"-> {key.target_fullname}" for key in column.foreign_keys]
    return Column(column.name, TYPES.get(kind, "text"), "; ".join(filter(None, meaning)))


def left_out() -> list[str]:
    """What of a study is not in its tables for others."""
    paths = f"columns that say where files lie on this machine ({', '.join(OF_THIS_MACHINE)})"
    return [EXPRESSION, paths, *(f"{name}: {why}" for name, why in LEFT_OUT.items())]


def described(told: list[Told]) -> str:
    """The tables as JSON: what one row is, and what the columns are."""
    facts = {
        table.name: {"one_row": table.one_row, "columns": [column._asdict() for column in table.columns]}
        for table in told
    }
    return facts_text(facts) + "\n"
