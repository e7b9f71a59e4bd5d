"""Define, freeze and look at cohorts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select

from tshdb.cohorts.states import CohortState, states
from tshdb.cohorts.versions import Version, find_version
from tshdb.cohorts.versions import define as define_in
from tshdb.cohorts.versions import freeze as freeze_in
from tshdb.database import reading, writing
from tshdb.engine.planner import Planner
from tshdb.guests.listing import world_of
from tshdb.lock import study_lock
from tshdb.schema import Unit
from tshdb.vocabulary import UnitState

if TYPE_CHECKING:
    from tshdb.study import Study


@dataclass(frozen=True)
class Defined:
    """A cohort that was defined.

    version: the members of now, with their flow.
    tables: that the SQL reads.
    problem: why there are no members, where so.
    not_yet: cohorts that a step asks for members of, though no version of them was frozen.
    """

    version: Version
    tables: tuple[str, ...]
    problem: str | None
    not_yet: tuple[str, ...]


class Frozen(NamedTuple):
    """key: NAME@VERSION; is_new: whether the members were others than those of the version before."""

    key: str
    members: tuple[str, ...]
    is_new: bool


def define(study: Study, name: str, sql: str) -> Defined:
    """Define a cohort by steps of SQL; it is live until a version is frozen.

    Raises InvalidInput for SQL that gives no patients, or that selects on results which rest on the cohort itself.
    """
    with study_lock(study.engine, study.root), writing(study.engine) as connection:
        definition = define_in(connection, name, sql)
        Planner(connection, world_of(study))  # refuses circles
        now = states(connection)
        not_yet = sorted(n for n in definition.disjoint_from if n in now and now[n].version is None and now[n].members)
        version = find_version(connection, name, is_now=True)
    unfrozen = tuple(not_yet) if "cohort_members" in definition.tables else ()
    return Defined(version, tuple(definition.tables), now[name].problem, unfrozen)


def freeze(study: Study, name: str) -> Frozen:
    """Freeze the members of now as the next version, unless the newest has just these. Raises NotFound."""
    with study_lock(study.engine, study.root), writing(study.engine) as connection:
        version, members, is_new = freeze_in(connection, name)
    return Frozen(f"{name}@{version}", tuple(members), is_new)


def cohorts(study: Study) -> dict[str, CohortState]:
    """Every cohort by name: its members, and who has become eligible since it was frozen."""
    with reading(study.engine) as connection:
        return states(connection)


def version_of(study: Study, name: str, *, is_now: bool = False) -> Version:
    """A version (NAME: the newest, or NAME@VERSION); is_now: what the SQL gives now. Raises NotFound."""
    with reading(study.engine) as connection:
        return find_version(connection, name, is_now=is_now)


def results_over(study: Study, version: Version) -> list[str]:
    """The analyses with a current result over a cohort version."""
    query = select(Unit.analysis).where(Unit.key == version.unit_key, Unit.state == UnitState.CURRENT)
    with reading(study.engine) as connection:
        return list(connection.execute(query.where(Unit.analysis != "cohort").order_by(Unit.analysis)).scalars())
