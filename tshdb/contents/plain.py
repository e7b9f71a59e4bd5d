"""Text in any encoding, and bytes that are no text, by the megabyte.

A word that lies across two pieces is whole in the second: it begins with the end of the first, from a word's beginning on.
"""

from __future__ import annotations

import csv
import io
import re
import string
from collections.abc import Iterator
from typing import IO

from tshdb.contents.look import MIB, Look, Piece
from tshdb.contents.markup import is_marked_up, packed_in_text, unescaped, without_marks
from tshdb.written import encoding_of

AT_ONCE = 4 * MIB
OVERLAP = 2048  # longer than any name with what stands around it
MARGIN = 512  # letters that are held back, since what follows may belong to them
LETTERS = string.ascii_letters + string.digits
ASCII = bytes(range(128))
CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\x0b\x0c\x1b\x08"))
NAMES_SOMEBODY = re.compile(
    r"[\W_]*(?:(?:(?:patient|subject|case|sample|participant|person|pat|bcr|submitter|profile|aliquot)[\W_]*)+"
    r"(?:id|ids|barcode|nr|no|number|code|key|name)?|id|ids|pid|mrn|barcode)[\W_]*",
    re.IGNORECASE,
)


def is_text(first: bytes) -> bool:
    """Whether bytes are text: without control characters, also in UTF-16 and UTF-32, with a mark or known by their zeros."""
    if (encoding := encoding_of(first[:512])) != "utf-8-sig":
        letters = first[: len(first) // 4 * 4].decode(encoding, "replace")
        return not any(letter in letters for letter in map(chr, CONTROLS)) and letters.count("\ufffd") < 2
    return not first.translate(None, bytes(set(range(256)) - set(CONTROLS)))


def overlapping(chunks: Iterator[str]) -> Iterator[str]:
    """The chunks, cut where a word ends, each with the end of the one before."""
    before = held = ""
    for chunk in chunks:
        held += chunk
        if len(held) <= MARGIN:
            continue
        cut = _between_words(held)
        yield before + held[:cut]
        before = (before + held[:cut])[-OVERLAP:]
        before = re.sub(r"^\w+", "", before) if len(before) == OVERLAP else before
        held = held[cut:]
    if held:
        yield before + held


def _between_words(held: str) -> int:
    """A place before the last letters at which no word is cut in two, nor a name that has hyphens in it."""
    last = len(held) - MARGIN
    at = max(held.rfind(sign, 0, last) for sign in "\n\t ,;\0")
    if at > 0:
        return at + 1
    return len(held[:last].rstrip(LETTERS)) or last


def text(file: IO[bytes], look: Look) -> Iterator[Piece]:
    """A text file: as it stands, without mark-up, without escapes, and what is packed into it."""
    first = file.read(1 << 16)
    encoding = encoding_of(first[:512])
    file.seek(0)
    stream = io.TextIOWrapper(file, encoding, errors="replace", newline="")  # type: ignore[type-var]
    try:
        is_whole, marked = True, is_marked_up(first)
        for piece in overlapping(iter(lambda: stream.read(AT_ONCE), "")):
            is_whole = is_whole and "�" not in piece
            yield look.text(piece)
            if marked:
                yield look.text(without_marks(piece))
            if "\\u" in piece:
                yield look.text(unescaped(piece))
            for packed in packed_in_text(piece):
                yield from look.into(io.BytesIO(packed), "base64")
    finally:
        stream.detach()
    if encoding != "utf-8-sig":
        yield from raw(file, look)
    elif not is_whole:  # of one byte a character
        file.seek(0)
        yield from _raw(file, look, is_binary=False)
        if len(first.translate(None, ASCII)) > len(first) / 2:
            yield look.unseen("bytes that are text in no encoding that is known here")
    file.seek(0)
    yield from _columns(file, encoding, look)


def raw(file: IO[bytes], look: Look) -> Iterator[Piece]:
    """Bytes as they lie; where there are zeros also without them, so that text of two or four bytes a letter is seen."""
    file.seek(0)
    yield from _raw(file, look, is_binary=True)


def _raw(file: IO[bytes], look: Look, is_binary: bool) -> Iterator[Piece]:
    for piece in overlapping(iter(lambda: file.read(AT_ONCE).decode("latin-1"), "")):
        yield look.text(piece, is_binary=is_binary)
        if is_binary and "\0" in piece:
            yield look.text(re.sub(r"(?<=[^\0])\0(?=[^\0])|\0{3}", "", piece), is_binary=True)


def _columns(file: IO[bytes], encoding: str, look: Look) -> Iterator[Piece]:
    """Of a table: the columns that say whose a line is, so that names too short for a text are seen in them."""
    stream = io.TextIOWrapper(file, encoding, errors="replace", newline="")  # type: ignore[type-var]
    try:
        head = stream.readline(1 << 20)
        delimiter = max(",;\t|", key=head.count)
        if delimiter not in head:
            return
        cells = next(csv.reader([head], delimiter=delimiter))
        wanted = {i: name for i, name in enumerate(cells) if names_somebody(name)}
        if not wanted:
            return
        for lines in iter(lambda: stream.readlines(AT_ONCE), []):
            held: dict[int, set[str]] = {i: set() for i in wanted}
            for line in lines:
                parts = next(csv.reader([line], delimiter=delimiter), []) if '"' in line else line.split(delimiter)
                for i in wanted:
                    if i < len(parts):
                        held[i].add(parts[i].strip().strip('"'))
            for i, values in held.items():
                yield look.text("\n".join(values), column=wanted[i])
    except csv.Error:
        return  # no table
    finally:
        stream.detach()


def names_somebody(column: str) -> bool:
    """Whether a column of that name may hold identifiers."""
    return NAMES_SOMEBODY.fullmatch(column) is not None
