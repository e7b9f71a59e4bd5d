"""Values of results that a rebuild replaced, for the columns that an analysis tracks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select
from sqlalchemy.inspection import inspect

from tshdb.database import bulk_insert, next_id, numbers
from tshdb.engine.analysis import Analysis
from tshdb.engine.compute import Outcome
from tshdb.engine.units import select_ids
from tshdb.schema import ResultChange


def note_changes(
    connection: Connection, analysis: Analysis, outcomes: Sequence[Outcome], ids: Mapping[str, int], run_id: int
) -> None:
    """Compare the rows that stand with those that are about to take their place. Inside `writing`, before they do."""
    table = analysis.makes.__table__
    parts = [c.name for c in inspect(analysis.makes).primary_key if c.name != "unit_id"]
    with numbers(connection, "tracked_units", ids.values()) as name:
        columns = [table.c[n] for n in ("unit_id", *parts, *analysis.tracks)]
        rows = connection.execute(select(*columns).where(table.c.unit_id.in_(select_ids(name)))).mappings().all()
    before = {(row["unit_id"], _part(row, parts)): row for row in rows}
    first = next_id(connection, ResultChange.result_change_id)
    found = []
    for outcome in outcomes:
        for row in outcome.rows:
            old = before.get((ids[outcome.key], _part(row, parts)))
            for column in analysis.tracks if old is not None else ():
                was, now = _text(old[column]), _text(row[column])
                if was != now:
                    found.append(
                        {
                            "result_change_id": first + len(found),
                            "run_id": run_id,
                            "unit_id": ids[outcome.key],
                            "analysis": analysis.name,
                            "entity_key": outcome.key,
                            "row_part": _part(row, parts),
                            "column_name": column,
                            "value_before": was,
                            "value_after": now,
                        }
                    )
    bulk_insert(connection, ResultChange.__table__, found)


def _part(row: Mapping, parts: Sequence[str]) -> str:
    return "|".join(str(_text(row[p])) for p in parts)


def _text(value) -> str | None:
    return None if value is None else str(getattr(value, "value", value))
