"""An Excel workbook: the sheet "values" in full, then the printed tables, a sheet each.

Numbers are numbers, texts are texts: one that begins with = + - @ is no formula. What is missing is an empty cell.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tshdb.errors import InvalidInput
from tshdb.fixed_zip import without_times
from tshdb.tables.written.values import columns_and_rows
from tshdb.text.controls import clean

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

    from tshdb.tables import Layout, Table

MOST_LETTERS = 32_767  # of a cell
EXACT = 2**53  # whole numbers beyond it are no numbers of Excel's
WIDEST = 60  # letters, of a column
SIGNS = ("=", "+", "-", "@")  # a text that begins so would be a formula, once somebody edits it


def written(table: Table) -> bytes:
    """The workbook. Raises InvalidInput for a text that no cell can hold."""
    from openpyxl import Workbook

    book = Workbook()
    columns, rows = columns_and_rows(table.facts)
    values: Any = book.active
    values.title = "values"
    fill(values, [columns, *rows], head=1)
    for i, layout in enumerate(table.layouts, 1):
        _printed(book.create_sheet("printed" if len(table.layouts) == 1 else f"printed {i}"), layout)
    file = io.BytesIO()
    book.save(file)
    return without_times(file.getvalue())


def fill(sheet: Worksheet, rows: Sequence[Sequence[Any]], head: int) -> None:
    """Write rows into a sheet from its first one. head: which row, from 1, names the columns; it is bold, and stays in sight."""
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    widths: dict[int, int] = {}
    for i, row in enumerate(rows, 1):
        for j, value in enumerate(row, 1):
            if value is None:
                continue
            cell: Any = sheet.cell(i, j)
            _set(cell, value, f"{sheet.title}, row {i}, column {j}")
            if i == head:
                cell.font = Font(bold=True)
            if i >= head:
                widths[j] = max(widths.get(j, 0), len(str(value)))
    for j, width in widths.items():
        sheet.column_dimensions[get_column_letter(j)].width = min(width + 2, WIDEST)
    sheet.freeze_panes = f"A{head + 1}"


def _set(cell: Any, value: Any, where: str) -> None:
    if isinstance(value, bool) or (isinstance(value, int | float) and abs(value) < EXACT):
        cell.value = value
        return
    if isinstance(value, float) and abs(value) != float("inf"):
        cell.value = value
        return
    text = clean(value)
    if len(text) > MOST_LETTERS:
        raise InvalidInput(
            f"a text of {len(text):,} letters, and a cell holds {MOST_LETTERS:,}",
            where=where,
            repair="Write csv or json",
        )
    cell.value = text
    cell.data_type = "s"  # whatever it looks like
    if text.startswith(SIGNS):
        cell.quotePrefix = True


def _printed(sheet: Worksheet, layout: Layout) -> None:
    """Title, head, cells, notes below. What is a number in the printed table is one here."""
    cells = [[None if v == "" else v for v in row] for row in layout.cells]
    fill(sheet, [[layout.title], [h or None for h in layout.headers], *cells], head=2)
    for i, note in enumerate(layout.notes, len(cells) + 4):
        _set(sheet.cell(i, 1), note, f"{sheet.title}, row {i}")
