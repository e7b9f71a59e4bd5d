"""Which analyses a study has: this program's, those of installed packages, those of its own folder if they are trusted.

What the database describes and nobody here has is *absent*: its results stand, and are said to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection, func, select

from tshdb import installed
from tshdb.database import reading
from tshdb.engine import homes
from tshdb.engine.world import World
from tshdb.guests.trust import is_trusted
from tshdb.offered import Origin
from tshdb.schema import GuestAnalysis, Unit
from tshdb.vocabulary import UnitState

if TYPE_CHECKING:
    from tshdb.config import Settings
    from tshdb.engine.analysis import Analysis
    from tshdb.study import Study

OWN = Origin("analyses/", None)  # of what lies in the study's folder


class Absent(NamedTuple):
    """An analysis that was rebuilt here, and that nobody here can run now."""

    name: str
    origin: str
    version: str | None
    kind: str
    table_name: str
    n_units: int

    def __str__(self) -> str:
        stand = f"{self.n_units:,} results stand as they are"
        if self.origin == OWN.name:
            return f"{self.name}: its file in {OWN.name} is not trusted, or is gone; {stand}"
        return f"{self.name} (of {Origin(self.origin, self.version)}): {stand}"


@dataclass(frozen=True)
class Listing:
    """The analyses of a study.

    untrusted: files of its own folder that may not run yet.
    absent: what its database describes besides, by name.
    """

    analyses: tuple[Analysis, ...]
    untrusted: tuple[str, ...]
    absent: Mapping[str, Absent]

    @property
    def absent_tables(self) -> dict[str, str]:
        """Absent analysis -> the table that it makes."""
        return {name: absent.table_name for name, absent in self.absent.items()}

    def world(self, settings: Settings) -> World:
        """The analyses with their parameters and code as they are now."""
        return World(self.analyses, settings, absent=self.absent_tables, untrusted=self.untrusted)

    def facts(self, world: World) -> dict[str, Any]:
        """What of a study's analyses is not as it is by default, as plain values."""
        return {
            "absent": [a._asdict() | {"says": str(a)} for a in self.absent.values() if a.n_units],
            "untrusted": list(self.untrusted),
            "in_place_of": world.in_place_of,
        }

    def origin(self, analysis: Analysis) -> Origin | None:
        """Where an analysis comes from; None for one of this program."""
        if analysis.function.__module__.startswith(homes.PACKAGE):
            return OWN
        return installed.origin(analysis)


def analyses_here(study: Study, *, all_sets: bool = True) -> tuple[tuple[Analysis, ...], tuple[str, ...]]:
    """The analyses of a study that can be run here, and the files of its own folder that may not; no database is asked.

    all_sets: raise NotFound for a set that [study] analyses names and nobody has installed, else do without.
    """
    own, untrusted = _own(study.root)
    named = study.settings.study.analyses
    if named is not None and not all_sets:
        named = tuple(name for name in named if installed.has_set(name))
    return (*installed.analyses(named), *own), untrusted


def listing_of(study: Study) -> Listing:
    """The analyses that this study has here. Runs no code of the study that nobody trusted."""
    with reading(study.engine) as connection:
        return listing_in(study, connection)


def listing_in(study: Study, connection: Connection) -> Listing:
    """As `listing_of`, by a database that is open already."""
    described = _described(connection)
    analyses, untrusted = analyses_here(
        study, all_sets=not described
    )  # results say more than a name that may be misspelt
    names = {a.name for a in analyses}
    return Listing(analyses, untrusted, {a.name: a for a in described if a.name not in names})


def world_of(study: Study) -> World:
    """A study's analyses with their parameters and code as they are now."""
    with reading(study.engine) as connection:
        return world_in(study, connection)


def world_in(study: Study, connection: Connection) -> World:
    """As `world_of`, by a database that is open already."""
    return listing_in(study, connection).world(study.settings)


def analyses_of(study: Study) -> tuple[Analysis, ...]:
    """The analyses that this study has here."""
    return listing_of(study).analyses


def _own(root: Path) -> tuple[tuple[Analysis, ...], tuple[str, ...]]:
    files = homes.read(root)
    if files is None:
        return (), ()
    if not is_trusted(files.digest):
        return (), tuple(sorted(files.contents))
    return homes.analyses(root, files), ()


def _described(connection: Connection) -> list[Absent]:
    """All guests that the database describes, with the results that stand."""
    g = GuestAnalysis
    counts: dict[str, int] = dict(
        connection.execute(
            select(Unit.analysis, func.count()).where(
                Unit.analysis.in_(select(g.analysis)), Unit.state == UnitState.CURRENT
            ).group_by(Unit.analysis)
        ).fetchall()
    )  # type: ignore[arg-type]  # fmt: skip
    rows = connection.execute(select(g.analysis, g.origin, g.version, g.kind, g.table_name).order_by(g.analysis))
    return [Absent(*row, counts.get(row.analysis, 0)) for row in rows.fetchall()]
