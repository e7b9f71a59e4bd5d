"""Which value holds where several sources speak of one row, and what becomes of the others.

Rows are merged column by column: the first source in the order of precedence that has a value holds, and a source that
says otherwise makes a row of `conflicts`. Outcomes (`follow_ups`) have a rule of their own:

os-2  The event is that of the first source that knows it; the day of an event is that source's, else the first other
      that knows the event. Who is censored was last seen on the latest day that any source knows: an older status with
      an earlier day is no disagreement. Sources that differ on whether the event happened, or on its day, conflict.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from tshdb import installed
from tshdb.loading.sources import SourceRow
from tshdb.readers import LAST
from tshdb.schema import Base, FollowUp

OUTCOME_RULE = "os-2"


class Disagreement(NamedTuple):
    """One column on which another source differs from the one that holds."""

    column: str
    held: SourceRow
    held_value: Any
    other: SourceRow
    other_value: Any
    rule: str


def in_precedence(rows: Sequence[SourceRow]) -> list[SourceRow]:
    """The sources' words, the one that holds first. Raises NotFound for a word of a reader that is not installed."""
    ranks = _precedences()
    for row in rows:
        if row.source.reader not in ranks:
            raise installed.no_reader(row.source.reader)
    return sorted(rows, key=lambda s: (ranks[s.source.reader], s.source))


@cache
def _precedences() -> dict[str, int]:
    """reader -> its precedence, of the readers that make rows."""
    return {r.name: r.precedence for r in installed.readers() if r.precedence is not None}


@cache
def precedence_rule() -> str:
    """The order in words, as conflicts bear it. Readers whose rows no other reader speaks of are not named."""
    ranks = _precedences()
    names = sorted((name for name in ranks if ranks[name] < LAST), key=lambda name: (ranks[name], name))
    return f"{' before '.join(names)}, then the source's name"


def reconcile(table: type[Base], rows: Sequence[SourceRow]) -> tuple[dict[str, Any], list[Disagreement]]:
    """(the row that holds, the disagreements), from all that sources say of it (at least one)."""
    ordered = in_precedence(rows)
    if table is FollowUp:
        return _outcome(ordered)
    return _by_column([c.name for c in table.__table__.columns], ordered)


def _by_column(names: Sequence[str], rows: Sequence[SourceRow]) -> tuple[dict[str, Any], list[Disagreement]]:
    row = {n: rows[0].values.get(n) for n in names}
    holder = dict.fromkeys(names, rows[0])
    disagreements = []
    for other in rows[1:]:
        for name in names:
            value = other.values.get(name)
            if value is None:
                continue
            if row[name] is None:
                row[name], holder[name] = value, other
            elif value != row[name] and not name.endswith(("_reason", "_rule")):
                disagreements.append(Disagreement(name, holder[name], row[name], other, value, precedence_rule()))
    for name in names:  # a reason for having no value falls away with the first value
        if name.endswith("_reason") and row.get(name.removesuffix("_reason")) is not None:
            row[name] = None
    return row, disagreements


def _outcome(rows: Sequence[SourceRow]) -> tuple[dict[str, Any], list[Disagreement]]:
    holder = next((s for s in rows if s.values["event"] is not None), rows[0])
    row = {c.name: holder.values.get(c.name) for c in FollowUp.__table__.columns}
    same_clock = [s for s in rows if s is not holder and s.values["time_origin"] == row["time_origin"]]
    disagreements = []
    day_holder = holder
    for other in same_clock:
        event, days = other.values["event"], other.values["duration_days"]
        if event is not None and event != row["event"]:
            disagreements.append(Disagreement("event", holder, row["event"], other, event, f"{OUTCOME_RULE}: event"))
        elif days is None:
            continue
        elif row["event"]:
            if event and row["duration_days"] is None:
                row["duration_days"], day_holder = days, other
            elif event and days != row["duration_days"]:
                disagreements.append(
                    Disagreement(
                        "duration_days", day_holder, row["duration_days"], other, days, f"{OUTCOME_RULE}: day of event"
                    )
                )
        elif row["duration_days"] is None or days > row["duration_days"]:
            row["duration_days"], day_holder = days, other
    if day_holder is not holder:
        row["rule"] = OUTCOME_RULE
    if row["event"] is not None and row["duration_days"] is not None and day_holder is not holder:
        row["reason"] = None
    return row, disagreements
