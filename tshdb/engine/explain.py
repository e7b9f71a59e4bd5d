"""From a root cause to a unit: the chain of units that the cause travels, the nearest to the cause first."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from tshdb.engine.cause_sets import causes_of_sets
from tshdb.engine.causes import Cause
from tshdb.engine.plan import AnalysisPlan
from tshdb.engine.planner import Planner
from tshdb.engine.roots import Via
from tshdb.engine.units import COHORT, INGEST
from tshdb.engine.world import REFERENCE
from tshdb.schema import Attempt, Unit
from tshdb.vocabulary import CauseKind

CHAINS = 8  # of causes of one unit that are shown
COUNTED = (CauseKind.DATUM, CauseKind.MEMBER)
OUTSIDE = (INGEST, REFERENCE, COHORT)  # what no analysis made


def chains(connection: Connection, planner: Planner, plan: AnalysisPlan, key: str) -> dict[str, Any]:
    """The causes of a unit that is due or gone, each with its chain; of many rows of data or members, a few.

    Gives {"n_causes", "chains": [{"cause", "units": [{"unit", "state", "says"}]}]}, the unit itself last.
    """
    causes = sorted(planner.roots.of_due(connection, plan)[key].causes, key=_weight)
    shown = [
        {"cause": cause.facts(), "units": [*_chain(connection, planner, plan, key, cause)][::-1]}
        for cause in causes[:CHAINS]
    ]
    return {"unit": f"{plan.analysis.name}/{key}", "n_causes": len(causes), "chains": shown}


def _weight(cause: Cause) -> tuple[bool, str, str]:
    return cause.kind in COUNTED, cause.kind.value, cause.subject


def _chain(connection: Connection, planner: Planner, plan: AnalysisPlan, key: str, cause: Cause):
    """The units from this one back to where the cause is its own."""
    while True:
        due = plan.due.get(key)
        state = "gone" if due is None else "possible" if due.is_possible else "certain"
        says = "there is nothing any more that it would be made of" if due is None else due.detail
        yield {"unit": f"{plan.analysis.name}/{key}", "state": state, "says": says}
        contributions = planner.roots.contributions(connection, plan, key)
        via = next((via for via, causes in contributions if cause in causes), None)
        if via is None:
            return
        before = planner.plans.get(via.producer)
        if before is None or not (via.input_key in before.due or via.input_key in before.gone):
            yield from _done(connection, via, cause)
            return
        plan, key = before, via.input_key


def _done(connection: Connection, via: Via, cause: Cause):
    """The units through which a cause came in runs that are over."""
    unit_id, name = via.unit_id, f"{via.producer}/{via.input_key}"
    while True:
        if via.producer.startswith(OUTSIDE):
            yield {"unit": name, "state": "ingested" if name.startswith(INGEST) else "changed", "says": str(cause)}
            return
        attempt = _attempt_with(connection, unit_id, cause)
        if attempt is None:
            return
        yield {"unit": name, "state": f"run {attempt.run_id}", "says": attempt.detail}
        unit_id = attempt.through_unit_id
        before = connection.execute(select(Unit.analysis, Unit.key).where(Unit.unit_id == unit_id)).one_or_none()
        if before is None:
            return
        via, name = Via(before.analysis, before.key, unit_id), f"{before.analysis}/{before.key}"


def _attempt_with(connection: Connection, unit_id: int | None, cause: Cause):
    """The newest attempt of a unit that changed it and had this cause."""
    attempts = connection.execute(
        select(Attempt.run_id, Attempt.detail, Attempt.cause_set, Attempt.through_unit_id)
        .where(Attempt.unit_id == unit_id, Attempt.is_changed, Attempt.cause_set.is_not(None))
        .order_by(Attempt.attempt_id.desc())
    ).fetchall()
    known = causes_of_sets(connection, {attempt.cause_set for attempt in attempts})
    return next((attempt for attempt in attempts if cause in known.get(attempt.cause_set, ())), None)
