"""The story, in the order of time."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import Connection, select

from tshdb.engine.analysis import Analysis
from tshdb.errors import NotFound, UsageError
from tshdb.schema import Run
from tshdb.story import data
from tshdb.story.event import Event
from tshdb.story.rebuilds import programs, rebuilds
from tshdb.story.scope import scope_of

MOMENT = re.compile(r"\d{4}-\d{2}(-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?Z?)?)?")


def story(
    connection: Connection,
    analyses: Sequence[Analysis],
    name: str | None = None,
    *,
    since: str = "",
    limit: int | None = None,
) -> list[Event]:
    """What changed in a study, the oldest first. since: UTC, ISO 8601, or its beginning; limit: the last so many.

    name: a result table, an ingested one, an analysis, a patient, a cohort, COHORT@VERSION or a unit as ANALYSIS/KEY: only
    what concerns it. Raises NotFound for a name that is none of them.
    """
    scope = scope_of(connection, analyses, name)
    events = [
        *data.taken_over(connection, scope, since),
        *data.ingested(connection, scope, since),
        *data.cohorts(connection, scope, since),
        *programs(connection, scope, since),
        *rebuilds(connection, analyses, scope, since),
        *data.withdrawn(connection, scope, since),
    ]
    events.sort(key=lambda e: e.at)
    return events if limit is None else events[max(0, len(events) - limit) :]


def since(connection: Connection, text: str) -> str:
    """The moment that RUN or DATE means: of a run, when it began.

    Raises NotFound for a run that there is not, UsageError for a text that is neither.
    """
    if text.isdecimal():
        at = connection.execute(select(Run.started_at).where(Run.run_id == int(text))).scalar()
        if at is None:
            raise NotFound(f"no run {text}", repair="Runs: tshdb history")
        return at
    if MOMENT.fullmatch(text) is None:
        raise UsageError(f"'{text}' is no run and no date", where="--since", repair="Such as 3, or 2026-11-23")
    return text


def what_changed(connection: Connection, analyses: Sequence[Analysis], limit: int) -> list[Event]:
    """What changed after the study was computed for the first time; the last `limit` events."""
    query = select(Run.started_at, Run.ended_at).order_by(Run.run_id).limit(1)
    first = connection.execute(query).one_or_none()
    if first is None:
        return []
    ended = first.ended_at or first.started_at
    return [e for e in story(connection, analyses) if e.at > ended][-limit:]
