"""The graph of units and the inputs that they were computed from, walked in one query."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection

from tshdb.database import numbers, tuples


class Edge(NamedTuple):
    """A unit was computed from another one, in this role; is_same: that one is still what was seen."""

    unit_id: int
    role: str
    input_id: int
    is_same: bool


def edges_above(connection: Connection, starts: Iterable[int]) -> list[Edge]:
    """Every edge between some units and all that they rest on, directly or through others."""
    with numbers(connection, "graph_starts", starts) as name:
        rows = tuples(
            connection,
            f"WITH RECURSIVE above(unit_id) AS (SELECT id FROM {name} UNION SELECT e.input_unit_id FROM unit_inputs e "
            "JOIN above a ON a.unit_id = e.unit_id) "
            "SELECT e.unit_id, e.role, e.input_unit_id, e.seen_fingerprint, i.fingerprint "
            "FROM above a JOIN unit_inputs e ON e.unit_id = a.unit_id JOIN units i ON i.unit_id = e.input_unit_id "
            "ORDER BY e.unit_id, e.role, e.input_unit_id",
        )
    return [Edge(unit, role, source, seen == now) for unit, role, source, seen, now in rows]


def units_below(connection: Connection, starts: Iterable[int]) -> set[int]:
    """The units that rest on these, directly or through others; without these."""
    starts = set(starts)
    with numbers(connection, "graph_starts", starts) as name:
        rows = tuples(
            connection,
            f"WITH RECURSIVE below(unit_id) AS (SELECT e.unit_id FROM unit_inputs e JOIN {name} ON id = e.input_unit_id "
            "UNION SELECT e.unit_id FROM unit_inputs e JOIN below b ON b.unit_id = e.input_unit_id) "
            "SELECT unit_id FROM below",
        )
    return {unit for (unit,) in rows} - starts
