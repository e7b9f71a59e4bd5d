"""What another version of the program does to a study's results: analyses that are computed otherwise, and in what."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, func, select

from tshdb.engine.planner import Planner
from tshdb.engine.world import World
from tshdb.schema import Run, Unit
from tshdb.version import __version__
from tshdb.vocabulary import CauseKind, UnitState

OF_PROGRAM = frozenset({CauseKind.CODE, CauseKind.LIBRARY, CauseKind.TABLE, CauseKind.ENGINE})


def upgrade_facts(connection: Connection, world: World) -> dict[str, Any]:
    """What this program would compute again of a study at its revision, and what of that is because of the program.

    Gives program: this version; computed_by: the versions that made the results that stand; analyses: those that are computed
    otherwise, each with its causes, how many of its results are due by them, and of how many; follow: analysis -> results that
    may follow; otherwise: analysis -> results that are due for other reasons.
    """
    planner = Planner(connection, world)
    counted = select(Unit.analysis, func.count()).where(Unit.state == UnitState.CURRENT).group_by(Unit.analysis)
    standing = {name: n for name, n in connection.execute(counted)}
    changed, follow, otherwise = [], {}, {}
    for name, plan in planner.all().items():
        own, behind, others = set(), 0, 0
        due = 0
        for key, rooted in planner.roots.of_due(connection, plan).items():
            causes = {cause for cause in rooted.causes if cause.kind in OF_PROGRAM}
            if causes and key in plan.made_otherwise:
                own |= causes
                due += 1
            elif causes:
                behind += 1
            else:
                others += 1
        if own:
            facts = [cause.facts() for cause in sorted(own, key=lambda c: (c.kind.value, c.subject))]
            changed.append({"analysis": name, "causes": facts, "due": due, "of": standing.get(name, 0)})
        if behind:
            follow[name] = behind
        if others:
            otherwise[name] = others
    return {
        "program": __version__,
        "computed_by": programs(connection),
        "analyses": changed,
        "follow": follow,
        "otherwise": otherwise,
    }


def programs(connection: Connection) -> list[str]:
    """The versions of the program that computed the results that stand; without those of runs that did not record it."""
    query = select(Run.program_version).join(Unit, Unit.run_id == Run.run_id).distinct()
    versions = connection.execute(query.where(Unit.state == UnitState.CURRENT)).scalars()
    return sorted(version for version in versions if version is not None)
