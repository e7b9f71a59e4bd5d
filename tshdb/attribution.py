"""What began a change of a unit in a run, as it was recorded then: never guessed afterwards.

A unit that changed was attempted in the run, or retired by it; both keep the number of a set of causes. None was kept before
revision 0012.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from sqlalchemy import Connection, case, func, select, true

from tshdb.database import numbers
from tshdb.engine.causes import UNRECORDED, Cause, Causes, causes_of_sets, told
from tshdb.engine.units import select_ids
from tshdb.schema import Attempt, Retirement, Unit
from tshdb.vocabulary import CauseKind, UnitState

NOT_RECORDED: Causes = frozenset({UNRECORDED})
# Causes of one kind that differ from unit to unit: what they began is counted together
_OF_UNITS = frozenset({CauseKind.DATUM, CauseKind.MEMBER, CauseKind.FIRST, CauseKind.AGAIN, CauseKind.LOST, CauseKind.EDITED,
                       CauseKind.DAMAGED, CauseKind.REFIT})  # fmt: skip

Moved = tuple[int, int]  # (unit, run): a unit that changed in a run


class Attributed(NamedTuple):
    """The causes of one change, and the units on the way to them: analysis/key, the changed one first."""

    causes: Causes
    trail: tuple[str, ...]


def attributed(connection: Connection, moved: Collection[Moved]) -> dict[Moved, Attributed]:
    """What was recorded of each (unit, run); `NOT_RECORDED` where nothing was."""
    steps = _Steps(connection)
    steps.read({unit for unit, _ in moved})
    wanted: dict[Moved, set[int]] = {pair: steps.sets_of(pair) for pair in dict.fromkeys(moved)}
    trails = steps.trails(wanted)
    causes = causes_of_sets(connection, {number for sets in wanted.values() for number in sets})
    return {
        pair: Attributed(frozenset().union(*(causes.get(n, NOT_RECORDED) for n in sets)) or NOT_RECORDED, trails[pair])
        for pair, sets in wanted.items()
    }


class _Step(NamedTuple):
    run_id: int
    cause_set: int | None
    through: int | None


class _Steps:
    """The changes of units: their runs, sets of causes, and the inputs that these came through."""

    def __init__(self, connection: Connection):
        self.connection = connection
        self._steps: dict[int, list[_Step]] = {}
        self._names: dict[int, str] = {}

    def read(self, unit_ids: Iterable[int]) -> None:
        fresh = set(unit_ids) - self._steps.keys()
        if not fresh:
            return
        found: dict[int, list[_Step]] = defaultdict(list)
        a, r = Attempt, Retirement
        with numbers(self.connection, "units_asked_for", fresh) as name:
            mine = select_ids(name)
            attempts = select(a.unit_id, a.run_id, a.cause_set, a.through_unit_id).order_by(a.attempt_id)
            for unit_id, *step in self.connection.execute(attempts.where(a.unit_id.in_(mine), a.is_changed)):
                found[unit_id].append(_Step(*step))
            retired = select(r.unit_id, r.run_id, r.cause_set).where(r.unit_id.in_(mine)).order_by(r.retirement_id)
            for unit_id, run_id, cause_set in self.connection.execute(retired):
                found[unit_id].append(_Step(run_id, cause_set, None))
            units = select(Unit.unit_id, Unit.analysis, Unit.key).where(Unit.unit_id.in_(mine))
            for unit_id, analysis, key in self.connection.execute(units):
                self._names[unit_id] = f"{analysis}/{key}"
        self._steps |= {unit_id: found.get(unit_id, []) for unit_id in fresh}

    def sets_of(self, moved: Moved) -> set[int]:
        """The sets of causes of a unit's changes in a run."""
        unit_id, run_id = moved
        return {s.cause_set for s in self._steps[unit_id] if s.run_id == run_id and s.cause_set is not None}

    def trails(self, moved: Iterable[Moved]) -> dict[Moved, tuple[str, ...]]:
        """The units through which the causes came, from input to input; all of them a step at a time."""
        trails = {pair: [pair[0]] for pair in moved}
        going = trails
        while going:
            reached = {pair: self._through(trail[-1], pair[1]) for pair, trail in going.items()}
            further = {pair: unit for pair, unit in reached.items() if unit is not None and unit not in going[pair]}
            self.read(further.values())
            for pair, unit in further.items():
                trails[pair].append(unit)
            going = {pair: trails[pair] for pair in further}
        return {
            pair: tuple(self._names[unit] for unit in trail if unit in self._names) for pair, trail in trails.items()
        }

    def _through(self, unit_id: int, run_id: int) -> int | None:
        """The input through which the last change of a unit came, up to a run."""
        until = [step for step in self._steps[unit_id] if step.run_id <= run_id]
        return until[-1].through if until else None


class Tally(NamedTuple):
    """How many units of an analysis the same causes began in a run; how many came out different, and how many failed."""

    run_id: int
    analysis: str
    causes: Causes
    n_units: int
    n_changed: int
    n_failed: int


def tallies(connection: Connection, after: int = 0, until: int | None = None) -> list[Tally]:
    """What was attempted by the runs after `after`, up to `until`, by run, analysis and recorded causes."""
    a = Attempt
    n_changed = func.sum(case((a.is_changed, 1), else_=0))
    n_failed = func.sum(case((a.state == UnitState.FAILED, 1), else_=0))
    query = (
        select(a.run_id, Unit.analysis, a.cause_set, func.count(), n_changed, n_failed)
        .join(Unit, Unit.unit_id == a.unit_id)
        .where(a.run_id > after, true() if until is None else a.run_id <= until)
        .group_by(a.run_id, Unit.analysis, a.cause_set)
        .order_by(a.run_id, Unit.analysis, a.cause_set)
    )
    rows = connection.execute(query).fetchall()
    recorded = causes_of_sets(connection, {number for _, _, number, *_ in rows if number is not None})
    return [Tally(run, name, recorded.get(number, NOT_RECORDED), *map(int, n)) for run, name, number, *n in rows]


def together(found: Iterable[Tally]) -> list[Tally]:
    """Tallies of one run and analysis whose causes differ in data, members or units alone, as one; the largest first.

    Give those of several runs or analyses the same number or name to have them counted together.
    """
    groups: dict[tuple, list[Tally]] = defaultdict(list)
    for one in found:
        groups[one.run_id, one.analysis, _alike(one.causes)].append(one)
    summed = []
    for (run, name, _), some in groups.items():
        causes = frozenset(cause for tally in some for cause in tally.causes)
        counts = (sum(t.n_units for t in some), sum(t.n_changed for t in some), sum(t.n_failed for t in some))
        summed.append(Tally(run, name, causes, *counts))
    return sorted(summed, key=lambda t: (t.run_id, t.analysis, -t.n_units, told(t.causes)))


def _alike(causes: Causes) -> frozenset[Cause | CauseKind]:
    return frozenset(c.kind if c.kind in _OF_UNITS else c for c in causes)


def facts(causes: Causes) -> list[dict[str, Any]]:
    """Causes as plain values, in an order."""
    return sorted(
        (c.facts() for c in causes), key=lambda f: (f["kind"], f["subject"], f["before"] or "", f["after"] or "")
    )
