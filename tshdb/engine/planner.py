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
from pathlib import Path

from sqlalchemy import Connection, select

from tshdb.cohorts.states import CohortState, states
from tshdb.database import tuples
from tshdb.engine import units as store
from tshdb.engine.analysis import Analysis, Kind, Made, Model, Need, Reference, Trained
from tshdb.engine.causes import UNRECORDED, Causes
from tshdb.engine.damage import Damaged, look, makers_of
from tshdb.engine.plan import AnalysisPlan, Change, Due, Reason, Same, Shared
from tshdb.engine.roots import COHORT_ROLE, Roots, follows
from tshdb.engine.standing import SHIFT, Standing, UnitRow
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
        self.roots = Roots(self)
        self._relations: dict[str, Mapping[str, Sequence[str]]] = {}
        self._inputs_of_members: dict[tuple[str, str, str], list[str]] = {}

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
        self._derive(plan)
        self._compare(plan)
        plan.present = self.standing.rows(analysis.name, plan.due) if plan.due else {}
        self.plans[analysis.name] = plan
        return plan

    @cached_property
    def damaged(self) -> dict[str, dict[str, Damaged]]:
        """analysis -> key -> what was lost or edited of its current result."""
        if self._damaged is None:
            objects = ObjectStore(self.world.root / self.world.settings.study.objects)
            self._damaged = look(self.connection, objects, makers_of(self.world.analyses)).damaged.values()
        found: dict[str, dict[str, Damaged]] = defaultdict(dict)
        if self._damaged:
            by_unit = {one.unit_id: one for one in self._damaged}
            for unit_id, (analysis, key) in self.standing.owners(by_unit).items():
                found[analysis][key] = by_unit[unit_id]
        return found

    def producer_of(self, analysis: Analysis, role: str) -> str:
        """The analysis whose units have this role; the role `cohort` is the membership itself."""
        return store.COHORT if role == COHORT_ROLE else self.world.producer(analysis.needs[role])

    # ------------------------------------------------------------------------------ what should exist

    def _derive(self, plan: AnalysisPlan) -> None:
        analysis = plan.analysis
        if analysis.over_cohort:
            targets = self._targets(plan)
            plan.desired = set(targets)
            plan.members = {key: state.members for key, state in targets.items()}
            plan.inputs[COHORT_ROLE] = {key: [key] for key in targets}
            for role, need in analysis.needs.items():
                if isinstance(need, Need):
                    plan.inputs[role] = {key: self._of_members(need, state) for key, state in targets.items()}
                elif isinstance(need, Trained):
                    versions = self._training_cohorts(need)
                    plan.inputs[role] = {key: versions for key in targets}
        else:
            keys: set[str] | None = None
            either: set[str] | None = None
            for role, need in analysis.needs.items():
                if isinstance(need, Need):
                    related = self._related(need)
                    plan.inputs[role] = related
                    if need.one_of:
                        either = set(related) | (either or set())
                    elif not need.optional:
                        keys = set(related) if keys is None else keys & related.keys()
            if either is not None:
                keys = either if keys is None else keys & either
            plan.desired = keys or set()
        for role, need in analysis.needs.items():
            shared = self._shared_input(plan, need)
            if shared is not None:
                plan.inputs[role] = Shared(plan.desired, shared)
        self._block(plan)

    def _targets(self, plan: AnalysisPlan) -> dict[str, CohortState]:
        """The cohorts that the analysis runs over: key -> state. What cannot run is blocked, with the reason."""
        targets = {}
        for name in self.world.cohorts_of(plan.analysis):
            state = self.cohorts.get(name)
            if state is None:
                file = Path("cohorts") / f"{name}.sql"  # which a preset brings
                known = file if (self.world.root / file).is_file() else "FILE.sql"
                plan.blocked[name] = f"cohort {name} is not defined: tshdb cohort define {name} {known}"
            elif plan.analysis.kind is Kind.FIT and state.mode is not CohortMode.FROZEN:
                plan.blocked[name] = f"cohort {name} is not frozen: tshdb cohort freeze {name}"
            elif not state.members:
                plan.blocked[name] = f"cohort {name} has no members"
            elif state.problem and state.mode is CohortMode.LIVE:
                plan.blocked[name] = state.problem
            else:
                targets[state.key] = state
        return targets

    def _related(self, need: Need) -> Mapping[str, Sequence[str]]:
        """entity -> input keys, through the need's relation."""
        producer = self.world.producer(need)
        name = f"{need.via.name}/{producer}" if need.via.sql is None else need.via.name
        if name not in self._relations:
            if need.via.sql is None:
                self._relations[name] = Same(self._expected(producer))
            else:
                self._relations[name] = _by_key(tuples(self.connection, need.via.sql))
        return self._relations[name]

    def _of_members(self, need: Need, state: CohortState) -> list[str]:
        """The inputs of a cohort's members, of those that will stand. Many analyses ask the same."""
        producer = self.world.producer(need)
        asked = (need.via.name, producer, state.key)
        if asked not in self._inputs_of_members:
            related, expected = self._related(need), self._expected(producer, usable=True)
            self._inputs_of_members[asked] = (
                [m for m in state.members if m in related.of and m in expected]
                if isinstance(related, Same)
                else [i for m in state.members for i in related.get(m, ()) if i in expected]
            )
        return self._inputs_of_members[asked]

    def _expected(self, producer: str, usable: bool = False) -> Collection[str]:
        """The keys of the units that will stand after a rebuild; usable: without those known to have failed."""
        plan = self.plans.get(producer)
        if plan is None:
            return self.standing.ids(producer)
        unusable = set(plan.blocked)
        if usable and producer in self.settled:
            unusable |= self.standing.stuck[producer].keys()
        return plan.desired - unusable if unusable else plan.desired

    def _training_cohorts(self, need: Trained) -> list[str]:
        """The cohort versions (name@version) on which the newest models behind a table were fitted."""
        keys = {self.model_key(fit) for fit in self.world.fits_behind(need.table)}
        return sorted(keys & self.standing.ids(store.COHORT).keys())

    def _shared_input(self, plan: AnalysisPlan, need) -> str | None:
        """The input that all units of the analysis share: a reference, or the newest model."""
        if isinstance(need, Reference | Made):
            return next(
                t.key for r, t in self.world.references(plan.analysis).items() if plan.analysis.needs[r] is need
            )
        if isinstance(need, Model):
            return self.model_key(self.world.maker[need.table])
        return None

    def model_key(self, fit: Analysis) -> str:
        """The newest model version of a fit, or its identity while its cohort has no frozen version."""
        name = self.world.cohorts_of(fit)[0]
        state = self.cohorts.get(name)
        if state is not None and state.mode is CohortMode.FROZEN:
            return state.key
        if fit.identity is None:
            return f"{name}@none"
        return fit.identity

    def _block(self, plan: AnalysisPlan) -> None:
        """Keys whose inputs failed cannot be computed; over a cohort, members without an input are left out instead."""
        for role, need in plan.analysis.needs.items():
            producer = self.world.producer(need)
            if producer not in self.plans or (plan.analysis.over_cohort and not isinstance(need, Model)):
                continue
            bad = self.standing.stuck[producer]
            stuck = set(self.plans[producer].blocked)
            if producer in self.settled:
                stuck |= set(bad)
            if isinstance(need, Model) and need.table in self.world.maker:
                fit = self.world.maker[need.table]
                if fit.identity is None and self.model_key(fit).endswith("@none"):
                    reasons = ", ".join(self.plans[producer].blocked.values())
                    plan.blocked |= {key: reasons or f"{producer} has no model yet" for key in plan.desired}
                    continue
            if not stuck:
                continue
            for key, input_keys in plan.inputs[role].items():
                guilty = next((i for i in input_keys if i in stuck), None)
                if guilty is not None and key in plan.desired:
                    plan.blocked[key] = (
                        f"input {producer}/{guilty} is {bad[guilty].state if guilty in bad else 'blocked'}"
                    )

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
        for spec_id in self.standing.spec_ids[analysis.name]:
            difference = self.stored_specs.difference(spec_id, self.world.spec(analysis.name))
            if difference is None:
                continue
            for key in wanted.intersection(self.standing.keys_of_spec(analysis.name, spec_id)):
                plan.due[key] = Due(key, Reason(difference.reason), difference.detail)
                plan.made_otherwise[key] = spec_id
        self._compare_edges(plan)
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
            for before in [self.plans.get(self.producer_of(plan.analysis, role))]
            for input_key in by_key.get(key, ())
        )

    def _add_damaged(self, plan: AnalysisPlan, history: set[str]) -> None:
        """What was lost or edited is due, but for what would become another result: that is named, with what helps."""
        damaged = self.damaged.get(plan.analysis.name, {})
        withdrawn = self.standing.rest_on_withdrawn(damaged[key].unit_id for key in damaged) if damaged else set()
        for key, found in damaged.items():
            reason = Reason(found.damage)
            if key in plan.desired and key not in plan.blocked and key not in plan.due:
                if key not in plan.flagged:
                    plan.due[key] = Due(key, reason, found.detail)
                    plan.kept.pop(key, None)
                    continue
                n, of = plan.flagged[key]
                why = (
                    "a patient was withdrawn since"
                    if found.unit_id in withdrawn
                    else f"data of {n} of {of} members changed since"
                )
                helps = f"{why}, and it would be fitted on other data. Restore a backup, or run: tshdb rebuild --refit"
            elif key in history and key not in plan.desired:
                helps = "it is of an older cohort version, which is never computed again. Restore a backup"
            else:
                continue
            plan.held[key] = Due(key, reason, f"{found.detail}; {helps}")

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

    def _compare_edges(self, plan: AnalysisPlan) -> None:
        """Edges that should be against edges that are, then inputs that moved behind an edge."""
        analysis, present = plan.analysis, self.standing.ids(plan.analysis.name)
        stuck = self.standing.stuck[analysis.name]
        if stuck or present.keys() != plan.desired:
            ids = {k: unit for k, unit in present.items() if k in plan.desired and k not in stuck}
        else:
            ids = present
        changed: dict[str, list[Change]] = defaultdict(list)
        replaced: set[tuple[int, str]] = set()
        differing: list[tuple[str, int, bool]] = []  # role, edge, whether it should be
        for role, by_key in plan.inputs.items():
            producer = self.producer_of(analysis, role)
            input_ids = self.standing.ids(producer)
            if isinstance(by_key, Shared):
                consumers = self.standing.consumers(input_ids.get(by_key.input_key), role)
                if consumers.issuperset(ids.values()):
                    continue
            stored = self.standing.edges(analysis.name, role)
            if isinstance(analysis.needs.get(role), Model):
                replaced |= self._compare_models(plan, role, producer, ids, stored, changed)
                continue
            wanted, without_unit = _packed(by_key, ids, input_ids)
            for key, input_key in without_unit:
                changed[key].append(Change(role, producer, input_key, "joined"))
            differing += [(role, packed, packed in wanted) for packed in stored ^ wanted]
        if differing:
            key_of = {unit_id: key for key, unit_id in ids.items()}
            names = self.standing.names({packed % SHIFT for _, packed, _ in differing})
            for role, packed, is_wanted in differing:
                key = key_of.get(packed // SHIFT)
                if key is not None:
                    producer, what = self.producer_of(analysis, role), "joined" if is_wanted else "left"
                    changed[key].append(Change(role, producer, names[packed % SHIFT], what, packed % SHIFT))
        self._add_moved(analysis, ids, replaced, changed)
        self._add_members(analysis, ids, changed)
        self._judge(plan, changed)

    def _add_moved(self, analysis: Analysis, ids: dict[str, int], replaced, changed: dict[str, list[Change]]) -> None:
        """Inputs behind edges that stand, where they are no longer what was seen."""
        moved = self.standing.moved(analysis.name)
        if moved:
            whats = {"current": "changed", "retired": "is gone"}
            key_of = {unit_id: key for key, unit_id in ids.items()}
            for m in moved:
                key = key_of.get(m.unit_id)
                if key is not None and (m.unit_id, m.role) not in replaced:
                    what = whats.get(m.state, f"is {m.state}")
                    _add(changed[key], Change(m.role, m.producer, m.input_key, what, m.input_id))
        for role, table in self.world.references(analysis).items():
            producer = self.world.producer(analysis.needs[role])
            unit = self._reference_units.get(producer, {}).get(table.key)
            if unit is not None and unit.fingerprint != table.fingerprint:
                for key in ids:
                    _add(changed[key], Change(role, producer, table.key, "changed", unit.unit_id))

    def _add_members(self, analysis: Analysis, ids: dict[str, int], changed: dict[str, list[Change]]) -> None:
        """Live cohorts that have other members now than those that were committed last: a rebuild commits them."""
        for name in self.world.cohorts_of(analysis):
            if name in ids and self.cohorts[name].has_moved:
                unit_id = self.standing.ids(store.COHORT).get(name)
                _add(changed[name], Change(COHORT_ROLE, store.COHORT, name, "changed", unit_id))

    @cached_property
    def _reference_units(self) -> dict[str, dict[str, UnitRow]]:
        """Table of reference -> key -> unit."""
        keys: dict[str, set[str]] = defaultdict(set)
        for analysis in self.world.analyses:
            for role, table in self.world.references(analysis).items():
                keys[self.world.producer(analysis.needs[role])].add(table.key)
        return {producer: self.standing.rows(producer, wanted) for producer, wanted in keys.items()}

    def _compare_models(self, plan, role, producer, ids, edges, changed) -> set[tuple[int, str]]:
        """A newer model with the content that was seen keeps its consumers current; other content makes them due.

        Gives the (unit, role) whose model is another one now. A model that is still to be computed decides nothing.
        """
        replaced: set[tuple[int, str]] = set()
        models = plan.inputs[role]
        if not isinstance(models, Shared):
            return replaced
        new = self.standing.rows(producer, [models.input_key]).get(models.input_key)
        old_of = {packed // SHIFT: packed % SHIFT for packed in edges}
        for key, unit_id in ids.items():
            old = old_of.get(unit_id)
            if new is not None and new.unit_id == old:
                continue
            replaced.add((unit_id, role))
            if new is None:
                continue
            if old is not None and new.fingerprint == self._seen_models.get((unit_id, role)):
                plan.kept.setdefault(key, []).append((role, old, new.unit_id))
            else:
                changed[key].append(Change(role, producer, models.input_key, "replaced", new.unit_id))
        return replaced

    @cached_property
    def _seen_models(self) -> dict[tuple[int, str], str]:
        return self.standing.seen_models(a.name for a in self.world.analyses if a.kind is Kind.FIT)

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
                plan.due[key] = Due(key, followed[key], detail, is_possible=may_pass)
            elif self.refit:
                plan.due[key] = Due(key, Reason.REFIT, detail, is_possible=may_pass)
            else:
                members = plan.members[key]
                plan.flagged[key] = (self._members_behind(plan, changes, members), len(members))

    def _followed(self, plan: AnalysisPlan, changed: Mapping[str, Sequence[Change]]) -> dict[str, Reason]:
        """The fits that follow what changed of their inputs, each with what that is in a word."""
        found = {}
        fits = self.standing.rows(plan.analysis.name, changed)
        for key, causes in self.roots.through_inputs(self.connection, plan, list(changed)).items():
            if UNRECORDED in causes and fits[key].upstream != self.world.upstream_digest(plan.analysis):
                found[key] = Reason.INPUT
            elif follows(causes - {UNRECORDED}):
                found[key] = _in_a_word(causes)
        return found

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
                related = self._related(need)
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


def _by_key(rows: list[tuple[str, str]]) -> dict[str, Sequence[str]]:
    """key -> input keys, from pairs of them."""
    single = {key: (input_key,) for key, input_key in rows}
    if len(single) == len(rows):
        return single
    found: dict[str, list[str]] = defaultdict(list)
    for key, input_key in rows:
        found[key].append(input_key)
    return dict(found)


def _packed(by_key: Mapping[str, Sequence[str]], ids: dict[str, int], input_ids: dict[str, int]):
    """The edges that the units should have, packed, and the (key, input key) whose input has no unit yet."""
    wanted: set[int] = set()
    without_unit: list[tuple[str, str]] = []
    if isinstance(by_key, Shared):
        input_id = input_ids.get(by_key.input_key)
        if input_id is None:
            return wanted, [(key, by_key.input_key) for key in ids if key in by_key]
        return {unit_id * SHIFT + input_id for unit_id in ids.values()}, without_unit
    if isinstance(by_key, Same):
        shared = ids.keys() & input_ids.keys()
        without_unit = [(key, key) for key in ids.keys() - shared if key in by_key]
        return {ids[key] * SHIFT + input_ids[key] for key in shared}, without_unit
    pairs = [(unit_id * SHIFT, i) for key, unit_id in ids.items() for i in by_key.get(key, ())]
    wanted = {base + input_ids[i] for base, i in pairs if i in input_ids}
    if len(wanted) < len(pairs):
        key_of = {unit_id * SHIFT: key for key, unit_id in ids.items()}
        without_unit = [(key_of[base], i) for base, i in pairs if i not in input_ids]
    return wanted, without_unit


def _add(changes: list[Change], change: Change) -> None:
    """Add a change unless the input is among the changes already."""
    if not any(c.role == change.role and c.input_key == change.input_key for c in changes):
        changes.append(change)
