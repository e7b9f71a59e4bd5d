"""Versions of cohorts: define, freeze, commit a live one; what a version holds, and how two differ."""

from __future__ import annotations

import json
import re
from importlib.metadata import version as version_of
from typing import NamedTuple

from sqlalchemy import Connection, func, insert, select, update

from tshdb.canonical import rows_fingerprint
from tshdb.cohorts.evaluation import Evaluated, evaluate
from tshdb.cohorts.states import latest_version, members_of, overlaps, states
from tshdb.database import bulk_insert, upsert
from tshdb.engine.units import COHORT, now, retire, set_fingerprints
from tshdb.errors import InvalidInput, NotFound
from tshdb.near import did_you_mean
from tshdb.schema import Cohort, CohortExclusion, CohortFlow, CohortMember, CohortVersion, Unit
from tshdb.vocabulary import CohortMode, StepEffect

NAME = re.compile(r"[a-z][a-z0-9_]*")


class FlowStep(NamedTuple):
    """One step of a cohort's flow: n_in members before it, n_out after it."""

    step: int
    effect: StepEffect
    reason: str
    n_in: int
    n_out: int
    sql: str


class Version(NamedTuple):
    """A version of a cohort, or (version None) what its SQL gives now. excluded: patient -> the step that took it out."""

    cohort: str
    version: int | None
    mode: CohortMode
    sql_text: str
    members: tuple[str, ...]
    flow: tuple[FlowStep, ...]
    excluded: dict[str, int]
    created_at: str | None
    program: str | None

    @property
    def key(self) -> str:
        return self.cohort if self.version is None else f"{self.cohort}@{self.version}"

    @property
    def unit_key(self) -> str:
        """The key of the units that are computed on it: live cohorts have no number in theirs."""
        return self.key if self.mode is CohortMode.FROZEN else self.cohort


def members_fingerprint(members) -> str:
    return rows_fingerprint(("patient_id",), ((m,) for m in members))


def define(connection: Connection, name: str, text: str) -> Evaluated:
    """Define a cohort, or give it other steps; frozen versions stay as they are. Gives its members now."""
    if not NAME.fullmatch(name):
        raise InvalidInput(f"'{name}' cannot name a cohort", repair="Use lower-case letters, digits and _")
    evaluated = evaluate(connection, name, text)
    if name in evaluated.disjoint_from:
        raise InvalidInput("the cohort is to be disjoint from itself", where=f"cohort {name}")
    before = connection.execute(select(Cohort.mode).where(Cohort.cohort == name)).scalar()
    row = {
        "cohort": name,
        "sql_text": text,
        "mode": before or CohortMode.LIVE,
        "tables": json.dumps(list(evaluated.tables)),
        "defined_at": now(),
    }
    upsert(connection, Cohort.__table__, [row], ("cohort",))
    return evaluated


def freeze(connection: Connection, name: str) -> tuple[int, tuple[str, ...], bool]:
    """Freeze the members of now as the next version. Gives (version, members, whether the version is new).

    Raises NotFound without such a cohort; InvalidInput without members, and for members whom a cohort has that must
    not share any.
    """
    evaluated = evaluate(connection, name, _definition(connection, name))
    if not evaluated.members:
        raise InvalidInput("nobody is a member now", where=f"cohort {name}", repair="Ingest patients, or mend its SQL")
    latest = latest_version(connection, name, CohortMode.FROZEN)
    if latest is not None and latest.fingerprint == members_fingerprint(evaluated.members):
        return latest.version, evaluated.members, False
    # a live cohort that excludes this one's members does so once they stand; until then it may still have them
    others = {n: s for n, s in states(connection).items() if n == name or s.mode is CohortMode.FROZEN}
    if problem := overlaps(others, {name: evaluated.members}).get(name):
        raise InvalidInput(problem, where=f"cohort {name}", repair="Exclude them in one of the two")
    version = _new_version(connection, name, evaluated, CohortMode.FROZEN)
    connection.execute(update(Cohort).where(Cohort.cohort == name).values(mode=CohortMode.FROZEN))
    set_fingerprints(connection, COHORT, {f"{name}@{version}": members_fingerprint(evaluated.members)})
    live = connection.execute(select(Unit.unit_id).where(Unit.analysis == COHORT, Unit.key == name)).scalars().all()
    retire(connection, live)
    return version, evaluated.members, True


def commit_live(connection: Connection, name: str) -> bool:
    """Commit the members of a live cohort as a version, if they moved. Inside `writing`."""
    evaluated = evaluate(connection, name, _definition(connection, name))
    latest = latest_version(connection, name, CohortMode.LIVE)
    if latest is not None and latest.fingerprint == members_fingerprint(evaluated.members):
        return False
    _new_version(connection, name, evaluated, CohortMode.LIVE)
    set_fingerprints(connection, COHORT, {name: members_fingerprint(evaluated.members)})
    return True


def _definition(connection: Connection, name: str) -> str:
    text = connection.execute(select(Cohort.sql_text).where(Cohort.cohort == name)).scalar()
    if text is None:
        known = connection.execute(select(Cohort.cohort).order_by(Cohort.cohort)).scalars().all()
        meant = did_you_mean(name, known, f"To make it: tshdb cohort define {name} FILE.sql")
        raise NotFound(f"no cohort '{name}'", repair=meant)
    return text


def _new_version(connection: Connection, name: str, evaluated: Evaluated, mode: CohortMode) -> int:
    last = connection.execute(select(func.max(CohortVersion.version)).where(CohortVersion.cohort == name)).scalar()
    version = (last or 0) + 1
    key = {"cohort": name, "version": version}
    connection.execute(
        insert(CohortVersion).values(
            **key,
            mode=mode,
            sql_text=_definition(connection, name),
            n_members=len(evaluated.members),
            fingerprint=members_fingerprint(evaluated.members),
            created_at=now(),
            program=_program(),
        )
    )
    bulk_insert(connection, CohortMember.__table__, [key | {"patient_id": m} for m in evaluated.members])
    flow = _steps(evaluated)
    bulk_insert(connection, CohortFlow.__table__, [key | step._asdict() for step in flow])
    bulk_insert(
        connection,
        CohortExclusion.__table__,
        [key | {"patient_id": p, "step": step} for p, step in sorted(_excluded(evaluated).items())],
    )
    return version


def _program() -> str:
    """What ran the SQL: this program and DuckDB, with their versions."""
    return f"tshdb {version_of('tshdb')}, duckdb {version_of('duckdb')}"


def _steps(evaluated: Evaluated) -> tuple[FlowStep, ...]:
    return tuple(
        FlowStep(i, m.step.effect, m.step.reason, m.n_in, m.n_out, m.step.sql) for i, m in enumerate(evaluated.flow, 1)
    )


def _excluded(evaluated: Evaluated) -> dict[str, int]:
    """patient -> the step that took it out for good."""
    last = {
        patient: i
        for i, moved in enumerate(evaluated.flow, 1)
        if moved.step.effect is StepEffect.EXCLUDE
        for patient in moved.patients
    }
    return {patient: step for patient, step in last.items() if patient not in set(evaluated.members)}


# ---------------------------------------------------------------------------------------------- what a version holds


def number_of(text: str) -> int | None:
    """The number of a version as it is written, `2`; None for anything else, such as `02`, `2nd` or nothing."""
    return int(text) if text.isascii() and text.isdecimal() and str(int(text)) == text else None


def find_version(connection: Connection, text: str, *, is_now: bool = False) -> Version:
    """The version that `name` or `name@version` means; of a name alone, the newest.

    is_now: of a name alone, what its SQL gives now. A cohort without any version is given as it is now, too.
    Raises NotFound.
    """
    name, at, number = text.partition("@")
    if not at:
        sql = _definition(connection, name)
        mode = connection.execute(select(Cohort.mode).where(Cohort.cohort == name)).scalar_one()
        newest = None if is_now else latest_version(connection, name, mode)
        if newest is None:
            evaluated = evaluate(connection, name, sql)
            return Version(
                name, None, mode, sql, evaluated.members, _steps(evaluated), _excluded(evaluated), None, None
            )
        number = str(newest.version)
    table = CohortVersion.__table__
    row = None
    if (version := number_of(number)) is not None:
        query = select(table).where(table.c.cohort == name, table.c.version == version)
        row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound(f"no version '{text}'", repair="Known ones: tshdb cohort list --versions")
    return Version(
        name,
        row.version,
        CohortMode(row.mode),
        row.sql_text,
        members_of(connection, name, row.version),
        _stored_flow(connection, name, row.version),
        _stored_exclusions(connection, name, row.version),
        row.created_at,
        row.program,
    )


def _stored_flow(connection: Connection, name: str, version: int) -> tuple[FlowStep, ...]:
    columns = [getattr(CohortFlow, field) for field in FlowStep._fields]
    query = select(*columns).where(CohortFlow.cohort == name, CohortFlow.version == version).order_by(CohortFlow.step)
    return tuple(FlowStep._make(row) for row in connection.execute(query))


def _stored_exclusions(connection: Connection, name: str, version: int) -> dict[str, int]:
    table = CohortExclusion
    query = select(table.patient_id, table.step).where(table.cohort == name, table.version == version)
    return {patient: step for patient, step in connection.execute(query)}


class Difference(NamedTuple):
    """A patient whom one version has and the other has not, and why: the step that excludes it, in that other one."""

    patient_id: str
    what: str  # came | left
    reason: str


def difference(before: Version, after: Version) -> list[Difference]:
    """Who came and who left from one version to another, each with the step that accounts for it."""
    differences = []
    for what, has, lacks in (("came", after, before), ("left", before, after)):
        reasons = {step.step: step.reason for step in lacks.flow}
        for patient in sorted(set(has.members) - set(lacks.members)):
            step = lacks.excluded.get(patient)
            reason = f"{lacks.key} excludes: {reasons[step]}" if step is not None else f"not among those of {lacks.key}"
            differences.append(Difference(patient, what, reason))
    return differences
