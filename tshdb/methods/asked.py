"""Numbers of a text, each with what was asked for it: whoever doubts one asks again."""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

PARAMETERS = (
    "SELECT s.params, count(*) AS n FROM units u JOIN specs s ON s.spec_id = u.spec_id "
    "WHERE u.state = 'current' AND u.analysis = :analysis GROUP BY s.params ORDER BY n DESC, s.params"
)
YEAR = 365.25


class Number(NamedTuple):
    """A number as it stands in the text.

    sql, values  what gives it, of the database; key: of a JSON object that this gives, which of its values
    how          how it is spelt: "" as it is, % of one, years of days
    """

    shown: str
    sql: str
    values: dict[str, Any]
    key: str | None = None
    how: str = ""


class Parameters(NamedTuple):
    """A set of parameters that current results were computed with. text: as the database holds it."""

    values: dict[str, Any]
    text: str


class Asked:
    """Asks a database, and keeps what was asked."""

    def __init__(self, connection: Connection):
        self.connection = connection
        self.numbers: list[Number] = []

    def rows(self, sql: str, **values: Any) -> list[tuple]:
        """Rows of which no number is told, or whose numbers are asked for one by one."""
        return [tuple(row) for row in self.connection.execute(text(sql), values)]

    def number(self, sql: str, how: str = "", **values: Any) -> str:
        """One number, as the text spells it."""
        value = self.connection.execute(text(sql), values).scalar()
        shown = spelt(value, how)
        self.numbers.append(Number(shown, sql, values, None, how))
        return shown

    def parameter(self, analysis: str, params: dict[str, Any], key: str, how: str = "") -> str:
        """One parameter of an analysis's current results. params: of the set that is told."""
        shown = spelt(params[key], how)
        self.numbers.append(Number(shown, PARAMETERS, {"analysis": analysis}, key, how))
        return shown

    @cached_property
    def analyses(self) -> dict[str, list[Parameters]]:
        """Of every analysis with current results its sets of parameters, that of most results first."""
        found: dict[str, list[Parameters]] = {}
        names = self.rows(
            "SELECT DISTINCT analysis FROM units WHERE state = 'current' AND spec_id IS NOT NULL ORDER BY 1"
        )
        for (name,) in names:
            found[name] = [Parameters(json.loads(params), params) for params, _ in self.rows(PARAMETERS, analysis=name)]
        return found


def spelt(value: Any, how: str = "") -> str:
    """A value as the text spells it."""
    if isinstance(value, list):
        return ", ".join(spelt(v) for v in value) or "none"
    if how == "%":
        return f"{100 * value:g} %"
    if how == "years":
        years = value / YEAR
        return f"{years:g} years" if abs(years - round(years)) < 1e-9 else f"{value:g} days"
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:g}" if isinstance(value, float) else str(value).replace("_", " ")
