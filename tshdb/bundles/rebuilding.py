"""The results of a study made again from its inputs, and compared with those that it came with, digest by digest.

Retired first, so that nothing of them is taken over. What cannot be made again as it was stays: results of older cohort versions,
fits whose members' data were corrected since, results of analyses that are not here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from tshdb.backup.copying import Progress
from tshdb.database import reading, writing
from tshdb.engine.planner import Planner
from tshdb.engine.rebuild import Rebuild
from tshdb.engine.units import retire
from tshdb.guests.listing import listing_of
from tshdb.optimism import note_labels
from tshdb.schema import Unit
from tshdb.vocabulary import UnitState

if TYPE_CHECKING:
    from tshdb.study import Study

Digests = Mapping[tuple[str, str], tuple[str | None, str | None]]


@dataclass(frozen=True)
class Rebuilt:
    """n_same: results that have the same bytes; differs: those that do not, or were not made."""

    n_same: int
    differs: tuple[str, ...]
    n_left: int

    @property
    def facts(self) -> dict[str, Any]:
        """Plain values."""
        return {"same": self.n_same, "differs": list(self.differs), "left_as_they_were": self.n_left}


def rebuilt(study: Study, progress: Progress) -> Rebuilt:
    """Make all results of a study again, in place."""
    listing = listing_of(study)
    world = listing.world(study.settings)
    with reading(study.engine) as connection:
        planner = Planner(connection, world)
        plans = planner.all()
        before = _digests(connection)
        again: dict[str, list[tuple[str, int]]] = {}
        for name, plan in plans.items():
            stand = planner.standing.ids(name)
            kept = plan.flagged.keys() | plan.held.keys() | plan.blocked.keys() | plan.due.keys()
            again[name] = [(k, stand[k]) for k in plan.desired - kept if (name, k) in before and k in stand]
    with writing(study.engine) as connection:
        for name, units in again.items():
            retire(connection, [unit for _, unit in units], world.by_name[name].makes.__table__)
    Rebuild(
        study, listing.analyses, progress=progress, absent=listing.absent_tables, untrusted=listing.untrusted,
        origin_of=listing.origin,
    ).run("import study --rebuild")  # fmt: skip
    note_labels(study)
    with reading(study.engine) as connection:
        after = _digests(connection)
    wanted = [(name, key) for name, units in again.items() for key, _ in units]
    differs = sorted(f"{name}/{key}" for name, key in wanted if after.get((name, key)) != before[name, key])
    return Rebuilt(len(wanted) - len(differs), tuple(differs), len(before) - len(wanted))


def _digests(connection: Connection) -> Digests:
    """(analysis, key) -> both digests, of the results that stand."""
    query = select(Unit.analysis, Unit.key, Unit.fingerprint, Unit.rows_digest)
    made = (Unit.state == UnitState.CURRENT, Unit.rows_digest.is_not(None), Unit.run_id.is_not(None))
    found = connection.execute(query.where(*made))
    return {(analysis, key): (fingerprint, rows) for analysis, key, fingerprint, rows in found}
