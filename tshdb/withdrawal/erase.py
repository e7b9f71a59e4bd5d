"""The database without a patient: rows erased, history scrubbed, cohorts and models treated by the scope.

All of it happens in the caller's transaction. What must stay for the record (the units that models rested on, the
membership of past cohort versions) keeps a token in the place of the name.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, Text, delete, insert, or_, select, update

from tshdb.change_chain import chain_anew
from tshdb.cohorts.states import latest_version, members_of
from tshdb.cohorts.versions import members_fingerprint
from tshdb.database import bulk_insert, numbers
from tshdb.engine.analysis import Analysis
from tshdb.engine.damage import Looked, look_at_rows, mark, renew_digests, standing_makers
from tshdb.engine.units import COHORT, now, retire, select_ids, set_fingerprints
from tshdb.guest_tables import tables_made, tables_of
from tshdb.schema import (
    Cause,
    Change,
    ClinicalValue,
    Cohort,
    CohortExclusion,
    CohortFlow,
    CohortMember,
    CohortVersion,
    ExpressionPart,
    ExpressionProfile,
    IngestIssue,
    SourceFile,
    SourceRecord,
    Unit,
    UnitInput,
)
from tshdb.vocabulary import CauseKind, CohortMode, StepEffect, UnitState, WithdrawalScope
from tshdb.withdrawal import footprint
from tshdb.withdrawal.identifiers import SEEN, Identifiers, alias_of
from tshdb.withdrawal.objects import PartAnew

STEP = "withdrawn since the version before"
STEMS_AT_ONCE = 100  # names looked for in one pass over a column
KEPT_TABLES = {"cohort_members", "cohort_exclusions", "units", "causes"}  # a token takes the name's place


@dataclass(frozen=True)
class Redaction:
    """A file of the study that names the patient, and what it will be.

    redacted: the file that takes its place, None when all of it goes; lines and columns: what was left out, counted from 1.
    """

    path: str
    redacted: str | None
    sha256_before: str
    sha256_after: str | None
    size_after: int
    lines: tuple[int, ...] = ()
    columns: tuple[int, ...] = ()


@dataclass
class Erased:
    """What was done to the database."""

    rows: dict[str, int] = field(default_factory=dict)
    scrubbed: dict[str, int] = field(default_factory=dict)
    models: list[str] = field(default_factory=list)
    revoked: list[str] = field(default_factory=list)
    cohorts: list[str] = field(default_factory=list)
    new_versions: list[str] = field(default_factory=list)


def erase(
    connection: Connection,
    analyses: Sequence[Analysis],
    names: Identifiers,
    token: str,
    scope: WithdrawalScope,
    parts: Sequence[PartAnew],
    redactions: Sequence[Redaction],
    at: Callable[[str], Path] = Path,
) -> Erased:
    """Erase the patient; nothing outside the database is touched. at: gives the file of a stored path."""
    makers = standing_makers(connection, analyses)
    damaged = Looked()
    look_at_rows(connection, makers, damaged)
    models = footprint.models_of(connection, analyses, names)
    done = Erased(models=[name for _, name in models])
    done.cohorts = [f"{cohort}@{version}" for cohort, version in footprint.cohorts_of(connection, names)]
    alias = alias_of(token)
    _repoint(connection, parts)
    _erase_units(connection, names, alias)
    _replace_members(connection, names, alias)
    _empty_causes(connection, names, alias)
    n_findings = _erase_findings(connection, names)
    done.rows = _erase_rows(connection, names)
    if n_findings:
        done.rows = dict(sorted({**done.rows, IngestIssue.__tablename__: n_findings}.items()))
    _shift_places(connection, redactions, at)
    series = SourceFile.name.in_(names.series_uids)
    connection.execute(update(SourceFile).where(series).values(is_current=False))
    connection.execute(delete(ExpressionPart).where(ExpressionPart.part_id.in_([p.part_id for p in parts])))
    if scope is not WithdrawalScope.KEEP:
        done.new_versions = _new_versions(connection, alias)
    if scope is WithdrawalScope.REVOKE:
        done.revoked = done.models
        tables = tables_made(connection, analyses)
        for unit, name in models:
            retire(connection, [unit], tables[name.partition("/")[0]])
    done.scrubbed = _scrub(connection, names, alias)
    chain_anew(connection)
    mark(connection, damaged.damaged.values())  # their digests would be taken for those of what was made
    renew_digests(connection, makers, damaged.damaged)
    return done


def _repoint(connection: Connection, parts: Sequence[PartAnew]) -> None:
    for part in parts:
        if part.new_id is not None:
            known = select(ExpressionPart.part_id).where(ExpressionPart.part_id == part.new_id)
            if connection.execute(known).scalar() is None:
                connection.execute(insert(ExpressionPart).values(_part_row(connection, part)))
            connection.execute(
                update(ExpressionProfile).where(ExpressionProfile.part_id == part.part_id).values(part_id=part.new_id)
            )


def _part_row(connection: Connection, part: PartAnew) -> dict:
    table = ExpressionPart.__table__
    old = connection.execute(select(table).where(table.c.part_id == part.part_id)).mappings().one()
    return {**old, "part_id": part.new_id, "size_bytes": part.new_size, "n_profiles": part.n_profiles}


def _shift_places(connection: Connection, redactions: Sequence[Redaction], at: Callable[[str], Path]) -> None:
    """Files became shorter: lines and columns behind what was left out move up, digests follow.

    A file is known by its digest, since a study's folder may have moved since it was read.
    """
    for r in redactions:
        query = select(SourceFile.source_file_id, SourceFile.path).where(SourceFile.sha256 == r.sha256_before)
        files = [(file_id, str(at(stored))) for file_id, stored in connection.execute(query)]
        here = {path for _, path in files} & {r.path}
        for file_id, path in files:
            if r.sha256_after is None:  # all of it goes: nothing is read from it any more; others may have its bytes
                if path != r.path if here else Path(path).name != Path(r.path).name:
                    continue
                of_file = SourceFile.source_file_id == file_id
                connection.execute(update(SourceFile).where(of_file).values(is_current=False))
            else:
                connection.execute(
                    update(SourceFile)
                    .where(SourceFile.source_file_id == file_id)
                    .values(sha256=r.sha256_after, size_bytes=r.size_after, mtime_ns=None, ctime_ns=None, inode=None)
                )
            _shift(connection, SourceRecord, SourceRecord.source_file_id, file_id, "line", r.lines)
            _shift(connection, SourceRecord, SourceRecord.source_file_id, file_id, "column_number", r.columns)
            _shift(connection, ClinicalValue, ClinicalValue.source_file_id, file_id, "line", r.lines)
            _shift(connection, Change, Change.before_file_id, file_id, "before_line", r.lines)
            _shift(connection, Change, Change.after_file_id, file_id, "after_line", r.lines)
            if r.lines:
                connection.execute(delete(IngestIssue).where(IngestIssue.path == path, IngestIssue.line.in_(r.lines)))
                _shift(connection, IngestIssue, IngestIssue.path, path, "line", r.lines)


def _shift(connection: Connection, table, column, value, place: str, removed: tuple[int, ...]) -> None:
    """Places behind removed ones move up; in ascending order, so that keys never meet."""
    if not removed:
        return
    where = table.__table__.c[place]
    query = select(where).where(column == value, where > removed[0]).distinct().order_by(where)
    for old in connection.execute(query).scalars().all():
        new = old - bisect_left(removed, old)
        connection.execute(update(table).where(column == value, where == old).values({place: new}))


def _erase_units(connection: Connection, names: Identifiers, alias: str) -> None:
    """Payloads go; the units stay for those that rested on them, without name, data or digest."""
    units = footprint.unit_ids(connection, names)
    retire(connection, units)
    with numbers(connection, "withdrawn_units", units) as asked:
        for table in tables_of(connection):
            if "unit_id" in table.columns and table.name not in ("units", "unit_inputs"):
                connection.execute(delete(table).where(table.c.unit_id.in_(select_ids(asked))))
        connection.execute(
            update(UnitInput).where(UnitInput.input_unit_id.in_(select_ids(asked))).values(seen_fingerprint=SEEN)
        )
    for unit, analysis in sorted(units.items()):
        connection.execute(
            update(Unit)
            .where(Unit.unit_id == unit, Unit.analysis == analysis)
            .values(key=f"{alias}:{unit}", state=UnitState.RETIRED, fingerprint=None, message=None)
        )


def _replace_members(connection: Connection, names: Identifiers, alias: str) -> None:
    for table in (CohortMember, CohortExclusion):
        connection.execute(update(table).where(table.patient_id == names.patient_id).values(patient_id=alias))


def _empty_causes(connection: Connection, names: Identifiers, alias: str) -> None:
    """That something of the patient began a change stays on record, not what."""
    nothing = {"subject": alias, "value_before": None, "value_after": None, "place": None, "change_id": None}
    of_patient = Cause.entity_key.in_(names.keys)
    connection.execute(update(Cause).where(of_patient).values(**nothing, entity_key=alias, kind=CauseKind.WITHDRAWN))


def _erase_findings(connection: Connection, names: Identifiers) -> int:
    """Findings on the lines that speak of the patient, however short her name is: they hold her values. Gives how many."""
    records, files = SourceRecord.__table__, SourceFile.__table__
    of_patient = footprint.rows_of(records, names)
    if of_patient is None:
        return 0
    query = (
        select(files.c.ingest_run_id, files.c.path, records.c.line)
        .join(files, files.c.source_file_id == records.c.source_file_id)
        .where(of_patient, records.c.column_number.is_(None), records.c.line > 0)
        .distinct()
    )
    lines = {(run, Path(path).name, line) for run, path, line in connection.execute(query)}
    issues = IngestIssue.__table__
    runs = {run for run, _, _ in lines}
    found = connection.execute(
        select(issues.c.ingest_issue_id, issues.c.ingest_run_id, issues.c.path, issues.c.line).where(
            issues.c.ingest_run_id.in_(runs), issues.c.line.is_not(None)
        )
    )
    gone = [number for number, run, path, line in found if (run, Path(path).name, line) in lines]
    with numbers(connection, "findings_of_patient", gone) as name:
        connection.execute(delete(IngestIssue).where(IngestIssue.ingest_issue_id.in_(select_ids(name))))
    return len(gone)


def _erase_rows(connection: Connection, names: Identifiers) -> dict[str, int]:
    """Rows of the patient, also inside the payload of models; tables that others point to come last."""
    erased = {}
    for table in reversed(tables_of(connection)):
        if table.name in KEPT_TABLES:
            continue
        condition = footprint.rows_of(table, names)
        if condition is not None:
            n = connection.execute(delete(table).where(condition)).rowcount
            if n:
                erased[table.name] = n
    return dict(sorted(erased.items()))


def _new_versions(connection: Connection, alias: str) -> list[str]:
    """Of every frozen cohort whose newest version has the patient: a version without, made by one more step."""
    made = []
    frozen = connection.execute(select(Cohort.cohort).where(Cohort.mode == CohortMode.FROZEN)).scalars().all()
    for name in sorted(frozen):
        latest = latest_version(connection, name, CohortMode.FROZEN)
        members = members_of(connection, name, latest.version)
        if alias not in members:
            continue
        kept = tuple(m for m in members if m != alias)
        version = latest.version + 1
        table = CohortVersion.__table__
        before = connection.execute(
            select(table).where(table.c.cohort == name, table.c.version == latest.version)
        ).mappings().one()  # fmt: skip
        fingerprint = members_fingerprint(kept)
        row = dict(before) | {
            "version": version,
            "n_members": len(kept),
            "fingerprint": fingerprint,
            "created_at": now(),
        }
        connection.execute(insert(CohortVersion).values(row))
        bulk_insert(
            connection, CohortMember.__table__, [{"cohort": name, "version": version, "patient_id": m} for m in kept]
        )
        _copy_flow(connection, name, latest.version, version, len(members))
        set_fingerprints(connection, COHORT, {f"{name}@{version}": fingerprint})
        made.append(f"{name}@{version}")
    return made


def _copy_flow(connection: Connection, name: str, old: int, new: int, n_before: int) -> None:
    flow, excluded = CohortFlow.__table__, CohortExclusion.__table__
    query = select(flow).where(flow.c.cohort == name, flow.c.version == old).order_by(flow.c.step)
    steps = [dict(r) | {"version": new} for r in connection.execute(query).mappings()]
    if not steps:
        return  # the version is older than the record of steps
    last = {
        "cohort": name,
        "version": new,
        "step": len(steps) + 1,
        "effect": StepEffect.EXCLUDE,
        "reason": STEP,
        "n_in": n_before,
        "n_out": n_before - 1,
        "sql": "",
    }
    bulk_insert(connection, flow, [*steps, last])
    query = select(excluded).where(excluded.c.cohort == name, excluded.c.version == old)
    bulk_insert(connection, excluded, [dict(r) | {"version": new} for r in connection.execute(query).mappings()])


def _scrub(connection: Connection, names: Identifiers, alias: str) -> dict[str, int]:
    """Texts that name the patient (messages, commands, SQL, JSON) name the token instead."""
    if not names.telling:
        return {}
    scrubbed: dict[str, int] = {}
    stems = [s for s in names.spellings if not any(o != s and o in s for o in names.spellings)]
    for table in tables_of(connection):
        keys = list(table.primary_key)
        for column in table.columns:
            if not isinstance(column.type, Text):
                continue
            for some in (stems[i : i + STEMS_AT_ONCE] for i in range(0, len(stems), STEMS_AT_ONCE)):
                named = or_(*[column.icontains(stem, autoescape=True) for stem in some])
                query = select(*keys, column.label("scrubbed_text")).where(named)
                for row in connection.execute(query).mappings().all():
                    text = names.pattern.sub(alias, row["scrubbed_text"])
                    if text != row["scrubbed_text"]:
                        where = [k == row[k.name] for k in keys]
                        connection.execute(update(table).where(*where).values({column.name: text}))
                        scrubbed[f"{table.name}.{column.name}"] = scrubbed.get(f"{table.name}.{column.name}", 0) + 1
    return scrubbed
