"""Outcomes of a table that is read by a map: one follow-up of each patient and endpoint.

Units    duration_days: days, from a column in the unit that the map states, or between two dates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ingest.tables.mapped_cells import Places, cell_of, number_of
from ingest.tables.maps import DAYS, ClinicalMap, OutcomeMap
from ingest.tables.visits import Cell, Row
from ingest.tables.written_dates import date_of
from tshdb.file_content import FileContent
from tshdb.loading.outcome import of_rows
from tshdb.schema import FollowUp
from tshdb.vocabulary import Endpoint

NOT_SHOWN = "(not shown)"
FEWEST_OUTCOMES = 40  # below, the share of events says nothing about the direction of its code


def of_visits(
    endpoint: Endpoint, outcome: OutcomeMap, row: Row, words: list[tuple[Row, str]], places, map_, content: FileContent
) -> tuple[int, dict[str, Any]] | None:
    """(line, columns of a FollowUp) of all visits, as if each were a file of its own."""
    if not words:
        return _outcome(endpoint, outcome, row, places, map_, content)
    said = [(_outcome(endpoint, outcome, {**row, **cells}, places, map_, content), day) for cells, day in words]
    told = [(line, columns, day) for made, day in said if made is not None for line, columns in [made]]
    if not told:
        return None
    columns, disagreements = of_rows("clinical", [(columns, day) for _, columns, day in told])
    if disagreements:
        differing = " and ".join(dict.fromkeys(d.column for d in disagreements))
        held = "it is not known" if any(d.is_undecided for d in disagreements) else "the later day holds"
        message = f"rows of one patient differ on {differing} of {endpoint}; {held}"
        content.warn(told[-1][0], outcome.event.shown, None, "follow-up.rows-differ", message)
    same = (line for line, each, _ in told if each["event"] == columns["event"])
    return next(same, told[-1][0]), columns


def _outcome(
    endpoint: Endpoint, outcome: OutcomeMap, row: Row, places: Places, map_: ClinicalMap, content: FileContent
):
    """(line, columns of a FollowUp), or None after an error or when the table says nothing."""
    event_cell = cell_of(row, places[f"{endpoint}.event"], map_, content)
    of_duration = [places[f"{endpoint}.duration.{i}"] for i in range(len(outcome.duration.columns))]
    cells = [cell_of(row, each, map_, content) for each in of_duration]
    cell = event_cell or next((c for c in cells if c is not None), None)
    if cell is None:
        return None
    columns = {
        "endpoint": endpoint,
        "event": None,
        "duration_days": None,
        "time_origin": outcome.time_origin,
        "reason": None,
        "rule": map_.rule,
    }
    if outcome.event.none is not None:
        columns["event"] = not _is_none(event_cell, outcome, map_)
    elif event_cell is None or event_cell.text in map_.missing.tokens:
        columns["reason"] = f"{outcome.event.shown} empty in the source"
    elif event_cell.text not in outcome.event.codes:
        content.error(
            event_cell.line, event_cell.column, event_cell.text, "map.unknown-code",
            f"expected one of {', '.join(outcome.event.codes)}",
        )  # fmt: skip
        return None
    else:
        columns["event"] = outcome.event.codes[event_cell.text]
        columns["reason"] = outcome.event.notes.get(event_cell.text)
    if outcome.duration.column is None:
        days, problem = _days_between(outcome, cells, columns["event"], map_)
    else:
        days, problem = _days_of_column(outcome, cells, map_)
    if problem is not None:
        content.error(problem.at.line, problem.at.column, problem.at.text, problem.rule, problem.message)
        return None
    if days is None:
        columns["reason"] = columns["reason"] or f"{outcome.duration.shown} empty in the source"
    columns["duration_days"] = days
    return cell.line, columns


def _is_none(cell: Cell | None, outcome: OutcomeMap, map_: ClinicalMap) -> bool:
    """Whether a cell of the day of an event says that there was none."""
    return cell is None or cell.text in map_.missing.tokens or cell.text in (outcome.event.none or ())


class Problem(NamedTuple):
    """Why cells are no duration."""

    at: Cell
    message: str
    rule: str = "follow-up.bad-duration"


def _days_of_column(
    outcome: OutcomeMap, cells: Sequence[Cell | None], map_: ClinicalMap
) -> tuple[float | None, Problem | None]:
    """(days, None) of the first column that holds a duration, else of the other; (None, problem) where it is no duration."""
    filled = [c for c in cells if c is not None and c.text not in map_.missing.tokens]
    if outcome.duration.else_column is not None:
        filled = [c for c in filled if c is not cells[0] or not _is_none(c, outcome, map_)]
    if not filled:
        return None, None
    cell = filled[0]
    value = number_of(cell.text, map_)
    if value is None or value < 0:
        what = "negative" if value is not None else "no number"
        return None, Problem(cell, f"{what}; expected {outcome.duration.unit}")
    return value * DAYS[outcome.duration.unit], None


def _days_between(
    outcome: OutcomeMap, cells: Sequence[Cell | None], event: bool | None, map_: ClinicalMap
) -> tuple[float | None, Problem | None]:
    """(days, None) from the first date to the end; (None, problem) where one is no date, or the event's day stands without it."""
    start, *ends = cells
    if outcome.duration.else_end is not None:
        of_event, others = ends[: outcome.duration.n_ends], ends[outcome.duration.n_ends :]
        day = _first_filled(of_event, map_)
        if event is False and day is not None and not _is_none(day, outcome, map_):
            return None, Problem(day._replace(text=NOT_SHOWN), "no event, but its day", "follow-up.day-without-event")
        ends = others if event is False else of_event if event else []
    no_event = outcome.event.none or ()  # a 0 in the place of a date is none
    end = _first_filled([c for c in ends if c is None or c.text not in no_event], map_)
    if start is None or start.text in map_.missing.tokens or end is None:
        return None, None
    days = []
    for cell in (start, end):
        when = date_of(cell.text, outcome.duration.dates or "")
        if when is None:
            return None, Problem(cell._replace(text=NOT_SHOWN), f"no date as {outcome.duration.dates}")
        days.append(when.toordinal())
    if days[1] < days[0]:
        return None, Problem(end._replace(text=NOT_SHOWN), f"before {start.column}")
    return float(days[1] - days[0]), None


def _first_filled(cells: Sequence[Cell | None], map_: ClinicalMap) -> Cell | None:
    return next((c for c in cells if c is not None and c.text not in map_.missing.tokens), None)


def check_events(map_: ClinicalMap, content: FileContent) -> None:
    """Stop where the share of events is not what the map expects, and say which way the code seems to run."""
    for endpoint, outcome in map_.follow_ups.items():
        if outcome.event_share_expected is None:
            continue
        low, high = outcome.event_share_expected
        known = [r for r in content.records if r.table is FollowUp and r.values["endpoint"] == endpoint]
        known = [r for r in known if r.values["event"] is not None]
        share = sum(r.values["event"] for r in known) / max(len(known), 1)
        if low <= share <= high or len(known) < FEWEST_OUTCOMES:
            continue
        codes = ", ".join(f"{c} = {'event' if e else 'censored'}" for c, e in outcome.event.codes.items())
        hint = "the code seems to run the other way" if low <= 1 - share <= high else "neither way gives that"
        content.error(
            known[0].line, outcome.event.shown, f"{share:.0%}", "follow-up.events-unexpected",
            f"{share:.0%} of {len(known)} have {endpoint}, expected {low:.0%} to {high:.0%} (read with {codes}): {hint}",
        )  # fmt: skip
