"""The rows that a figure draws, as files: CSV, one file a table, or one Excel workbook, one sheet a table."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tshdb.errors import UsageError
from tshdb.files import complete, made_for
from tshdb.fixed_zip import without_times
from tshdb.formats import chosen
from tshdb.tables.rows import records
from tshdb.tables.written.csv_file import csv_text
from tshdb.tables.written.values import columns_and_rows

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = {"csv": (".csv",), "xlsx": (".xlsx",)}


def write_rows(frames: Sequence[pd.DataFrame], path: Path, title: str) -> list[Path]:
    """Write the tables of a figure. Gives the files: of several tables FILE.csv, FILE-2.csv and so on, or one workbook.

    Raises UsageError for a figure that does not say its rows, and for a name that is neither CSV nor Excel.
    """
    form = chosen(SUFFIXES, None, path, "csv")
    if not frames:
        raise UsageError("the figure does not say which rows it draws", where=title, repair="Leave --data out")
    paths = []
    for place, data in _files(frames, path, form):
        with complete(made_for(place)) as written:
            written.write_bytes(data)
        paths.append(place)
    return paths


def _files(frames: Sequence[pd.DataFrame], path: Path, form: str) -> Iterator[tuple[Path, bytes]]:
    tables = [columns_and_rows(records(frame)) for frame in frames]
    if form == "xlsx":
        yield path, _workbook(tables)
        return
    for i, (columns, rows) in enumerate(tables, 1):
        place = path if i == 1 else path.with_name(f"{path.stem}-{i}{path.suffix}")
        yield place, csv_text(columns, rows).encode("utf-8", "backslashreplace")


def _workbook(tables: list) -> bytes:
    from openpyxl import Workbook

    from tshdb.tables.written.xlsx_file import fill

    book = Workbook()
    book.remove(book.active)
    for i, (columns, rows) in enumerate(tables, 1):
        fill(book.create_sheet(f"rows {i}"), [columns, *rows], head=1)
    file = io.BytesIO()
    book.save(file)
    return without_times(file.getvalue())
