"""One batch: its inputs read from one state of the database, and its outcomes committed if that state still holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, select, true

from tshdb.database import bulk_insert, next_id, numbers, texts, upsert, writing
from tshdb.engine import units as store
from tshdb.engine.analysis import Kind
from tshdb.engine.cause_sets import CauseBook
from tshdb.engine.causes import Causes
from tshdb.engine.changes import note_changes
from tshdb.engine.compute import Outcome
from tshdb.engine.damage import Damaged, makers_of, makers_of_object, mark
from tshdb.engine.inputs import Inputs, load
from tshdb.engine.leases import Leases
from tshdb.engine.plan import AnalysisPlan, Due
from tshdb.engine.planner import Planner
from tshdb.engine.roots import Rooted
from tshdb.engine.world import World
from tshdb.errors import IntegrityError
from tshdb.failpoints import fp
from tshdb.objects import LostObject, ObjectStore
from tshdb.origins import Origins
from tshdb.schema import Attempt, Change, Retirement, Unit
from tshdb.stored_rows import digest_of
from tshdb.vocabulary import UnitState

ALL = true()
Loader = Callable[[Sequence[str]], Inputs]


@dataclass(frozen=True)
class Batch:
    """Keys leased together, with the inputs that they read."""

    plan: AnalysisPlan
    due: dict[str, Due]
    edges: dict[str, list[tuple[str, int, str]]]  # key -> (role, input unit, fingerprint seen)
    rooted: dict[str, Rooted]  # what began it
    inputs: Inputs | None  # of the keys that can be read
    unreadable: dict[str, str] = field(default_factory=dict)  # key -> what of its inputs is lost, and what helps
    damaged: tuple[Damaged, ...] = ()  # the makers of what is lost

    @property
    def readable(self) -> tuple[str, ...]:
        return tuple(key for key in self.due if key not in self.unreadable)

    def failed(self, loaded: str) -> list[Outcome]:
        """The outcomes of the keys whose inputs cannot be read. loaded: the digest of what this process has loaded."""
        return [
            Outcome(key=key, rows=[], fingerprint=None, message=message, seconds=0.0, loaded=loaded)
            for key, message in self.unreadable.items()
        ]


class Batches:
    """Reads and commits the batches of one run."""

    def __init__(self, engine: Engine, objects: ObjectStore, world: World, leases: Leases, run_id: int):
        self.engine, self.objects, self.world, self.leases, self.run_id = engine, objects, world, leases, run_id
        self.loaded: dict[str, str] = {}  # analysis -> the digest of what this process has loaded of it
        self.makers = makers_of(world.analyses)
        self.book = CauseBook(run_id)

    def read(
        self, connection: Connection, plan: AnalysisPlan, planner: Planner, due: dict[str, Due]
    ) -> tuple[Batch | None, set[str]]:
        """The inputs of the keys as they are now, all from one state of the database.

        Keys that others computed since the plan was made drop out, and so do keys whose inputs are not there any more;
        both are planned again. Gives the batch, if anything is left of it, and the keys whose inputs are not there.
        """
        analysis = plan.analysis
        planned = plan.present
        now = unit_rows(connection, analysis.name, list(due), insert_missing=False)
        keys = [
            key
            for key in sorted(due)
            if (key in now) == (key in planned) and (key not in now or now[key].updated_at == planned[key].updated_at)
        ]
        inputs = {
            key: [
                (role, planner.standing.ids(planner.world.producer_of(analysis, role)).get(input_key))
                for role, by_key in plan.inputs.items()
                for input_key in by_key.get(key, ())
            ]
            for key in keys
        }
        used = {unit_id for inputs_of_key in inputs.values() for _, unit_id in inputs_of_key if unit_id is not None}
        with numbers(connection, "wanted_inputs", used) as name:
            query = select(Unit.unit_id, Unit.fingerprint).where(
                Unit.unit_id.in_(store.select_ids(name)), Unit.state == UnitState.CURRENT
            )
            current: dict[int, Any] = {unit_id: fingerprint for unit_id, fingerprint in connection.execute(query)}
        unready = {
            key for key, inputs_of_key in inputs.items() if any(unit_id not in current for _, unit_id in inputs_of_key)
        }
        edges = {
            key: [(role, unit_id, current[unit_id]) for role, unit_id in inputs_of_key if unit_id is not None]
            for key, inputs_of_key in inputs.items()
            if all(unit_id in current for _, unit_id in inputs_of_key)
        }
        if not edges:
            return None, unready
        references = {role: (table.key, table.rows) for role, table in self.world.references(analysis).items()}
        members = plan.members.get(next(iter(edges)), ())

        def load_of(some: Sequence[str]) -> Inputs:
            pairs: dict[str, list[tuple[str, int]]] = {role: [] for role in plan.inputs}
            for key in some:
                for role, unit_id, _ in edges[key]:
                    pairs[role].append((key, unit_id))
            return load(connection, self.objects, analysis, pairs, references, members, self.world.paths.at)

        values, errors = _readable(load_of, list(edges))
        wanted = {key: due[key] for key in edges}
        lost = {e.digest: e for e in errors.values() if isinstance(e, LostObject)}
        known = Origins(connection)
        help_of = {digest: known.advice(digest, e.damage) for digest, e in lost.items()}
        reasons = {k: f"{e.where}: {e.message}. {help_of[e.digest]}" if isinstance(e, LostObject) else str(e)
                for k, e in errors.items()}  # fmt: skip
        makers = tuple(maker for digest, e in lost.items()
                       for maker in makers_of_object(connection, self.makers, digest, e.damage))  # fmt: skip
        rooted = planner.roots.of(connection, plan, list(edges))
        return Batch(plan, wanted, edges, rooted, values, reasons, makers), unready

    def commit(self, batch: Batch, outcomes: Sequence[Outcome]) -> tuple[list[Outcome], list[Outcome]]:
        """Commit the outcomes whose lease is held, whose inputs are unchanged, and which rest on what is loaded here.

        Gives those, and those that changed.
        """
        analysis = batch.plan.analysis
        table = analysis.makes.__table__
        replaced: set[tuple[str, str]] = set()
        with self.book.kept(), writing(self.engine) as connection:
            ours = [o for o in outcomes if o.loaded == self.loaded[analysis.name]]
            kept = self._still_valid(connection, batch, list(map(self._without_paths, ours)))
            rows = unit_rows(connection, analysis.name, [o.key for o in kept])
            ids = {key: row.unit_id for key, row in rows.items()}
            spec_id = store.spec_id_for(connection, self.world.spec(analysis.name))
            upstream = self.world.upstream_digest(analysis) if analysis.kind is Kind.FIT else None
            moved = [o for o in kept if o.message is not None or o.fingerprint != rows[o.key].fingerprint]
            if analysis.tracks:
                note_changes(connection, analysis, moved, {o.key: ids[o.key] for o in moved}, self.run_id)
            # all payloads, also of unchanged results: columns that only describe them may differ
            with numbers(connection, "written_units", ids.values()) as name:
                if analysis.kind is Kind.FIT:
                    replaced = _objects(connection, table, table.c.unit_id.in_(store.select_ids(name)))
                connection.execute(delete(table).where(table.c.unit_id.in_(store.select_ids(name))))
            bulk_insert(connection, table, [{"unit_id": ids[o.key], **row} for o in kept for row in o.rows])
            fp("rebuild.payload_written")
            done_at = store.now()
            upsert(
                connection,
                Unit.__table__,
                [
                    {
                        "unit_id": ids[o.key],
                        "analysis": analysis.name,
                        "key": o.key,
                        "state": UnitState.CURRENT if o.message is None else UnitState.FAILED,
                        "fingerprint": o.fingerprint,
                        "spec_id": spec_id,
                        "run_id": self.run_id,
                        "upstream": upstream,
                        "message": o.message,
                        "updated_at": done_at,
                        "rows_digest": digest_of(table, o.rows) if o.message is None else None,
                        "digest_taken_over": None,
                        "damage": None,
                    }
                    for o in kept
                ],
                ("unit_id",),
            )
            mark(connection, batch.damaged)
            store.replace_edges(connection, {ids[o.key]: batch.edges[o.key] for o in kept})
            attempt_id = next_id(connection, Attempt.attempt_id)
            sets = self.book.write(connection, (batch.rooted[o.key].causes for o in kept))
            last_change = connection.execute(select(func.max(Change.change_id))).scalar() or 0
            bulk_insert(
                connection,
                Attempt.__table__,
                [
                    {
                        "attempt_id": attempt_id + i,
                        "run_id": self.run_id,
                        "unit_id": ids[o.key],
                        "reason": batch.due[o.key].reason.value,
                        "detail": batch.due[o.key].detail,
                        "state": UnitState.CURRENT if o.message is None else UnitState.FAILED,
                        "seconds": o.seconds,
                        "is_changed": o in moved,
                        "ended_at": done_at,
                        "cause_set": sets[batch.rooted[o.key].causes],
                        "last_change_id": last_change,
                        "through_unit_id": via.unit_id if (via := batch.rooted[o.key].via) is not None else None,
                    }
                    for i, o in enumerate(kept)
                ],
            )
            self.leases.drop(connection, analysis.name, [o.key for o in outcomes])
            fp("rebuild.before_commit")
            replaced -= _objects(connection, table) if replaced else set()
        fp("rebuild.committed")
        for digest, suffix in replaced:  # models that a refit replaced
            self.objects.remove(digest, suffix)
        return kept, moved

    def _without_paths(self, outcome: Outcome) -> Outcome:
        """An outcome as it is kept: its message may name files."""
        hidden = None if outcome.message is None else self.world.paths.text(outcome.message)
        return outcome if hidden == outcome.message else replace(outcome, message=hidden)

    def note_retired(self, connection: Connection, causes: Mapping[int, Causes]) -> None:
        """Record units that were retired, each with what began that. Inside `writing` and `book.kept`."""
        sets = self.book.write(connection, causes.values())
        first, now = next_id(connection, Retirement.retirement_id), store.now()
        rows = [
            {"retirement_id": first + i, "run_id": self.run_id, "unit_id": unit, "cause_set": sets[of_unit], "ended_at": now}
            for i, (unit, of_unit) in enumerate(causes.items())
        ]  # fmt: skip
        bulk_insert(connection, Retirement.__table__, rows)

    def _still_valid(self, connection: Connection, batch: Batch, outcomes: Sequence[Outcome]) -> list[Outcome]:
        name = batch.plan.analysis.name
        leased = self.leases.mine(connection, name)
        used = {unit for edges in batch.edges.values() for _, unit, _ in edges}
        with numbers(connection, "used_units", used) as ids:
            rows = connection.execute(
                select(Unit.unit_id, Unit.fingerprint).where(Unit.unit_id.in_(store.select_ids(ids)))
            )
            now = {unit_id: fingerprint for unit_id, fingerprint in rows.fetchall()}
        return [o for o in outcomes if o.key in leased and all(now.get(u) == seen for _, u, seen in batch.edges[o.key])]


def _readable(load_of: Loader, keys: list[str]) -> tuple[Inputs | None, dict[str, IntegrityError]]:
    """The inputs of the keys that can be read, and the errors of those that cannot: what is lost fails its readers alone."""
    try:
        return load_of(keys), {}
    except IntegrityError:
        errors = _errors(load_of, keys)
    left = [key for key in keys if key not in errors]
    return (load_of(left) if left else None), errors


def _errors(load_of: Loader, keys: list[str]) -> dict[str, IntegrityError]:
    """A batch that cannot be read is halved until the guilty key stands alone."""
    try:
        load_of(keys)
    except IntegrityError as error:
        if len(keys) == 1:
            return {keys[0]: error}
        middle = len(keys) // 2
        return _errors(load_of, keys[:middle]) | _errors(load_of, keys[middle:])
    return {}


def _objects(connection: Connection, table, where=ALL) -> set[tuple[str, str]]:
    """(digest, suffix) of the objects that rows of a table name."""
    return {
        (digest, column.info["object"])
        for column in table.columns
        if "object" in column.info
        for digest in connection.execute(select(column).where(where)).scalars()
        if digest is not None
    }


def unit_rows(connection: Connection, analysis: str, keys: Sequence[str], insert_missing: bool = True):
    """key -> (unit_id, fingerprint, updated_at); keys without a unit get one."""
    with texts(connection, "wanted_keys", keys) as name:
        query = select(Unit.key, Unit.unit_id, Unit.fingerprint, Unit.updated_at).where(
            Unit.analysis == analysis, Unit.key.in_(store.select_ids(name))
        )
        if not insert_missing:
            query = query.where(Unit.state != UnitState.RETIRED)
        by_key = {row.key: row for row in connection.execute(query)}
        missing = [key for key in keys if key not in by_key]
        if missing and insert_missing:
            first = next_id(connection, Unit.unit_id)
            row = {"analysis": analysis, "state": UnitState.BLOCKED, "updated_at": store.now()}
            bulk_insert(
                connection,
                Unit.__table__,
                [row | {"unit_id": first + i, "key": key} for i, key in enumerate(missing)],
            )
            by_key = {row.key: row for row in connection.execute(query)}
    return by_key
