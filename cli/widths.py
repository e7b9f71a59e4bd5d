"""Text in so many columns of a terminal: how wide it is, lines that wrap at words, tables that fit.

A column is one cell of the terminal; East Asian wide characters take two, combining ones none (Unicode Annex 11). Nothing is
cut: a word that is longer than the line goes over it, alone, so that it can be copied.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from unicodedata import category, east_asian_width

# the guides of a tree and the mark of an item, below which its text goes on
_LEAD = re.compile(r"([ │]*)([├└]─ )?((?:←|→|->) )?")
_GUIDES = str.maketrans("├└─", "│  ")
_FEWEST = 12  # columns that words get in a table
_MOST_LINES = 6  # that a cell of words is wrapped into before its table is laid out otherwise
_LONG_WORD = 24  # columns; longer ones of wide characters, which know no spaces, may break between any two


def cells(text: str) -> int:
    """The columns that a text without line breaks takes."""
    return len(text) if text.isascii() else sum(map(_cells_of, text))


def _cells_of(character: str) -> int:
    is_joined = category(character) in ("Mn", "Me", "Cf") and character != "\xad"  # a soft hyphen is drawn
    if is_joined or "\u1160" <= character <= "\u11ff":  # vowels and finals of Hangul in parts stand in their first part
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


def fill(text: str, columns: int, hanging: str | None = None) -> list[str]:
    """The lines of a text, wrapped at spaces; lines that fit stay as they are.

    hanging: what wrapped lines begin with; without it, the line's own indent and two columns, or below the text of an item
    (after ← → ->), with the guides of a tree (├─ └─ │) going on.
    """
    lines = []
    for line in text.expandtabs().split("\n"):
        lines += [line] if cells(line) <= columns else _filled(line, columns, hanging)
    return lines


def _filled(line: str, columns: int, hanging: str | None) -> Iterator[str]:
    lead = _LEAD.match(line)
    begin = lead[0]
    if hanging is None:
        mark = lead[3] or ""
        hanging = (begin.removesuffix(mark).translate(_GUIDES) + (" " * len(mark) or "  "))[: columns // 2]
    now, taken = "", 0
    for gap, word in _words(line[len(begin) :]):
        size = cells(word)
        if now and taken + len(gap) + size > columns:
            yield now
            now, begin = "", hanging
        if not now:
            now = begin[: max(columns - size, 0)] + word
            taken = cells(now)
        else:
            now += gap + word
            taken += len(gap) + size
    yield now


def _words(text: str) -> Iterator[tuple[str, str]]:
    """(the spaces before it, a word)."""
    for gap, word in re.findall(r"( *)([^ ]+)", text):
        if cells(word) > _LONG_WORD and (pieces := _pieces(word))[1:]:
            yield gap, pieces[0]
            yield from (("", piece) for piece in pieces[1:])
        else:
            yield gap, word


def _pieces(word: str) -> list[str]:
    """The word, broken after each wide character and what is combined with it."""
    pieces = [""]
    for character in word:
        if _cells_of(character) == 2 or (pieces[-1] and _cells_of(character) and _cells_of(pieces[-1][0]) == 2):
            pieces.append(character)
        else:
            pieces[-1] += character
    return [piece for piece in pieces if piece]


def laid_out(
    headers: Sequence[str], rows: Sequence[Sequence[str | None]], right: Sequence[int], indent: str, columns: int | None
) -> Iterator[str]:
    """The lines of a table; `right` names the columns of numbers. None is shown as a dot.

    columns: of the terminal; without it no cell wraps. Cells of words wrap in their column; if that does not do, intervals
    and the like wrap at their spaces; if that does not, each row becomes a block of lines "name: value" without the dots.
    """
    known = [["·" if v is None else v for v in row] for row in rows]
    room = None if columns is None else columns - len(indent) - 2 * (len(headers) - 1)
    by_column = list(zip(headers, *known, strict=True))
    natural = [max(map(_widest if columns else cells, column)) for column in by_column]
    widths = natural if room is None or sum(natural) <= room else _shrunk(by_column, natural, right, room)
    if widths is None:
        for row in rows:
            yield from _block(headers, row, indent, columns)
        return
    head = [[cell] if room is None else fill(cell, w, "") for cell, w in zip(headers, widths, strict=True)]
    height = max(map(len, head), default=0)
    if any(headers):
        yield from _line([[""] * (height - len(cell)) + cell for cell in head], widths, right, indent)
    for row in known:
        wrapped = [[cell] if room is None else fill(cell, w, "" if i in right else "  ")
                   for i, (cell, w) in enumerate(zip(row, widths, strict=True))]  # fmt: skip
        yield from _line(wrapped, widths, right, indent)


def _line(row: list[list[str]], widths: list[int], right: Sequence[int], indent: str) -> Iterator[str]:
    """One row, whose cells may have several lines."""
    for line in zip_longest(*row, fillvalue=""):
        parts = []
        for i, (text, width) in enumerate(zip(line, widths, strict=True)):
            space = " " * (width - cells(text))
            parts.append(space + text if i in right else text + space)
        yield (indent + "  ".join(parts)).rstrip()


def _widest(text: str) -> int:
    return max(map(cells, text.expandtabs().split("\n")))


def _shrunk(by_column: list[tuple[str, ...]], natural: list[int], right: Sequence[int], room: int) -> list[int] | None:
    """Widths with the sum `room`: the wide columns give what is missing. None if they cannot."""
    of_words = [i not in right and any(map(_is_words, column[1:])) for i, column in enumerate(by_column)]
    for also_numbers in (False, True):
        least = []
        for column, most, has_words in zip(by_column, natural, of_words, strict=True):
            if has_words:
                least.append(min(most, max(_longest(column), _FEWEST, -(-most // _MOST_LINES))))
            elif also_numbers:
                least.append(_longest(column))
            else:
                least.append(max(_longest(column[:1]), *map(_widest, column[1:]), 0))
        if sum(least) <= room:
            break
    else:
        return None
    cap = room
    while sum(widths := [max(a, min(b, cap)) for a, b in zip(least, natural, strict=True)]) > room:
        cap -= 1
    for i, most in enumerate(natural):
        more = min(most - widths[i], room - sum(widths))
        widths[i] += more
    return widths


def _is_words(cell: str) -> bool:
    """Whether a cell holds words, and no number with its interval, time or key."""
    return sum(any(map(str.isalpha, word)) for word in cell.split()) > 1


def _longest(column: Sequence[str]) -> int:
    lines = (line for cell in column for line in cell.expandtabs().split("\n"))
    return max((cells(word) for line in lines for _, word in _words(line)), default=0)


def _block(headers: Sequence[str], row: Sequence[str | None], indent: str, columns: int) -> Iterator[str]:
    """A row as lines "name: value"."""
    told = [f"{name}: {value}" if name else value for name, value in zip(headers, row, strict=True) if value] or ["·"]
    for i, text in enumerate(told):
        begin, hanging = indent + "  " * bool(i), indent + "    "
        yield from fill(begin + text.replace("\n", "\n" + hanging), columns, hanging)
