"""The facts in JSON, as `tshdb table --json` prints them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tshdb.text.facts import facts_text

if TYPE_CHECKING:
    from tshdb.tables import Table


def written(table: Table) -> bytes:
    """The facts of the table, a list of rows."""
    return (facts_text(table.facts) + "\n").encode("utf-8", "backslashreplace")
