"""Which units are due, each with a reason. Reads the database in sets, analysis by analysis in their order; writes nothing.

For every analysis the planner derives the units that should exist and their inputs, and compares them with the units
and edges that do. An input that is itself due makes its consumers *possible*: early cut-off may stop there.
"""

from __future__ import annotations

import gc
import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property

from sqlalchemy import Connection, select

from tshdb.cohorts.states import states
from tshdb.engine import units as store
from tshdb.engine.analysis import Analysis, Kind, Model, Need
from tshdb.engine.causes import UNRECORDED, Causes
from tshdb.engine.damage import Damaged, known, standing_makers
from tshdb.engine.edges import Edges
from tshdb.engine.expected import Expected
from tshdb.engine.plan import AnalysisPlan, Change, Due, Reason
from tshdb.engine.roots import Roots, follows
from tshdb.engine.standing import Standing
from tshdb.engine.world import World
from tshdb.objects import ObjectStore
from tshdb.schema import Cohort
from tshdb.vocabulary import CauseKind, CohortMode, UnitState


@contextmanager
def _no_collection() -> Iterator[None]:
    """Without the cyclic garbage collector, which would walk the growing sets of keys again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class Planner:
    """One look at the database.

    settled: analyses that this rebuild has finished, with their plans, which are trusted: they are not planned again,
    and what failed there stays failed. damaged: what is known to be lost or edited, else it is looked for.
    """

    def __init__(
        self,
        connection: Connection,
        world: World,
        settled: Mapping[str, AnalysisPlan] | None = None,
        refit: bool = False,
        damaged: Collection[Damaged] | None = None,
    ):
        self.connection, self.world, self.refit = connection, world, refit
        with _no_collection():
            self.cohorts = states(connection)
        self.settled = set(settled or ())
        self.standing = Standing(connection)
        self.stored_specs = store.Specs(connection)
        world.kept_code = self.stored_specs.kept
        tables = {n: json.loads(t) for n, t in connection.execute(select(Cohort.cohort, Cohort.tables)).fetchall()}
        self.order = world.ordered({n: t for n, t in tables.items() if self.cohorts[n].mode == CohortMode.LIVE})
        self.live_tables = tables
        self.plans: dict[str, AnalysisPlan] = dict(settled or {})
        self._damaged = damaged
        self.expected = Expected(connection, world, self.standing, self.cohorts, self.plans, self.settled)
        self.edges = Edges(world, self.standing, self.cohorts)
        self.roots = Roots(self)

    def all(self) -> dict[str, AnalysisPlan]:
        """The plan of every analysis, inputs first."""
        with _no_collection():
            for analysis in self.order:
                self._plan(analysis)
        return self.plans

    def plan(self, analysis: Analysis) -> AnalysisPlan:
        """The plan of one analysis; those that it rests on are planned first."""
        with _no_collection():
            return self._plan(analysis)

    def _plan(self, analysis: Analysis) -> AnalysisPlan:
        if analysis.name in self.plans:
            return self.plans[analysis.name]
        for need in analysis.needs.values():
            producer = self.world.by_name.get(self.world.producer(need))
            if producer is not None:
                self._plan(producer)
        plan = AnalysisPlan(analysis)
        self.expected.derive(plan)
        self._compare(plan)
        plan.present = self.standing.rows(analysis.name, plan.due) if plan.due else {}
        self.plans[analysis.name] = plan
        return plan

    @cached_property
    def damaged(self) -> dict[str, dict[str, Damaged]]:
        """analysis -> key -> what was lost or edited of its current result."""
        if self._damaged is None:
            objects = ObjectStore(self.world.root / self.world.settings.study.objects)
            looked, _ = known(self.connection, objects, standing_makers(self.connection, self.world.analyses))
            self._damaged = looked.damaged.values()
        by_analysis: dict[str, dict[str, Damaged]] = defaultdict(dict)
        if self._damaged:
            by_unit = {unit.unit_id: unit for unit in self._damaged}
            for unit_id, (analysis, key) in self.standing.owners(by_unit).items():
                by_analysis[analysis][key] = by_unit[unit_id]
        return by_analysis

    # ------------------------------------------------------------------------------ against what does exist

    def _compare(self, plan: AnalysisPlan) -> None:
        analysis, present = plan.analysis, self.standing.ids(plan.analysis.name)
        wanted = plan.desired - plan.blocked.keys() if plan.blocked else plan.desired
        for key in wanted - present.keys():
            plan.due[key] = Due(key, Reason.NEW, "not computed yet")
        for key, unit in self.standing.stuck[analysis.name].items():
            if key not in wanted:
                continue
            if unit.state == UnitState.BLOCKED:
                waits = self._waits_for_due(plan, key)
                plan.due[key] = Due(key, Reason.INPUT, "was blocked before", is_possible=waits)
            elif analysis.name not in self.settled:
                plan.due[key] = Due(key, Reason.FAILED, f"failed before: {unit.message}")
                if self.stored_specs.difference(unit.spec_id, self.world.spec(analysis.name)) is not None:
                    plan.made_otherwise[key] = unit.spec_id
        for spec_id in self.standing.spec_ids[analysis.name]:
            difference = self.stored_specs.difference(spec_id, self.world.spec(analysis.name))
            if difference is None:
                continue
            for key in wanted.intersection(self.standing.keys_of_spec(analysis.name, spec_id)):
                plan.due[key] = Due(key, Reason(difference.reason), difference.detail)
                plan.made_otherwise[key] = spec_id
        self._judge(plan, self.edges.changes(plan))
        history = self._superseded(analysis)
        self._add_damaged(plan, history)
        self._propagate(plan)
        self._await_members(plan)
        self._hold(plan)
        for key in present.keys() - plan.desired:
            if key not in history and key != analysis.identity and key not in plan.blocked:
                plan.gone[key] = present[key]

    def _waits_for_due(self, plan: AnalysisPlan, key: str) -> bool:
        """Whether an input of a unit is itself due, and so not certain to be there."""
        return any(
            before is not None and input_key in before.due
            for role, by_key in plan.inputs.items()
            for before in [self.plans.get(self.world.producer_of(plan.analysis, role))]
            for input_key in by_key.get(key, ())
        )

    def _add_damaged(self, plan: AnalysisPlan, history: set[str]) -> None:
        """What was lost or edited is due, but for what would become another result: that is named, with what helps."""
        damaged = self.damaged.get(plan.analysis.name, {})
        withdrawn = self.standing.rest_on_withdrawn(damaged[key].unit_id for key in damaged) if damaged else set()
        for key, unit in damaged.items():
            reason = Reason(unit.damage)
            if key in plan.desired and key not in plan.blocked and key not in plan.due:
                if key not in plan.flagged:
                    plan.due[key] = Due(key, reason, unit.detail)
                    plan.kept.pop(key, None)
                    continue
                n, of = plan.flagged[key]
                why = (
                    "a patient was withdrawn since"
                    if unit.unit_id in withdrawn
                    else f"data of {n} of {of} members changed since"
                )
                helps = f"{why}, and it would be fitted on other data. Restore a backup, or run: tshdb rebuild --refit"
            elif key in history and key not in plan.desired:
                helps = "it is of an older cohort version, which is never computed again. Restore a backup"
            else:
                continue
            plan.held[key] = Due(key, reason, f"{unit.detail}; {helps}")

    def _hold(self, plan: AnalysisPlan) -> None:
        """Nothing is computed from an input that is damaged and stays so."""
        for role, need in plan.analysis.needs.items():
            before = self.plans.get(self.world.producer(need))
            if before is None or not before.held:
                continue
            for key in list(plan.due):
                held = next((i for i in plan.inputs[role].get(key, ()) if i in before.held), None)
                if held is not None:
                    del plan.due[key]
                    detail = (
                        f"its input {before.analysis.name}/{held} is not as it was made: {before.held[held].detail}"
                    )
                    plan.held[key] = Due(key, Reason.INPUT, detail)

    def _superseded(self, analysis: Analysis) -> set[str]:
        """Units over older frozen versions of its cohorts are history: kept as they are, neither due nor gone."""
        names = self.world.cohorts_of(analysis)
        return {key for key in self.standing.ids(store.COHORT) if "@" in key and key.split("@")[0] in names}

    def _judge(self, plan: AnalysisPlan, changed: dict[str, list[Change]]) -> None:
        """Changed inputs make a unit due; a fit follows what began elsewhere than in data, and is flagged else.

        Where all that changed is itself due, it may turn out to be what was seen: then the unit is possible.
        """
        analysis, plan.changes = plan.analysis, changed
        followed = self._followed(plan, changed) if analysis.kind is Kind.FIT else {}
        for key, changes in changed.items():
            if key in plan.due or key in plan.blocked:
                continue
            changes.sort(key=lambda c: c[:4])
            detail = str(changes[0]) + (f", and {len(changes) - 1} more" if len(changes) > 1 else "")
            may_pass = all(self._is_pending(plan, c) for c in changes)
            if analysis.kind is not Kind.FIT or any(c.what == "replaced" for c in changes):
                membership = all(c.producer == store.COHORT or c.what in ("joined", "left") for c in changes)
                reason = Reason.MEMBER if analysis.over_cohort and membership else Reason.INPUT
                plan.due[key] = Due(key, reason, detail, is_possible=may_pass)
                plan.kept.pop(key, None)
            elif key in followed:
                reason, may_pass = followed[key]
                plan.due[key] = Due(key, reason, detail, is_possible=may_pass)
            elif self.refit:
                plan.due[key] = Due(key, Reason.REFIT, detail, is_possible=may_pass)
            else:
                members = plan.members[key]
                plan.flagged[key] = (self._members_behind(plan, changes, members), len(members))

    def _followed(self, plan: AnalysisPlan, changed: Mapping[str, Sequence[Change]]) -> dict[str, tuple[Reason, bool]]:
        """The fits that follow what changed of their inputs: what that is in a word, and whether it may pass."""
        reasons = {}
        fits = self.standing.rows(plan.analysis.name, changed)
        for key, through in self.roots.through_inputs(self.connection, plan, list(changed)).items():
            is_otherwise = fits[key].upstream != self.world.upstream_digest(plan.analysis)
            followed = [
                (change, causes)
                for change, causes in through
                if follows(causes - {UNRECORDED}) or (UNRECORDED in causes and is_otherwise)
            ]
            if followed:
                may_pass = all(self._is_pending(plan, change) for change, _ in followed)
                reasons[key] = _in_a_word(frozenset().union(*(causes for _, causes in followed))), may_pass
        return reasons

    def _is_pending(self, plan: AnalysisPlan, change: Change) -> bool:
        """Whether what changed of an input is not certain to stay so: the input is due, or what a cohort selects on is."""
        if change.producer == store.COHORT:
            return bool(self.makers_pending(plan.analysis, change.input_key))
        before = self.plans.get(change.producer)
        return before is not None and change.input_key in before.due

    def _members_behind(self, plan: AnalysisPlan, changes: list[Change], members: Sequence[str]) -> int:
        """How many members of a fit's cohort the changes concern."""
        moved = {(c.role, c.input_key) for c in changes}
        concerned = set()
        for role, need in plan.analysis.needs.items():
            if isinstance(need, Need):
                related = self.expected.related(need)
                concerned |= {m for m in members if any((role, i) in moved for i in related.get(m, ()))}
        return max(len(concerned), 1)

    def _propagate(self, plan: AnalysisPlan) -> None:
        """Inputs that are due make their consumers possible."""
        analysis = plan.analysis
        for role, need in analysis.needs.items():
            producer = self.world.producer(need)
            before = self.plans.get(producer)
            if before is None or not before.due:
                continue
            for key, input_keys in plan.inputs[role].items():
                if key in plan.due or key not in plan.desired or key in plan.blocked:
                    continue
                pending = [i for i in input_keys if i in before.due]
                if pending and self._reaches(plan, need, before, pending):
                    plan.due[key] = Due(key, Reason.INPUT, f"{producer}/{pending[0]} is due", is_possible=True)

    def _reaches(self, plan: AnalysisPlan, need, before: AnalysisPlan, pending: list[str]) -> bool:
        """Whether a unit may follow inputs that are due: a fit does not follow data, but a model that is another one."""
        if plan.analysis.kind is not Kind.FIT or self.refit:
            return True
        if isinstance(need, Model) and any(before.due[key].reason is Reason.NEW for key in pending):
            return True
        return self.roots.brings_more_than_data(self.connection, before, pending)

    def makers_pending(self, analysis: Analysis, key: str) -> list[AnalysisPlan]:
        """The plans with something to do of the analyses whose results the live cohort `key` selects on."""
        state = self.cohorts.get(key) if analysis.over_cohort else None
        if state is None or state.mode is not CohortMode.LIVE:
            return []
        makers = [a for a in self.world.analyses if a.makes.__tablename__ in self.live_tables[key]]
        plans = [self.plans[maker.name] for maker in makers if maker.name in self.plans]
        return [plan for plan in plans if plan.due or plan.gone]

    def _await_members(self, plan: AnalysisPlan) -> None:
        """Who is in a live cohort may depend on results that are due: then so does all that is computed over it."""
        if plan.analysis.kind is Kind.FIT:  # over frozen cohorts alone
            return
        for name in self.world.cohorts_of(plan.analysis):
            makers = self.makers_pending(plan.analysis, name)
            if not makers:
                continue
            due = plan.due.get(name)
            if due is not None:
                plan.due[name] = replace(due, is_possible=True)
            elif name in plan.desired or name in plan.blocked:
                plan.due[name] = Due(name, Reason.MEMBER, f"{makers[0].analysis.name} is due", is_possible=True)


_WORDS = (
    (Reason.PARAMS, {CauseKind.PARAMETER, CauseKind.SEED, CauseKind.LISTED}),
    (Reason.CODE, {CauseKind.CODE, CauseKind.LIBRARY, CauseKind.TABLE, CauseKind.ENGINE}),
    (Reason.REFIT, {CauseKind.REFIT}),
)


def _in_a_word(causes: Causes) -> Reason:
    """What began a change, as a plan counts it."""
    kinds = {cause.kind for cause in causes}
    return next((reason for reason, some in _WORDS if kinds & some), Reason.INPUT)
