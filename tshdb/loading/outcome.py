"""Which outcome holds where several sources speak of one patient and endpoint: rule os-3.

event     A death on or after the days on which others saw the patient alive is no disagreement, and holds. Where somebody was
          seen alive after the day of the death, the order of precedence and the dates decide (`believed`); else the event is
          not known.
day       Of a death that of the first source that has one. Who is censored was last seen on the latest day that any source
          knows: an older status with an earlier day is no disagreement.
dates     A later export or release takes the place of what earlier ones of the same reader said. What was seen on the day of
          a form stays seen.
clocks    Only words with the same origin of time are compared: that of the first source that knows the event. Other clocks make
          rows of `conflicts`; of sources that stand alike, and of which none is the later one, the outcome is not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tshdb.dated import is_later, is_of_form
from tshdb.loading.believed import (
    DECIDED,
    NOBODY_KNOWS,
    UNDECIDED,
    Disagreement,
    Held,
    against,
    decided,
    decision_on,
    in_precedence,
    latest,
)
from tshdb.loading.sources import Source, SourceRow
from tshdb.schema import FollowUp

OUTCOME_RULE = "os-3"
EVENT, DAYS = "event", "duration_days"
OF_EVENT, OF_DAY = f"{OUTCOME_RULE}: event", f"{OUTCOME_RULE}: day of event"

Ranks = Sequence[Sequence[SourceRow]]


def outcome(ranks: Ranks, decisions: Sequence[SourceRow]) -> tuple[dict[str, Any], list[Disagreement]]:
    """(the row that holds, the disagreements) from the words of sources, by rank, and what was decided."""
    origin = _first(ranks).values["time_origin"]
    same_clock = [said for rank in ranks if (said := [r for r in rank if r.values["time_origin"] == origin])]
    first = _first(same_clock)
    clocks = _other_clocks(ranks, first)
    if any(d.is_undecided for d in clocks) and decision_on(EVENT, decisions) is None:
        event, days = Held(None, None, clocks), Held(None, None, [])
    else:
        event = _event(same_clock, decisions)
        event = event._replace(
            disagreements=[*event.disagreements, *(d._replace(held=d.held or first) for d in clocks)]
        )
        days = _days(same_clock, decisions, event)
    row = {c.name: first.values.get(c.name) for c in FollowUp.__table__.columns if c.name in first.values}
    row |= {EVENT: event.value, DAYS: days.value}
    if event.is_undecided or days.is_undecided:
        row["reason"] = NOBODY_KNOWS
    elif event.value is not None and days.value is not None and days.by is not first:
        row["reason"] = None
    elif event.by is not None and event.by is not first:
        row["reason"] = event.by.values.get("reason")
    if any(by is not None and by is not first for by in (event.by, days.by)) or NOBODY_KNOWS == row["reason"]:
        row["rule"] = OUTCOME_RULE
    return row, event.disagreements + days.disagreements


def of_rows(
    reader: str, rows: Sequence[tuple[dict[str, Any], str | None]]
) -> tuple[dict[str, Any], list[Disagreement]]:
    """The same of several rows of one file, such as visits: (columns of a FollowUp, the date of each) in its order.

    A patient's visits have one outcome, whether they stand in one file or in several.
    """
    words = [
        SourceRow(Source("", reader, f"{i:09d}"), columns, None, 0, None, as_of=as_of)
        for i, (columns, as_of) in enumerate(rows)
    ]
    return (rows[0][0], []) if len(rows) == 1 else outcome(in_precedence(words), [])


def _other_clocks(ranks: Ranks, first: SourceRow) -> list[Disagreement]:
    """Words that count from another day than the first source: their days cannot be compared with its own.

    Of sources that stand as the first one does, and are not earlier, nobody knows which clock is meant.
    """
    origin = first.values["time_origin"]
    others = [
        row for rank in ranks for row in rank if row.values[EVENT] is not None and row.values["time_origin"] != origin
    ]
    mine = next((_current(rank) for rank in ranks if any(row is first for row in rank)), [])
    unordered = [row for row in others if any(row is each for each in mine)]
    if unordered:
        rule = f"{UNDECIDED}: origins of time differ, and none is known to be the later word"
        return [
            Disagreement("time_origin", None, None, row, row.values["time_origin"], rule) for row in (first, *unordered)
        ]
    rule = f"{OUTCOME_RULE}: origin of time; not compared"
    return [Disagreement("time_origin", first, origin, row, row.values["time_origin"], rule) for row in others]


def _first(ranks: Ranks) -> SourceRow:
    """The first source that knows the event, by rank and date; else the first."""
    for rank in ranks:
        knowing = latest(row for row in rank if row.values[EVENT] is not None)
        if knowing:
            dead = [row for row in knowing if row.values[EVENT]]
            return (dead or knowing)[0]
    return latest(ranks[0])[0]


def _current(rank: Sequence[SourceRow]) -> list[SourceRow]:
    """The words of one rank that no later one has taken the place of."""
    return [
        row
        for row in rank
        if not any(other.values[EVENT] is not None and is_later(other.as_of, row.as_of) for other in rank)
        or (is_of_form(row.as_of) and not row.values[EVENT])
    ]


def _day(row: SourceRow) -> float | None:
    return row.values[DAYS]


def _event(ranks: Ranks, decisions: Sequence[SourceRow]) -> Held:
    everybody = [row for rank in ranks for row in rank]
    decision = decision_on(EVENT, decisions)
    if decision is not None:
        held = Held(decision.values[EVENT], decision, [])
        return held._replace(disagreements=against(EVENT, held, everybody, decided(decision, EVENT)))
    if differing := [row for row in decisions if EVENT in row.values[DECIDED]]:
        rule = f"{UNDECIDED}: decisions disagree"
        words = [Disagreement(EVENT, None, None, row, row.values[EVENT], rule) for row in (*differing, *everybody)]
        return Held(None, None, words)
    current = [[row for row in _current(rank) if row.values[EVENT] is not None] for rank in ranks]
    current = [rank for rank in current if rank]
    if not current:
        return Held(None, None, [])
    dead = [row for rank in current for row in rank if row.values[EVENT]]
    alive = [row for rank in current for row in rank if not row.values[EVENT]]
    if dead and not _seen_after(alive, dead):
        held = Held(True, dead[0], [])
    elif not dead:
        held = Held(False, alive[0], [])
    else:
        mine = current[0]
        dead_of_mine = [row for row in mine if row.values[EVENT]]
        alive_of_mine = [row for row in mine if not row.values[EVENT]]
        if dead_of_mine and _seen_after(alive_of_mine, dead_of_mine):
            undecided = against(EVENT, Held(None, None, []), everybody, f"{UNDECIDED}: {NOBODY_KNOWS}")
            return Held(None, None, undecided)
        held = Held(True, dead_of_mine[0], []) if dead_of_mine else Held(False, alive_of_mine[0], [])
    return held._replace(disagreements=against(EVENT, held, _contradicting(held, everybody), OF_EVENT))


def _seen_after(alive: Iterable[SourceRow], dead: Sequence[SourceRow]) -> list[SourceRow]:
    """Those that saw somebody alive after the day of the death, by the latest day that is told of it."""
    days = [day for row in dead if (day := _day(row)) is not None]
    return [row for row in alive if days and (day := _day(row)) is not None and day > max(days)]


def _contradicting(held: Held, rows: Sequence[SourceRow]) -> list[SourceRow]:
    """Of the words on the event those that cannot be true beside the one that holds."""
    if held.value:
        return _seen_after([row for row in rows if row.values[EVENT] is False], [held.by] if held.by else [])
    return [row for row in rows if row.values[EVENT]]


def _days(ranks: Ranks, decisions: Sequence[SourceRow], event: Held) -> Held:
    everybody = [row for rank in ranks for row in rank if row.values[EVENT] == event.value]
    decision = decision_on(DAYS, decisions)
    if decision is not None:
        held = Held(decision.values[DAYS], decision, [])
        return held._replace(disagreements=against(DAYS, held, everybody, decided(decision, DAYS)))
    if event.is_undecided:
        return Held(None, None, [])
    if not event.value:
        return _last_seen(ranks)
    for rank in ranks:
        told = latest(row for row in rank if row.values[EVENT] and _day(row) is not None)
        if told:
            held = Held(_day(told[0]), told[0], [])
            if all(_day(row) == held.value for row in told):
                return held._replace(disagreements=against(DAYS, held, everybody, OF_DAY))
            return Held(None, None, against(DAYS, Held(None, None, []), everybody, f"{UNDECIDED}: {NOBODY_KNOWS}"))
    return Held(None, None, [])


def _last_seen(ranks: Ranks) -> Held:
    """The latest day on which any source saw somebody alive, or saw them at all; the first source that knows it."""
    seen = [row for rank in ranks for row in _current(rank) if not row.values[EVENT] and _day(row) is not None]
    last = max(seen, key=lambda row: _day(row) or 0.0, default=None)  # of equal ones the first
    return Held(None if last is None else _day(last), last, [])
