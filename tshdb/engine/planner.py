"""Which units are due, each with a reason. Reads the database in sets, analysis by analysis in their order; writes nothing.

For every analysis the planner derives the units that should exist and their inputs, and compares them with the units
and edges that do. An input that is itself due makes its consumers *possible*: early cut-off may stop there.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, select

from tshdb import cohorts
from tshdb.canonical import digest, rows_fingerprint
from tshdb.config import Settings
from tshdb.engine import units as store
from tshdb.engine.analysis import Analysis, Kind, Model, Need, Reference
from tshdb.errors import InvalidInput, NotFound
from tshdb.schema import Cohort
from tshdb.vocabulary import CohortMode, UnitState

REFERENCE = "reference."
IDENTITY_FINGERPRINT = digest(b"identity")
COHORT_ROLE = "cohort"


class Reason(StrEnum):
    """Why a unit is due."""

    NEW = "new"
    CODE = "code"
    PARAMS = "params"
    INPUT = "input"
    MEMBER = "member"
    FAILED = "failed"
    REFIT = "refit"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Due:
    """One unit to compute. possible: only because an input is due, which may turn out to be unchanged."""

    key: str
    reason: Reason
    detail: str
    is_possible: bool = False


class Change(NamedTuple):
    """One input of a unit that is not what the unit saw. what: changed, is gone, is failed, joined, left, replaced."""

    role: str
    producer: str
    input_key: str
    what: str

    def __str__(self) -> str:
        name = f"{self.producer}/{self.input_key}"
        texts = {
            "joined": f"{name} joined as {self.role}",
            "left": f"{name} left {self.role}",
            "replaced": f"{name} replaced an older {self.role}",
        }
        return texts.get(self.what, f"{name} {self.what}")


@dataclass
class AnalysisPlan:
    """What is to be done for one analysis."""

    analysis: Analysis
    due: dict[str, Due] = field(default_factory=dict)
    gone: dict[str, int] = field(default_factory=dict)
    kept: dict[str, list[tuple[str, int, int]]] = field(default_factory=dict)  # key -> (role, old input, new input)
    blocked: dict[str, str] = field(default_factory=dict)
    flagged: dict[str, tuple[int, int]] = field(default_factory=dict)  # fit -> (members corrected, members)
    inputs: dict[str, dict[str, list[str]]] = field(default_factory=dict)  # role -> key -> input keys
    members: dict[str, tuple[str, ...]] = field(default_factory=dict)  # cohort key -> patients
    desired: set[str] = field(default_factory=set)

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to compute, retire or repoint."""
        return not (self.due or self.gone or self.kept or (self.blocked and not self.analysis.over_cohort))


class World:
    """The registered analyses with their parameters and code, in an order in which inputs come first."""

    def __init__(self, analyses: Sequence[Analysis], settings: Settings):
        self.analyses = tuple(analyses)
        self.settings = settings
        self.by_name = {a.name: a for a in analyses}
        self.maker = {a.makes: a for a in analyses}
        settings.refuse_unknown_tables(set(self.by_name))
        project = store.project_packages(analyses)
        self.parameters = {a.name: settings.parameters(a.name, a.params) for a in analyses}
        self.specs = {a.name: store.current_spec(a, self.parameters[a.name], project) for a in analyses}

    @property
    def root(self) -> Path:
        return self.settings.path.parent

    def producer(self, need: Need | Model | Reference) -> str:
        """The analysis whose units are the inputs: one of ours, an ingested table, or a reference."""
        table = need.table
        if isinstance(need, Reference):
            return REFERENCE + table.__tablename__
        if table in self.maker:
            return self.maker[table].name
        return store.INGEST + table.__tablename__

    def ordered(self, cohort_tables: dict[str, Iterable[str]]) -> tuple[Analysis, ...]:
        """The analyses, inputs first. Raises InvalidInput for a cycle through a cohort's definition."""
        by_table = {a.makes.__tablename__: a.name for a in self.analyses}
        graph: dict[str, set[str]] = {}
        for a in self.analyses:
            before = {self.producer(need) for need in a.needs.values()} & set(self.by_name)
            for cohort in self.cohorts_of(a):
                before |= {by_table[t] for t in cohort_tables.get(cohort, ()) if t in by_table}
            graph[a.name] = before
        try:
            order = list(TopologicalSorter(graph).static_order())
        except CycleError as error:
            raise InvalidInput(
                f"results depend on themselves: {' <- '.join(error.args[1])}",
                where="cohort definitions",
                repair="A cohort must not select on results that are computed over it",
            ) from None
        depth: dict[str, int] = {}
        for name in order:
            depth[name] = 1 + max((depth[b] for b in graph[name]), default=0)
        listed = {a.name: i for i, a in enumerate(self.analyses)}
        # the listed (paper's) order wherever dependencies allow it
        return tuple(sorted(self.analyses, key=lambda a: (depth[a.name], listed[a.name])))

    def cohorts_of(self, analysis: Analysis) -> tuple[str, ...]:
        return analysis.cohorts(self.parameters[analysis.name]) if analysis.cohorts else ()

    def upstream_digest(self, analysis: Analysis) -> str:
        """The specs of all analyses upstream of a fit, as one digest."""
        seen: set[str] = set()
        waiting = [self.producer(need) for need in analysis.needs.values()]
        while waiting:
            name = waiting.pop()
            if name in self.by_name and name not in seen:
                seen.add(name)
                waiting += [self.producer(need) for need in self.by_name[name].needs.values()]
        return digest(*("\0".join((n, *self.specs[n].fingerprints)).encode() for n in sorted(seen)))

    def references(self, analysis: Analysis) -> dict[str, tuple[str, str, list[dict]]]:
        """role -> (key, fingerprint, rows) of the reference tables that the analysis reads now."""
        found = {}
        for role, need in analysis.needs.items():
            if isinstance(need, Reference):
                key, rows = need.read(self.parameters[analysis.name], self.root)
                columns = sorted({c for row in rows for c in row})
                found[role] = (key, rows_fingerprint(columns, ([r.get(c) for c in columns] for r in rows)), rows)
        return found


class Planner:
    """One look at the database. `settled`: analyses that this rebuild has finished; what failed there stays failed."""

    def __init__(self, connection: Connection, world: World, settled: Iterable[str] = (), refit: bool = False):
        self.connection, self.world, self.refit = connection, world, refit
        self.settled = set(settled)
        self.units = store.load_units(connection)
        self.stored_specs = store.Specs(connection)
        self.cohorts = cohorts.states(connection)
        tables = {n: json.loads(t) for n, t in connection.execute(select(Cohort.cohort, Cohort.tables)).fetchall()}
        self.order = world.ordered({n: t for n, t in tables.items() if self.cohorts[n].mode == CohortMode.LIVE})
        self.live_tables = tables
        self.plans: dict[str, AnalysisPlan] = {}
        self._relations: dict[str, dict[str, list[str]]] = {}

    def all(self) -> dict[str, AnalysisPlan]:
        """The plan of every analysis, inputs first."""
        for analysis in self.order:
            self.plan(analysis)
        return self.plans

    def plan(self, analysis: Analysis) -> AnalysisPlan:
        """The plan of one analysis; those that it rests on are planned first."""
        if analysis.name in self.plans:
            return self.plans[analysis.name]
        for need in analysis.needs.values():
            producer = self.world.by_name.get(self.world.producer(need))
            if producer is not None:
                self.plan(producer)
        plan = AnalysisPlan(analysis)
        self._derive(plan)
        self._compare(plan)
        self.plans[analysis.name] = plan
        return plan

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
                    related, expected = self._related(need), self._expected(self.world.producer(need), usable=True)
                    plan.inputs[role] = {
                        key: [i for m in state.members for i in related.get(m, ()) if i in expected]
                        for key, state in targets.items()
                    }
        else:
            keys: set[str] | None = None
            for role, need in analysis.needs.items():
                if isinstance(need, Need):
                    related = self._related(need)
                    plan.inputs[role] = related
                    keys = set(related) if keys is None else keys & set(related)
            plan.desired = keys or set()
        for role, need in analysis.needs.items():
            shared = self._shared_input(plan, need)
            if shared is not None:
                plan.inputs[role] = {key: [shared] for key in plan.desired}
        if not analysis.over_cohort:
            self._block(plan)

    def _targets(self, plan: AnalysisPlan) -> dict[str, cohorts.CohortState]:
        """The cohorts that the analysis runs over: key -> state. What cannot run is blocked, with the reason."""
        targets = {}
        for name in self.world.cohorts_of(plan.analysis):
            state = self.cohorts.get(name)
            if state is None:
                plan.blocked[name] = f"cohort {name} is not defined: tshdb cohort define {name} FILE.sql"
            elif plan.analysis.kind is Kind.FIT and state.mode is not CohortMode.FROZEN:
                plan.blocked[name] = f"cohort {name} is not frozen: tshdb cohort freeze {name}"
            elif not state.members:
                plan.blocked[name] = f"cohort {name} has no members"
            elif state.problem and state.mode is CohortMode.LIVE:
                plan.blocked[name] = state.problem
            else:
                targets[state.key] = state
        return targets

    def _related(self, need: Need) -> dict[str, list[str]]:
        """entity -> input keys, through the need's relation."""
        producer = self.world.producer(need)
        name = f"{need.via.name}/{producer}" if need.via.sql is None else need.via.name
        if name not in self._relations:
            related: dict[str, list[str]] = {}
            if need.via.sql is None:
                related = {key: [key] for key in self._expected(producer)}
            else:
                for key, input_key in self.connection.exec_driver_sql(need.via.sql).fetchall():
                    related.setdefault(key, []).append(input_key)
            self._relations[name] = related
        return self._relations[name]

    def _expected(self, producer: str, usable: bool = False) -> set[str] | dict[str, store.UnitRow]:
        """The keys of the units that will stand after a rebuild; usable: without those known to have failed."""
        plan = self.plans.get(producer)
        if plan is None:
            return self.units[producer]
        unusable = set(plan.blocked)
        if usable and producer in self.settled:
            unusable |= {k for k, u in self.units[producer].items() if u.state != UnitState.CURRENT}
        return plan.desired - unusable if unusable else plan.desired

    def _shared_input(self, plan: AnalysisPlan, need) -> str | None:
        """The input that all units of the analysis share: a reference, or the newest model."""
        if isinstance(need, Reference):
            return need.read(self.world.parameters[plan.analysis.name], self.world.root)[0]
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
        """Keys whose inputs failed cannot be computed."""
        for role, need in plan.analysis.needs.items():
            producer = self.world.producer(need)
            if producer not in self.plans:
                continue
            bad = {k: u for k, u in self.units[producer].items() if u.state != UnitState.CURRENT}
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
        analysis, present = plan.analysis, self.units[plan.analysis.name]
        spec = self.world.specs[analysis.name]
        differences = {i: self.stored_specs.difference(i, spec) for i in {u.spec_id for u in present.values()}}
        for key in plan.desired - set(plan.blocked):
            unit = present.get(key)
            if unit is None:
                plan.due[key] = Due(key, Reason.NEW, "not computed yet")
            elif unit.state == UnitState.FAILED:
                if analysis.name not in self.settled:
                    plan.due[key] = Due(key, Reason.FAILED, f"failed before: {unit.message}")
            elif unit.state == UnitState.BLOCKED:
                plan.due[key] = Due(key, Reason.INPUT, "was blocked before")
            elif (difference := differences[unit.spec_id]) is not None:
                what = "its code" if difference == "code" else "its parameters"
                plan.due[key] = Due(key, Reason(difference), f"{what} changed")
        self._compare_edges(plan)
        self._propagate(plan)
        history = self._superseded(analysis)
        for key, unit in present.items():
            if key not in plan.desired and key not in history and key != analysis.identity and key not in plan.blocked:
                plan.gone[key] = unit.unit_id

    def _superseded(self, analysis: Analysis) -> set[str]:
        """Units over older frozen versions of its cohorts are history: kept as they are, neither due nor gone."""
        names = self.world.cohorts_of(analysis)
        return {key for key in self.units[store.COHORT] if "@" in key and key.split("@")[0] in names}

    def _edges(self, analysis: Analysis) -> dict[str, set[int]]:
        """role -> edges of the analysis's units, each packed as unit * 2^32 + input unit."""
        found: dict[str, set[int]] = defaultdict(set)
        rows = self.connection.exec_driver_sql(
            "SELECT e.role, e.unit_id, e.input_unit_id FROM units u JOIN unit_inputs e ON e.unit_id = u.unit_id "
            f"WHERE u.analysis = '{analysis.name}' AND u.state = 'current'"
        )
        for role, unit_id, input_id in rows.fetchall():
            found[role].add(unit_id << 32 | input_id)
        return found

    def _compare_edges(self, plan: AnalysisPlan) -> None:
        """Edges that should be against edges that are, then inputs that moved behind an edge."""
        analysis, present = plan.analysis, self.units[plan.analysis.name]
        stored = self._edges(analysis)
        ids = {key: u.unit_id for key, u in present.items() if u.state == UnitState.CURRENT and key in plan.desired}
        key_of = {unit_id: key for key, unit_id in ids.items()}
        changed: dict[str, list[Change]] = defaultdict(list)
        replaced: set[tuple[int, str]] = set()
        for role, by_key in plan.inputs.items():
            producer = self.producer_of(analysis, role)
            if isinstance(analysis.needs.get(role), Model):
                replaced |= self._compare_models(plan, role, producer, ids, stored.get(role, set()), changed)
                continue
            input_ids = {key: u.unit_id for key, u in self.units[producer].items()}
            wanted: set[int] = set()
            for key, unit_id in ids.items():
                for input_key in by_key.get(key, ()):
                    input_id = input_ids.get(input_key)
                    if input_id is None:
                        changed[key].append(Change(role, producer, input_key, "joined"))
                    else:
                        wanted.add(unit_id << 32 | input_id)
            for packed in stored.get(role, set()) ^ wanted:
                key = key_of.get(packed >> 32)
                if key is not None:
                    what = "joined" if packed in wanted else "left"
                    changed[key].append(Change(role, producer, self._names[packed & 0xFFFFFFFF], what))
        for unit_id, change in self._moved_inputs.get(analysis.name, ()):
            key = key_of.get(unit_id)
            if key is None or (unit_id, change.role) in replaced:
                continue
            if not any(c.role == change.role and c.input_key == change.input_key for c in changed.get(key, ())):
                changed[key].append(change)
        self._judge(plan, changed)

    def _compare_models(self, plan, role, producer, ids, edges, changed) -> set[tuple[int, str]]:
        """A newer model with the content that was seen keeps its consumers current; other content makes them due.

        Gives the (unit, role) whose model is another one now. A model that is still to be computed decides nothing.
        """
        replaced: set[tuple[int, str]] = set()
        old_of = {packed >> 32: packed & 0xFFFFFFFF for packed in edges}
        for key, unit_id in ids.items():
            new = self.units[producer].get(plan.inputs[role][key][0])
            old = old_of.get(unit_id)
            if new is not None and new.unit_id == old:
                continue
            replaced.add((unit_id, role))
            if new is None:
                continue
            if old is not None and new.fingerprint == self._seen_models.get((unit_id, role)):
                plan.kept.setdefault(key, []).append((role, old, new.unit_id))
            else:
                changed[key].append(Change(role, producer, plan.inputs[role][key][0], "replaced"))
        return replaced

    @cached_property
    def _seen_models(self) -> dict[tuple[int, str], str]:
        """(unit, role) -> the fingerprint of the model that it saw."""
        fits = [a.name for a in self.world.analyses if a.kind is Kind.FIT]
        if not fits:
            return {}
        names = ", ".join(f"'{name}'" for name in fits)
        rows = self.connection.exec_driver_sql(
            "SELECT e.unit_id, e.role, e.seen_fingerprint FROM units i "
            f"JOIN unit_inputs e ON e.input_unit_id = i.unit_id WHERE i.analysis IN ({names})"
        )
        return {(unit_id, role): seen for unit_id, role, seen in rows.fetchall()}

    @cached_property
    def _names(self) -> dict[int, str]:
        """unit -> key, retired units included."""
        return dict(map(tuple, self.connection.exec_driver_sql("SELECT unit_id, key FROM units").fetchall()))

    @cached_property
    def _moved_inputs(self) -> dict[str, list[tuple[int, Change]]]:
        """analysis -> (unit, change) for edges whose input is no longer what was seen."""
        moved: dict[str, list[tuple[int, Change]]] = defaultdict(list)
        rows = self.connection.exec_driver_sql(
            "SELECT u.analysis, e.unit_id, e.role, i.analysis, i.key, i.state FROM unit_inputs e "
            "JOIN units i ON i.unit_id = e.input_unit_id JOIN units u ON u.unit_id = e.unit_id "
            "WHERE i.fingerprint IS DISTINCT FROM e.seen_fingerprint"
        )
        whats = {"current": "changed", "retired": "is gone"}
        for analysis, unit_id, role, producer, key, state in rows.fetchall():
            moved[analysis].append((unit_id, Change(role, producer, key, whats.get(state, f"is {state}"))))
        for analysis in self.world.analyses:
            for role, (key, fingerprint, _) in self.world.references(analysis).items():
                producer = self.world.producer(analysis.needs[role])
                unit = self.units[producer].get(key)
                if unit is not None and unit.fingerprint != fingerprint:
                    moved[analysis.name] += [
                        (consumer.unit_id, Change(role, producer, key, "changed"))
                        for consumer in self.units[analysis.name].values()
                    ]
        return moved

    def _judge(self, plan: AnalysisPlan, changed: dict[str, list[Change]]) -> None:
        """Changed inputs make a unit due; a fit is only flagged, unless code or parameters upstream changed too."""
        analysis = plan.analysis
        for key, changes in changed.items():
            if key in plan.due or key in plan.blocked:
                continue
            changes.sort()
            detail = str(changes[0]) + (f", and {len(changes) - 1} more" if len(changes) > 1 else "")
            follows = analysis.kind is not Kind.FIT or any(
                c.what == "replaced" or c.producer.startswith(REFERENCE) for c in changes
            )
            if follows:
                membership = all(c.producer == store.COHORT or c.what in ("joined", "left") for c in changes)
                reason = Reason.MEMBER if analysis.over_cohort and membership else Reason.INPUT
                plan.due[key] = Due(key, reason, detail)
                plan.kept.pop(key, None)
            elif self.units[analysis.name][key].upstream != self.world.upstream_digest(analysis):
                plan.due[key] = Due(key, Reason.CODE, f"code or parameters upstream changed, and with them {detail}")
            elif self.refit:
                plan.due[key] = Due(key, Reason.REFIT, detail)
            else:
                members = plan.members[key]
                plan.flagged[key] = (self._members_behind(plan, changes, members), len(members))

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
            if before is None or not (before.due or before.gone):
                continue
            for key, input_keys in plan.inputs[role].items():
                if key in plan.due or key not in plan.desired or key in plan.blocked:
                    continue
                pending = next((i for i in input_keys if i in before.due), None)
                if pending is not None and not self._only_data(analysis, before.due[pending]):
                    plan.due[key] = Due(key, Reason.INPUT, f"{producer}/{pending} is due", is_possible=True)
        for name in self.world.cohorts_of(analysis):
            state = self.cohorts.get(name)
            if state is None or state.mode is not CohortMode.LIVE or state.key in plan.due:
                continue
            for table in self.live_tables[name]:
                maker = next((a for a in self.world.analyses if a.makes.__tablename__ == table), None)
                pending = self.plans.get(maker.name) if maker else None
                if pending is not None and (pending.due or pending.gone) and state.key in plan.desired:
                    plan.due[state.key] = Due(state.key, Reason.MEMBER, f"{maker.name} is due", is_possible=True)

    def _only_data(self, analysis: Analysis, pending: Due) -> bool:
        """A fit does not follow corrected data, only code and parameters."""
        return analysis.kind is Kind.FIT and not self.refit and pending.reason not in (Reason.CODE, Reason.PARAMS)


def parse_unit(text: str, world: World) -> tuple[Analysis, str]:
    """`analysis/key` -> the analysis and the key. Raises NotFound."""
    name, _, key = text.partition("/")
    if name not in world.by_name or not key:
        known = ", ".join(world.by_name)
        raise NotFound(f"'{text}' is no unit", repair=f"Write ANALYSIS/KEY, where ANALYSIS is one of {known}")
    return world.by_name[name], key
