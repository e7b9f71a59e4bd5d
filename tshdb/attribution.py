"""What began a change of a unit in a run, as it was recorded then: never guessed afterwards.

A unit that changed was attempted in the run, or retired by it; both keep the number of a set of causes. None was kept before
revision 0012.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, case, func, select, true

from tshdb.database import numbers
from tshdb.engine.cause_sets import causes_of_sets
from tshdb.engine.causes import UNRECORDED, Cause, Causes, causes_in_words
from tshdb.engine.units import select_ids
from tshdb.schema import Attempt, Retirement, Unit
from tshdb.vocabulary import CauseKind, UnitState

NOT_RECORDED: Causes = frozenset({UNRECORDED})
# Causes of one kind that differ from unit to unit: what they began is counted together
_OF_UNITS = frozenset({CauseKind.DATUM, CauseKind.MEMBER, CauseKind.FIRST, CauseKind.AGAIN, CauseKind.LOST, CauseKind.EDITED,
                       CauseKind.DAMAGED, CauseKind.REFIT})  # fmt: skip

ALL = true()
Moved = tuple[int, int]  # (unit, run): a unit that changed in a run


class Attribution:
    """What was recorded of units that changed in runs, and the inputs through which that came."""

    def __init__(self, connection: Connection, moved: Iterable[Moved]):
        self.connection, self.moved = connection, list(dict.fromkeys(moved))
        self._steps: dict[int, list[_Step]] = {}
        self._names: dict[int, str] = {}
        self._read({unit_id for unit_id, _ in self.moved})

    @cached_property
    def causes(self) -> dict[Moved, Causes]:
        """`NOT_RECORDED` where nothing was."""
        sets: dict[Moved, set[int]] = {pair: set() for pair in self.moved}
        for unit_id in dict.fromkeys(unit_id for unit_id, _ in self.moved):
            for step in self._steps[unit_id]:
                if step.cause_set is not None and (unit_id, step.run_id) in sets:
                    sets[unit_id, step.run_id].add(step.cause_set)
        recorded = causes_of_sets(self.connection, {number for of_pair in sets.values() for number in of_pair})
        return {
            pair: frozenset(cause for n in of_pair for cause in recorded.get(n, ())) or NOT_RECORDED
            for pair, of_pair in sets.items()
        }

    @cached_property
    def trails(self) -> dict[Moved, tuple[str, ...]]:
        """The units on the way to the causes, as analysis/key: the changed one, its input, and so on."""
        trails = {pair: [pair[0]] for pair in self.moved}
        going = trails
        while going:  # all of them a step at a time
            reached = {pair: self._through(trail[-1], pair[1]) for pair, trail in going.items()}
            further = {pair: unit for pair, unit in reached.items() if unit is not None and unit not in going[pair]}
            self._read(further.values())
            for pair, unit in further.items():
                trails[pair].append(unit)
            going = {pair: trails[pair] for pair in further}
        return {pair: tuple(self._names[u] for u in trail if u in self._names) for pair, trail in trails.items()}

    def _read(self, unit_ids: Iterable[int]) -> None:
        fresh = set(unit_ids) - self._steps.keys()
        steps_of_unit: dict[int, list[_Step]] = {unit_id: [] for unit_id in fresh}
        a, r = Attempt, Retirement
        with numbers(self.connection, "units_asked_for", fresh) as name:
            chosen = select_ids(name)
            attempts = select(a.unit_id, a.run_id, a.cause_set, a.through_unit_id).order_by(a.attempt_id)
            for unit_id, run_id, cause_set, through in self.connection.execute(
                attempts.where(a.unit_id.in_(chosen), a.is_changed)
            ):
                steps_of_unit[unit_id].append(_Step(run_id, cause_set, through))
            retired = select(r.unit_id, r.run_id, r.cause_set).where(r.unit_id.in_(chosen)).order_by(r.retirement_id)
            for unit_id, run_id, cause_set in self.connection.execute(retired):
                steps_of_unit[unit_id].append(_Step(run_id, cause_set, None))
            units = select(Unit.unit_id, Unit.analysis, Unit.key).where(Unit.unit_id.in_(chosen))
            for unit_id, analysis, key in self.connection.execute(units):
                self._names[unit_id] = f"{analysis}/{key}"
        self._steps |= steps_of_unit

    def _through(self, unit_id: int, run_id: int) -> int | None:
        """The input through which the last change of a unit came, up to a run."""
        until = [step for step in self._steps[unit_id] if step.run_id <= run_id]
        return until[-1].through if until else None


class _Step(NamedTuple):
    """An attempt that changed something, or a retirement. through: the input that brought it, as a unit."""

    run_id: int
    cause_set: int | None
    through: int | None


class Tally(NamedTuple):
    """How many units of an analysis the same causes began in a run; how many came out different, and how many failed."""

    run_id: int
    analysis: str
    causes: Causes
    n_units: int
    n_changed: int
    n_failed: int


def tallies(
    connection: Connection, after: int = 0, until: int | None = None, units: ColumnElement[bool] = ALL
) -> list[Tally]:
    """What was attempted by the runs after `after`, up to `until`, by run, analysis and recorded causes.

    units: a condition that chooses units.
    """
    a = Attempt
    n_changed = func.sum(case((a.is_changed, 1), else_=0))
    n_failed = func.sum(case((a.state == UnitState.FAILED, 1), else_=0))
    query = (
        select(a.run_id, Unit.analysis, a.cause_set, func.count(), n_changed, n_failed)
        .join(Unit, Unit.unit_id == a.unit_id)
        .where(a.run_id > after, ALL if until is None else a.run_id <= until, units)
        .group_by(a.run_id, Unit.analysis, a.cause_set)
        .order_by(a.run_id, Unit.analysis, a.cause_set)
    )
    rows = connection.execute(query).fetchall()
    recorded = causes_of_sets(connection, {number for _, _, number, *_ in rows if number is not None})
    return [Tally(run, name, recorded.get(number, NOT_RECORDED), *map(int, n)) for run, name, number, *n in rows]


def together(tally_rows: Iterable[Tally]) -> list[Tally]:
    """Tallies of one run and analysis whose causes differ in data, members or units alone, as one; the largest first.

    Give those of several runs or analyses the same number or name to have them counted together.
    """
    groups: dict[tuple, list[Tally]] = defaultdict(list)
    for part in tally_rows:
        groups[part.run_id, part.analysis, alike(part.causes)].append(part)
    summed = []
    for (run, name, _), some in groups.items():
        causes = frozenset(cause for tally in some for cause in tally.causes)
        counts = (sum(t.n_units for t in some), sum(t.n_changed for t in some), sum(t.n_failed for t in some))
        summed.append(Tally(run, name, causes, *counts))
    return sorted(summed, key=lambda t: (t.run_id, t.analysis, -t.n_units, causes_in_words(t.causes)))


def alike(causes: Causes) -> frozenset[Cause | CauseKind]:
    """What is the same of causes that are told together."""
    return frozenset(c.kind if c.kind in _OF_UNITS else c for c in causes)


def facts(causes: Causes) -> list[dict[str, Any]]:
    """Causes as plain values, in an order."""
    return sorted(
        (c.facts() for c in causes), key=lambda f: (f["kind"], f["subject"], f["before"] or "", f["after"] or "")
    )
