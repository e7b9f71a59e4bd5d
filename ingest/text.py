"""Delimited text, read as text: nothing is guessed, and every row keeps its line.

A leading zero, "NA" as a name, a 17-digit number, a stray quote: whatever stands in the file is what a reader gets.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tshdb.errors import InvalidInput, NotFound

MISSING = {"", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "removed", "'--", "--"}


@contextmanager
def open_binary(path: Path) -> Iterator[IO[bytes]]:
    """The file's bytes, unpacked if they are gzip (by content, not by name). Raises NotFound or InvalidInput."""
    if not path.is_file():
        raise NotFound("no such file", where=str(path))
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            if packed:
                with gzip.open(raw) as unpacked:
                    yield unpacked
            else:
                yield raw
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InvalidInput(
            f"the gzip file is cut or damaged ({error})", where=str(path), repair="Fetch it again"
        ) from None


@contextmanager
def open_text(path: Path) -> Iterator[IO[str]]:
    """The file as UTF-8 text with line ends as they are."""
    try:
        with open_binary(path) as raw:
            yield io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"not UTF-8 text (byte {error.object[error.start]:#04x})", where=str(path), repair="Convert it to UTF-8"
        ) from None


def delimiter_of(header: str) -> str:
    """Tab if the header has one, else comma, else semicolon."""
    return "\t" if "\t" in header else "," if "," in header or ";" not in header else ";"


def rows_of(file: IO[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """(line, fields) of every row that is not empty; the line is the one on which the row begins."""
    quoting = csv.QUOTE_NONE if delimiter == "\t" else csv.QUOTE_MINIMAL
    reader = csv.reader(file, delimiter=delimiter, quoting=quoting)
    line = 1
    for fields in reader:
        if fields:
            yield line, fields
        line = reader.line_num + 1


def number(text: str) -> float | None:
    """The number that `text` is, or None: no thousands separators, no decimal comma, no inf, no nan."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if value - value == 0 and "_" not in text else None
