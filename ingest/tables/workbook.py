"""Tables out of delimited text, .xlsx and .xls: every cell as text, every row with its line.

A formula gives the value that was last computed and saved with it; a workbook whose formulas carry none is refused,
since nobody has computed them. A number is written without needless decimals, a date as ISO 8601.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

from ingest.expression.series_matrix import is_series_matrix, sample_table
from tshdb.errors import InvalidInput, NotFound, TshdbError
from tshdb.everyday import refuse_of_machine
from tshdb.file_content import FileContent
from tshdb.head import Head
from tshdb.packing import ZIP, is_workbook
from tshdb.text_files import Top, delimiter_of, named_once, open_table, open_text, rows_of, top_of
from tshdb.zips import opened_zip

MOST_CELLS = 5_000_000
_ZEROS = re.compile("00+")
NOT_AVAILABLE = ("#N/A", "#N/D", "#NV")  # what a spreadsheet shows for no value, in English, French and German


@dataclass(frozen=True)
class Sheet:
    """One table.

    name     of the sheet, empty for a text file
    header   the names as they stand there: some may stand twice, and some be empty
    rows     (line, cells), each as long as the header
    """

    name: str
    header: list[str]
    header_line: int
    rows: list[tuple[int, list[str]]]

    def column(self, names: Sequence[str | int]) -> int | None:
        """The place of the first of the names that the header has, whatever its case and spaces; a number is a place from 1.

        Raises InvalidInput for a name that stands twice: which one is meant only a place can say.
        """
        for name in names:
            if isinstance(name, int):
                if 1 <= name <= len(self.header):
                    return name - 1
                continue
            places = [i for i, h in enumerate(self.header) if h == name]
            places = places or [i for i, h in enumerate(self.header) if header_key(h) == header_key(name)]
            if len(places) > 1:
                at = ", ".join(str(i + 1) for i in places)
                raise InvalidInput(
                    f"the column '{name}' stands {len(places)} times in the header (columns {at})",
                    where=f"{self.name or 'the table'}:{self.header_line}",
                    repair=f"Name one by its place in the map: column = {places[0] + 1}",
                )
            if places:
                return places[0]
        return None

    @property
    def unique_header(self) -> list[str]:
        """The header with the place added to names that stand twice, and in the place of those that are missing."""
        return named_once(self.header, self.name, needs=())


def header_key(name: str) -> str:
    """A column's name without regard to case, spaces and line ends."""
    return re.sub(r"\s+", " ", name).strip().lower()


@dataclass(frozen=True)
class Shape:
    """How a table lies in its file, where a map says so.

    sheets         names of the sheets that are read; all that have a table where there is none
    header_rows    lines of the header, from 1; several are joined, `Tumour: size`
    skip_rows      lines that are no rows of the table
    encoding       of text
    is_transposed  patients stand in columns
    """

    sheets: tuple[str, ...] = ()
    header_rows: tuple[int, ...] = ()
    skip_rows: frozenset[int] = frozenset()
    encoding: str | None = None
    is_transposed: bool = False


AS_IT_LIES = Shape()


def read_sheets(path: Path, content: FileContent, shape: Shape = AS_IT_LIES) -> list[Sheet]:
    """All sheets that hold a table. Raises NotFound or InvalidInput."""
    if not path.is_file():
        raise NotFound("no such file", where=str(path))
    if not is_workbook(path):
        return [_text(path, content, shape)]
    with path.open("rb") as file:
        read = _xlsx if file.read(len(ZIP)) == ZIP else _xls
    named = read(path)
    if missing := [name for name in shape.sheets if name not in {n for n, *_ in named}]:
        raise InvalidInput(
            f"no sheet '{missing[0]}'", where=str(path), repair=f"Sheets: {', '.join(n for n, *_ in named)}"
        )
    wanted = [each for each in named if not shape.sheets or each[0] in shape.sheets]
    tables = [(_sheet(name, cells, shape), formulas, hidden) for name, cells, formulas, hidden in wanted]
    has_visible = any(made is not None and not hidden.is_sheet for made, _, hidden in tables)
    sheets = []
    for made, formulas, hidden in tables:
        if made is None:
            continue
        name = made.name
        if hidden.is_sheet and has_visible and not shape.sheets:
            content.warn(
                None, name, None, "text.hidden-sheet", "a hidden sheet is not read; if it is meant: [table] sheet"
            )
            continue
        if rows := [line for line, _ in made.rows if line in hidden.rows]:
            said = f"{len(rows)} rows of the sheet {name} are hidden (a filter?), and are read all the same"
            content.warn(rows[0], name, None, "text.hidden-rows", said)
        if formulas is not None:
            _refuse_uncomputed(path, made, formulas)
        sheets.append(made)
    if not sheets:
        raise InvalidInput(
            "a workbook without a table", where=str(path), repair="Expected a header row, and rows below"
        )
    return sheets


def headers_of(head: Head) -> list[list[str]]:
    """The header of a table, or those of a workbook's sheets; none of a file that cannot be read."""
    if not head.is_workbook:
        return [head.header]
    try:
        return [sheet.header for sheet in read_sheets(head.path, FileContent())]
    except TshdbError:
        return []


def _text(path: Path, content: FileContent, shape: Shape) -> Sheet:
    with open_text(path, shape.encoding) as file:
        first = file.readline()
        while first and not first.strip():
            first = file.readline()
    if not first:
        raise InvalidInput("the file is empty", where=f"{path}:1", repair="Expected a header row")
    if is_series_matrix(first):
        header, rows = sample_table(path)
        return Sheet("", header, 1, rows)
    if shape.header_rows or shape.is_transposed:
        with open_text(path, shape.encoding) as file:
            start = top_of(file) if not shape.header_rows else Top([], "", delimiter_of(_line(path, shape)), file)
            lines = chain([start.header] if start.header else [], start.rest)
            each = list(rows_of(lines, start.delimiter, content, start.line))
        if not each:
            raise InvalidInput("no table", where=str(path), repair="Expected a header row, and rows below")
        width = max(len(fields) for _, fields in each)
        cells: list[list[str]] = [[] for _ in range(each[-1][0])]
        for line, fields in each:
            cells[line - 1] = [f.strip() for f in fields] + [""] * (width - len(fields))
        made = _sheet("", [row or [""] * width for row in cells], shape)
        if made is None:
            raise InvalidInput("no table", where=str(path), repair="Expected a header row, and rows below")
        return made
    with open_table(path, content, "clinical.field-count", needs=(), encoding=shape.encoding) as table:
        rows = [(line, fields) for line, fields in table.rows if line not in shape.skip_rows]
        return Sheet("", [_bare(h) for h in table.header], table.line, rows)


def _line(path: Path, shape: Shape) -> str:
    """The line of the header, by which the delimiter is known."""
    with open_text(path, shape.encoding) as file:
        return next(islice(file, shape.header_rows[-1] - 1, None), "")


def _bare(name: str) -> str:
    """A name as it stands in the file, without the place that tells it from another of the same."""
    return re.sub(r"^(.*?) ?\(column \d+\)$", r"\1", name)


class Hidden(NamedTuple):
    """What of a sheet nobody sees: the sheet, or lines of it."""

    is_sheet: bool
    rows: frozenset[int] = frozenset()


Cells = list[tuple[str, list[list[str]], Any, Hidden]]  # name of the sheet, its cells, the sheet with its formulas


def _xlsx(path: Path) -> Cells:
    import openpyxl

    try:
        with opened_zip(path) as packed:
            if sum(i.file_size for i in packed.infolist()) > 200 * max(path.stat().st_size, 1 << 20):
                raise InvalidInput(
                    "it unpacks to more than 200 times its size", where=str(path), repair="Is it a workbook?"
                )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with path.open("rb") as file:  # by its content: openpyxl refuses a name that it does not like
                values = openpyxl.load_workbook(file, data_only=True)
            with path.open("rb") as file:
                formulas = openpyxl.load_workbook(file)
    except InvalidInput:
        raise
    except Exception as error:  # openpyxl, and the XML parser below it, raise what they stumble over
        refuse_of_machine(error)
        raise InvalidInput(
            f"no workbook that can be read ({error})", where=str(path), repair="Fetch it again"
        ) from None
    sheets = []
    for sheet in values.worksheets:
        if sheet.max_row * sheet.max_column > MOST_CELLS:
            raise InvalidInput(f"sheet {sheet.title} has too many cells", where=str(path))
        cells = [[_shown(c) for c in row] for row in sheet.iter_rows()]
        lines = frozenset(line for line, row in sheet.row_dimensions.items() if row.hidden)
        hidden = Hidden(sheet.sheet_state != "visible", lines)
        sheets.append((sheet.title, cells, formulas[sheet.title], hidden))
    return sheets


def _refuse_uncomputed(path: Path, sheet: Sheet, formulas) -> None:
    """A column of formulas in which no cell has a saved value was never computed; nor was a sheet of such formulas."""
    of_column: dict[int, list[bool]] = {}
    for i in range(len(sheet.header)):
        texts = [(formulas.cell(row=line, column=i + 1).value, cells[i]) for line, cells in sheet.rows]
        computed = [bool(cell) for text, cell in texts if isinstance(text, str) and text.startswith("=")]
        if computed:
            of_column[i] = computed
    is_saved = any(any(computed) for computed in of_column.values())
    for i in of_column:
        name = sheet.header[i]
        if not is_saved or not any(cells[i] for _, cells in sheet.rows):
            raise InvalidInput(
                f"column '{name}' of sheet {sheet.name} holds formulas without saved values",
                where=f"{path}:{sheet.header_line}",
                repair="Open it in a spreadsheet program, save it, and try again",
            )


def _xls(path: Path) -> Cells:
    import xlrd

    try:
        book = xlrd.open_workbook(str(path))
    except Exception as error:  # xlrd raises what its parser stumbles over
        refuse_of_machine(error)
        raise InvalidInput(
            f"no workbook that can be read ({error})", where=str(path), repair="Fetch it again"
        ) from None
    sheets = []
    for sheet in book.sheets():
        cells = []
        for r in range(sheet.nrows):
            row = []
            for c in range(sheet.ncols):
                cell = sheet.cell(r, c)
                value = cell.value
                if cell.ctype == xlrd.XL_CELL_DATE:
                    value = xlrd.xldate_as_datetime(value, book.datemode)
                elif cell.ctype == xlrd.XL_CELL_BOOLEAN:
                    value = int(value)
                elif cell.ctype in (xlrd.XL_CELL_ERROR, xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK):
                    value = None
                row.append(_cell(value))
            cells.append(row)
        sheets.append((sheet.name, cells, None, Hidden(sheet.visibility != 0)))
    return sheets


def _shown(cell) -> str:
    """A cell of an .xlsx; a whole number with the zeros that its format puts before it, as everybody sees it (007)."""
    value = cell.value
    if isinstance(value, int | float) and not isinstance(value, bool) and _ZEROS.fullmatch(cell.number_format):
        return _cell(value).zfill(len(cell.number_format))
    return _cell(value)


def _cell(value) -> str:
    if value is None or value in NOT_AVAILABLE:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == datetime.min.time() else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return str(value).strip()


def _sheet(name: str, cells: list[list[str]], shape: Shape) -> Sheet | None:
    """The table of a sheet: the header is the first row whose cells are mostly filled; empty columns are left out."""
    if shape.is_transposed:
        cells = [list(row) for row in zip(*cells, strict=True)]
    if not cells:
        return None
    if shape.header_rows:
        lines = [line for line in shape.header_rows if line <= len(cells)]
        header = joined_header([cells[line - 1] for line in lines])
        start = max(lines, default=0) - 1
    else:
        width = max((sum(bool(c) for c in row) for row in cells), default=0)
        begins = (i for i, row in enumerate(cells) if sum(bool(c) for c in row) * 2 > width and width > 1)
        start = next(begins, -1)
        header = cells[start] if start >= 0 else []
    if start < 0:
        return None
    below = [
        (line, row) for line, row in enumerate(cells[start + 1 :], start + 2) if any(row) and line not in shape.skip_rows
    ]  # fmt: skip
    used = [i for i, h in enumerate(header) if h or any(row[i] for _, row in below)]
    return Sheet(
        name.strip(), [header[i] for i in used], start + 1, [(line, [row[i] for i in used]) for line, row in below]
    )


def joined_header(rows: list[list[str]]) -> list[str]:
    """One name a column of several header rows, from above: `Tumour: size`. A group goes on to the right until the next."""
    above: list[list[str]] = []
    for row in rows[:-1]:
        group, filled = "", []
        for cell in row:
            group = cell or group
            filled.append(group)
        above.append(filled)
    if not rows:
        return []
    return [
        ": ".join(dict.fromkeys(p for p in (*(row[i] for row in above), name) if p)) for i, name in enumerate(rows[-1])
    ]
