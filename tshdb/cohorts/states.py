"""Every cohort as the planner sees it: members now, who has become eligible, what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Connection, select

from tshdb.cohorts.evaluation import evaluate_each
from tshdb.cohorts.rows import rows_of
from tshdb.database import tuples
from tshdb.errors import TshdbError
from tshdb.schema import Cohort, CohortVersion
from tshdb.vocabulary import CohortMode


class CohortState(NamedTuple):
    """A cohort now. key: `name@version` when frozen, the name when live; version: its newest in that mode, if any."""

    name: str
    key: str
    version: int | None
    mode: CohortMode
    members: tuple[str, ...]
    newly_eligible: tuple[str, ...]
    no_longer: tuple[str, ...]
    problem: str | None
    has_moved: bool  # of a live cohort: the members are not those of its last committed version
    disjoint_from: tuple[str, ...]


def latest_version(connection: Connection, name: str, mode: CohortMode):
    """The newest row of cohort_versions of that mode, or None."""
    return connection.execute(
        select(CohortVersion.version, CohortVersion.fingerprint, CohortVersion.n_members)
        .where(CohortVersion.cohort == name, CohortVersion.mode == mode)
        .order_by(CohortVersion.version.desc())
        .limit(1)
    ).one_or_none()


def members_of(connection: Connection, name: str, version: int) -> tuple[str, ...]:
    """The members of one version, sorted."""
    quoted = name.replace("'", "''")
    query = f"SELECT patient_id FROM cohort_members WHERE cohort = '{quoted}' AND version = {version:d}"
    return tuple(sorted(patient for (patient,) in tuples(connection, query)))


def states(connection: Connection) -> dict[str, CohortState]:
    """Every cohort with its members now, writing nothing. A definition that fails keeps its last members, and says so."""
    by_name = {}
    cohorts = connection.execute(select(Cohort.cohort, Cohort.sql_text, Cohort.mode)).fetchall()
    evaluated = evaluate_each(rows_of(connection), {name: text for name, text, _ in cohorts})
    for name, _, mode in cohorts:
        problem: str | None = None
        disjoint: tuple[str, ...] = ()
        latest = latest_version(connection, name, mode)
        committed = members_of(connection, name, latest.version) if latest else ()
        now = evaluated[name]
        if isinstance(now, TshdbError):
            problem, now_members = str(now), committed
        else:
            now_members, disjoint = now.members, now.disjoint_from
        is_live = mode == CohortMode.LIVE
        if latest is None and not is_live:
            problem = "it is frozen, and no version is: tshdb cohort freeze"
        members = now_members if is_live else committed
        by_name[name] = CohortState(
            name,
            name if is_live else f"{name}@{latest.version if latest else 0}",
            latest.version if latest else None,
            CohortMode(mode),
            members,
            tuple(sorted(set(now_members) - set(members))),
            tuple(sorted(set(members) - set(now_members))),
            problem,
            is_live and bool(members) and problem is None and members != committed,
            disjoint,
        )
    problems = overlaps(by_name)
    return {
        name: state._replace(problem=problems[name]) if name in problems and state.problem is None else state
        for name, state in by_name.items()
    }


def overlaps(
    by_name: Mapping[str, CohortState], instead: Mapping[str, tuple[str, ...]] | None = None
) -> dict[str, str]:
    """cohort -> what is wrong, for cohorts that share patients although one is declared disjoint from the other.

    instead: members that some cohorts are about to have.
    """
    problems: dict[str, str] = {}
    for name, state in by_name.items():
        for other in state.disjoint_from:
            if other not in by_name:
                continue
            pair = [(instead or {}).get(n, by_name[n].members) for n in (name, other)]
            shared = sorted(set(pair[0]) & set(pair[1]))
            if shared:
                text = f"{len(shared)} of its patients, such as {shared[0]}, are in {{}} too, and nobody may be in both"
                problems.setdefault(name, text.format(other))
                problems.setdefault(other, text.format(name))
    return problems
