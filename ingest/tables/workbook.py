"""Tables out of delimited text, .xlsx and .xls: every cell as text, every row with its line.

A formula gives the value that was last computed and saved with it; a workbook whose formulas carry none is refused,
since nobody has computed them. A number is written without needless decimals, a date as ISO 8601.
"""

from __future__ import annotations

import re
import warnings
import zipfile
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from tshdb.errors import InvalidInput, NotFound
from tshdb.file_content import FileContent
from tshdb.text_files import open_table, open_text

MOST_CELLS = 5_000_000


@dataclass(frozen=True)
class Sheet:
    """One table. name: of the sheet, empty for a text file; rows: (line, cells), each as long as the header."""

    name: str
    header: list[str]
    header_line: int
    rows: list[tuple[int, list[str]]]

    def column(self, names: list[str]) -> int | None:
        """The place of the first of the names that the header has, whatever its case and spaces."""
        at = {header_key(h): i for i, h in reversed(list(enumerate(self.header)))}
        return next((at[header_key(n)] for n in names if header_key(n) in at), None)


def header_key(name: str) -> str:
    """A column's name without regard to case, spaces and line ends."""
    return re.sub(r"\s+", " ", name).strip().lower()


def read_sheets(path: Path, content: FileContent) -> list[Sheet]:
    """All sheets that hold a table. Raises NotFound or InvalidInput."""
    if not path.is_file():
        raise NotFound("no such file", where=str(path))
    with path.open("rb") as file:
        magic = file.read(8)
    if magic[:4] == b"PK\x03\x04":
        return _xlsx(path)
    if magic == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        return _xls(path)
    return [_text(path, content)]


def _text(path: Path, content: FileContent) -> Sheet:
    with open_text(path) as file:
        header_line = file.readline()
    if not header_line.strip():
        raise InvalidInput("the file is empty", where=f"{path}:1", repair="Expected a header row")
    with open_table(path, content, "clinical.field-count") as table:
        return Sheet("", table.header, 1, list(table.rows))


def _xlsx(path: Path) -> list[Sheet]:
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with zipfile.ZipFile(path) as packed:
            if sum(i.file_size for i in packed.infolist()) > 200 * max(path.stat().st_size, 1 << 20):
                raise InvalidInput(
                    "it unpacks to more than 200 times its size", where=str(path), repair="Is it a workbook?"
                )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            values = openpyxl.load_workbook(path, data_only=True)
            formulas = openpyxl.load_workbook(path)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, OSError) as error:
        raise InvalidInput(
            f"no workbook that can be read ({error})", where=str(path), repair="Fetch it again"
        ) from None
    sheets = []
    for sheet in values.worksheets:
        if sheet.max_row * sheet.max_column > MOST_CELLS:
            raise InvalidInput(f"sheet {sheet.title} has too many cells", where=str(path))
        cells = [[_cell(v) for v in row] for row in sheet.iter_rows(values_only=True)]
        made = _sheet(sheet.title, cells)
        if made is not None:
            _refuse_uncomputed(path, made, formulas[sheet.title])
            sheets.append(made)
    return sheets


def _refuse_uncomputed(path: Path, sheet: Sheet, formulas) -> None:
    """A column of formulas in which no cell has a saved value was never computed."""
    for i, name in enumerate(sheet.header):
        column = [formulas.cell(row=line, column=i + 1).value for line, _ in sheet.rows]
        is_formula = [isinstance(v, str) and v.startswith("=") for v in column]
        if any(is_formula) and not any(cells[i] for _, cells in sheet.rows):
            raise InvalidInput(
                f"column '{name}' of sheet {sheet.name} holds formulas without saved values",
                where=f"{path}:{sheet.header_line}",
                repair="Open it in a spreadsheet program, save it, and try again",
            )


def _xls(path: Path) -> list[Sheet]:
    import xlrd

    try:
        book = xlrd.open_workbook(str(path))
    except Exception as error:  # xlrd raises what its parser stumbles over
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
        made = _sheet(sheet.name, cells)
        if made is not None:
            sheets.append(made)
    return sheets


def _cell(value) -> str:
    if value is None:
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


def _sheet(name: str, cells: list[list[str]]) -> Sheet | None:
    """The table of a sheet: the header is the first row whose cells are mostly filled; empty columns are left out."""
    if not cells:
        return None
    width = max((sum(bool(c) for c in row) for row in cells), default=0)
    start = next((i for i, row in enumerate(cells) if sum(bool(c) for c in row) * 2 > width and width > 1), None)
    if start is None:
        return None
    used = [i for i, h in enumerate(cells[start]) if h]
    rows = [
        (line, [row[i] for i in used])
        for line, row in enumerate(cells[start + 1 :], start + 2)
        if any(row[i] for i in used)
    ]
    return Sheet(name.strip(), [cells[start][i] for i in used], start + 1, rows)
