"""A table of results as a file: one module a format.

csv, xlsx and json hold the values in full, md, latex and docx the table as it is printed, with its notes; xlsx has both. The same
results give the same bytes. What writes a format is imported when it is asked for.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tshdb.errors import UsageError
from tshdb.formats import chosen

if TYPE_CHECKING:
    from tshdb.tables import Table

__all__ = ["FORMATS", "SUFFIXES", "Format", "format_of", "written"]


class Format(NamedTuple):
    """How a table is written.

    suffixes  of files, the usual one first
    is_text   whether a terminal can show it; what is not needs a file
    module    of this package; its function `written(table)` gives the bytes
    """

    suffixes: tuple[str, ...]
    is_text: bool
    module: str


FORMATS = {
    "csv": Format((".csv",), True, "csv_file"),
    "xlsx": Format((".xlsx",), False, "xlsx_file"),
    "json": Format((".json",), True, "json_file"),
    "md": Format((".md",), True, "markdown_file"),
    "latex": Format((".tex",), True, "latex_file"),
    "docx": Format((".docx",), False, "docx_file"),
}
SUFFIXES = {name: each.suffixes for name, each in FORMATS.items()}


def format_of(asked: str | None, path: Path | None) -> str:
    """The format of a table: as asked, or as the file's name says. Raises UsageError also for xlsx and docx without a file."""
    form = chosen(SUFFIXES, asked, path, "csv")
    if path is None and not FORMATS[form].is_text:
        raise UsageError(f"{form} is no text", where=f"--format {form}", repair=f"Name a file: --out FILE.{form}")
    return form


def written(table: Table, form: str) -> bytes:
    """The table in one of `FORMATS`. Raises UsageError for one that there is not."""
    module = import_module(f"{__name__}.{FORMATS[chosen(SUFFIXES, form, None, form)].module}")
    return module.written(table)
