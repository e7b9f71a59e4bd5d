"""What came into a study, who is in its cohorts, who was withdrawn, and what program it was taken over from."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from tshdb.cohorts.states import members_of
from tshdb.database import numbers
from tshdb.engine.units import select_ids
from tshdb.origins import BY_REPAIR, MARK
from tshdb.schema import Change, Cohort, CohortMember, CohortVersion, IngestRun, SourceFile, Spec, Tombstone
from tshdb.story.event import FEW, Event, EventKind, event, several
from tshdb.story.scope import Scope
from tshdb.text.counts import plural
from tshdb.vocabulary import CohortMode
from tshdb.withdrawal.identifiers import alias_of

DONE = {"insert": "inserted", "update": "updated", "delete": "deleted"}


def ingested(connection: Connection, scope: Scope, since: str) -> Iterator[Event]:
    """One event an ingest; of a key one for each of its rows."""
    if scope.rows is None:
        return
    runs = connection.execute(
        select(*IngestRun.__table__.columns).where(IngestRun.started_at >= since).order_by(IngestRun.ingest_run_id)
    ).fetchall()
    if scope.of_one:
        yield from _rows(connection, scope.rows, {run.ingest_run_id: run for run in runs})
        return
    files = _files(connection, {run.ingest_run_id for run in runs})
    counts = {run.ingest_run_id: {w: getattr(run, f"n_{w}") for w in (*DONE.values(), "withheld")} for run in runs}
    if not scope.is_whole:
        counts = _counts(connection, scope.rows)
    for run in runs:
        done = counts.get(run.ingest_run_id)
        if done is None:
            continue
        text = ", ".join(f"{n:,} {what}" for what, n in done.items() if n) or "nothing changed"
        names = [name for name in files[run.ingest_run_id] if name not in run.command]
        where = f" ({several(names)})" if names else ""
        yield event(
            run.started_at, _kind(run), f"ingest {run.ingest_run_id}", f"{run.command}{where}: {text}",
            ingest_run=run.ingest_run_id, command=run.command, actor=run.actor, files=files[run.ingest_run_id], **done,
        )  # fmt: skip


def _kind(run) -> EventKind:
    return EventKind.REPAIR if run.command == MARK or run.command.endswith(BY_REPAIR) else EventKind.INGEST


def _files(connection: Connection, runs: Iterable[int]) -> dict[int, list[str]]:
    """ingest run -> the names of the files whose bytes were new to it."""
    files: dict[int, list[str]] = defaultdict(list)
    with numbers(connection, "told_ingests", runs) as name:
        query = select(SourceFile.ingest_run_id, SourceFile.name).order_by(SourceFile.source_file_id)
        for run, file in connection.execute(query.where(SourceFile.ingest_run_id.in_(select_ids(name)))):
            files[run].append(file)
    return files


def _counts(connection: Connection, rows: ColumnElement[bool]) -> dict[int, dict[str, int]]:
    query = select(Change.ingest_run_id, Change.action, func.count()).where(rows)
    by_run: dict[int, dict[str, int]] = defaultdict(lambda: dict.fromkeys(DONE.values(), 0))
    for run, action, n in connection.execute(query.group_by(Change.ingest_run_id, Change.action)):
        by_run[run][DONE[action]] = n
    return by_run


def _rows(connection: Connection, rows: ColumnElement[bool], runs: dict[int, Any]) -> Iterator[Event]:
    """Each row of the change log, with its columns before and after, and the line of the file that says so."""
    c, file = Change, SourceFile.__table__
    was, now = file.alias("was"), file.alias("now")
    query = (
        select(*c.__table__.columns, was.c.name.label("before_file"), now.c.name.label("after_file"))
        .outerjoin(was, was.c.source_file_id == c.before_file_id)
        .outerjoin(now, now.c.source_file_id == c.after_file_id)
        .where(rows)
        .order_by(c.change_id)
    )
    for row in connection.execute(query):
        run = runs.get(row.ingest_run_id)
        if run is None:
            continue
        columns = json.loads(row.changes)
        changes = [f"{name} {_shown(before)} -> {_shown(after)}" for name, (before, after) in columns.items()]
        file_name, line = (row.after_file, row.after_line) if row.after_file else (row.before_file, row.before_line)
        where = f" ({file_name} line {line})" if file_name else ""
        what = several(changes, FEW, of=" columns") or DONE[row.action]
        yield event(
            run.started_at, _kind(run), f"ingest {row.ingest_run_id}", f"{row.table_name}/{row.row_key}: {what}{where}",
            ingest_run=row.ingest_run_id, command=run.command, table=row.table_name, row=row.row_key, action=row.action,
            columns=columns, file=file_name, line=line,
        )  # fmt: skip


def _shown(value: Any) -> str:
    return "none" if value is None else str(value)


# ------------------------------------------------------------------------------------------------------------ cohorts


def cohorts(connection: Connection, scope: Scope, since: str) -> Iterator[Event]:
    """Definitions and versions, with who came and who left; of a patient the cohorts that the patient came into or left."""
    if scope.patient is not None:
        yield from _memberships(connection, scope.patient, since)
    if scope.cohort is None:
        return
    of_scope = Cohort.cohort == scope.cohort if scope.cohort else Cohort.cohort.is_not(None)
    for name, defined_at in connection.execute(
        select(Cohort.cohort, Cohort.defined_at).where(of_scope).order_by(Cohort.cohort)
    ):
        before, versions = None, []
        for version in _versions(connection, name):
            if scope.version in (None, version.version) and version.created_at >= since:
                versions.append(_of_version(connection, version, before))
            before = version
        if scope.version is None and defined_at >= since:
            is_new = before is None or defined_at <= _versions(connection, name)[0].created_at
            text = f"{name} was defined" + ("" if is_new else " anew")
            yield event(defined_at, EventKind.COHORT, "cohort", text, cohort=name, version=None)
        yield from versions


def _versions(connection: Connection, name: str) -> list:
    v = CohortVersion
    columns = (v.cohort, v.version, v.mode, v.sql_text, v.n_members, v.created_at)
    return list(connection.execute(select(*columns).where(v.cohort == name).order_by(v.version)).fetchall())


def _of_version(connection: Connection, version, before) -> Event:
    name, number = version.cohort, version.version
    came, left = set(members_of(connection, name, number)), set()
    if before is not None:
        stood = set(members_of(connection, name, before.version))
        came, left = came - stood, stood - came
    how = "was frozen" if version.mode is CohortMode.FROZEN else "was found anew (live)"
    text = f"{name}@{number} {how}: {plural(version.n_members, 'member')}"
    if before is not None:
        text += f", {len(came):,} came, {len(left):,} left"
        text += ", by another definition" if before.sql_text != version.sql_text else ""
    return event(
        version.created_at, EventKind.COHORT, "cohort", text, cohort=name, version=number, mode=version.mode.value,
        n_members=version.n_members, came=sorted(came) if before is not None else None, left=sorted(left),
    )  # fmt: skip


def _memberships(connection: Connection, patient: str, since: str) -> Iterator[Event]:
    """The versions by which a patient came into a cohort or left it."""
    m = CohortMember
    query = select(m.cohort, m.version).where(m.patient_id == patient)
    memberships = {(name, number) for name, number in connection.execute(query)}
    for name in sorted({name for name, _ in memberships}):
        was_in = False
        for version in _versions(connection, name):
            is_in = (name, version.version) in memberships
            if is_in is not was_in and version.created_at >= since:
                text = f"{patient} {'came into' if is_in else 'left'} {name}@{version.version}"
                facts = {"cohort": name, "version": version.version, "is_member": is_in}
                yield event(version.created_at, EventKind.COHORT, "cohort", text, **facts)
            was_in = is_in


# ------------------------------------------------------------------------------------------------ withdrawals, programs


def withdrawn(connection: Connection, scope: Scope, since: str) -> Iterator[Event]:
    """Withdrawals and readmissions: by the token, without a name."""
    if not scope.is_whole:
        return
    t = Tombstone
    columns = (t.token, t.scope, t.actor, t.withdrawn_at, t.readmitted_at)
    for token, what, actor, at, back in connection.execute(select(*columns).order_by(t.withdrawn_at)):
        name = alias_of(token)
        if at >= since:
            text = f"a patient was withdrawn, scope {what.value} ({name})"
            yield event(at, EventKind.WITHDRAWAL, "withdraw", text, token=name, scope=what.value, actor=actor)
        if back is not None and back >= since:
            yield event(
                back, EventKind.READMISSION, "withdraw", f"a patient may be ingested again ({name})", token=name
            )


def taken_over(connection: Connection, scope: Scope, since: str) -> Iterator[Event]:
    """When results of a program of revision 0009 were taken over."""
    if not scope.is_whole:
        return
    query = select(Spec.taken_over, func.count()).where(Spec.taken_over >= since).group_by(Spec.taken_over)
    for at, n in connection.execute(query):
        text = f"taken over from revision 0009: {plural(n, 'way')} in which analyses were computed"
        yield event(at or since, EventKind.MIGRATION, "migrate", text, n_specs=n)
