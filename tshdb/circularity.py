"""Whether a result compares a quantity between groups that were made from that quantity: they differ in it by construction.

Patients above a cut-off of the tumour's abundance against the stroma's differ in these abundances whatever the biology; a p
value of that difference says little. It is found from the inputs that the engine noted: the unit that a result was given as its
groups was itself computed from a unit that the result was given as what it tests. What leads through a fit is no such way: a
cut-off or a model that learned from these patients is `optimism`'s. What a result tests it declares (`tests`); who declares
nothing is taken to test all that it needs.

Of these rows it is said, where groups, quantity and result share columns of their keys (a population, a unit): those of the keys
by which the groups were made. Rows that use no groups are declared (`spared`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Table, and_, bindparam, false, not_, or_, select, text, true

from tshdb.engine.needs import KEY_COLUMNS, Kind, Need
from tshdb.schema import UnitInput

if TYPE_CHECKING:
    from tshdb.engine.analysis import Analysis

LABEL = "is_circular"
MANY = 3  # groups of keys that words still name
BEYOND = ("unit_id", *KEY_COLUMNS.values())  # whose a row is, not what it is of

MADE_FROM = """
WITH RECURSIVE above(unit_id) AS (
    SELECT e.input_unit_id FROM unit_inputs g JOIN unit_inputs e ON e.unit_id = g.input_unit_id
    JOIN units u ON u.unit_id = e.input_unit_id
    WHERE g.unit_id = :unit AND g.role = :groups AND u.analysis NOT IN :fits
    UNION SELECT e.input_unit_id FROM unit_inputs e JOIN above a ON a.unit_id = e.unit_id
    JOIN units u ON u.unit_id = e.input_unit_id WHERE u.analysis NOT IN :fits
)
SELECT 1 FROM unit_inputs q JOIN above a ON a.unit_id = q.input_unit_id WHERE q.unit_id = :unit AND q.role = :quantity LIMIT 1
"""


class Circular(NamedTuple):
    """Groups that a result compares, made from what it tests between them.

    groups, quantity   the tables
    keys               columns that both share with the result
    values             of these columns, as text, by which groups were made
    spared             (column, values) of rows that use no groups, or None
    """

    groups: str
    quantity: str
    keys: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    spared: tuple[str, tuple[str, ...]] | None

    @property
    def words(self) -> str:
        said = f"circular: {self.groups} are made from the {self.quantity} that are tested between them"
        if self.keys:
            named = [" ".join(value) for value in self.values]
            said += f" (of {', '.join(named[:MANY])}{' and others' if len(named) > MANY else ''})"
        return said + (f" (not of {self.spared[0]} {', '.join(self.spared[1])})" if self.spared else "")

    def holds_of(self, row: Mapping[str, Any]) -> bool:
        """Whether it must be said of this row of the result."""
        if self.spared is not None and str(row[self.spared[0]]) in self.spared[1]:
            return False
        return not self.keys or tuple(str(row[key]) for key in self.keys) in self.values

    def rows(self, table: Table) -> ColumnElement[bool]:
        """The condition for these rows of the result's table."""
        used = true() if self.spared is None else not_(table.c[self.spared[0]].in_(self.spared[1]))
        if not self.keys:
            return used
        of = (and_(*(table.c[k] == v for k, v in zip(self.keys, value, strict=True))) for value in self.values)
        return and_(used, or_(false(), *of))


def says_it_itself(table: Table) -> bool:
    """Whether an analysis fills a column is_circular of its own."""
    column = table.columns.get(LABEL)
    return column is not None and not column.info.get("label")


def circular(connection: Connection, analysis: Analysis, unit_id: int, fits: Iterable[str]) -> tuple[Circular, ...]:
    """What must be said of the result whose rows bear this unit_id. fits: names of the analyses that make models."""
    made = analysis.makes.__table__
    if analysis.kind is not Kind.SUMMARY or says_it_itself(made):
        return ()
    needs = {role: need for role, need in analysis.needs.items() if isinstance(need, Need)}
    found = []
    for groups in needs:
        for quantity in needs:
            is_tested = analysis.tests is None or quantity in analysis.tests
            if groups == quantity or not is_tested or (analysis.tests is not None and groups in analysis.tests):
                continue
            if _made_from(connection, unit_id, groups, quantity, tuple(fits)):
                of, by = needs[quantity].table.__table__, needs[groups].table.__table__
                keys = tuple(
                    c.name for c in by.primary_key if c.name not in BEYOND and c.name in of.c and c.name in made.c
                )
                found.append(
                    Circular(by.name, of.name, keys, _values(connection, unit_id, groups, by, keys), analysis.spared)
                )
    return tuple(found)


def _made_from(connection: Connection, unit_id: int, groups: str, quantity: str, fits: tuple[str, ...]) -> bool:
    """Whether what a unit was given in one role was computed from what it was given in another, and not by way of a fit."""
    asked = text(MADE_FROM).bindparams(bindparam("fits", expanding=True))
    given = {"unit": unit_id, "groups": groups, "quantity": quantity, "fits": fits or ("",)}
    return connection.execute(asked, given).first() is not None


def _values(
    connection: Connection, unit_id: int, role: str, table: Table, keys: tuple[str, ...]
) -> tuple[tuple[str, ...], ...]:
    """The keys, as text, of the rows that a unit was given in a role."""
    if not keys:
        return ()
    units = select(UnitInput.input_unit_id).where(UnitInput.unit_id == unit_id, UnitInput.role == role)
    chosen = select(*(table.c[key] for key in keys)).where(table.c.unit_id.in_(units)).distinct()
    return tuple(sorted(tuple(str(value) for value in row) for row in connection.execute(chosen)))
