"""CSV in UTF-8: a row a fact, numbers in full, what is missing empty, true and false in these words. Texts stand as they are."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from tshdb.tables.written.values import columns_and_rows

if TYPE_CHECKING:
    from tshdb.tables import Table


def written(table: Table) -> bytes:
    """The values of the table."""
    return csv_text(*columns_and_rows(table.facts)).encode("utf-8", "backslashreplace")


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Plain values as CSV (`values.columns_and_rows`)."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return file.getvalue()


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else value
