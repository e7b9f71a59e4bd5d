"""What helps a damaged result, and the marks by which the next rebuild or ingest knows of it."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import update

from tshdb.checking.rule import Context
from tshdb.engine.damage import Damaged
from tshdb.engine.planner import Planner
from tshdb.errors import TshdbError
from tshdb.origins import MADE_AGAIN, Row, ingest_unit
from tshdb.schema import Unit
from tshdb.vocabulary import Damage


def healing(c: Context, damaged: Iterable[Damaged]) -> dict[int, str]:
    """unit -> what helps: it is made again, or cannot be made again as it was."""
    by_unit = {one.unit_id: one for one in damaged}
    helps = dict.fromkeys(by_unit, MADE_AGAIN)
    if not by_unit:
        return helps
    try:
        planner = Planner(c.connection, c.world(), damaged=list(by_unit.values()))
        plans = planner.all()
    except TshdbError:  # settings that cannot be read have a rule of their own
        return helps
    for unit, (analysis, key) in planner.standing.owners(by_unit).items():
        if analysis in plans and key in plans[analysis].held:
            helps[unit] = plans[analysis].held[key].detail
    return helps


def mark_ingested(c: Context, rows: Iterable[Row], damage: Damage) -> None:
    """Mark the ingest units of rows whose stored values are damaged: the next ingest of their source reads it again."""
    for analysis, key in {ingest_unit(row) for row in rows}:
        of_row = (Unit.analysis == analysis) & (Unit.key == key)
        c.connection.execute(update(Unit).where(of_row).values(damage=damage.value))
