"""How much room a drawing has: as it was designed, or as wide as a page's column.

A drawing that is asked for at another width is laid out anew in it, and not scaled: letters keep their size in points. Panels
beside each other that would be too narrow stand below each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from tshdb.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INCHES = {"mm": 1 / 25.4, "cm": 1 / 2.54, "in": 1.0}
NARROWEST, WIDEST = 2.0, 20.0  # inches
PANEL = 2.6  # inches, below which a panel is too narrow to stand beside another
LOWEST = 0.8  # of its designed height: no panel is drawn lower, however narrow it becomes
LETTERS, SHORTEST = 10, 10  # letters an inch, and of a line
_asked: ContextVar[float | None] = ContextVar("width that is asked for, inches", default=None)
_LENGTH = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(mm|cm|in)\s*")


def inches(width: str) -> float:
    """A width such as 85mm, 8.5cm or 3.35in, in inches. Raises UsageError for one that is none, or that no page has."""
    matched = _LENGTH.fullmatch(width)
    if matched is None:
        raise UsageError(f"width '{width}'", where="--width", repair="Write a number and mm, cm or in, such as 85mm")
    value = float(matched[1]) * INCHES[matched[2]]
    if not NARROWEST <= value <= WIDEST:
        raise UsageError(f"width {width}", where="--width", repair="A figure is from 51mm to 508mm wide")
    return value


@contextmanager
def room(width: float | None) -> Iterator[None]:
    """What is drawn inside is so many inches wide; None: as it was designed."""
    before = _asked.set(width)
    try:
        yield
    finally:
        _asked.reset(before)


def new_figure(
    width: float, height: float, rows: int = 1, columns: int = 1, least: float = PANEL
) -> tuple[Figure, int, int]:
    """An empty figure for rows x columns of panels, with the rows and columns that they get.

    width, height: in inches, as designed; least: a panel's width, below which panels stand below each other.
    """
    from matplotlib.figure import Figure

    asked = _asked.get()
    if asked is None:
        return Figure(figsize=(width, height)), rows, columns
    across = next((n for n in range(columns, 1, -1) if columns % n == 0 and asked / n >= least), 1)
    down = rows * columns // across
    panel = height / rows * min(max(asked / across / (width / columns), LOWEST), 1.0)
    return Figure(figsize=(asked, panel * down)), down, across


def letters(designed: int, share: float = 1.0) -> int:
    """How many letters a line may have that was designed for so many, in its share of the width that is asked for."""
    asked = _asked.get()
    return designed if asked is None else min(designed, max(int(asked * LETTERS * share), SHORTEST))
