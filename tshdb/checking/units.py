"""Results and the digests by which they are trusted; inputs, runs, leases."""

from __future__ import annotations

import time
from collections.abc import Iterator

from sqlalchemy import Table, and_, delete, func, select, update

from tshdb.checking.healing import healing
from tshdb.checking.rule import Context, Problem, rule
from tshdb.database import numbers
from tshdb.engine.analysis import Kind
from tshdb.engine.compute import payload_fingerprint
from tshdb.engine.damage import Damaged, Looked, is_stray, look_at_rows, mark, remove_strays, standing_makers
from tshdb.engine.graph import units_below
from tshdb.engine.stored_form import declaration_fingerprint
from tshdb.engine.units import COHORT, now, select_ids, set_fingerprints
from tshdb.errors import TshdbError
from tshdb.optimism import changes_of, expected_labels
from tshdb.origins import MADE_AGAIN
from tshdb.process import is_alive, machine
from tshdb.schema import CohortVersion, Lease, Run, Spec, Unit, UnitInput
from tshdb.schema.base import is_ours
from tshdb.vocabulary import CohortMode, Damage, RunState, UnitState
from tshdb.withdrawal.identifiers import SEEN

AGAIN = MADE_AGAIN
_VERSION = (CohortVersion.cohort, CohortVersion.version, CohortVersion.fingerprint)


def _mark_edited(c: Context, problems: list[Problem]) -> None:
    """The units whose numbers are the problems' keys are to be made again."""
    with numbers(c.connection, "edited_units", (int(p.key) for p in problems)) as name:
        of_problems = Unit.unit_id.in_(select_ids(name)) & (Unit.state == UnitState.CURRENT)
        c.connection.execute(update(Unit).where(of_problems).values(damage=Damage.EDITED.value))


def _mend_digests(c: Context, problems: list[Problem]) -> None:
    """Units without a result have no digest; results without one are to be made again."""
    _mark_edited(c, problems)
    with numbers(c.connection, "other_units", (int(p.key) for p in problems)) as name:
        of_problems = Unit.unit_id.in_(select_ids(name)) & (Unit.state != UnitState.CURRENT)
        nothing = {"fingerprint": None, "rows_digest": None, "digest_taken_over": None}
        c.connection.execute(update(Unit).where(of_problems).values(**nothing))


@rule(
    "unit.fingerprint", "a current unit has a digest of its rows, and no other unit has one", AGAIN,
    mend=_mend_digests, marks=True,
)  # fmt: skip
def _fingerprint(c: Context) -> Iterator[Problem]:
    names = {name for makers in standing_makers(c.connection, c.analyses).values() for name in makers}
    query = select(Unit.unit_id, Unit.analysis, Unit.key, Unit.state, Unit.fingerprint, Unit.rows_digest, Unit.run_id)
    for unit, analysis, key, state, fingerprint, rows_digest, run in c.connection.execute(query):
        is_current = state == UnitState.CURRENT
        lacks = fingerprint is None or (analysis in names and run is not None and rows_digest is None)
        if is_current and lacks:
            yield Problem(f"{analysis}/{key}", f"{state.value}, without a digest", str(unit))
        elif not is_current and (fingerprint is not None or rows_digest is not None):
            yield Problem(f"{analysis}/{key}", f"{state.value}, with a digest", str(unit))


@rule("unit.message", "a unit that failed or is blocked says why", "Run tshdb rebuild")
def _message(c: Context) -> Iterator[Problem]:
    query = select(Unit.analysis, Unit.key, Unit.state).where(
        Unit.state.in_([UnitState.FAILED, UnitState.BLOCKED]), Unit.message.is_(None)
    )
    for analysis, key, state in c.connection.execute(query):
        yield Problem(f"{analysis}/{key}", f"{state.value} without a message")


@rule("unit.made-by", "a current result names the run and the spec that made it", AGAIN, mend=_mark_edited, marks=True)
def _made_by(c: Context) -> Iterator[Problem]:
    names = {a.name for a in c.analyses}
    identities = {(a.name, a.identity) for a in c.analyses if a.identity}
    query = select(Unit.unit_id, Unit.analysis, Unit.key).where(
        Unit.state == UnitState.CURRENT, Unit.run_id.is_(None) | Unit.spec_id.is_(None)
    )
    units = [
        (unit, f"{analysis}/{key}")
        for unit, analysis, key in c.connection.execute(query)
        if analysis in names and (analysis, key) not in identities
    ]
    return _results(c, units, "made by no run")


def _results(c: Context, units: list[tuple[int, str]], text: str) -> Iterator[Problem]:
    """A problem for each of the results, with what helps."""
    helps = healing(c, (Damaged(unit, Damage.EDITED, text) for unit, _ in units))
    for unit, name in units:
        yield Problem(name, text, str(unit), helps[unit])


@rule("unit.inputs", "a current result names what it was computed from", AGAIN, mend=_mark_edited, marks=True)
def _inputs(c: Context) -> Iterator[Problem]:
    names = {a.name for a in c.analyses}
    with_inputs = select(UnitInput.unit_id)
    query = select(Unit.unit_id, Unit.analysis, Unit.key).where(
        Unit.state == UnitState.CURRENT, Unit.spec_id.is_not(None), Unit.unit_id.not_in(with_inputs)
    )
    units = [(unit, f"{analysis}/{key}") for unit, analysis, key in c.connection.execute(query) if analysis in names]
    return _results(c, units, "without inputs")


def _mark_rows(c: Context, problems: list[Problem]) -> None:
    damaged = _damaged_rows(c)
    mark(c.connection, (damaged[int(p.key)] for p in problems))


@rule(
    "unit.rows", "the rows of every result are those of its digests: nothing is lost, nobody has edited them", AGAIN,
    is_full=True, mend=_mark_rows, marks=True,
)  # fmt: skip
def _rows(c: Context) -> Iterator[Problem]:
    damaged = _damaged_rows(c)
    helps = healing(c, damaged.values())
    with numbers(c.connection, "damaged_units", damaged) as name:
        query = select(Unit.unit_id, Unit.analysis, Unit.key).where(Unit.unit_id.in_(select_ids(name)))
        names = {unit: f"{analysis}/{key}" for unit, analysis, key in c.connection.execute(query)}
    for unit, row in damaged.items():
        yield Problem(names[unit], row.detail, str(unit), helps[unit])


def _damaged_rows(c: Context) -> dict[int, Damaged]:
    """unit -> what is wrong with its rows: by the second digest, and by the first, of which a second was taken over."""
    makers = standing_makers(c.connection, c.analyses)
    looked = Looked()
    look_at_rows(c.connection, makers, looked)
    withdrawn = _trained_on_withdrawn(c)
    for table in {a.makes for a in c.analyses if is_ours(a.makes.__table__)}:
        names = [a.name for a in c.analyses if a.makes is table]
        # of rows that were made when the table had other columns, the second digest alone can be taken again
        query = (
            select(Unit.unit_id, Unit.fingerprint)
            .join(Spec, Spec.spec_id == Unit.spec_id)
            .where(Unit.analysis.in_(names), Unit.state == UnitState.CURRENT)
            .where(Spec.table_fingerprint == declaration_fingerprint(table))
        )
        units = {u: f for u, f in c.connection.execute(query) if u not in looked.damaged and u not in withdrawn}
        rows: dict[int, list[dict]] = {u: [] for u in units}
        with numbers(c.connection, "whole_units", units) as name:
            of_table = table.__table__.c.unit_id.in_(select_ids(name))
            for row in c.connection.execute(select(table.__table__).where(of_table)).mappings():
                rows[row["unit_id"]].append(dict(row))
        for unit, some in rows.items():
            if payload_fingerprint(table, some) != units[unit]:
                text = f"its {len(some):,} rows of {table.__tablename__} are not those that were computed"
                looked.add(Damaged(unit, Damage.EDITED, text))
    return looked.damaged


def _trained_on_withdrawn(c: Context) -> set[int]:
    """Units that rest on a withdrawn patient: rows of that patient were taken out of their payload."""
    query = select(UnitInput.unit_id).where(UnitInput.seen_fingerprint == SEEN)
    direct = set(c.connection.execute(query).scalars())
    return direct | units_below(c.connection, direct)


def _drop_strays(c: Context, _: list[Problem]) -> None:
    for table, units in _strays(c).items():
        remove_strays(c.connection, {table: [unit for unit, *_ in units]})


@rule(
    "payload.orphan", "every result row belongs to a unit that made it", "Run: tshdb check --repair. It removes them",
    mend=_drop_strays,
)  # fmt: skip
def _orphans(c: Context) -> Iterator[Problem]:
    for table, units in _strays(c).items():
        for unit, n, name in units:
            yield Problem(f"{table.name} of {name or f'unit {unit}'}", f"{n} rows that it has not made")


def _strays(c: Context) -> dict[Table, list[tuple[int, int, str | None]]]:
    """table -> (unit, rows, name) of units that have rows there and made none."""
    makers = standing_makers(c.connection, c.analyses)
    everything = {name for names in makers.values() for name in names}
    by_table: dict[Table, list[tuple[int, int, str | None]]] = {}
    for table, names in makers.items():
        query = (
            select(table.c.unit_id, func.count(), Unit.analysis, Unit.key, Unit.state)
            .select_from(table)
            .outerjoin(Unit, Unit.unit_id == table.c.unit_id)
            .group_by(table.c.unit_id, Unit.analysis, Unit.key, Unit.state)
        )
        for unit, n, analysis, key, state in c.connection.execute(query):
            if is_stray(analysis, state, everything - names):
                by_table.setdefault(table, []).append((unit, n, f"{analysis}/{key}" if analysis else None))
    return by_table


@rule(
    "model.training-set",
    "every model was fitted on a cohort version that is there",
    "Run tshdb rebuild: it retires what belongs to no cohort, and fits what is missing",
)
def _training_set(c: Context) -> Iterator[Problem]:
    known = {f"{n}@{v}" for n, v in c.connection.execute(select(CohortVersion.cohort, CohortVersion.version))}
    for analysis in c.analyses:
        if analysis.kind is not Kind.FIT:
            continue
        query = select(Unit.key).where(Unit.analysis == analysis.name, Unit.state != UnitState.RETIRED)
        for key in c.connection.execute(query).scalars():
            if key not in known and key != analysis.identity:
                yield Problem(f"{analysis.name}/{key}", "its training set is not known")


def _mend_cohort_units(c: Context, problems: list[Problem]) -> None:
    known = {f"{n}@{v}": f for n, v, f in c.connection.execute(select(*_VERSION))}
    set_fingerprints(c.connection, COHORT, {p.key: known[p.key] for p in problems})


@rule(
    "unit.cohort", "the unit of every cohort version has the digest of its members", "Run tshdb check --repair",
    mend=_mend_cohort_units,
)  # fmt: skip
def _cohort_units(c: Context) -> Iterator[Problem]:
    frozen = c.connection.execute(select(*_VERSION).where(CohortVersion.mode == CohortMode.FROZEN)).fetchall()
    query = select(Unit.key, Unit.fingerprint).where(Unit.analysis == COHORT)
    units = {key: fingerprint for key, fingerprint in c.connection.execute(query)}
    for cohort, version, fingerprint in frozen:
        if units.get(f"{cohort}@{version}") != fingerprint:
            name = f"{cohort}@{version}"
            yield Problem(f"cohort {name}", "its unit does not stand for these members", name)


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
        dead = lease.host == machine() and not is_alive(lease.process)
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
        if host == machine() and not is_alive(process):
            yield Problem(f"run {run}", "its process has ended", str(run))


@rule(
    "result.label",
    "rows say truly whether their own patients made what they rest on",
    "The next rebuild notes it",
    is_full=True,
)
def _labels(c: Context) -> Iterator[Problem]:
    """Rows that say nothing yet are the next rebuild's. Where study.toml does not fit the analyses, settings.readable says so."""
    try:
        c.world()
    except TshdbError:
        return
    for table, unit, label in expected_labels(c.study):
        for change in changes_of(table, unit, label):
            said = and_(change.differs, *(table.c[name].is_not(None) for name in change.label))
            if n := c.connection.execute(select(func.count()).select_from(table).where(said)).scalar():
                yield Problem(f"{table.name}, unit {unit}", f"{n} rows say it otherwise", str(unit))


RULES = (
    _fingerprint, _message, _made_by, _inputs, _rows, _labels, _orphans, _training_set, _cohort_units, _leases, _runs,
)  # fmt: skip
