"""One look at a study for its next steps: what is due, blocked or failed, the cohorts, and which tables are empty."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Connection, select

from tshdb import guest_tables
from tshdb.cohorts.evaluation import Evaluated, evaluate_each
from tshdb.cohorts.rows import rows_of
from tshdb.database import reading, tuples
from tshdb.engine.planner import Planner
from tshdb.engine.world import World
from tshdb.guests.listing import world_of
from tshdb.schema import Cohort

if TYPE_CHECKING:
    from tshdb.cohorts.states import CohortState
    from tshdb.cohorts.steps import Moved
    from tshdb.engine.plan import AnalysisPlan
    from tshdb.engine.standing import UnitRow
    from tshdb.study import Study


class Look(NamedTuple):
    """A study as it stands.

    flows: of cohorts without members.
    versions: cohort -> its versions, oldest first.
    empty: tables without rows.
    """

    world: World
    plans: Mapping[str, AnalysisPlan]
    cohorts: Mapping[str, CohortState]
    stuck: Mapping[str, Mapping[str, UnitRow]]
    flows: Mapping[str, tuple[Moved, ...]]
    versions: Mapping[str, list[int]]
    empty: frozenset[str]


def look(study: Study, ingested: tuple[str, ...]) -> Look:
    """The study as it stands. ingested: the tables of files, of which it is asked whether they are empty."""
    world = world_of(study)
    with reading(study.engine) as connection:
        planner = Planner(connection, world)
        plans = planner.all()
        versions: dict[str, list[int]] = {}
        for name, version in tuples(connection, "SELECT cohort, version FROM cohort_versions ORDER BY 1, 2"):
            versions.setdefault(name, []).append(version)
        tables = [*ingested, *dict.fromkeys(a.makes.__tablename__ for a in world.analyses)]
        there = {table.name for table in guest_tables.tables_of(connection)}
        empty = frozenset(t for t in tables if t not in there or not tuples(connection, f"SELECT 1 FROM {t} LIMIT 1"))
        stuck = dict(planner.standing.stuck)
        return Look(world, plans, planner.cohorts, stuck, _flows(connection, planner.cohorts), versions, empty)


def _flows(connection: Connection, cohorts: Mapping[str, CohortState]) -> dict[str, tuple[Moved, ...]]:
    """What the steps do of the cohorts that have no members."""
    texts = dict(connection.execute(select(Cohort.cohort, Cohort.sql_text)).fetchall())
    empty = {n: text for n, text in texts.items() if not cohorts[n].members and cohorts[n].problem is None}
    evaluated = evaluate_each(rows_of(connection), empty)
    return {name: now.flow for name, now in evaluated.items() if isinstance(now, Evaluated)}


def tables_of(sql: str) -> list[str]:
    """The words that stand where a SELECT names a table."""
    return list(dict.fromkeys(re.findall(r"\b(?:from|join)\s+(\w+)", sql, re.IGNORECASE)))
