"""The causes of units that are due: what was changed, and through which input that reaches them.

A unit's causes are its own (its spec is not the current one, it was damaged, it failed), those of inputs that are not what it
has seen, and those of inputs that are due themselves. Of inputs that were computed since, the attempts say why; of rows that
were ingested, the change log does.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Connection, select

from tshdb.canonical import json_text
from tshdb.config import Settings
from tshdb.engine.analysis import Analysis, Kind, Made, Model, Need
from tshdb.engine.causes import OF_DATA, UNRECORDED, Cause, Causes
from tshdb.engine.cohort_causes import CohortCauses
from tshdb.engine.plan import AnalysisPlan, Change, Reason
from tshdb.engine.since import InputSteps, Last, Rows, RunsBefore, last_attempts, stored_inputs
from tshdb.engine.spec_causes import spec_causes
from tshdb.engine.units import COHORT, INGEST, counted_parameters
from tshdb.engine.world import REFERENCE
from tshdb.errors import InvalidInput
from tshdb.ingested import SPOKEN_BY
from tshdb.schema import Attempt, Run, Unit
from tshdb.vocabulary import CauseKind, Damage

if TYPE_CHECKING:
    from tshdb.engine.planner import Planner

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
        self._blocked: dict[str, dict[str, Rooted]] = {}

    def of_due(self, connection: Connection, plan: AnalysisPlan) -> dict[str, Rooted]:
        """key -> causes, for all that is due or gone of an analysis."""
        name = plan.analysis.name
        if name not in self._due:
            self._due[name] = self.of(connection, plan, [*plan.due, *plan.gone])
        return self._due[name]

    def of_blocked(self, connection: Connection, plan: AnalysisPlan) -> dict[str, Rooted]:
        """key -> causes, for all that is blocked of an analysis: those of the inputs that it waits for."""
        name = plan.analysis.name
        if name not in self._blocked:
            self._blocked[name] = self.of(connection, plan, plan.blocked)
        return self._blocked[name]

    def of(self, connection: Connection, plan: AnalysisPlan, keys: Collection[str]) -> dict[str, Rooted]:
        """key -> causes, for keys that are due, gone or blocked. Never empty: what cannot be told is `not recorded`."""
        look = _Look(self, connection, plan, keys)
        return {key: _joined(look.contributions(key)) for key in keys}

    def of_spec(self, connection: Connection, spec_id: int, analysis: Analysis) -> Causes:
        """In what a stored spec of an analysis is not the current one."""
        if spec_id not in self._of_specs:
            current = self.world.spec(analysis.name)
            self._of_specs[spec_id] = frozenset(spec_causes(connection, spec_id, current, analysis, self.world))
        return self._of_specs[spec_id]

    def through_inputs(
        self, connection: Connection, plan: AnalysisPlan, keys: Collection[str]
    ) -> dict[str, list[tuple[Change, Causes]]]:
        """key -> (what is not as the unit has seen it, the causes that come through it)."""
        look = _Look(self, connection, plan, keys)
        return {key: list(look.changed_inputs(key)) for key in keys}

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
    via, joined, is_first = None, NOTHING, True
    for source, causes in contributions:
        if not causes:
            continue
        if is_first:
            via, joined, is_first = source, causes, False
        elif not causes <= joined:
            joined = joined | causes
    return Rooted(joined or frozenset({UNRECORDED}), via)


class _Look:
    """The causes of some units of one analysis, from what is read of the database at once."""

    def __init__(self, roots: Roots, connection: Connection, plan: AnalysisPlan, keys: Collection[str]):
        self.roots, self.connection, self.plan, self.keys = roots, connection, plan, keys
        self.planner, self.world = roots.planner, roots.world
        self.analysis: Analysis = plan.analysis
        standing = self.planner.standing.ids(self.analysis.name)
        self.ids = {key: standing[key] for key in keys if key in standing}
        self._rows: dict[str, Rows] = {}
        self._made_otherwise: dict[tuple[str, int | None], Causes] = {}
        self._pending = [
            (before, by_key)
            for role, by_key in plan.inputs.items()
            if (before := self.planner.plans.get(self.world.producer_of(self.analysis, role))) is not None
            and (before.due or before.gone)
        ]

    def contributions(self, key: str) -> Iterator[Contribution]:
        """(input, causes) of all that makes the unit due; own causes first, with no input."""
        due = self.plan.due.get(key)
        if due is None:
            yield from self._of_blocked(key) if key in self.plan.blocked else self._of_gone(key)
            return
        n, is_refit = 0, self.planner.refit and self.analysis.kind is Kind.FIT and key in self.ids
        for part in (self._own_causes(key, due.reason), self.changed(key), self.pending(key), self._fresh(key)):
            for via, causes in part:
                n += bool(causes)
                if causes:
                    yield via, causes
                if is_refit and any(c.kind in OF_DATA or c == UNRECORDED for c in causes):
                    is_refit = False  # it follows them since it was asked to
                    yield None, frozenset({Cause(CauseKind.REFIT, "tshdb rebuild --refit")})
        if not n:
            yield from self._blocked_before(key)
            yield None, self._rows_of_entity(key)

    # ------------------------------------------------------------------------------------------------- its own

    def _own_causes(self, key: str, reason: Reason) -> Iterator[Contribution]:
        name = f"{self.analysis.name}/{key}"
        spec_id = self.plan.made_otherwise.get(key)
        if spec_id is not None:
            yield None, self.roots.of_spec(self.connection, spec_id, self.analysis)
        if reason.value in tuple(Damage):
            yield None, frozenset({Cause(CauseKind(reason.value), name)})
        if reason is Reason.FAILED:
            yield None, frozenset({Cause(CauseKind.AGAIN, name)})

    # ------------------------------------------------------------------------------- inputs that are not what was seen

    def changed(self, key: str) -> Iterator[Contribution]:
        """Causes that come through inputs which are not what the unit has seen."""
        for change, causes in self.changed_inputs(key):
            yield Via(change.producer, change.input_key, change.input_id), causes

    def changed_inputs(self, key: str) -> Iterator[tuple[Change, Causes]]:
        """What is not as the unit has seen it, with its causes."""
        last = self._last.get(self.ids.get(key, -1))
        for change in self.plan.changes.get(key, ()):
            yield change, self._of_change(key, change, last)

    def _of_change(self, key: str, change: Change, last: Last | None) -> Causes:
        producer = change.producer
        if producer == COHORT:
            return self._cohorts.members_moved(self.ids.get(key), key, self.plan.members.get(key, ()), last)
        if producer.startswith(REFERENCE):
            return self._of_reference(change, last)
        if producer.startswith(INGEST):
            return self._rows_of(producer).since(change.input_key, last)
        causes = self._steps.since(change.input_id, last)
        if change.what == "replaced" and not causes:
            causes = self._cohorts.model_went(self.world.by_name[producer], change.input_key)
        before = self.planner.plans.get(producer)
        if before is not None and (change.input_key in before.due or change.input_key in before.gone):
            causes = causes | self.roots.of_due(self.connection, before)[change.input_key].causes
        elif before is not None and change.input_key in before.blocked:
            waits = self.roots.of_blocked(self.connection, before)[change.input_key].causes
            causes = (
                causes | waits - {UNRECORDED} or waits
            )  # what it was blocked by in this run is among the steps already
        return causes

    @cached_property
    def _cohorts(self) -> CohortCauses:
        return CohortCauses(self.connection, self.world, self.planner.cohorts, self.planner.live_tables)

    @cached_property
    def _last(self) -> dict[int, Last]:
        return last_attempts(self.connection, self.ids.values())

    @cached_property
    def _steps(self) -> InputSteps:
        moved = {c.input_id for key in self.keys for c in self.plan.changes.get(key, ()) if c.input_id is not None}
        return InputSteps(self.connection, moved)

    def _rows_of(self, producer: str) -> Rows:
        if producer not in self._rows:
            entities = {
                c.input_key for key in self.keys for c in self.plan.changes.get(key, ()) if c.producer == producer
            }
            self._rows[producer] = Rows(self.connection, _speaks_for(producer), entities)
        return self._rows[producer]

    def _of_reference(self, change: Change, last: Last | None) -> Causes:
        need = self.analysis.needs[change.role]
        if not isinstance(need, Made):  # that another table is read is said by the parameter which names it
            is_edited = change.what not in ("joined", "left")
            return frozenset({Cause(CauseKind.REFERENCE, change.input_key)}) if is_edited else NOTHING
        asked = (change.role, last.run_id if last is not None else None)
        if asked not in self._made_otherwise:
            self._made_otherwise[asked] = frozenset(self._made_since(*asked))
        return self._made_otherwise[asked] or frozenset({Cause(CauseKind.REFERENCE, change.input_key)})

    def _made_since(self, role: str, run_id: int | None) -> Iterator[Cause]:
        """In what a table is made otherwise than in an earlier run; nothing where that did not record its settings."""
        before = self._runs.settings(run_id) if run_id is not None else None
        if before is not None and run_id is not None:
            for row in self.world.references(self.analysis)[role].rows:
                yield from self._settings_changed(row["analysis"], row, before, self._runs.libraries(run_id))

    def _settings_changed(
        self, name: str, row: Mapping[str, str], before: Settings, libraries: Mapping[str, str]
    ) -> Iterator[Cause]:
        """In what an analysis was made otherwise in an earlier run. row: how it is made now."""
        analysis = self.world.by_name[name]
        with suppress(InvalidInput):  # its parameters have other names or kinds now
            was = json.loads(counted_parameters(analysis, self.world.parameters_in(before, analysis)))
            now = json.loads(row["parameters"])
            for field in sorted(f for f in was.keys() | now.keys() if was.get(f) != now.get(f)):
                yield self._setting(CauseKind.PARAMETER, name, field, was.get(field), now.get(field))
        for library, version in json.loads(row["libraries"]).items():
            if libraries.get(library) != version:
                yield self._setting(CauseKind.LIBRARY, name, library, libraries.get(library), version)

    @cached_property
    def _runs(self) -> RunsBefore:
        return RunsBefore(self.connection, self.world.settings.path)

    def _setting(self, kind: CauseKind, name: str, field: str, before, after) -> Cause:
        was, now = (
            None if v is None else json_text(v) if kind is CauseKind.PARAMETER else str(v) for v in (before, after)
        )
        if kind is CauseKind.LIBRARY:
            return Cause(kind, field, was, now)
        table, place = self.world.settings.place(name, field, self.world.by_name[name].base)
        return Cause(kind, f"[{table}] {field}", was, now, place)

    # ---------------------------------------------------------------------------------------------- inputs that are due

    def pending(self, key: str) -> Iterator[Contribution]:
        """Causes that come through inputs which are due, and those of results that a live cohort selects on."""
        for before, by_key in self._pending:
            rooted = self.roots.of_due(self.connection, before)
            for input_key in by_key.get(key, ()):
                if input_key in before.due:
                    yield Via(before.analysis.name, input_key, None), rooted[input_key].causes
                    if before.analysis.kind is Kind.FIT:
                        yield from self._model_before(before.analysis.name, input_key, key)
        for before in self.planner.makers_pending(self.analysis, key):
            for input_key, due in self.roots.of_due(self.connection, before).items():
                yield Via(before.analysis.name, input_key, None), due.causes

    def _model_before(self, fit: str, model: str, key: str) -> Iterator[Contribution]:
        """What became of a model, or made it, since a unit was computed: what it gave till now may have been the same."""
        if key in self.ids:
            model_id = self.planner.standing.ids(fit).get(model)
            yield Via(fit, model, model_id), self._model_steps.since(model_id, self._last.get(self.ids[key]))

    @cached_property
    def _model_steps(self) -> InputSteps:
        """Of the models that are due."""
        fits = [before for before, _ in self._pending if before.analysis.kind is Kind.FIT]
        models = (self.planner.standing.ids(fit.analysis.name).get(key) for fit in fits for key in fit.due)
        return InputSteps(self.connection, {model_id for model_id in models if model_id is not None})

    # --------------------------------------------------------------------------------------------- units that are new

    def _fresh(self, key: str) -> Iterator[Contribution]:
        """Why there is a unit that there was not."""
        due = self.plan.due[key]
        if due.reason is not Reason.NEW:
            return
        if chosen := self._stands_in() or self._asked:
            yield None, chosen
        elif self.analysis.over_cohort:
            yield None, self._cohorts.came(self.analysis, key)
        elif not self._was_computed:
            yield None, frozenset({Cause(CauseKind.FIRST, self.analysis.name)})
        else:
            yield None, self._completed(key)

    def _stands_in(self) -> Causes:
        """That study.toml chose the analysis, where another one had results in its place."""
        others = self.world.others_in_place(self.analysis)
        if not others or self._was_computed:
            return NOTHING
        query = select(Unit.unit_id).where(Unit.analysis.in_(sorted(others))).limit(1)
        is_second = self.connection.execute(query).scalar() is not None
        return frozenset({self.world.choice(self.analysis)}) if is_second else NOTHING

    @cached_property
    def _asked(self) -> Causes:
        """That study.toml asks for what is made on request, where the last run's did not."""
        field, before = self.analysis.asked_by, self._runs.newest()
        if field is None or before is None:
            return NOTHING
        with suppress(InvalidInput):  # its parameters had other names or kinds
            was, now = (
                getattr(self.world.parameters_in(s, self.analysis), field) for s in (before, self.world.settings)
            )
            return (
                NOTHING if was else frozenset({self._setting(CauseKind.PARAMETER, self.analysis.name, field, was, now)})
            )
        return NOTHING

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

    def _completed(self, key: str) -> Causes:
        """The rows by which all that a unit needs was there: those of the last ingest that concerned its inputs."""
        newest, newest_causes = 0, NOTHING
        for table, entity in self._leaves(self.plan, key):
            run, causes = self._newest_rows[table].newest(entity)
            if run > newest:
                newest, newest_causes = run, causes
            elif run == newest:
                newest_causes = newest_causes | causes
        return newest_causes

    @cached_property
    def _newest_rows(self) -> dict[str, Rows]:
        entities: dict[str, set[str]] = defaultdict(set)
        for key in self.keys:
            due = self.plan.due.get(key)
            if due is not None and due.reason is Reason.NEW:
                for table, entity in self._leaves(self.plan, key):
                    entities[table].add(entity)
        return {table: Rows(self.connection, table, keys) for table, keys in entities.items()}

    def _leaves(self, plan: AnalysisPlan, key: str) -> Iterator[tuple[str, str]]:
        """(table, entity) of the ingested rows that a unit rests on, models left out."""
        for role, by_key in plan.inputs.items():
            if not isinstance(plan.analysis.needs.get(role), Need):
                continue
            producer = self.world.producer_of(plan.analysis, role)
            for input_key in by_key.get(key, ()):
                if producer.startswith(INGEST):
                    yield _speaks_for(producer), input_key
                elif producer in self.planner.plans:
                    yield from self._leaves(self.planner.plans[producer], input_key)

    # ------------------------------------------------------------------------------------- units that are gone, or waited

    def _of_gone(self, key: str) -> Iterator[Contribution]:
        """Why there is nothing any more that a unit would be made of."""
        if self.analysis.name in self.world.stood_down:
            yield None, frozenset({self.world.choice(self.analysis)})
        elif not self.world.is_asked(self.analysis):
            query = select(Unit.spec_id).where(Unit.unit_id == self.ids.get(key, -1))
            spec_id = self.connection.execute(query).scalar()
            yield None, NOTHING if spec_id is None else self.roots.of_spec(self.connection, spec_id, self.analysis)
        elif self.analysis.over_cohort:
            yield None, self._cohorts.went(self.analysis, key)
        else:
            yield from self._inputs_went(key)

    def _inputs_went(self, key: str) -> Iterator[Contribution]:
        """What became of the inputs that a unit had, of those that are gone."""
        unit_id = self.ids.get(key, -1)
        last = self._last.get(unit_id)
        for producer, input_key, input_id in self._stored_inputs.get(unit_id, ()):
            via = Via(producer, input_key, input_id)
            before = self.planner.plans.get(producer)
            if producer.startswith(INGEST):
                rows = Rows(self.connection, _speaks_for(producer), [input_key])
                if causes := rows.since(input_key, last):
                    yield via, causes
            elif before is not None and input_key in before.gone:
                yield via, self.roots.of_due(self.connection, before)[input_key].causes
            elif before is not None and input_key in before.blocked:
                steps = InputSteps(self.connection, [input_id]).since(input_id, last)
                yield via, steps or self.roots.of_blocked(self.connection, before)[input_key].causes
            elif before is not None and input_key not in before.desired:
                if causes := InputSteps(self.connection, [input_id]).newest(input_id):
                    yield via, causes
        if unit_id not in self._stored_inputs:  # it was blocked, and had none
            yield from self._same_key_retired(key)
            yield None, self._rows_of_entity(key)

    def _same_key_retired(self, key: str) -> Iterator[Contribution]:
        """What became of inputs of the same key that are gone."""
        producers = {self.world.producer_of(self.analysis, role) for role in self.analysis.needs}
        query = select(Unit.unit_id, Unit.analysis).where(Unit.key == key, Unit.analysis.in_(sorted(producers)))
        for unit_id, producer in self.connection.execute(query).fetchall():
            before = self.planner.plans.get(producer)
            if before is not None and key in before.gone:
                yield Via(producer, key, unit_id), self.roots.of_due(self.connection, before)[key].causes
            elif before is not None and key not in before.desired:
                yield Via(producer, key, unit_id), InputSteps(self.connection, [unit_id]).newest(unit_id)

    def _rows_of_entity(self, key: str) -> Causes:
        """Rows that were ingested of the very entity since, whatever their table."""
        last = self._last.get(self.ids.get(key, -1))
        return Rows(self.connection, None, [key]).since(key, last) if last is not None else NOTHING

    @cached_property
    def _stored_inputs(self):
        return stored_inputs(self.connection, self.ids.values())

    def _of_blocked(self, key: str) -> Iterator[Contribution]:
        """Why the inputs failed or are blocked that a unit waits for; of a model that is not made, why the one before went."""
        n = 0
        for producer, input_key, input_id in self._awaited(key):
            before = self.planner.plans[producer]
            if input_key in before.blocked:
                causes = self.roots.of_blocked(self.connection, before)[input_key].causes
            else:
                causes = self._awaited_steps.newest(input_id)
            n += bool(causes)
            if causes:
                yield Via(producer, input_key, input_id), causes
        if not n:
            yield from self._inputs_went(key)

    def _awaited(self, key: str) -> Iterator[tuple[str, str, int | None]]:
        """(analysis, key, unit) of the inputs of a unit that failed or are blocked. A cohort does without those of patients."""
        for role, need in self.analysis.needs.items():
            producer = self.world.producer(need)
            if producer not in self.planner.plans or (self.analysis.over_cohort and not isinstance(need, Model)):
                continue
            stuck = self.planner.standing.stuck[producer]
            for input_key in self.plan.inputs[role].get(key, ()):
                if input_key in stuck or input_key in self.planner.plans[producer].blocked:
                    yield producer, input_key, stuck[input_key].unit_id if input_key in stuck else None

    @cached_property
    def _awaited_steps(self) -> InputSteps:
        awaited = (input_id for key in self.keys for _, _, input_id in self._awaited(key))
        return InputSteps(self.connection, {input_id for input_id in awaited if input_id is not None})

    def _blocked_before(self, key: str) -> Iterator[Contribution]:
        """Of a unit that waited for its inputs: what became of these."""
        inputs = [
            (producer, input_key, self.planner.standing.ids(producer).get(input_key))
            for role, by_key in self.plan.inputs.items()
            if not (producer := self.world.producer_of(self.analysis, role)).startswith((INGEST, REFERENCE))
            for input_key in by_key.get(key, ())
        ]
        steps = InputSteps(self.connection, {i for _, _, i in inputs if i is not None})
        since = self.connection.execute(select(Unit.updated_at).where(Unit.unit_id == self.ids.get(key))).scalar() or ""
        for producer, input_key, input_id in inputs:
            if causes := steps.after(input_id, since):
                yield Via(producer, input_key, input_id), causes


def _speaks_for(producer: str) -> str:
    """The table whose rows have the records of what was ingested: of DICOM files, their series."""
    table = producer.removeprefix(INGEST)
    return SPOKEN_BY.get(table, table)
