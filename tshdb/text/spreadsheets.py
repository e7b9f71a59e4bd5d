"""Cells of a CSV that a spreadsheet program opens: it computes what begins like a formula, whoever wrote it.

A text that begins with `=`, `+`, `-` or `@` (in full width, too), a tab, or an end of a line gets an apostrophe
before it, as OWASP
"CSV Injection" (CWE-1236) says; blanks before it do not help it. Numbers stay numbers. This changes data: files that
programs read
again are written without.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

ENCODING = "utf-8-sig"  # without the mark, Excel takes a CSV for one of the user's own code page
_FORMULA = re.compile(r"[^\S\t\r\n]*[=+\-@\t\r\n＝＋－＠]")


def safe_cell(value: object) -> object:
    """The value as a spreadsheet shows it: a text that it would compute has an apostrophe before it."""
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def safe_row(row: Iterable[object]) -> list[object]:
    """Each cell by `safe_cell`."""
    return list(map(safe_cell, row))
