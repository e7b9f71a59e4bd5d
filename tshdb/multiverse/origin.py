"""What the result of a combination is made of: by which code, parameters, reference tables and cohorts, from which data.

Two combinations whose results are made of the same are one. A result that was kept is taken where it is made of the same still.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from tshdb.canonical import digest, json_fingerprint, json_text, rows_fingerprint
from tshdb.database import tuples
from tshdb.engine.analysis import Reference
from tshdb.engine.chosen import select_analyses
from tshdb.engine.units import INGEST, Specs, counted_parameters, takes_seed
from tshdb.schema import Cohort

if TYPE_CHECKING:
    from tshdb.engine.analysis import Analysis
    from tshdb.engine.units import Identity
    from tshdb.engine.world import World


class Origins:
    """Of the results of one analysis in one study.

    world: by study.toml. Code is followed once, since settings do not change it.
    """

    def __init__(self, connection: Connection, world: World, analysis: str):
        world.kept_code = Specs(connection).kept
        self._world, self.analysis = world, analysis
        self.data = state_of_data(connection, world.absent)
        self._references: dict[tuple[str, str], str] = {}
        self._identities: dict[str, Identity] = {}

    @cached_property
    def names(self) -> list[str]:
        """The analysis, and all that it rests on."""
        return sorted(select_analyses(self._world, [self.analysis]))

    def of(self, world: World) -> str:
        """A digest of all that the result is made of by these settings."""
        parts = [self.data]
        for name in self.names:
            analysis = world.by_name[name]
            counted = counted_parameters(analysis, world.parameters[name])
            seed = str(world.settings.study.seed) if takes_seed(analysis) else self._identity(name).seed
            identity = self._identity(name)._replace(params=json_fingerprint(counted), seed=seed)
            parts += [name, *map(str, identity), json_text(world.cohorts_of(analysis)), *self._read(world, analysis)]
        return digest(*(part.encode() for part in parts))

    def _identity(self, name: str) -> Identity:
        if name not in self._identities:
            self._identities[name] = self._world.spec(name).equal
        return self._identities[name]

    def _read(self, world: World, analysis: Analysis) -> list[str]:
        """The fingerprints of the reference tables that the analysis reads by these settings."""
        found = []
        for role, need in analysis.needs.items():
            if not isinstance(need, Reference):
                continue
            asked = role, json_text(world.parameters[analysis.name].model_dump(mode="json"))
            if asked not in self._references:
                _, rows = need.read(world.parameters[analysis.name], world.root)
                columns = sorted({column for row in rows for column in row})
                self._references[asked] = rows_fingerprint(columns, [[row.get(c) for c in columns] for row in rows])
            found.append(self._references[asked])
        return found


def state_of_data(connection: Connection, absent: Mapping[str, str]) -> str:
    """A digest of what was ingested, of the cohorts and their frozen versions, and of results that nobody here can make."""
    units = tuples(
        connection,
        "SELECT analysis, key, fingerprint FROM units WHERE state = 'current' "
        f"AND (analysis LIKE '{INGEST}%' OR analysis IN ({', '.join(_quoted(name) for name in absent) or 'NULL'})) ORDER BY 1, 2",
    )
    cohorts = sorted(map(tuple, connection.execute(select(Cohort.cohort, Cohort.mode, Cohort.sql_text)).fetchall()))
    frozen = tuples(
        connection,
        "SELECT cohort, version, fingerprint FROM cohort_versions WHERE mode = 'frozen' ORDER BY 1, 2",
    )
    return digest(*(json_text([list(map(str, row)) for row in rows]).encode() for rows in (units, cohorts, frozen)))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
