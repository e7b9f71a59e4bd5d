"""What stands in the database, read in sets when it is first asked for, and no more of it than a plan needs.

A plan with nothing to do looks at every unit and every edge, so that nothing is missed; what makes it quick is that it
fetches two numbers or a key and a number for each, and whole units only where something differs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from typing import NamedTuple

from sqlalchemy import Connection, select

from tshdb.database import numbers, texts, tuples
from tshdb.engine.units import select_ids
from tshdb.schema import Unit, UnitInput
from tshdb.vocabulary import UnitState
from tshdb.withdrawal.identifiers import SEEN

SHIFT = 2**32  # an edge is packed as unit * SHIFT + input unit


class UnitRow(NamedTuple):
    """A unit without its payload."""

    key: str
    unit_id: int
    state: UnitState
    fingerprint: str | None
    spec_id: int | None
    upstream: str | None
    message: str | None
    updated_at: str
    damage: str | None


class Moved(NamedTuple):
    """An edge whose input no longer has the fingerprint that was seen."""

    unit_id: int
    role: str
    producer: str
    input_key: str
    state: str
    input_id: int


_STANDING = ", ".join(f"'{state}'" for state in UnitState if state is not UnitState.RETIRED)
_COLUMNS = [getattr(Unit, name) for name in UnitRow._fields]


class Standing:
    """One look at units and edges. Names of analyses are ours, never a user's: they are written into the SQL."""

    def __init__(self, connection: Connection):
        self.connection = connection
        self._ids: dict[str, dict[str, int]] = {}

    def ids(self, analysis: str) -> dict[str, int]:
        """key -> unit of an analysis (or `ingest.<table>`), all that are not retired."""
        if analysis not in self._ids:
            rows = tuples(
                self.connection,
                f"SELECT key, unit_id FROM units WHERE analysis = '{analysis}' AND state IN ({_STANDING})",
            )
            self._ids[analysis] = dict(rows)
        return self._ids[analysis]

    def rows(self, analysis: str, keys: Iterable[str]) -> dict[str, UnitRow]:
        """key -> unit, for those of the keys that have one."""
        with texts(self.connection, "asked_units", keys) as name:
            query = select(*_COLUMNS).where(
                Unit.analysis == analysis, Unit.key.in_(select_ids(name)), Unit.state != UnitState.RETIRED
            )
            return {row.key: UnitRow._make(row) for row in self.connection.execute(query)}

    @cached_property
    def stuck(self) -> dict[str, dict[str, UnitRow]]:
        """analysis -> key -> unit that failed or is blocked."""
        query = select(Unit.analysis, *_COLUMNS).where(Unit.state.in_([UnitState.FAILED, UnitState.BLOCKED]))
        by_analysis: dict[str, dict[str, UnitRow]] = defaultdict(dict)
        for analysis, *values in self.connection.execute(query):
            row = UnitRow._make(values)
            by_analysis[analysis][row.key] = row
        return by_analysis

    @cached_property
    def spec_ids(self) -> dict[str, set[int]]:
        """analysis -> the specs by which its current units were computed."""
        by_analysis: dict[str, set[int]] = defaultdict(set)
        query = "SELECT DISTINCT analysis, spec_id FROM units WHERE state = 'current' AND spec_id IS NOT NULL"
        for analysis, spec_id in tuples(self.connection, query):
            by_analysis[analysis].add(spec_id)
        return by_analysis

    def keys_of_spec(self, analysis: str, spec_id: int) -> list[str]:
        """The current units that were computed by one spec."""
        query = select(Unit.key).where(
            Unit.analysis == analysis, Unit.state == UnitState.CURRENT, Unit.spec_id == spec_id
        )
        return list(self.connection.execute(query).scalars())

    def edges(self, analysis: str, role: str) -> set[int]:
        """The edges of current units in one role, packed as unit * SHIFT + input unit."""
        rows = tuples(
            self.connection,
            f"SELECT e.unit_id * {SHIFT} + e.input_unit_id FROM units u CROSS JOIN unit_inputs e "
            f"WHERE u.analysis = '{analysis}' AND u.state = 'current' AND e.unit_id = u.unit_id AND e.role = '{role}'",
        )
        return {packed for (packed,) in rows}

    def consumers(self, input_id: int | None, role: str) -> set[int]:
        """The units that have an input in this role."""
        if input_id is None:
            return set()
        rows = tuples(
            self.connection, f"SELECT unit_id FROM unit_inputs WHERE input_unit_id = {input_id} AND role = '{role}'"
        )
        return {unit_id for (unit_id,) in rows}

    def moved(self, analysis: str) -> list[Moved]:
        """The edges of an analysis whose input is no longer what was seen."""
        rows = tuples(
            self.connection,
            "SELECT e.unit_id, e.role, i.analysis, i.key, i.state, i.unit_id FROM units u CROSS JOIN unit_inputs e "
            "CROSS JOIN units i "
            f"WHERE u.analysis = '{analysis}' AND e.unit_id = u.unit_id AND i.unit_id = e.input_unit_id "
            "AND i.fingerprint IS DISTINCT FROM e.seen_fingerprint",
        )
        return [Moved._make(row) for row in rows]

    def seen_models(self, fits: Iterable[str]) -> dict[tuple[int, str], str]:
        """(unit, role) -> the fingerprint of the model that it saw, for the models that these fits have made."""
        names = ", ".join(f"'{name}'" for name in fits)
        if not names:
            return {}
        rows = tuples(
            self.connection,
            "SELECT e.unit_id, e.role, e.seen_fingerprint FROM units i "
            f"JOIN unit_inputs e ON e.input_unit_id = i.unit_id WHERE i.analysis IN ({names})",
        )
        return {(unit_id, role): seen for unit_id, role, seen in rows}

    def owners(self, unit_ids: Iterable[int]) -> dict[int, tuple[str, str]]:
        """unit -> (analysis, key), of the current ones among these."""
        with numbers(self.connection, "owning_units", unit_ids) as name:
            query = select(Unit.unit_id, Unit.analysis, Unit.key).where(
                Unit.unit_id.in_(select_ids(name)), Unit.state == UnitState.CURRENT
            )
            return {unit_id: (analysis, key) for unit_id, analysis, key in self.connection.execute(query)}

    def rest_on_withdrawn(self, unit_ids: Iterable[int]) -> set[int]:
        """Those of the units that saw data of a patient who was withdrawn since."""
        with numbers(self.connection, "resting_units", unit_ids) as name:
            query = select(UnitInput.unit_id).where(
                UnitInput.unit_id.in_(select_ids(name)), UnitInput.seen_fingerprint == SEEN
            )
            return set(self.connection.execute(query).scalars())

    def names(self, unit_ids: Iterable[int]) -> dict[int, str]:
        """unit -> key, retired units included."""
        with numbers(self.connection, "named_units", unit_ids) as name:
            query = select(Unit.unit_id, Unit.key).where(Unit.unit_id.in_(select_ids(name)))
            return {unit_id: key for unit_id, key in self.connection.execute(query)}
