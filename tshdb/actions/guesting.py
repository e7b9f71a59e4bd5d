"""Analyses that are not this program's: list them, and take their tables out of a study."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import func, select

from tshdb.database import reading, writing
from tshdb.engine.guests_declared import drop as drop_table
from tshdb.engine.units import retire
from tshdb.errors import NotFound
from tshdb.guest_tables import guests_of
from tshdb.guests.listing import listing_in
from tshdb.lock import study_lock
from tshdb.near import did_you_mean
from tshdb.schema import GuestAnalysis, GuestTable, Unit
from tshdb.sqltypes import guest_columns
from tshdb.vocabulary import UnitState

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from tshdb.study import Study


class GuestsTable(NamedTuple):
    """A table of a guest, with the analyses that make it."""

    name: str
    n_rows: int
    analyses: tuple[str, ...]


def guests(study: Study) -> dict[str, Any]:
    """Every analysis that is not this program's, as plain values, and the files that may not run."""
    with reading(study.engine) as connection:
        listing = listing_in(study, connection)
        counts = dict(
            connection.execute(
                select(Unit.analysis, func.count()).where(Unit.state == UnitState.CURRENT).group_by(Unit.analysis)
            ).fetchall()
        )
        about = dict(connection.execute(select(GuestAnalysis.analysis, GuestAnalysis.about)).fetchall())
    entries = []
    for analysis in listing.analyses:
        if (origin := listing.origin(analysis)) is not None:
            said = " ".join((analysis.function.__doc__ or "").split())
            entries.append({
                "analysis": analysis.name, "from": str(origin), "state": "here", "table": analysis.makes.__tablename__,
                "n_units": counts.get(analysis.name, 0), "about": said, "replaces": analysis.replaces,
            })  # fmt: skip
    for absent in listing.absent.values():
        entries.append({
            "analysis": absent.name, "from": " ".join(filter(None, (absent.origin, absent.version))), "state": "not here",
            "table": absent.table_name, "n_units": absent.n_units, "about": about.get(absent.name, ""), "replaces": None,
        })  # fmt: skip
    return {"guests": entries, "untrusted": list(listing.untrusted)}


def tables(study: Study) -> list[dict[str, Any]]:
    """The guests' tables of a study as plain values: what one row is, their columns, types and meanings."""
    with reading(study.engine) as connection:
        rows = connection.execute(select(GuestTable.__table__).order_by(GuestTable.table_name)).fetchall()
    types = guest_columns((row.table_name, row.columns) for row in rows)
    return [
        {
            "table": row.table_name,
            "one_row": f"{row.one_row} (of {row.origin})",
            "columns": [
                {"name": c["name"], "type": types[row.table_name][c["name"]], "is_key": c["is_key"], "meaning": c["meaning"]}
                for c in json.loads(row.columns)
            ],
        }
        for row in rows if row.table_name in types
    ]  # fmt: skip


def look_at(study: Study, name: str) -> GuestsTable:
    """A guest's table. Raises NotFound for a table that is none."""
    with reading(study.engine) as connection:
        return _looked(connection, name)


def _looked(connection: Connection, name: str) -> GuestsTable:
    tables = guests_of(connection)
    if name not in tables:
        known = f"Tables of guests: {', '.join(tables) or 'none'}"
        raise NotFound(f"no guest's table '{name}'", repair=did_you_mean(name, tables, known))
    n_rows = connection.execute(select(func.count()).select_from(tables[name])).scalar_one()
    makers = connection.execute(select(GuestAnalysis.analysis).where(GuestAnalysis.guest_table == name)).scalars()
    return GuestsTable(name, n_rows, tuple(sorted(makers)))


def drop(study: Study, name: str) -> int:
    """Take a guest's table out of the study. Gives how many results went. Raises NotFound for a table that is none."""
    with study_lock(study.engine, study.root), writing(study.engine) as connection:
        looked = _looked(connection, name)
        of_it = Unit.analysis.in_(looked.analyses) & (Unit.state != UnitState.RETIRED)
        units = list(connection.execute(select(Unit.unit_id).where(of_it)).scalars())
        retire(connection, units)
        drop_table(connection, name)
        return len(units)
