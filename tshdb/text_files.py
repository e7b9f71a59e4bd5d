"""Delimited text, read as text: nothing is guessed, and every row keeps its line.

A leading zero, "NA" as a name, a 17-digit number, a stray quote: whatever stands in the file is what a reader gets.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

from tshdb.errors import InvalidInput, NotFound
from tshdb.file_content import FileContent

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
                    yield cast(IO[bytes], unpacked)
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


def csv_reader(lines: Iterable[str], delimiter: str) -> Any:
    """The fields of each row. Between tabs a quotation mark is a character like any other."""
    if delimiter == "\t":
        return csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE)
    return csv.reader(lines, delimiter=delimiter)


def rows_of(file: Iterable[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """(line, fields) of every row that is not empty; the line is the one on which the row begins."""
    reader = csv_reader(file, delimiter)
    line = 1
    for fields in reader:
        if fields:
            yield line, fields
        line = reader.line_num + 1


def whole_rows(
    rows: Iterable[tuple[int, list[str]]], n_fields: int, content: FileContent, rule: str
) -> Iterator[tuple[int, list[str]]]:
    """The rows that have as many fields as the header; each other one is withheld by the rule."""
    for line, fields in rows:
        if len(fields) == n_fields:
            yield line, fields
        else:
            message = f"{len(fields)} fields; the header has {n_fields}"
            content.withhold(line, None, fields[0], rule, message)


class Opened(NamedTuple):
    """A table while it is read. top: its header rows, stripped; rows: (line, fields) of those that are whole."""

    top: list[list[str]]
    rows: Iterator[tuple[int, list[str]]]

    @property
    def header(self) -> list[str]:
        return self.top[0]


@contextmanager
def open_table(path: Path, content: FileContent, rule: str, n_top: int = 1) -> Iterator[Opened]:
    """A table by the delimiter that its first line has. rule: of rows that have more or fewer fields than the header.

    n_top: how many rows the header has. Raises NotFound or InvalidInput for what is no text.
    """
    with open_text(path) as file:
        first = file.readline()
        rows = rows_of(chain([first], file), delimiter_of(first))
        top = [[field.strip() for field in fields] for _, fields in (next(rows, (1, [])) for _ in range(n_top))]
        yield Opened(top, whole_rows(rows, len(top[0]), content, rule))


def number(text: str) -> float | None:
    """The number that `text` is, or None: no thousands separators, no decimal comma, no inf, no nan."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if value - value == 0 and "_" not in text else None
