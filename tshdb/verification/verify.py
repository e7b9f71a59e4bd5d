"""`tshdb verify`: stored units computed anew in a fresh process, and compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from tshdb.database import reading
from tshdb.engine.planner import Planner
from tshdb.engine.world import World, parse_unit
from tshdb.errors import NotFound
from tshdb.guests.listing import listing_in
from tshdb.schema import Unit
from tshdb.verification.anew import computed
from tshdb.verification.comparing import Verdict, Verified, verified
from tshdb.verification.drawing import drawn
from tshdb.verification.stored import stored_units
from tshdb.vocabulary import UnitState

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from tshdb.study import Study

SAMPLE = 20


@dataclass(frozen=True)
class Verification:
    """What came of the units that were drawn.

    n_standing: results that could have been drawn; n_due: units that are due, of which nothing is said; absent: analyses that
    nobody here can run -> their results in words.
    """

    units: Sequence[Verified]
    n_standing: int
    n_due: int
    absent: dict[str, str]

    def count(self, verdict: Verdict) -> int:
        return sum(unit.verdict is verdict for unit in self.units)

    @property
    def facts(self) -> dict[str, Any]:
        """Plain values, as `tshdb verify --json` prints them."""
        return {
            "units": [unit.facts for unit in self.units],
            "same": self.count(Verdict.SAME),
            "differs": self.count(Verdict.DIFFERS),
            "not_comparable": self.count(Verdict.OTHER),
            "standing": self.n_standing,
            "due": self.n_due,
            "absent": self.absent,
        }


def verify(
    study: Study,
    names: Sequence[str] = (),
    *,
    sample: int | None = SAMPLE,
    seed: int = 1,
    progress: Callable[..., None] = lambda *_: None,
) -> Verification:
    """Compute units anew and compare them. names: these; else a draw of `sample` units, all of them without a number.

    Raises NotFound for a name that is no unit with a result.
    """
    with reading(study.engine) as connection:
        listing = listing_in(study, connection)
        world = listing.world(study.settings)
        planner = Planner(connection, world, damaged=())
        plans = planner.all()
        keys = _results(connection, world)
        chosen = [_named(name, world, keys) for name in names] if names else drawn(keys, sample, seed)
        units = stored_units(connection, study.objects, planner, chosen)
        n_due = sum(not due.is_possible for plan in plans.values() for due in plan.due.values())
    answers = {}
    todo = [unit for unit in units if not unit.moved]
    for i, (unit, answer) in enumerate(computed(study.root, todo)):
        answers[unit.unit_id] = answer
        progress("verify", i + 1, len(todo))
    found = [verified(unit, answers.get(unit.unit_id)) for unit in units]
    absent = {name: str(absent) for name, absent in listing.absent.items() if absent.n_units}
    return Verification(found, sum(map(len, keys.values())), n_due, absent)


def _results(connection: Connection, world: World) -> dict[str, list[str]]:
    """analysis -> keys of the units that have a result which a computation made."""
    keys: dict[str, list[str]] = {}
    query = select(Unit.analysis, Unit.key).where(Unit.state == UnitState.CURRENT, Unit.run_id.is_not(None))
    for analysis, key in connection.execute(query):
        if analysis in world.by_name and analysis not in world.stood_down:
            keys.setdefault(analysis, []).append(key)
    return keys


def _named(text: str, world: World, keys: dict[str, list[str]]) -> tuple[str, str]:
    analysis, key = parse_unit(text, world)
    if key not in keys.get(analysis.name, ()):
        raise NotFound(f"'{text}' has no result that could be verified", repair=f"See: tshdb why {text}")
    return analysis.name, key
