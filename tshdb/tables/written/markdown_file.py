"""Markdown: each printed table with its title above and its notes below. A dot stands for what is not there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tshdb.text.markdown import escaped

if TYPE_CHECKING:
    from tshdb.tables import Layout, Table

MISSING = "·"


def written(table: Table) -> bytes:
    """The printed tables, one below another."""
    return "\n".join(line for layout in table.layouts for line in _lines(layout)).encode("utf-8", "backslashreplace")


def _lines(layout: Layout) -> Iterator[str]:
    if layout.title:
        yield f"**{escaped(layout.title)}**\n"
    yield _row([escaped(h) for h in layout.headers])
    yield _row(["---:" if i in layout.right else "---" for i in range(len(layout.headers))])
    for row in layout.as_printed():
        yield _row([MISSING if v is None else escaped(v) for v in row])
    yield ""
    for note in layout.notes:
        yield f"{escaped(note)}\n"


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
