"""Delimited text, read as text: nothing is guessed, and every row keeps its line.

A leading zero, "NA" as a name, a 17-digit number, a stray quote: whatever stands in the file is what a reader gets.

Encodings    UTF-8, with a byte-order mark or without; UTF-16. Anything else is refused by the byte that shows it.
Line ends    LF, CR LF, or CR alone; CR in a file of LF is refused, since no reader agrees with another where its rows end.
Quotation    between commas, semicolons and blanks as RFC 4180 says; between tabs a field is quoted where it begins and ends
             with a quotation mark, as R and spreadsheets write it; all other marks are characters like any other.
Above        lines that begin with `#`, empty lines and a spreadsheet's `sep=;` above the header are passed over.
Ends         a file must end as its format ends. One that ends within a quoted field is refused; a last line without an end may be
             cut within its last value (26.193 is 26.1 then): its row is withheld, unless a quotation mark closes that value.
Damage       a NUL character is refused: no text has one, and disks that failed leave them.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

from tshdb.errors import InvalidInput
from tshdb.file_content import FileContent
from tshdb.packing import FIRST_BYTES, open_unpacked
from tshdb.written import encoding_of

MISSING = {"", "NA", "N/A", "#N/A", "NaN", "nan", "null", "NULL", "None", "removed", "'--", "--"}
ROW_NAMES = "row.names"  # what R calls the column that its header does not name
LOOKED_AT = 5  # rows by which a header is seen to lack a name
_GCT = re.compile(r"#1\.[23]\b")

LEGACY = "cp1252"
MOST_BYTES_LOOKED_AT = 1 << 24


class _BadText(ValueError):
    """What keeps a text from being read, at a line; `open_text` says of which file."""

    def __init__(self, line: int, message: str, repair: str):
        super().__init__(message)
        self.line, self.repair = line, repair


@contextmanager
def open_binary(path: Path) -> Iterator[IO[bytes]]:
    """The file's bytes, unpacked if they are packed (by content, not by name). Raises NotFound or InvalidInput."""
    with open_unpacked(path) as raw:
        yield raw


@contextmanager
def open_text(path: Path, encoding: str | None = None) -> Iterator[IO[str]]:
    """The file as text with line ends as they are. encoding: if it is another than the first bytes show.

    Raises NotFound, and InvalidInput for what is no text, also for what is found while it is read.
    """
    used = encoding
    try:
        with open_binary(path) as raw:
            used = encoding or encoding_of(cast(Any, raw).peek(FIRST_BYTES)[:FIRST_BYTES])
            yield io.TextIOWrapper(raw, encoding=used, newline="")
    except UnicodeError as error:  # by which of its kinds a decoder says it differs between versions of Python
        raise _not_text(path, error, encoding, used) from None
    except _BadText as error:
        raise InvalidInput(str(error), where=f"{path}:{error.line}", repair=error.repair) from None
    except csv.Error as error:
        raise InvalidInput(f"no table ({error})", where=str(path), repair="Is a quotation mark left open?") from None


def _not_text(path: Path, error: UnicodeError, said: str | None, used: str | None) -> InvalidInput:
    """What to say of a file that is no text of the encoding `used`; `said`: where a person says that it is of this one."""
    if said is not None:
        repair = "Say the encoding that it has, in the map; or fetch it again, if it was cut"
        return InvalidInput(f"no text in {said}, as the map says", where=str(path), repair=repair)
    if used != "utf-8-sig" or not isinstance(error, UnicodeDecodeError):
        return InvalidInput(
            f"no whole text in {str(used).upper()}, as its first bytes say", where=str(path), repair="Fetch it again"
        )
    return InvalidInput(
        f'not UTF-8 text (byte {error.object[error.start]:#04x}); perhaps Latin-1 (Windows-1252), as a spreadsheet\'s "CSV"',
        where=str(path),
        repair='Convert it to UTF-8: save it as "CSV UTF-8", or iconv -f WINDOWS-1252 -t UTF-8 FILE > NEW',
    )


def legacy_encoding(path: Path) -> str | None:
    """The encoding that a text seems to have where it is no UTF-8 and no UTF-16: Windows-1252, which Latin-1 is part of.

    None where it needs none, or is no text. Only a person can say that it is this one.
    """
    with open_binary(path) as file:
        content = file.read(MOST_BYTES_LOOKED_AT)
    if encoding_of(content[:FIRST_BYTES]) != "utf-8-sig" or b"\x00" in content:
        return None
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start > len(content) - 4 and len(content) == MOST_BYTES_LOOKED_AT:  # a letter that is cut
            return None
        try:
            content.decode(LEGACY)
        except UnicodeDecodeError:
            return None
        return LEGACY
    return None


def delimiter_of(header: str) -> str:
    """Tab if the header has one; else the one of comma and semicolon that it has more of outside of quotation marks.

    A header without any of them is separated by `|` if it has one, and by blanks if its names are quoted, as R's write.table
    does where it is not told.
    """
    if "\t" in header:
        return "\t"
    bare = "".join(header.split('"')[::2])
    if bare.count(";") > bare.count(","):
        return ";"
    if "," in bare:
        return ","
    return "|" if "|" in bare else " " if header.startswith('"') and '" "' in header else ","


class _Tabbed:
    """Rows between tabs, as csv.reader gives them. A line is a row; a field in quotation marks loses them."""

    def __init__(self, lines: Iterable[str]):
        self._lines = iter(lines)
        self.line_num = 0

    def __iter__(self) -> Iterator[list[str]]:
        return self

    def __next__(self) -> list[str]:
        line = next(self._lines).rstrip("\r\n")
        self.line_num += 1
        if '"' in line:
            return [_unquoted(field) for field in line.split("\t")]
        return line.split("\t") if line else []


def _unquoted(field: str) -> str:
    if len(field) < 2 or field[0] != '"' or field[-1] != '"':
        return field
    return field[1:-1].replace('""', '"').replace('\\"', '"')


def csv_reader(lines: Iterable[str], delimiter: str) -> Any:
    """The fields of each row, and `line_num`. Between tabs a quotation mark inside of a field is a character like any other."""
    return _Tabbed(lines) if delimiter == "\t" else csv.reader(lines, delimiter=delimiter)


class _Lines:
    """Lines while they are read: those of the row that is being read, and how rows end."""

    def __init__(self, lines: Iterable[str]):
        self._lines = iter(lines)
        self.of_row: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.of_row.append(line)
        return line


class Rows:
    """(line, fields) of every row that is not empty; the line is the one on which the row begins, from `first_line`.

    is_open: whether the last line that was read has no end, and may be cut.
    """

    def __init__(self, file: Iterable[str], delimiter: str, first_line: int = 1):
        self._lines = _Lines(file)
        self._reader = csv_reader(self._lines, delimiter)
        self._delimiter = delimiter
        self._first_line = first_line
        self._ends: set[str] = set()
        self.is_open = False

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        line = self._first_line
        for fields in self._reader:
            pieces, self._lines.of_row = self._lines.of_row, []
            self._look_at_end(pieces, line)
            if fields:
                yield line, fields
            line = self._first_line + self._reader.line_num

    def _look_at_end(self, pieces: list[str], line: int) -> None:
        if any("\x00" in piece for piece in pieces):
            raise _BadText(line, "a NUL character stands in the text: the file is damaged", "Fetch it again")
        last = pieces[-1]
        end = "\n" if last.endswith("\n") else "\r" if last.endswith("\r") else ""
        self.is_open = not end and not _is_closed(last, self._delimiter)
        self._ends.add(end)
        if {"\n", "\r"} <= self._ends:
            raise _BadText(
                line, "lines end in two ways: a carriage return (CR) stands alone among line feeds (LF)",
                "Take the stray CR out, or write the file anew with one kind of line ends",
            )  # fmt: skip
        if self._delimiter != "\t" and (not end or len(pieces) > 1):
            try:
                list(csv.reader(pieces, delimiter=self._delimiter, strict=True))
            except csv.Error as error:
                if "unexpected end" in str(error):
                    raise _BadText(
                        line, "the file ends within a quoted field: it is cut, or a quotation mark is left open",
                        "Fetch it again, or close the quotation mark",
                    ) from None  # fmt: skip


def _is_closed(line: str, delimiter: str) -> bool:
    """Whether a line ends with a quotation mark that closes its last field."""
    return re.search(f'(?:^|{re.escape(delimiter)})"(?:[^"]|"")*"$', line) is not None


def rows_of(
    file: Iterable[str], delimiter: str, content: FileContent | None = None, first_line: int = 1
) -> Iterator[tuple[int, list[str]]]:
    """The rows of `Rows`. content: takes the finding of a last line without an end, whose row is not given then."""
    rows = Rows(file, delimiter, first_line)
    for line, fields in rows:
        if rows.is_open and content is not None:
            _withhold_open(line, fields, content)
        else:
            yield line, fields


def _withhold_open(line: int, fields: list[str], content: FileContent) -> None:
    message = "the last line has no end: the file may be cut within it; fetch it again, or end the line if it is whole"
    content.withhold(line, None, fields[-1], "text.last-line-open", message)


def field_count(fields: list[str], n_fields: int) -> str:
    """What is said of a row that has more or fewer fields than the header."""
    is_more = len(fields) > n_fields and not any(field.strip() for field in fields[n_fields:])
    more = ", and what is more is empty: does each row end with a delimiter that the header lacks?" if is_more else ""
    return f"{len(fields)} fields; the header has {n_fields}{more}"


def whole_rows(
    rows: Iterable[tuple[int, list[str]]], n_fields: int, content: FileContent, rule: str
) -> Iterator[tuple[int, list[str]]]:
    """The rows that have as many fields as the header; others are withheld by the rule, and one whose line has no end."""
    for line, fields in rows:
        if getattr(rows, "is_open", False):
            _withhold_open(line, fields, content)
        elif len(fields) == n_fields:
            yield line, fields
        else:
            content.withhold(line, None, fields[0], rule, field_count(fields, n_fields))


# ------------------------------------------------------------------------------------------------------ headers


class Top(NamedTuple):
    """What stands above the rows.

    above: the lines above the header, as they are; header: its line; rest: the lines below it.
    """

    above: list[str]
    header: str
    delimiter: str
    rest: Iterable[str]

    @property
    def line(self) -> int:
        """The header's line, counted from 1."""
        return len(self.above) + 1


def top_of(file: Iterable[str]) -> Top:
    """The header of a text, below lines with `#`, empty ones, a spreadsheet's `sep=;`, and the two lines of a GCT file.

    A single first line with `#` over as many fields is the header itself. header: empty where there is none.
    """
    lines = iter(file)
    above: list[str] = []
    delimiter = None
    for line in lines:
        bare = line.strip().strip('"')
        if not above and bare.lower().startswith("sep=") and len(bare) == len("sep=;"):
            delimiter = bare[-1]
        elif len(above) == 1 and _GCT.match(above[0]) and all(f.isdigit() for f in bare.split("\t")):
            pass  # how many rows and columns a GCT has
        elif bare and not bare.startswith("#"):
            if len(above) == 1 and _is_header(above[0], line):
                return Top([], above[0], delimiter_of(above[0]), chain([line], lines))
            return Top(above, line, delimiter or delimiter_of(line), lines)
        above.append(line)
    header = next((i for i, line in enumerate(above) if line.strip()), len(above))
    at = above[header] if above[header:] else ""
    return Top(above[:header], at, delimiter_of(at), above[header + 1 :])


def _is_header(first: str, second: str) -> bool:
    """Whether a line with `#` names the columns of the next: `#sample<tab>age` over as many fields."""
    delimiter = delimiter_of(first)
    n = first.count(delimiter)
    return first.startswith("#") and n > 0 and n == second.count(delimiter)


def named_once(header: list[str], where: str, needs: Collection[str] | None = None) -> list[str]:
    """The header with each name once: of a name that stands again, the place is added, `time (column 4)`.

    needs: the names that must stand once; None: all of them. Raises InvalidInput for one of them that does not.
    """
    times = Counter(header)
    if len(times) == len(header):
        return header
    for name, n in times.items():
        if n > 1 and name and (needs is None or name in needs):
            places = [str(i) for i, each in enumerate(header, 1) if each == name]
            raise InvalidInput(
                f"the column '{name}' stands {n} times in the header (columns {', '.join(places)})", where=where,
                repair="Give each a name of its own, or name one by its place in a map: column = " + places[0],
            )  # fmt: skip
    return [name if times[name] == 1 and name else f"{name} (column {i})".strip() for i, name in enumerate(header, 1)]


class Opened(NamedTuple):
    """A table while it is read. top: its header rows, stripped; rows: (line, fields) of those that are whole."""

    top: list[list[str]]
    rows: Iterator[tuple[int, list[str]]]
    line: int = 1

    @property
    def header(self) -> list[str]:
        return self.top[0]


@contextmanager
def open_table(
    path: Path,
    content: FileContent,
    rule: str,
    n_top: int = 1,
    needs: Collection[str] | None = None,
    encoding: str | None = None,
) -> Iterator[Opened]:
    """A table by the delimiter that its header has. rule: of rows that have more or fewer fields than the header.

    n_top: how many rows the header has. needs: the columns that must stand once in it; None: all.
    Raises NotFound or InvalidInput for what is no text, and for a column that stands twice.
    """
    with open_text(path, encoding) as file:
        start = top_of(file)
        rows = Rows(chain([start.header], start.rest), start.delimiter, start.line)
        each = iter(rows)
        top = [[field.strip() for field in fields] for _, fields in (next(each, (1, [])) for _ in range(n_top))]
        first = list(islice(each, LOOKED_AT)) if n_top == 1 else []
        is_from_r = start.header.startswith('"') or (start.delimiter == "\t" and len(first) > 1)
        if is_from_r and lacks_row_names(top[0], [fields for _, fields in first]):
            top[0] = [ROW_NAMES, *top[0]]
        top[0] = named_once(top[0], f"{path}:{start.line}", needs)
        again = _Again(rows, first, each)
        yield Opened(top, whole_rows(again, len(top[0]), content, rule), start.line)


class _Again:
    """Rows of which the first were looked at already."""

    def __init__(self, rows: Rows, first: list[tuple[int, list[str]]], rest: Iterator[tuple[int, list[str]]]):
        self._rows, self._first, self._rest = rows, first, rest
        self._is_behind = False

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        for i, row in enumerate(self._first, 1):
            self._is_behind = i == len(self._first)
            yield row
        self._is_behind = True
        yield from self._rest

    @property
    def is_open(self) -> bool:
        """Whether the line that was given last has no end."""
        return self._is_behind and self._rows.is_open


def lacks_row_names(header: list[str], rows: list[list[str]]) -> bool:
    """Whether R left the first column without a name: rows have one field more, first fields differ, last ones are not empty.

    Rows that all end with a delimiter have an empty last field, and no name is missing.
    """
    if not rows or any(len(fields) != len(header) + 1 for fields in rows):
        return False
    names = {fields[0].strip() for fields in rows}
    return len(names - {""}) == len(rows) and any(fields[-1].strip() for fields in rows)


def number(text: str) -> float | None:
    """The number that `text` is, or None: no thousands separators, no decimal comma, no inf, no nan."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if value - value == 0 and "_" not in text else None
