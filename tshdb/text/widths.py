"""Text in so many columns of a terminal: how wide it is, and lines that wrap at words.

A column is one cell of the terminal; East Asian wide characters take two, combining ones none (Unicode Annex 11). Nothing is
cut: a word that is longer than the line goes over it, alone, so that it can be copied.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from unicodedata import category, east_asian_width

# the guides of a tree and the mark of an item, below which its text goes on
_LEAD = re.compile(r"([ │]*)([├└]─ )?((?:←|→|->) )?")
_GUIDES, _NO_GUIDES = str.maketrans("├└─", "│  "), str.maketrans("│├└─←→", " " * 6)
# brackets, `mean ± SD` and `tshdb COMMAND` stay whole
_WORD = re.compile(
    r"( *)(\(?tshdb [^ ]{1,12}(?= |$)|[^ ]{1,12} ± [^ ]{1,12}(?= |$)|[^ ()]{0,12}\([^()]{1,12}\)[^ ]{0,2}(?= |$)|[^ ]+)"
)
_LONG_WORD = 24  # columns; longer ones of wide characters, which know no spaces, may break between any two


def cells(text: str) -> int:
    """The columns that a text without line breaks takes."""
    return len(text) if text.isascii() else sum(map(_cells_of, text))


def _is_plain(text: str) -> bool:
    """Whether it takes a column a character: most texts, asked first for speed."""
    return text.isascii() and "\n" not in text and "\t" not in text


def _cells_of(character: str) -> int:
    is_joined = category(character) in ("Mn", "Me", "Cf") and character != "\xad"  # a soft hyphen is drawn
    if is_joined or "\u1160" <= character <= "\u11ff":  # vowels and finals of Hangul in parts stand in their first part
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


def fill(text: str, columns: int, hanging: str | None = None) -> list[str]:
    """The lines of a text, wrapped at spaces. Lines that fit stay as they are.

    hanging: what wrapped lines begin with. Without it, they begin with the line's own indent and two columns, or below the
    text of an item (after ← → ->). The guides of a tree (├─ └─ │) go on.
    """
    if len(text) <= columns and _is_plain(text):
        return [text]
    lines: list[str] = []
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
            if len(begin) + size > columns:  # the word goes before its place, and the guides before the word
                begin = begin[: max(columns - size, 0)].translate(_NO_GUIDES)
            now = begin + word
            taken = cells(now)
        else:
            now += gap + word
            taken += len(gap) + size
    yield now


def _words(text: str) -> Iterator[tuple[str, str]]:
    """(the spaces before it, a word)."""
    for gap, word in _WORD.findall(text):
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


def longest_word(text: str) -> int:
    """The columns of the widest part of a text that no line breaks."""
    if " " not in text and _is_plain(text):
        return len(text)
    return max((cells(word) for line in text.expandtabs().split("\n") for _, word in _words(line)), default=0)


def widest_line(text: str) -> int:
    """The columns that a text takes if nothing wraps."""
    return len(text) if _is_plain(text) else max(map(cells, text.expandtabs().split("\n")))
