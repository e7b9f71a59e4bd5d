"""Whether a plan is true: what a rebuild computes, fails on, finds blocked and retires, against what was planned just before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import select

from tests.support import tiny
from tests.support.life import Life
from tshdb.cohorts.states import states
from tshdb.database import reading
from tshdb.engine.causes import Cause
from tshdb.engine.chosen import select_analyses
from tshdb.engine.plan import AnalysisPlan
from tshdb.engine.planner import Planner
from tshdb.engine.rebuild import Rebuild, Report
from tshdb.engine.world import World
from tshdb.schema import Attempt, Unit
from tshdb.study import Study
from tshdb.vocabulary import CohortMode, UnitState

STAYS = (
    "cohort/",
    "reference.",
)  # units that nobody retires: the members of a live cohort, a marker table that was read


class Row(NamedTuple):
    """A unit as it stands."""

    unit_id: int
    state: UnitState
    fingerprint: str | None
    damage: str | None


class Run(NamedTuple):
    """One rebuild: what was planned just before, what stood before and after, and what it says that it did."""

    names: tuple[str, ...]  # of the analyses that it was for
    plans: Mapping[str, AnalysisPlan]
    before: Mapping[str, Row]
    after: Mapping[str, Row]
    attempts: Mapping[str, Sequence[UnitState]]
    report: Report
    causes: Mapping[str, frozenset[Cause]]  # unit -> what the plan says that it is due or gone for

    @property
    def certain(self) -> set[str]:
        return {f"{n}/{k}" for n, p in self.plans.items() for k, d in p.due.items() if not d.is_possible}

    @property
    def possible(self) -> set[str]:
        return {f"{n}/{k}" for n, p in self.plans.items() for k, d in p.due.items() if d.is_possible}

    def of(self, what: str) -> set[str]:
        """Units of another part of the plans: gone, blocked, flagged, held."""
        return {f"{n}/{k}" for n, p in self.plans.items() for k in getattr(p, what)}

    def became(self, state: UnitState) -> set[str]:
        return {
            u
            for u, row in self.after.items()
            if row.state == state and (u not in self.before or self.before[u].state != state)
        }


def units(study: Study) -> dict[str, Row]:
    """analysis/key -> the unit; those of references, cohorts and ingested tables too."""
    columns = (Unit.analysis, Unit.key, Unit.unit_id, Unit.state, Unit.fingerprint, Unit.damage)
    with reading(study.engine) as connection:
        return {f"{a}/{k}": Row(*values) for a, k, *values in connection.execute(select(*columns))}


def attempts(study: Study, run_id: int) -> dict[str, list[UnitState]]:
    """unit -> how its computations in a run ended: one, as a rule."""
    query = select(Unit.analysis, Unit.key, Attempt.state).join(Unit, Unit.unit_id == Attempt.unit_id)
    with reading(study.engine) as connection:
        rows = connection.execute(query.where(Attempt.run_id == run_id).order_by(Attempt.attempt_id)).fetchall()
    found: dict[str, list[UnitState]] = {}
    for analysis, key, state in rows:
        found.setdefault(f"{analysis}/{key}", []).append(state)
    return found


def rebuilt(life: Life, refit: bool = False, names: Sequence[str] = ()) -> Run:
    """A plan, and the rebuild that follows."""
    study = Study(life.study.root)
    with reading(study.engine) as connection:
        planner = Planner(connection, World(life.analyses, study.settings), refit=refit)
        plans = planner.all()
        causes = {
            f"{name}/{key}": rooted.causes
            for name, plan in plans.items()
            for key, rooted in planner.roots.of_due(connection, plan).items()
        }
    before = units(life.study)
    report = Rebuild(study, life.analyses, refit=refit, names=names).run()
    chosen = tuple(sorted(select_analyses(World(life.analyses, study.settings), names)))
    study.engine.dispose()
    return Run(chosen, plans, before, units(life.study), attempts(life.study, report.run_id), report, causes)


def untrue(life: Life, run: Run) -> Iterator[str]:
    """What is wrong with the plan of a run, in words."""
    yield from (f"{name} left undone: {why}" for name, why in run.report.discarded.items())
    announced = run.certain | run.possible
    blocked, retired = run.became(UnitState.BLOCKED), run.became(UnitState.RETIRED)
    blocked |= {f"{a}/{k}" for a, keys in run.report.blocked.items() for k in keys}
    yield from _said("computed, and not planned", run.attempts.keys() - announced)
    yield from _said("computed several times", {u for u, ends in run.attempts.items() if len(ends) > 1})
    yield from _said("found blocked, and not planned", blocked - announced - run.of("blocked"))
    yield from _said("retired, and not planned", {u for u in retired if u.split("/")[0] in run.plans} - run.of("gone"))
    wanted = {u for u in run.certain if u.split("/")[0] in run.names}
    held = run.report.held.keys()
    yield from _said("certain, and neither computed nor blocked", wanted - run.attempts.keys() - blocked - held)
    gone = {u for u in run.of("gone") if u.split("/")[0] in run.names}
    yield from _said("planned to be retired, and not", {u for u in gone if run.after[u].state != UnitState.RETIRED})
    yield from _said("named as possible, and nothing that it rests on is due", _unfounded(life, run))
    yield from _not_settled(life, run)


def _unfounded(life: Life, run: Run) -> set[str]:
    """Units that are possible though no input of theirs is due, or gone."""
    moving = run.certain | run.possible | run.of("gone")
    live = {n for n, p in _live_cohorts(life).items() if any(u.split("/")[0] in p for u in moving)}
    inputs = inputs_of(life, run.plans)
    return {u for u in run.possible if not inputs.get(u, set()) & moving and u.partition("/")[2] not in live}


def inputs_of(life: Life, plans: Mapping[str, AnalysisPlan]) -> dict[str, set[str]]:
    """unit -> the units that it would be computed from, of all that there should be."""
    world = World(life.analyses, Study(life.study.root).settings)
    found: dict[str, set[str]] = {}
    for name, plan in plans.items():
        producers = {r: "cohort" if r == "cohort" else world.producer(plan.analysis.needs[r]) for r in plan.inputs}
        for key in plan.desired:
            pairs = ((producers[role], i) for role, by_key in plan.inputs.items() for i in by_key.get(key, ()))
            found[f"{name}/{key}"] = {f"{producer}/{i}" for producer, i in pairs}
    return found


def _live_cohorts(life: Life) -> dict[str, set[str]]:
    """Live cohort -> the analyses that make the tables that its definition names."""
    with reading(life.study.engine) as connection:
        live = {n for n, s in states(connection).items() if s.mode is CohortMode.LIVE}
    tables = {a.name: a.makes.__tablename__ for a in life.analyses}
    return {n: {a for a, t in tables.items() if t in life.definitions[n]} for n in live}


def _not_settled(life: Life, run: Run) -> Iterator[str]:
    """What is due after a rebuild of all that it was for: nothing but what failed or was found damaged, and what waits for it."""
    left = tiny.plan(life.study, life.analyses)
    inputs, live = inputs_of(life, left), _live_cohorts(life)
    waiting = {u for u, row in run.after.items() if row.state == UnitState.FAILED or row.damage is not None}
    for name, plan in left.items():  # inputs come first
        for key, due in plan.due.items():
            unit = f"{name}/{key}"
            is_blocked = unit in run.after and run.after[unit].state == UnitState.BLOCKED
            before = inputs.get(unit, set()) & waiting or live.get(key, set()) & {u.split("/")[0] for u in waiting}
            if (due.is_possible or is_blocked) and before:
                waiting.add(unit)
    yield from _said("due still after the rebuild", {f"{n}/{k}" for n in run.names for k in left[n].due} - waiting)


def _said(what: str, found: set[str]) -> Iterator[str]:
    if found:
        yield f"{what}: {', '.join(sorted(found)[:4])}{f' and {len(found) - 4} more' if len(found) > 4 else ''}"
