"""What happened since a unit was last computed: attempts and retirements of its inputs, rows that were ingested, members.

All of it is read for many units at once, from the database as it is in the caller's transaction.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from tshdb.canonical import json_text
from tshdb.config import Settings
from tshdb.database import numbers, texts
from tshdb.engine.cause_sets import causes_of_sets
from tshdb.engine.causes import UNRECORDED, Cause, Causes
from tshdb.engine.units import select_ids
from tshdb.errors import InvalidInput
from tshdb.schema import (
    Attempt,
    Change,
    ExpressionProfile,
    ImagingStudy,
    IngestRun,
    Retirement,
    Run,
    Sample,
    SourceFile,
    Unit,
    UnitInput,
)
from tshdb.vocabulary import CauseKind

_OWNED = (  # (entity, what owns it), owners first
    (Sample.sample_id, Sample.patient_id),
    (ExpressionProfile.profile_id, ExpressionProfile.sample_id),
    (ImagingStudy.study_uid, ImagingStudy.patient_id),
)


class Last(NamedTuple):
    """The last attempt of a unit. change_id: the last row of change_log that it can have seen; None where not recorded."""

    attempt_id: int
    change_id: int | None
    ended_at: str
    run_id: int


class InputStep(NamedTuple):
    """An attempt or a retirement of an input. attempt_id: None of a retirement."""

    attempt_id: int | None
    ended_at: str
    cause_set: int | None


def last_attempts(connection: Connection, unit_ids: Iterable[int]) -> dict[int, Last]:
    """unit -> its last attempt, for those that have one."""
    with numbers(connection, "attempted_units", unit_ids) as name:
        newest = (
            select(func.max(Attempt.attempt_id))
            .where(Attempt.unit_id.in_(select_ids(name)))
            .group_by(Attempt.unit_id)
            .scalar_subquery()
        )
        query = select(
            Attempt.unit_id, Attempt.attempt_id, Attempt.last_change_id, Attempt.ended_at, Attempt.run_id
        )  # fmt: skip
        rows = connection.execute(query.where(Attempt.attempt_id.in_(newest))).fetchall()
    return {unit_id: Last(attempt, change, ended_at, run) for unit_id, attempt, change, ended_at, run in rows}


class InputSteps:
    """What became of inputs: their attempts that changed something, and their retirements."""

    def __init__(self, connection: Connection, unit_ids: Collection[int]):
        self._of: dict[int, list[InputStep]] = defaultdict(list)
        with numbers(connection, "moved_inputs", unit_ids) as name:
            chosen = select_ids(name)
            attempts = select(Attempt.unit_id, Attempt.attempt_id, Attempt.ended_at, Attempt.cause_set)
            query = attempts.where(Attempt.unit_id.in_(chosen), Attempt.is_changed).order_by(Attempt.attempt_id)
            for unit_id, attempt_id, ended_at, cause_set in connection.execute(query):
                self._of[unit_id].append(InputStep(attempt_id, ended_at, cause_set))
            retired = select(Retirement.unit_id, Retirement.ended_at, Retirement.cause_set)
            for unit_id, ended_at, cause_set in connection.execute(retired.where(Retirement.unit_id.in_(chosen))):
                self._of[unit_id].append(InputStep(None, ended_at, cause_set))
        for steps in self._of.values():
            steps.sort(key=lambda step: step.ended_at)
        sets = {step.cause_set for steps in self._of.values() for step in steps if step.cause_set is not None}
        self._causes = causes_of_sets(connection, sets)

    def since(self, unit_id: int | None, last: Last | None) -> Causes:
        """The causes of all that became of an input after a consumer's last attempt."""
        steps = self._of.get(unit_id, []) if unit_id is not None else []
        return self._joined([step for step in steps if last is None or _is_later(step, last)])

    def newest(self, unit_id: int | None) -> Causes:
        """The causes of the last of all that became of an input."""
        return self._joined(self._of.get(unit_id, [])[-1:] if unit_id is not None else ())

    def after(self, unit_id: int | None, moment: str) -> Causes:
        """The causes of all that became of an input after a moment (UTC text)."""
        steps = self._of.get(unit_id, ()) if unit_id is not None else ()
        return self._joined([step for step in steps if step.ended_at >= moment])

    def _joined(self, steps: Collection[InputStep]) -> Causes:
        causes: set[Cause] = set()
        for step in steps:
            causes |= self._causes.get(step.cause_set, {UNRECORDED}) if step.cause_set is not None else {UNRECORDED}
        return frozenset(causes)


def _is_later(step: InputStep, last: Last) -> bool:
    return step.ended_at > last.ended_at if step.attempt_id is None else step.attempt_id > last.attempt_id


class Rows:
    """Rows that were ingested, changed or removed, of some entities of one table: from the change log."""

    def __init__(self, connection: Connection, table: str | None, entities: Collection[str]):
        self._of: dict[str, list] = defaultdict(list)
        columns = (
            Change.change_id, Change.ingest_run_id, Change.table_name, Change.row_key, Change.entity_key, Change.action,
            Change.changes, Change.before_file_id, Change.before_line, Change.after_file_id, Change.after_line,
            IngestRun.started_at,
        )  # fmt: skip
        with texts(connection, "changed_entities", entities) as name:
            query = select(*columns).join(IngestRun, IngestRun.ingest_run_id == Change.ingest_run_id)
            query = query.where(Change.entity_key.in_(select_ids(name))).order_by(Change.change_id)
            if table is not None:
                query = query.where(Change.table_name == table)
            for row in connection.execute(query):
                self._of[row.entity_key].append(row)
        wanted = {f for rows in self._of.values() for r in rows for f in (r.before_file_id, r.after_file_id)} - {None}
        with numbers(connection, "named_files", wanted) as name:
            files = select(SourceFile.source_file_id, SourceFile.name, SourceFile.sha256)
            files = files.where(SourceFile.source_file_id.in_(select_ids(name)))
            self._files = {i: (file, sha256) for i, file, sha256 in connection.execute(files)}

    def since(self, entity: str, last: Last | None) -> Causes:
        """The changes of an entity after a consumer's last attempt; the newest one where that is not known."""
        rows = self._of.get(entity, [])
        if last is not None and last.change_id is not None:
            rows = [r for r in rows if r.change_id > last.change_id]
        else:
            rows = rows[-1:]
        return frozenset(self._cause(row) for row in rows)

    def all(self, entity: str, tables: Collection[str], moment: str) -> Causes:
        """The changes of an entity in some tables that were ingested after a moment (UTC text)."""
        rows = [r for r in self._of.get(entity, ()) if r.table_name in tables and r.started_at > moment]
        return frozenset(self._cause(row) for row in rows)

    def newest(self, entity: str) -> tuple[int, Causes]:
        """The last ingest that concerned an entity, and what it changed of it; (0, none) of one without a record."""
        rows = self._of.get(entity, ())
        run = rows[-1].ingest_run_id if rows else 0
        return run, frozenset(self._cause(row) for row in rows if row.ingest_run_id == run)

    def _cause(self, row) -> Cause:
        columns = json.loads(row.changes)
        is_new, is_gone = row.action == "insert", row.action == "delete"
        was = None if is_new else json_text({} if is_gone else {c: before for c, (before, _) in columns.items()})
        now = None if is_gone else json_text({} if is_new else {c: after for c, (_, after) in columns.items()})
        place = (
            self._place(row.before_file_id, row.before_line)
            if is_gone
            else self._place(row.after_file_id, row.after_line)
        )
        return Cause(CauseKind.DATUM, f"{row.table_name}/{row.row_key}", was, now, place, row.entity_key, row.change_id)

    def _place(self, file_id: int | None, line: int | None) -> str | None:
        if file_id not in self._files:
            return None
        name, sha256 = self._files[file_id]
        return f"{name} line {line}, sha256 {sha256[:12]}…"


class RowsOfPatients:
    """Rows that were ingested of patients, under whatever entity: their samples, profiles and imaging studies, gone ones too."""

    def __init__(self, connection: Connection, patients: Collection[str]):
        self._entities = {*patients}
        for column, owner in _OWNED:
            with texts(connection, "owners", self._entities) as name:
                query = select(column).where(owner.in_(select_ids(name)))
                self._entities |= set(connection.execute(query).scalars())
            removed = select(Change.entity_key, Change.changes).where(
                Change.action == "delete", Change.table_name == column.table.name
            )
            for entity, changes in connection.execute(removed):
                if json.loads(changes).get(owner.key, [None])[0] in self._entities:
                    self._entities.add(entity)
        self._rows = Rows(connection, None, self._entities)

    def after(self, moment: str, tables: Collection[str]) -> Causes:
        """What was ingested of them in some tables after a moment (UTC text)."""
        return frozenset().union(*(self._rows.all(entity, tables, moment) for entity in self._entities))


class RunsBefore:
    """What earlier runs had for settings and libraries; nothing of runs that did not record it."""

    def __init__(self, connection: Connection, path: Path):
        rows = connection.execute(select(Run.run_id, Run.settings, Run.libraries))
        self._of = {run_id: (text, libraries) for run_id, text, libraries in rows}
        self.path = path

    def settings(self, run_id: int) -> Settings | None:
        """study.toml as a run read it."""
        text, _ = self._of.get(run_id, (None, None))
        try:
            return Settings(self.path, text) if text is not None else None
        except InvalidInput:
            return None

    def newest(self) -> Settings | None:
        """study.toml as the last run read it that recorded it."""
        recorded = [run_id for run_id, (text, _) in self._of.items() if text is not None]
        return self.settings(max(recorded)) if recorded else None

    def libraries(self, run_id: int) -> dict[str, str]:
        """The versions that a run had."""
        return json.loads(self._of[run_id][1]) if run_id in self._of else {}


def seen_members(connection: Connection, unit_ids: Iterable[int], role: str) -> dict[int, str]:
    """unit -> the fingerprint of the members that it saw."""
    with numbers(connection, "units_of_members", unit_ids) as name:
        query = select(UnitInput.unit_id, UnitInput.seen_fingerprint).where(
            UnitInput.unit_id.in_(select_ids(name)), UnitInput.role == role
        )
        return {unit_id: fingerprint for unit_id, fingerprint in connection.execute(query)}


def stored_inputs(connection: Connection, unit_ids: Iterable[int]) -> Mapping[int, list[tuple[str, str, int]]]:
    """unit -> (analysis, key, unit) of each of its inputs, retired ones included."""
    inputs_of_unit: dict[int, list[tuple[str, str, int]]] = defaultdict(list)
    with numbers(connection, "units_with_inputs", unit_ids) as name:
        query = (
            select(UnitInput.unit_id, Unit.analysis, Unit.key, Unit.unit_id)
            .join(Unit, Unit.unit_id == UnitInput.input_unit_id)
            .where(UnitInput.unit_id.in_(select_ids(name)))
            .order_by(UnitInput.role, Unit.key)
        )
        for unit_id, analysis, key, input_id in connection.execute(query):
            inputs_of_unit[unit_id].append((analysis, key, input_id))
    return inputs_of_unit
