"""Cohort versions never change: members, counts and flows are those of the day on which they were made."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import func, select

from tshdb.checking.rule import Context, Problem, rule
from tshdb.cohorts.states import latest_version, members_of, states
from tshdb.cohorts.versions import members_fingerprint
from tshdb.engine.units import INGEST
from tshdb.schema import Cohort, CohortExclusion, CohortFlow, CohortVersion, Unit
from tshdb.vocabulary import CohortMode, StepEffect
from tshdb.withdrawal.identifiers import is_alias

RESTORE = "Restore a backup; versions are never edited"


def _versions(c: Context):
    columns = (CohortVersion.cohort, CohortVersion.version, CohortVersion.n_members, CohortVersion.fingerprint)
    return c.connection.execute(select(*columns).order_by(CohortVersion.cohort, CohortVersion.version)).fetchall()


@rule("cohort.members", "the members of every version are those of its digest", RESTORE)
def _members(c: Context) -> Iterator[Problem]:
    for cohort, version, n, fingerprint in _versions(c):
        members = members_of(c.connection, cohort, version)
        if len(members) != n:
            yield Problem(f"{cohort}@{version}", f"{len(members)} members, its row says {n}")
        elif members_fingerprint(members) != fingerprint and not any(map(is_alias, members)):
            yield Problem(f"{cohort}@{version}", "its members were edited")


@rule("cohort.strangers", "every member is, or was, a patient of the study", RESTORE)
def _strangers(c: Context) -> Iterator[Problem]:
    # patients who left the archive since are members of old versions; who never came is a stranger
    known = set(c.connection.execute(select(Unit.key).where(Unit.analysis == f"{INGEST}patients")).scalars())
    for state in states(c.connection).values():
        for member in state.members:
            if member not in known and not is_alias(member):
                yield Problem(state.key, f"{member} is no patient of the study")


@rule("cohort.flow", "the steps of every version lead to its members", RESTORE)
def _flow(c: Context) -> Iterator[Problem]:
    flow, gone = CohortFlow, CohortExclusion
    for cohort, version, n, _ in _versions(c):
        query = select(flow.step, flow.effect, flow.n_in, flow.n_out).where(
            flow.cohort == cohort, flow.version == version
        )
        steps = c.connection.execute(query.order_by(flow.step)).fetchall()
        if not steps:
            continue  # older than the record of steps
        before = 0
        for step, effect, n_in, n_out in steps:
            if n_in != before or (n_out > n_in if effect == StepEffect.EXCLUDE else n_out < n_in):
                yield Problem(f"{cohort}@{version} step {step}", f"{n_in} before and {n_out} after cannot be")
            before = n_out
        if before != n:
            yield Problem(f"{cohort}@{version}", f"its steps leave {before}, and it has {n} members")
        counted = select(func.count()).where(gone.cohort == cohort, gone.version == version)
        n_gone = c.connection.execute(counted).scalar_one()
        if n_gone > sum(n_in - n_out for _, effect, n_in, n_out in steps if effect == StepEffect.EXCLUDE):
            yield Problem(f"{cohort}@{version}", f"{n_gone} are excluded by name, more than the steps took out")


@rule("cohort.frozen", "every frozen cohort has a frozen version", "Run: tshdb cohort freeze NAME")
def _frozen(c: Context) -> Iterator[Problem]:
    query = select(Cohort.cohort).where(Cohort.mode == CohortMode.FROZEN)
    for cohort in c.connection.execute(query).scalars():
        if latest_version(c.connection, cohort, CohortMode.FROZEN) is None:
            yield Problem(cohort, "is said to be frozen, and no version is")


@rule(
    "cohort.definition",
    "every cohort's SQL runs, and cohorts that must be disjoint are",
    "Mend its SQL: tshdb cohort define",
    is_warning=True,
)
def _definition(c: Context) -> Iterator[Problem]:
    for state in states(c.connection).values():
        if state.problem:
            yield Problem(f"cohort {state.name}", state.problem)


RULES = (_members, _strangers, _flow, _frozen, _definition)
