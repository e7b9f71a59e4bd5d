"""Results and the digests by which they are trusted; inputs, runs, leases."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

from sqlalchemy import delete, func, select, update

from tshdb.checking.rule import Context, Problem, rule
from tshdb.engine.analysis import Kind
from tshdb.engine.compute import payload_fingerprint
from tshdb.engine.graph import units_below
from tshdb.engine.units import COHORT, ENTITY_COLUMN, INGEST, now
from tshdb.loading.commit import entity_fingerprints
from tshdb.process import is_alive
from tshdb.schema import Base, Lease, Run, Unit, UnitInput
from tshdb.vocabulary import RunState, UnitState
from tshdb.withdrawal.identifiers import SEEN

AGAIN = "Set the unit's row aside and run tshdb rebuild, or restore a backup"
NOT_PAYLOAD = {"units", "unit_inputs", "attempts", "result_changes"}


def _payloads():
    return [t for t in Base.metadata.sorted_tables if "unit_id" in t.columns and t.name not in NOT_PAYLOAD]


@rule("unit.fingerprint", "a current unit has a digest of its rows, and no other unit has one", AGAIN)
def _fingerprint(c: Context) -> Iterator[Problem]:
    query = select(Unit.analysis, Unit.key, Unit.state, Unit.fingerprint)
    for analysis, key, state, fingerprint in c.connection.execute(query):
        if (state == UnitState.CURRENT) != (fingerprint is not None):
            yield Problem(
                f"{analysis}/{key}", f"{state.value}, {'without' if fingerprint is None else 'with'} a digest"
            )


@rule("unit.message", "a unit that failed or is blocked says why", "Run tshdb rebuild")
def _message(c: Context) -> Iterator[Problem]:
    query = select(Unit.analysis, Unit.key, Unit.state).where(
        Unit.state.in_([UnitState.FAILED, UnitState.BLOCKED]), Unit.message.is_(None)
    )
    for analysis, key, state in c.connection.execute(query):
        yield Problem(f"{analysis}/{key}", f"{state.value} without a message")


@rule("unit.made-by", "a current result names the run and the spec that made it", AGAIN)
def _made_by(c: Context) -> Iterator[Problem]:
    names = {a.name for a in c.analyses}
    identities = {(a.name, a.identity) for a in c.analyses if a.identity}
    query = select(Unit.analysis, Unit.key).where(
        Unit.state == UnitState.CURRENT, Unit.run_id.is_(None) | Unit.spec_id.is_(None)
    )
    for analysis, key in c.connection.execute(query):
        if analysis in names and (analysis, key) not in identities:
            yield Problem(f"{analysis}/{key}", "made by no run")


@rule("unit.inputs", "a current result names what it was computed from", AGAIN)
def _inputs(c: Context) -> Iterator[Problem]:
    names = {a.name for a in c.analyses}
    with_inputs = select(UnitInput.unit_id)
    query = select(Unit.analysis, Unit.key).where(
        Unit.state == UnitState.CURRENT, Unit.spec_id.is_not(None), Unit.unit_id.not_in(with_inputs)
    )
    for analysis, key in c.connection.execute(query):
        if analysis in names:
            yield Problem(f"{analysis}/{key}", "without inputs")


@rule("unit.rows", "the rows of every result are those of its digest: nobody has edited them", AGAIN, is_full=True)
def _rows(c: Context) -> Iterator[Problem]:
    makers: dict[type, list[str]] = {}
    for analysis in c.analyses:
        makers.setdefault(analysis.makes, []).append(analysis.name)
    for table, names in makers.items():
        query = select(Unit.unit_id, Unit.analysis, Unit.key, Unit.fingerprint).where(
            Unit.analysis.in_(names), Unit.state == UnitState.CURRENT, Unit.spec_id.is_not(None)
        )
        units = {u: (f"{a}/{k}", f) for u, a, k, f in c.connection.execute(query)}
        rows: dict[int, list[dict]] = {u: [] for u in units}
        for row in c.connection.execute(select(table.__table__)).mappings():
            if row["unit_id"] in rows:
                rows[row["unit_id"]].append(dict(row))
        withdrawn = _trained_on_withdrawn(c) if rows else set()
        for unit, mine in rows.items():
            name, fingerprint = units[unit]
            if payload_fingerprint(table, mine) != fingerprint and unit not in withdrawn:
                yield Problem(name, f"its {len(mine)} rows of {table.__tablename__} are not those that were computed")


def _trained_on_withdrawn(c: Context) -> set[int]:
    """Units that rest on a withdrawn patient: rows of that patient were taken out of their payload."""
    query = select(UnitInput.unit_id).where(UnitInput.seen_fingerprint == SEEN)
    direct = set(c.connection.execute(query).scalars())
    return direct | units_below(c.connection, direct)


@rule(
    "ingested.rows",
    "the rows of every patient, sample and profile are those that were ingested",
    "Ingest the source again, with --name",
    is_full=True,
)
def _ingested(c: Context) -> Iterator[Problem]:
    for name in ENTITY_COLUMN:
        query = select(Unit.key, Unit.fingerprint).where(
            Unit.analysis == INGEST + name, Unit.state == UnitState.CURRENT
        )
        known = dict(map(tuple, c.connection.execute(query)))
        there = entity_fingerprints(c.connection, name)
        for key in sorted(known.keys() | there.keys()):
            if key not in there:
                yield Problem(f"{name}/{key}", "was ingested, and has no row")
            elif key not in known:
                yield Problem(f"{name}/{key}", "has rows that were never ingested")
            elif there[key] != known[key]:
                yield Problem(f"{name}/{key}", "was edited: its rows are not those that were ingested")


@rule(
    "payload.orphan",
    "every result row belongs to a unit that stands",
    "Run tshdb check --repair",
    mend=lambda c, p: _drop_orphans(c),
)
def _orphans(c: Context) -> Iterator[Problem]:
    for table in _payloads():
        for n, analysis, key in c.connection.execute(_orphan_query(table)):
            yield Problem(f"{table.name} of {analysis}/{key}", f"{n} rows of a unit that was retired")


def _orphan_query(table):
    return (
        select(func.count(), Unit.analysis, Unit.key)
        .select_from(table)
        .join(Unit, Unit.unit_id == table.c.unit_id)
        .where(Unit.state == UnitState.RETIRED)
        .group_by(Unit.analysis, Unit.key)
    )


def _drop_orphans(c: Context) -> None:
    for table in _payloads():
        retired = select(Unit.unit_id).where(Unit.state == UnitState.RETIRED)
        c.connection.execute(delete(table).where(table.c.unit_id.in_(retired)))


@rule("model.training-set", "every model was fitted on a cohort version that is there", AGAIN)
def _training_set(c: Context) -> Iterator[Problem]:
    from tshdb.schema import CohortVersion

    known = {f"{n}@{v}" for n, v in c.connection.execute(select(CohortVersion.cohort, CohortVersion.version))}
    for analysis in c.analyses:
        if analysis.kind is not Kind.FIT:
            continue
        query = select(Unit.key).where(Unit.analysis == analysis.name, Unit.state != UnitState.RETIRED)
        for key in c.connection.execute(query).scalars():
            if key not in known and key != analysis.identity:
                yield Problem(f"{analysis.name}/{key}", "its training set is not known")


@rule("unit.cohort", "the unit of every cohort version has the digest of its members", AGAIN)
def _cohort_units(c: Context) -> Iterator[Problem]:
    from tshdb.schema import CohortVersion
    from tshdb.vocabulary import CohortMode

    query = select(CohortVersion.cohort, CohortVersion.version, CohortVersion.fingerprint)
    frozen = c.connection.execute(query.where(CohortVersion.mode == CohortMode.FROZEN)).fetchall()
    units = dict(map(tuple, c.connection.execute(select(Unit.key, Unit.fingerprint).where(Unit.analysis == COHORT))))
    for cohort, version, fingerprint in frozen:
        if units.get(f"{cohort}@{version}") != fingerprint:
            yield Problem(f"cohort {cohort}@{version}", "its unit does not stand for these members")


def _drop_leases(c: Context, problems: list[Problem]) -> None:
    for problem in problems:
        analysis, _, key = problem.key.partition("/")
        c.connection.execute(delete(Lease).where(Lease.analysis == analysis, Lease.key == key))


@rule(
    "lease.orphan", "every lease is held by a process that lives", "tshdb check --repair, or the next rebuild, drops it",
    is_warning=True, mend=_drop_leases,
)  # fmt: skip
def _leases(c: Context) -> Iterator[Problem]:
    for lease in c.connection.execute(select(*Lease.__table__.columns)):
        dead = lease.host == socket.gethostname() and not is_alive(lease.process)
        if dead or lease.expires_at < time.time():
            name = f"{lease.analysis}/{lease.key}"
            yield Problem(name, "held by a process that has ended" if dead else "expired", name)


def _end_runs(c: Context, problems: list[Problem]) -> None:
    for problem in problems:
        c.connection.execute(
            update(Run).where(Run.run_id == int(problem.key)).values(state=RunState.INTERRUPTED, ended_at=now())
        )


@rule(
    "run.dead", "every run that is said to run is running", "tshdb check --repair, or the next rebuild, notes its end",
    is_warning=True, mend=_end_runs,
)  # fmt: skip
def _runs(c: Context) -> Iterator[Problem]:
    query = select(Run.run_id, Run.host, Run.process).where(Run.state == RunState.RUNNING)
    for run, host, process in c.connection.execute(query):
        if host == socket.gethostname() and not is_alive(process):
            yield Problem(f"run {run}", "its process has ended", str(run))
