"""The causes of units that are due: what was changed, and through which input that reaches them.

A unit's causes are its own (its spec is not the current one, it was damaged, it failed), those of inputs that are not what it
has seen, and those of inputs that are due themselves. Of inputs that were computed since, the attempts say why; of rows that
were ingested, the change log does.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Connection, select

from tshdb.canonical import json_text
from tshdb.cohorts.states import members_of
from tshdb.config import Parameters, Settings
from tshdb.engine.analysis import Analysis, Made, Need
from tshdb.engine.causes import OF_DATA, UNRECORDED, Cause, Causes
from tshdb.engine.plan import AnalysisPlan, Change, Reason
from tshdb.engine.since import Last, Rows, Steps, last_attempts, seen_members, stored_inputs
from tshdb.engine.spec_causes import spec_causes
from tshdb.engine.units import COHORT, INGEST
from tshdb.engine.world import REFERENCE
from tshdb.errors import InvalidInput
from tshdb.schema import Attempt, Cohort, CohortVersion, Run, Unit
from tshdb.vocabulary import CauseKind, CohortMode, Damage

if TYPE_CHECKING:
    from tshdb.engine.planner import Planner

COHORT_ROLE = "cohort"
NOTHING: Causes = frozenset()


class Via(NamedTuple):
    """The input through which causes came."""

    producer: str
    input_key: str
    unit_id: int | None


class Rooted(NamedTuple):
    """What began a change of a unit. via: the first input through which it came; None where it is the unit's own."""

    causes: Causes
    via: Via | None


Contribution = tuple[Via | None, Causes]


class Roots:
    """Finds causes in one look of a planner. The connection is the caller's: what it sees may be newer than the plan."""

    def __init__(self, planner: Planner):
        self.planner, self.world = planner, planner.world
        self._due: dict[str, dict[str, Rooted]] = {}
        self._of_specs: dict[int, Causes] = {}

    def of_due(self, connection: Connection, plan: AnalysisPlan) -> dict[str, Rooted]:
        """key -> causes, for all that is due or gone of an analysis."""
        name = plan.analysis.name
        if name not in self._due:
            self._due[name] = self.of(connection, plan, [*plan.due, *plan.gone])
        return self._due[name]

    def of(self, connection: Connection, plan: AnalysisPlan, keys: Collection[str]) -> dict[str, Rooted]:
        """key -> causes, for keys that are due or gone. Never empty: what cannot be told is `not recorded`."""
        look = _Look(self, connection, plan, keys)
        return {key: _joined(look.contributions(key)) for key in keys}

    def of_spec(self, connection: Connection, spec_id: int, analysis: Analysis) -> Causes:
        """In what a stored spec of an analysis is not the current one."""
        if spec_id not in self._of_specs:
            current = self.world.spec(analysis.name)
            self._of_specs[spec_id] = frozenset(spec_causes(connection, spec_id, current, analysis, self.world))
        return self._of_specs[spec_id]

    def through_inputs(self, connection: Connection, plan: AnalysisPlan, keys: Collection[str]) -> dict[str, Causes]:
        """key -> the causes that come through inputs which are not what the units have seen."""
        look = _Look(self, connection, plan, keys)
        return {key: _joined(look.changed(key)).causes for key in keys}

    def contributions(self, connection: Connection, plan: AnalysisPlan, key: str) -> list[Contribution]:
        """All inputs of one unit through which causes come, each with its causes."""
        return list(_Look(self, connection, plan, [key]).contributions(key))

    def brings_more_than_data(self, connection: Connection, before: AnalysisPlan, keys: Iterable[str]) -> bool:
        """Whether one of these due inputs has a cause that a fit follows."""
        rooted = self.of_due(connection, before)
        return any(follows(rooted[key].causes) for key in keys)


def follows(causes: Causes) -> bool:
    """Whether a fit follows: not data alone began the change."""
    return any(cause.kind not in OF_DATA for cause in causes)


def _joined(contributions: Iterable[Contribution]) -> Rooted:
    via, found, is_first = None, NOTHING, True
    for source, causes in contributions:
        if is_first:
            via, found, is_first = source, causes, False
        elif not causes <= found:
            found = found | causes
    return Rooted(found or frozenset({UNRECORDED}), via)


class _Look:
    """The causes of some units of one analysis, from what is read of the database at once."""

    def __init__(self, roots: Roots, connection: Connection, plan: AnalysisPlan, keys: Collection[str]):
        self.roots, self.connection, self.plan, self.keys = roots, connection, plan, keys
        self.planner, self.world = roots.planner, roots.world
        self.analysis: Analysis = plan.analysis
        standing = self.planner.standing.ids(self.analysis.name)
        self.ids = {key: standing[key] for key in keys if key in standing}
        self._rows: dict[str, Rows] = {}
        self._pending = [
            (before, by_key)
            for role, by_key in plan.inputs.items()
            if (before := self.planner.plans.get(self.planner.producer_of(self.analysis, role))) is not None
            and (before.due or before.gone)
        ]

    def contributions(self, key: str) -> Iterator[Contribution]:
        """(input, causes) of all that makes the unit due; own causes first, with no input."""
        due = self.plan.due.get(key)
        if due is None:
            yield from self._of_gone(key)
            return
        n = 0
        for found in (self._own_causes(key, due.reason), self.changed(key), self.pending(key), self._fresh(key)):
            for via, causes in found:
                n += bool(causes)
                if causes:
                    yield via, causes
        if not n:
            yield from self._blocked_before(key)

    # ------------------------------------------------------------------------------------------------- its own

    def _own_causes(self, key: str, reason: Reason) -> Iterator[Contribution]:
        name = f"{self.analysis.name}/{key}"
        spec_id = self.plan.made_otherwise.get(key)
        if spec_id is not None:
            yield None, self.roots.of_spec(self.connection, spec_id, self.analysis)
        if reason in tuple(Damage):
            yield None, frozenset({Cause(CauseKind(reason.value), name)})
        if reason is Reason.REFIT:
            yield None, frozenset({Cause(CauseKind.REFIT, "tshdb rebuild --refit")})
        if reason is Reason.FAILED:
            yield None, frozenset({Cause(CauseKind.AGAIN, name)})

    # ------------------------------------------------------------------------------- inputs that are not what was seen

    def changed(self, key: str) -> Iterator[Contribution]:
        """Causes that come through inputs which are not what the unit has seen."""
        last = self._last.get(self.ids.get(key, -1))
        for change in self.plan.changes.get(key, ()):
            yield Via(change.producer, change.input_key, change.input_id), self._of_change(key, change, last)

    def _of_change(self, key: str, change: Change, last: Last | None) -> Causes:
        producer = change.producer
        if producer == COHORT:
            return self._members_moved(key, last)
        if producer.startswith(REFERENCE):
            return self._of_reference(change)
        if producer.startswith(INGEST):
            return self._rows_of(producer).since(change.input_key, last)
        before = self.planner.plans.get(producer)
        if before is not None and (change.input_key in before.due or change.input_key in before.gone):
            return self.roots.of_due(self.connection, before)[change.input_key].causes
        return self._steps.since(change.input_id, last)

    @cached_property
    def _last(self) -> dict[int, Last]:
        return last_attempts(self.connection, self.ids.values())

    @cached_property
    def _steps(self) -> Steps:
        moved = {c.input_id for key in self.keys for c in self.plan.changes.get(key, ()) if c.input_id is not None}
        return Steps(self.connection, moved)

    def _rows_of(self, producer: str) -> Rows:
        if producer not in self._rows:
            entities = {
                c.input_key for key in self.keys for c in self.plan.changes.get(key, ()) if c.producer == producer
            }
            self._rows[producer] = Rows(self.connection, producer.removeprefix(INGEST), entities)
        return self._rows[producer]

    def _of_reference(self, change: Change) -> Causes:
        need = self.analysis.needs[change.role]
        if not isinstance(need, Made):
            return frozenset({Cause(CauseKind.REFERENCE, change.input_key)})
        now = {row["analysis"]: row for row in self.world.references(self.analysis)[change.role].rows}
        table = need.table.__table__
        stood = self.connection.execute(select(table).where(table.c.unit_id == change.input_id)).mappings()
        was = {row["analysis"]: row for row in stood}
        found = set()
        for name in sorted(now.keys() | was.keys()):
            for what, kind in (("parameters", CauseKind.PARAMETER), ("libraries", CauseKind.LIBRARY)):
                before, after = (_values(side.get(name), what) for side in (was, now))
                found |= {
                    self._setting(kind, name, field, before.get(field), after.get(field))
                    for field in before.keys() | after.keys()
                    if before.get(field) != after.get(field)
                }
        return frozenset(found) or frozenset({Cause(CauseKind.REFERENCE, change.input_key)})

    def _setting(self, kind: CauseKind, name: str, field: str, before, after) -> Cause:
        said = [None if v is None else json_text(v) if kind is CauseKind.PARAMETER else str(v) for v in (before, after)]
        if kind is CauseKind.LIBRARY:
            return Cause(kind, field, *said)
        table, place = self.world.settings.place(name, field, self.world.by_name[name].base)
        return Cause(kind, f"[{table}] {field}", *said, place)

    # ---------------------------------------------------------------------------------------------------- members

    def _members_moved(self, key: str, last: Last | None) -> Causes:
        """Who came into a cohort or left it since the unit was computed, and whether its definition is another one."""
        name = key.partition("@")[0]
        seen = self._seen_members.get(self.ids.get(key, -1))
        versions = self.connection.execute(
            select(CohortVersion.version, CohortVersion.sql_text, CohortVersion.fingerprint)
            .where(CohortVersion.cohort == name)
            .order_by(CohortVersion.version.desc())
        ).fetchall()
        stood = next((v for v in versions if v.fingerprint == seen), None)
        if stood is None:
            return frozenset({Cause(CauseKind.COHORT, f"cohort {name}", None, key)})
        now = self.plan.members.get(key, ())
        return self._between(name, (stood.version, stood.sql_text), members_of(self.connection, name, stood.version),
                             (None, self._definition(name)), now, last)  # fmt: skip

    @cached_property
    def _seen_members(self) -> dict[int, str]:
        return seen_members(self.connection, self.ids.values(), COHORT_ROLE)

    def _definition(self, name: str) -> str | None:
        return self.connection.execute(select(Cohort.sql_text).where(Cohort.cohort == name)).scalar()

    def _between(self, name, stood, before: Sequence[str], stands, now: Sequence[str], last: Last | None) -> Causes:
        """stood, stands: (version, SQL)."""
        came, left = sorted(set(now) - set(before)), sorted(set(before) - set(now))
        found = {
            Cause(CauseKind.MEMBER, f"cohort {name}: {patient}", None, "member", None, patient) for patient in came
        } | {Cause(CauseKind.MEMBER, f"cohort {name}: {patient}", "member", None, None, patient) for patient in left}
        if stood[1] != stands[1]:
            found.add(Cause(CauseKind.COHORT, f"definition of cohort {name}", stood[1], stands[1]))
        else:
            tables = self.planner.live_tables.get(name, ())
            rows = Rows(self.connection, None, [*came, *left])
            for patient in (*came, *left):
                found |= rows.since(patient, last, tables)
        return frozenset(found)

    # ---------------------------------------------------------------------------------------------- inputs that are due

    def pending(self, key: str) -> Iterator[Contribution]:
        """Causes that come through inputs which are due, and those of results that a live cohort selects on."""
        for before, by_key in self._pending:
            rooted = self.roots.of_due(self.connection, before)
            for input_key in by_key.get(key, ()):
                if input_key in before.due:
                    yield Via(before.analysis.name, input_key, None), rooted[input_key].causes
        for before in self.planner.makers_pending(self.analysis, key):
            for input_key, found in self.roots.of_due(self.connection, before).items():
                yield Via(before.analysis.name, input_key, None), found.causes

    # --------------------------------------------------------------------------------------------- units that are new

    def _fresh(self, key: str) -> Iterator[Contribution]:
        """Why there is a unit that there was not."""
        due = self.plan.due[key]
        if due.reason is not Reason.NEW:
            return
        if self.analysis.over_cohort:
            yield None, self._cohort_came(key)
        elif not self._was_computed:
            yield None, frozenset({Cause(CauseKind.FIRST, self.analysis.name)})
        else:
            yield None, self._completed(key)

    @cached_property
    def _was_computed(self) -> bool:
        """Whether a run before this one computed the analysis."""
        query = (
            select(Attempt.attempt_id)
            .join(Unit, Unit.unit_id == Attempt.unit_id)
            .join(Run, Run.run_id == Attempt.run_id)
            .where(Unit.analysis == self.analysis.name, Run.ended_at.is_not(None))
        )
        return self.connection.execute(query.limit(1)).scalar() is not None

    def _cohort_came(self, key: str) -> Causes:
        """Of a unit over a cohort: its cohort was frozen anew, is named now, or nothing was computed before."""
        name, _, number = key.partition("@")
        others = [k for k in self._keys_ever if k.partition("@")[0] == name and k != key]
        versions = sorted(int(v) for k in others if (v := k.partition("@")[2]).isdigit())
        if number.isdigit() and versions:
            rows = {
                row.version: row
                for row in self.connection.execute(
                    select(CohortVersion.version, CohortVersion.sql_text).where(CohortVersion.cohort == name)
                )
            }
            earlier = [v for v in versions if v < int(number)] or versions
            old, new = rows.get(earlier[-1]), rows.get(int(number))
            if old is not None and new is not None:
                sides = [members_of(self.connection, name, row.version) for row in (old, new)]
                found = self._between(
                    name, (old.version, old.sql_text), sides[0], (new.version, new.sql_text), sides[1], None
                )
                return found | {Cause(CauseKind.COHORT, f"cohort {name}", f"{name}@{old.version}", key)}
        if others:
            return frozenset({Cause(CauseKind.COHORT, f"cohort {name}", others[-1], key)})
        if listed := self._listed(name, is_named=True):
            return listed
        if self._is_newer(key):
            return frozenset({Cause(CauseKind.COHORT, f"cohort {name}", None, key)})
        return frozenset({Cause(CauseKind.FIRST, self.analysis.name)})

    @cached_property
    def _keys_ever(self) -> list[str]:
        """The keys of all units that the analysis has or had, but for what stands in for a model."""
        query = select(Unit.key).where(Unit.analysis == self.analysis.name).order_by(Unit.unit_id)
        return [k for k in self.connection.execute(query).scalars() if k != self.analysis.identity]

    def _listed(self, name: str, is_named: bool) -> Causes:
        """That study.toml's list of cohorts names the cohort now, or no longer, if that differs from the last run's."""
        field = self.analysis.key_field
        if field is None or (name in self.world.cohorts_of(self.analysis)) is not is_named:
            return NOTHING
        if not any((name in self.analysis.cohorts_of(p)) is not is_named for p in self._parameters_before):
            return NOTHING
        table, place = self.world.settings.place(self.analysis.name, field, self.analysis.base)
        sides = (None, "named") if is_named else ("named", None)
        return frozenset({Cause(CauseKind.LISTED, f"[{table}] {field}: cohort {name}", *sides, place)})

    @cached_property
    def _parameters_before(self) -> list[Parameters]:
        """The analysis's parameters in earlier runs, by study.toml as these read it; without those that do not fit any more."""
        query = select(Run.settings).where(Run.settings.is_not(None), Run.ended_at.is_not(None)).distinct()
        found = []
        for text in self.connection.execute(query).scalars():
            with suppress(InvalidInput):
                settings = Settings(self.world.settings.path, text)
                found.append(settings.parameters(self.analysis.name, self.analysis.params, self.analysis.base))
        return found

    def _is_newer(self, key: str) -> bool:
        """Whether a cohort, or its version, came after the study's last run, and nothing was computed over it before."""
        ended = Run.ended_at.is_not(None)
        over_it = select(Unit.unit_id).join(Run, Run.run_id == Unit.run_id).where(Unit.key == key, ended)
        if self.connection.execute(over_it.limit(1)).scalar() is not None:
            return False
        name, _, number = key.partition("@")
        last = self.connection.execute(select(Run.started_at).where(ended).order_by(Run.run_id.desc())).scalar()
        query = (
            select(CohortVersion.created_at).where(CohortVersion.cohort == name).order_by(CohortVersion.version.desc())
        )
        if number.isdigit():
            query = query.where(CohortVersion.version == int(number))
        came = self.connection.execute(query).scalar()
        return last is not None and (came is None or came > last)

    def _completed(self, key: str) -> Causes:
        """The rows by which all that a unit needs was there: those of the last ingest that concerned its inputs."""
        newest, found = 0, NOTHING
        for table, entity in self._leaves(self.plan, key):
            run, causes = self._newest_rows[table].newest(entity)
            if run > newest:
                newest, found = run, causes
            elif run == newest:
                found = found | causes
        return found

    @cached_property
    def _newest_rows(self) -> dict[str, Rows]:
        entities: dict[str, set[str]] = defaultdict(set)
        for key in self.keys:
            due = self.plan.due.get(key)
            if due is not None and due.reason is Reason.NEW:
                for table, entity in self._leaves(self.plan, key):
                    entities[table].add(entity)
        return {table: Rows(self.connection, table, found) for table, found in entities.items()}

    def _leaves(self, plan: AnalysisPlan, key: str) -> Iterator[tuple[str, str]]:
        """(table, entity) of the ingested rows that a unit rests on, models left out."""
        for role, by_key in plan.inputs.items():
            if not isinstance(plan.analysis.needs.get(role), Need):
                continue
            producer = self.planner.producer_of(plan.analysis, role)
            for input_key in by_key.get(key, ()):
                if producer.startswith(INGEST):
                    yield producer.removeprefix(INGEST), input_key
                elif producer in self.planner.plans:
                    yield from self._leaves(self.planner.plans[producer], input_key)

    # ------------------------------------------------------------------------------------- units that are gone, or waited

    def _of_gone(self, key: str) -> Iterator[Contribution]:
        """Why there is nothing any more that a unit would be made of."""
        if self.analysis.over_cohort:
            yield None, self._cohort_went(key)
            return
        unit_id = self.ids.get(key, -1)
        last = self._last.get(unit_id)
        for producer, input_key, input_id in self._stored_inputs.get(unit_id, ()):
            via = Via(producer, input_key, input_id)
            before = self.planner.plans.get(producer)
            if producer.startswith(INGEST):
                rows = Rows(self.connection, producer.removeprefix(INGEST), [input_key])
                if found := rows.since(input_key, last):
                    yield via, found
            elif before is not None and input_key in before.gone:
                yield via, self.roots.of_due(self.connection, before)[input_key].causes
            elif before is not None and input_key not in before.desired:
                if found := Steps(self.connection, [input_id]).since(input_id, last):
                    yield via, found

    @cached_property
    def _stored_inputs(self):
        return stored_inputs(self.connection, self.ids.values())

    def _cohort_went(self, key: str) -> Causes:
        name = key.partition("@")[0]
        if listed := self._listed(name, is_named=False):
            return listed
        state = self.planner.cohorts.get(name)
        now = None if state is None else state.key if state.mode is CohortMode.FROZEN else f"{name}, live"
        return frozenset({Cause(CauseKind.COHORT, f"cohort {name}", key, now)})

    def _blocked_before(self, key: str) -> Iterator[Contribution]:
        """Of a unit that waited for its inputs: what became of these."""
        inputs = [
            (producer, input_key, self.planner.standing.ids(producer).get(input_key))
            for role, by_key in self.plan.inputs.items()
            if not (producer := self.planner.producer_of(self.analysis, role)).startswith((INGEST, REFERENCE))
            for input_key in by_key.get(key, ())
        ]
        steps = Steps(self.connection, {i for _, _, i in inputs if i is not None})
        since = self.connection.execute(select(Unit.updated_at).where(Unit.unit_id == self.ids.get(key))).scalar() or ""
        for producer, input_key, input_id in inputs:
            if found := steps.after(input_id, since):
                yield Via(producer, input_key, input_id), found


def _values(row, column: str) -> dict:
    """The JSON of a column of a row, as a dict; nothing of no row."""
    return json.loads(row[column]) if row is not None else {}
