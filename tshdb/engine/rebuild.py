"""Bring results up to date: lease units, compute them outside any transaction, check again, commit.

Analyses run in their order, so that what an analysis reads is settled before it is planned. One short transaction
commits a batch: for every unit it checks that its lease is still held and that its inputs still are what they were when
they were read, then replaces payload, unit and edges. What fails the check is planned again. A crash leaves committed
units and expired leases, never half a unit; running rebuild again goes on.
"""

from __future__ import annotations

import inspect
import json
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import cached_property, partial

from sqlalchemy import Connection, delete, insert, select, update

from tshdb import loaded
from tshdb.canonical import digest
from tshdb.cohorts.states import states
from tshdb.cohorts.versions import commit_live
from tshdb.database import bulk_insert, next_id, reading, writing
from tshdb.engine import damage
from tshdb.engine import units as store
from tshdb.engine.analysis import Analysis
from tshdb.engine.batches import Batch, Batches, unit_rows
from tshdb.engine.changes import note_gone
from tshdb.engine.chosen import select_analyses
from tshdb.engine.code.texts import AsLoaded
from tshdb.engine.compute import Outcome, Task, locate
from tshdb.engine.costs import elsewhere
from tshdb.engine.costs.clock import Clock
from tshdb.engine.executor import Executor, executor_for
from tshdb.engine.guests_declared import declare
from tshdb.engine.homes import Home, homes
from tshdb.engine.identity import Ground, ground_of, libraries_of, version_of
from tshdb.engine.leases import LEASE_SECONDS, Leases
from tshdb.engine.outside import files
from tshdb.engine.plan import AnalysisPlan, Due
from tshdb.engine.planner import Planner
from tshdb.engine.report import Report
from tshdb.engine.standing import Standing
from tshdb.engine.work import FOLDER, Work, clear, folders_of, is_recent, watched
from tshdb.engine.world import IDENTITY_FINGERPRINT, World
from tshdb.failpoints import fp
from tshdb.guest_tables import guests_of
from tshdb.offered import Origin
from tshdb.process import actor, identity, is_alive, machine
from tshdb.schema import Run, Unit, UnitInput
from tshdb.stored_rows import digest_of
from tshdb.study import Study
from tshdb.version import __version__
from tshdb.vocabulary import CohortMode, RunState, UnitState

POLL_SECONDS = 0.05
SAY_SECONDS = 3.0  # of silence, before it is said whom this run waits for
FORGOTTEN_SECONDS = 7 * 86_400


Progress = Callable[..., None]  # (name, done, total, of what)


class Rebuild:
    """One run of `tshdb rebuild`."""

    def __init__(
        self,
        study: Study,
        analyses: Sequence[Analysis],
        *,
        names: Sequence[str] = (),
        jobs: int = 1,
        refit: bool = False,
        progress: Progress = lambda *_: None,
        say: Callable[[str], None] = lambda _: None,
        executor: Executor | None = None,
        clock: Clock | None = None,
        absent: Mapping[str, str] | None = None,
        untrusted: Collection[str] = (),
        origin_of: Callable[[Analysis], Origin | None] = lambda _: None,
    ):
        self.origin_of = origin_of
        self.study, self.engine = study, study.engine
        self.texts = AsLoaded()
        self.world = World(analyses, study.settings, self.texts, absent, untrusted)
        self.names = select_analyses(self.world, names)
        self.refit, self.progress, self.say = refit, progress, say
        self._said: set[str] = set()  # analyses of which it was said that this run waits for others
        self.executor = executor or executor_for(jobs)
        self.report = Report()
        self.clock = clock or Clock()
        self._left: set[tuple[str, str]] = set()  # units that this run leaves due, with those that rest on them
        self._failed: set[tuple[str, str]] = set()
        self.host, self.process = machine(), identity()

    def run(self, command: str = "rebuild") -> Report:
        """Compute all that is due. Failed units are in the report; the rest is saved."""
        self._begin(command)
        state = RunState.INTERRUPTED
        try:
            with self.leases.kept_alive():
                self._declare()
                damage.note(self.engine, self.study.objects, damage.makers_of(self.world.analyses))
                with reading(self.engine) as connection:
                    self._damaged = damage.marked(connection)  # what is found from now on, the next run makes again
                self._settle_references()
                left: set[tuple[str, str]] = set()
                # data that arrives on the way makes units due of analyses that were settled: go through again
                while (now_left := self._pass()) and now_left != left:
                    left = now_left
            state = RunState.PARTIAL if self.report.is_partial else RunState.DONE
        finally:
            self.executor.close()
            self._end(state)
        self.report.left_out = dict(self.executor.left_out)
        if used := {module for name in self.report.worked_on for module in self._grounds[name].modules}:
            self.report.edited = [str(path) for module, path in loaded.changed() if module in used]
        for folder in folders_of(self.study.root):  # of computations that nobody will ask for again
            if not is_recent(folder, FORGOTTEN_SECONDS):
                clear(folder)
        return self.report

    def _pass(self) -> set[tuple[str, str]]:
        """Settle every analysis in turn. Gives the (analysis, key) that were left because their inputs are due again."""
        self._unready: set[tuple[str, str]] = set()
        settled: dict[str, AnalysisPlan] = {}
        waiting: deque[Analysis] | None = None
        while waiting is None or waiting:
            with reading(self.engine) as connection:
                planner = self._planner(connection, settled)
                if waiting is None:
                    waiting = deque(a for a in planner.order if a.name in self.names)
                # one look serves until something is due; then the database is looked at anew
                while waiting and (plan := planner.plan(waiting[0])).is_idle and not self._is_live(waiting[0], planner):
                    self._note_standing(plan)
                    settled[waiting.popleft().name] = plan
                reached = self._reached(planner) if waiting and not self._grounds else []
            if reached:
                grounds = [self._ground(analysis) for analysis in reached]
                modules, libraries = {m for g in grounds for m in g.modules}, {n for g in grounds for n in g.libraries}
                self.executor.load(sorted(modules), sorted(libraries), self._homes)
            if waiting:
                analysis = waiting.popleft()
                moved = self._is_live(analysis, planner) and self._commit_live_cohorts(analysis)
                settled[analysis.name] = self._settle(analysis, settled, None if moved else (planner, plan))
        return self._unready

    def _reached(self, planner: Planner) -> list[Analysis]:
        """The analyses of this run with units that are due, or may become so."""
        plans = [planner.plan(analysis) for analysis in planner.order if analysis.name in self.names]
        return [plan.analysis for plan in plans if plan.due]

    def _ground(self, analysis: Analysis) -> Ground:
        """What is loaded of an analysis: imported before anything of it is computed, and the same to the end of the run."""
        name = analysis.name
        if name not in self._grounds:
            spec = self.world.spec(name)
            strict = {library: spec.libraries[library] for library in analysis.strict_libraries}
            ground = ground_of(analysis, spec.modules, strict)
            if moved := self.texts.moved(spec.modules):
                ground = replace(ground, problem=f"{', '.join(moved)} was changed while the run began: start it again")
            self._grounds[name] = ground
            self.batches.loaded[name] = ground.digest
        return self._grounds[name]

    def _planner(self, connection: Connection, settled: dict[str, AnalysisPlan]) -> Planner:
        """A look at the database; what was lost or edited has been marked when the run began."""
        known = {unit.unit_id for unit in self._damaged}
        still = [unit for unit in damage.marked(connection) if unit.unit_id in known]
        return Planner(connection, self.world, settled, self.refit, still)

    def _is_live(self, analysis: Analysis, planner: Planner) -> bool:
        """Whether the membership of a live cohort must be committed for the analysis."""
        states = (planner.cohorts.get(name) for name in self.world.cohorts_of(analysis))
        return any(s is not None and s.mode is CohortMode.LIVE and s.has_moved for s in states)

    # ------------------------------------------------------------------------------------------------- the run

    def _begin(self, command: str) -> None:
        self._grounds: dict[str, Ground] = {}
        with writing(self.engine) as connection:
            self.report.run_id = next_id(connection, Run.run_id)
            self.leases = Leases(self.engine, self.report.run_id, self.host, self.process)
            self.batches = Batches(self.engine, self.study.objects, self.world, self.leases, self.report.run_id)
            connection.execute(
                insert(Run).values(
                    run_id=self.report.run_id,
                    command=command,
                    actor=actor(),
                    host=self.host,
                    process=self.process,
                    started_at=store.now(),
                    state=RunState.RUNNING,
                    libraries=self._versions(),
                    program_version=__version__,
                    settings=self.world.settings.shown,
                )
            )
            stale = connection.execute(select(Run.run_id, Run.host, Run.process).where(Run.state == RunState.RUNNING))
            for run_id, host, process in stale.fetchall():
                if host == self.host and not is_alive(process):
                    connection.execute(
                        update(Run).where(Run.run_id == run_id).values(state=RunState.INTERRUPTED, ended_at=store.now())
                    )

    def _end(self, state: RunState) -> None:
        with writing(self.engine) as connection:
            self.leases.drop_all(connection)
            self.clock.write(connection, self.report.run_id, self.executor.workers)
            for spec in self.world.read_specs():
                store.keep_text(connection, spec)
            connection.execute(
                update(Run)
                .where(Run.run_id == self.report.run_id)
                .values(state=state, ended_at=store.now(), libraries=self._versions())
            )
        elsewhere.note(self.clock, self.world.analyses, self.world.parameters, self.executor.workers)

    @property
    def _homes(self) -> tuple[Home, ...]:
        """Where the code of this study's own analyses lies, for workers."""
        packages = {a.function.__module__.partition(".")[0] for a in self.world.analyses}
        return tuple(home for home in homes() if home.package in packages)

    def _declare(self) -> None:
        """Have the database hold the tables of guests, as they are declared now."""
        standing = [a for a in self.world.analyses if a.name not in self.world.stood_down]
        with writing(self.engine) as connection:
            altered = declare(connection, standing, self.origin_of)
            guests = guests_of(connection)
            for name, lost in altered.items():
                damage.restate(connection, guests[name], lost)

    def _versions(self) -> str:
        """The versions of all libraries that the analyses name, as they are loaded, as JSON."""
        versions = {name: version_of(name) for name in libraries_of(self.world.analyses)}
        return json.dumps(self._of_programs | versions, sort_keys=True)

    @cached_property
    def _of_programs(self) -> dict[str, str]:
        """The versions of what programs rest on: their interpreters, their locks."""
        programs = [a for a in self.world.analyses if a.program is not None]
        return {name: version for analysis in programs for name, version in files.versions_of(analysis).items()}

    def _settle_references(self) -> None:
        """Write the reference tables as they are now, and the identities of fits."""
        with writing(self.engine) as connection:
            standing = Standing(connection)
            for analysis in self.world.analyses:
                for role, (key, fingerprint, rows) in self.world.references(analysis).items():
                    need = analysis.needs[role]
                    producer = self.world.producer(need)
                    unit = standing.rows(producer, [key]).get(key)
                    if unit is not None and unit.fingerprint == fingerprint and unit.damage is None:
                        continue
                    store.set_fingerprints(connection, producer, {key: fingerprint})
                    unit_id = standing.rows(producer, [key])[key].unit_id
                    table = need.table.__table__
                    connection.execute(delete(table).where(table.c.unit_id == unit_id))
                    names = [c.name for c in table.columns if c.name != "unit_id"]
                    bulk_insert(connection, table, [{"unit_id": unit_id, **{n: r[n] for n in names}} for r in rows])
                    whole = {"rows_digest": digest_of(table, rows), "digest_taken_over": None}
                    connection.execute(update(Unit).where(Unit.unit_id == unit_id).values(**whole))
                identity = analysis.identity
                if identity is not None and not standing.rows(analysis.name, [identity]):
                    store.set_fingerprints(connection, analysis.name, {identity: IDENTITY_FINGERPRINT})

    # --------------------------------------------------------------------------------------------- one analysis

    def _settle(self, analysis: Analysis, settled: dict[str, AnalysisPlan], look) -> AnalysisPlan:
        """Plan and compute until nothing of the analysis is due, waiting for units that others are computing.

        look: the planner and its plan, when they are fresh. Gives the last plan, with everything done but what is left due.
        """
        attempted: set[str] = set()
        done, waited_since = 0, None
        while True:
            self.clock.settle(analysis.name)
            if look is None:
                with reading(self.engine) as connection:
                    planner = self._planner(connection, settled)
                    plan = planner.plan(analysis)
            else:
                planner, plan = look
                look = None
            self._tidy(plan, planner)
            name = analysis.name
            if self._left:
                waiting = (key for key, d in plan.due.items() if d.is_possible or self._waits(plan, planner, key))
                self._left |= {(name, key) for key in waiting}
            skipped = self._unready | self._left
            due = {
                key: d
                for key, d in plan.due.items()
                if key in plan.desired and key not in attempted and (name, key) not in skipped
                and ((name, key) not in self._failed or key in plan.changes)  # once a run, but for other inputs
            }  # fmt: skip
            if not due:
                break
            if problem := self._ground(analysis).problem:
                self._leave(name, dict.fromkeys(due, problem))
                break
            self.progress(analysis.name, done, done + len(due))
            total, committed = done + len(due), 0
            for batch, outcomes in self._batches(plan, planner, due):
                states = self._commit(batch, outcomes)
                failed = {key for key, state in states.items() if state == UnitState.FAILED}
                attempted |= failed
                self._failed |= {(name, key) for key in failed}
                committed += len(states)
                self.progress(analysis.name, done + committed, total)
            done += committed
            if committed == len(due):  # undisturbed
                break
            if committed:
                waited_since = None
            else:  # all that is due is leased to others
                waited_since = self._wait(name, list(due), waited_since)
        self._note_standing(plan)
        return replace(plan.done(), due={key: d for key, d in plan.due.items() if (name, key) in self._left})

    def _wait(self, name: str, keys: list[str], since: float | None) -> float:
        """Wait a moment for those who compute these units; say so once, after seconds. since: when this wait began, if it did."""
        now = time.monotonic()
        began = now if since is None else since
        if now - began > SAY_SECONDS and name not in self._said:
            self._said.add(name)
            self.say(
                f"waiting for {len(keys):,} units of {name} that {self.leases.holders(name, keys) or 'another run'} computes. "
                f"If that machine is gone, they are taken over {LEASE_SECONDS / 60:.0f} minutes after its last sign of life."
            )
        time.sleep(POLL_SECONDS)
        return began

    def _waits(self, plan: AnalysisPlan, planner: Planner, key: str) -> bool:
        """Whether an input of the unit is left due by this run: it is not settled, so neither is the unit."""
        return any(
            (planner.world.producer_of(plan.analysis, role), input_key) in self._left
            for role, by_key in plan.inputs.items()
            for input_key in by_key.get(key, ())
        )

    def _leave(self, name: str, reasons: dict[str, str]) -> None:
        """Leave units (key -> why) due: nothing of them was kept, and this run does not try again."""
        self._left |= {(name, key) for key in reasons}
        self.report.leave(name, reasons.values())

    def _note_standing(self, plan: AnalysisPlan) -> None:
        if plan.blocked:
            self.report.blocked[plan.analysis.name] = dict(plan.blocked)
        for key, held in plan.held.items():
            self.report.held[f"{plan.analysis.name}/{key}"] = held.detail
        for key, flag in plan.flagged.items():
            self.report.flagged[f"{plan.analysis.name}/{key}"] = flag

    def _commit_live_cohorts(self, analysis: Analysis) -> bool:
        """Commit the membership of the analysis's live cohorts. Gives whether one of them moved."""
        names = self.world.cohorts_of(analysis)
        if not names:
            return False
        with reading(self.engine) as connection:
            by_name = states(connection)
        moved = False
        for name in names:
            state = by_name.get(name)
            if state is not None and state.mode is CohortMode.LIVE and state.has_moved:
                with writing(self.engine) as connection:
                    moved |= commit_live(connection, name)
        return moved

    def _tidy(self, plan: AnalysisPlan, planner: Planner) -> None:
        """Retire what is gone, repoint edges to a newer model of the same content, mark what is blocked."""
        name = plan.analysis.name
        if plan.gone:
            with self.batches.book.kept(), writing(self.engine) as connection:
                rooted = planner.roots.of(connection, plan, list(plan.gone))
                note_gone(connection, plan.analysis, plan.gone, self.report.run_id)
                store.retire(connection, plan.gone.values(), plan.analysis.makes.__table__)
                self.batches.note_retired(connection, {plan.gone[key]: r.causes for key, r in rooted.items()})
            fp("rebuild.retired")
            self.report.retired[name] = self.report.retired.get(name, 0) + len(plan.gone)
        if plan.kept:
            with writing(self.engine) as connection:
                for key, replacements in plan.kept.items():
                    for role, old, new in replacements:
                        connection.execute(
                            update(UnitInput)
                            .where(
                                UnitInput.unit_id == planner.standing.ids(name)[key],
                                UnitInput.role == role,
                                UnitInput.input_unit_id == old,
                            )
                            .values(input_unit_id=new)
                        )
            fp("rebuild.kept")
            self.report.kept[name] = self.report.kept.get(name, 0) + len(plan.kept)
        stuck = planner.standing.stuck[name]
        blocked = {
            key: message
            for key, message in plan.blocked.items()
            if key in plan.desired and (key not in stuck or stuck[key].message != message)
        }
        if blocked:
            with self.batches.book.kept(), writing(self.engine) as connection:
                stood = {
                    key: unit for key, unit in planner.standing.ids(name).items() if key in blocked and key not in stuck
                }
                rooted = planner.roots.of(connection, plan, list(stood))
                self.batches.note_retired(connection, {stood[key]: r.causes for key, r in rooted.items()})
                ids = {key: row.unit_id for key, row in unit_rows(connection, name, list(blocked)).items()}
                note_gone(connection, plan.analysis, ids, self.report.run_id)
                store.retire(connection, ids.values(), plan.analysis.makes.__table__)
                for key, message in blocked.items():
                    connection.execute(
                        update(Unit)
                        .where(Unit.unit_id == ids[key])
                        .values(state=UnitState.BLOCKED, message=message, updated_at=store.now())
                    )

    # ------------------------------------------------------------------------------------------------- batches

    def _batches(
        self, plan: AnalysisPlan, planner: Planner, due: dict[str, Due]
    ) -> Iterator[tuple[Batch, list[Outcome]]]:
        size = 1 if plan.analysis.over_cohort else plan.analysis.batch
        keys = sorted(due)
        ground = self._ground(plan.analysis)
        batches: dict[int, Batch] = {}
        unread: list[Batch] = []  # of whose keys none can read its inputs

        def tasks() -> Iterator[Task]:
            for start in range(0, len(keys), size):
                batch = self._lease(plan, planner, {key: due[key] for key in keys[start : start + size]})
                if batch is None:
                    continue
                if batch.inputs is None or not batch.readable:
                    unread.append(batch)
                    continue
                task = Task(
                    locate(plan.analysis),
                    batch.readable,
                    batch.inputs,
                    self.world.spec(plan.analysis.name).params,
                    self.study.settings.study.seed,
                    self.study.objects.root,
                    self._work(batch, len(due)),
                    ground.modules,
                    ground.libraries,
                    ground.digest,
                    self._homes,
                    tuple(sorted(self.world.spec(plan.analysis.name).texts.items())),
                    ground.interpreter,
                )
                batches[id(task)] = batch
                if len(due) == 1:
                    watches.enter_context(watched(task.work.folder, partial(self.progress, plan.analysis.name)))
                yield task

        with ExitStack() as watches:
            for task, outcomes in self.executor.run(tasks()):
                fp("rebuild.computed")
                batch = batches.pop(id(task))
                yield batch, [*outcomes, *batch.failed(ground.digest)]
                if not any(o.message or o.loaded != task.loaded for o in outcomes):
                    clear(task.work.folder)
        for batch in unread:
            yield batch, batch.failed(ground.digest)

    def _work(self, batch: Batch, n_due: int) -> Work:
        """Where the batch may keep work in progress, if its analysis asks for that: a folder of this very computation."""
        analysis = batch.plan.analysis
        if "work" not in inspect.signature(analysis.function).parameters:
            return Work()
        seed = str(self.study.settings.study.seed)
        parts = [analysis.name, seed, *self.world.spec(analysis.name).identity]
        for key, edges in sorted(batch.edges.items()):
            parts += [key, *(f"{role} {unit} {seen}" for role, unit, seen in sorted(edges))]
        folder = self.study.root / FOLDER / f"{analysis.name}-{digest(*(part.encode() for part in parts))[:16]}"
        return Work(folder, max(1, self.executor.workers // n_due))

    def _lease(self, plan: AnalysisPlan, planner: Planner, due: dict[str, Due]) -> Batch | None:
        """Lease what is free of the keys and read its inputs. None if nothing is left to do of them."""
        name = plan.analysis.name
        free = self.leases.take(name, list(due))
        fp("rebuild.leased")
        if not free:
            return None
        with reading(self.engine) as connection:
            batch, unready = self.batches.read(connection, plan, planner, {key: due[key] for key in free})
        self._unready |= {(name, key) for key in unready}
        self.leases.release(name, [key for key in free if batch is None or key not in batch.due])
        return batch

    def _commit(self, batch: Batch, outcomes: Sequence[Outcome]) -> dict[str, UnitState]:
        """Commit a batch and note it in the report. Gives key -> state of what was committed."""
        kept, moved = self.batches.commit(batch, outcomes)
        self.clock.committed(kept, batch.edges)
        name = batch.plan.analysis.name
        self._note(name, kept, moved)
        foreign = [o for o in outcomes if o.loaded != self.batches.loaded[name]]
        if foreign:
            self._leave(name, {o.key: f"{o.process}: {o.why_foreign}" for o in foreign})
        return {o.key: UnitState.CURRENT if o.message is None else UnitState.FAILED for o in kept}

    def _note(self, name: str, kept: Sequence[Outcome], moved: Sequence[Outcome]) -> None:
        failed = {o.key: o.message for o in kept if o.message is not None}
        self.report.computed[name] = self.report.computed.get(name, 0) + len(kept) - len(failed)
        self.report.unchanged[name] = self.report.unchanged.get(name, 0) + len(kept) - len(moved)
        if failed:
            self.report.failed.setdefault(name, {}).update(failed)
