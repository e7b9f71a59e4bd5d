"""Tables that fit a terminal.

A table that is too wide is made narrower, step by step, until it fits: empty columns are left out; words wrap in their
column; intervals and the like wrap at their spaces; each row becomes a block of lines "name: value".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest

from tshdb.text.widths import cells, fill, longest_word, widest_line

_GAP = "  "
_WORDS = re.compile(r"[^\W\d_][^ ]* .*[^\W\d_]", re.DOTALL)  # letters in two words
_MOST_LINES = 6  # that the longest cell of words should take
_ENOUGH = 24  # columns in which words are read with ease, on more lines
_FEWEST = 12  # columns that words get


@dataclass(frozen=True)
class _Column:
    header: str
    values: list[str | None]
    is_right: bool

    @cached_property
    def texts(self) -> list[str]:
        return ["·" if v is None else v for v in self.values]

    @cached_property
    def has_words(self) -> bool:
        """Whether it holds words, and no numbers with intervals, times or keys."""
        return not self.is_right and any(map(_is_words, self.texts))

    @cached_property
    def natural(self) -> int:
        """Its width if nothing wraps."""
        return max(map(widest_line, {self.header, *self.texts}))

    def least(self, is_tall: bool, wraps_numbers: bool) -> int:
        """The width that it cannot do without. is_tall: words may take as many lines as they want."""
        if self.has_words:
            needed = max(map(longest_word, {self.header, *self.texts}))
            wanted = _ENOUGH if is_tall else max(_FEWEST, -(-self.natural // _MOST_LINES))
            return max(needed, min(self.natural, wanted))
        needed = longest_word if wraps_numbers else widest_line
        return max(longest_word(self.header), *map(needed, set(self.texts)), 0)

    def cell(self, text: str, width: int) -> list[str]:
        return fill(text, width, "  " if self.has_words else "")


def _is_words(text: str) -> bool:
    if " " in text:
        return _WORDS.search(text) is not None
    return not text.isascii() and longest_word(text) < widest_line(text)  # what needs no spaces to wrap


def laid_out(
    headers: Sequence[str], rows: Sequence[Sequence[str | None]], right: Sequence[int], indent: str, columns: int | None
) -> Iterator[str]:
    """The lines of a table. right: which columns are numbers; columns: of the terminal, without which nothing wraps.

    None is shown as a dot, and not at all in a block.
    """
    table = [_Column(h, [row[i] for row in rows], i in right) for i, h in enumerate(headers)]
    if columns is None:
        yield from _as_it_is(table, indent)
        return
    if _needed([c.natural for c in table]) > columns - len(indent):
        table = [c for c in table if any(c.values)] or table
    widths = _widths(table, columns - len(indent))
    if widths is None:
        yield from _blocks(table, indent, columns)
        return
    if any(headers):
        head = [fill(c.header, width, "") for c, width in zip(table, widths, strict=True)]
        height = max(map(len, head))
        yield from _lines(table, [[""] * (height - len(cell)) + cell for cell in head], widths, indent)
    for row in zip(*(c.texts for c in table), strict=True):
        wrapped = [c.cell(text, width) for c, text, width in zip(table, row, widths, strict=True)]
        yield from _lines(table, wrapped, widths, indent)


def _as_it_is(table: list[_Column], indent: str) -> Iterator[str]:
    widths = [max(map(cells, [c.header, *c.texts])) for c in table]
    columns = [[c.header, *c.texts] if any(c.header for c in table) else c.texts for c in table]
    for row in zip(*columns, strict=True):
        yield _line(table, row, widths, indent)


def _lines(table: list[_Column], row: list[list[str]], widths: list[int], indent: str) -> Iterator[str]:
    """One row, whose cells may have several lines."""
    for texts in zip_longest(*row, fillvalue=""):
        yield _line(table, texts, widths, indent)


def _line(table: list[_Column], texts: Sequence[str], widths: list[int], indent: str) -> str:
    parts = []
    for column, text, width in zip(table, texts, widths, strict=True):
        space = " " * (width - cells(text))
        parts.append(space + text if column.is_right else text + space)
    return (indent + _GAP.join(parts)).rstrip()


def _needed(widths: list[int]) -> int:
    return sum(widths) + len(_GAP) * (len(widths) - 1)


def _widths(table: list[_Column], room: int) -> list[int] | None:
    """The columns' widths, within so much room; None if they do not fit."""
    most = [c.natural for c in table]
    if _needed(most) <= room:
        return most
    for is_tall, wraps_numbers in ((False, False), (True, False), (False, True)):
        least = [c.least(is_tall, wraps_numbers) for c in table]
        if _needed(least) <= room:
            break
    else:
        return None
    if wraps_numbers:  # all of them, and no wider than they must be
        most = [n if c.has_words else a for c, n, a in zip(table, most, least, strict=True)]
    cap = room  # what is left goes to the narrowest first, so that few cells wrap
    while _needed(widths := [max(a, min(n, cap)) for a, n in zip(least, most, strict=True)]) > room:
        cap -= 1
    for i, n in enumerate(most):
        widths[i] += min(n - widths[i], room - _needed(widths))
    return widths


def _blocks(table: list[_Column], indent: str, columns: int) -> Iterator[str]:
    """Each row as lines "name: value"."""
    hanging = indent + " " * 4
    for row in zip(*(c.values for c in table), strict=True):
        lines = [f"{c.header}: {value}" if c.header else value for c, value in zip(table, row, strict=True) if value]
        for i, text in enumerate(lines or ["·"]):
            yield from fill(indent + "  " * bool(i) + text.replace("\n", "\n" + hanging), columns, hanging)
