"""The columns of a table as a first map sees them: their cells, what a second header row says of them, who competes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ingest.tables.workbook import Sheet
from ingest.tables.written_dates import date_of
from tshdb.text_files import number

MISSING = {"", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "#N/A", "# NA"}
FEWEST_NUMBERS = 3
DATES = (
    "YYYY-MM-DD", "DD.MM.YYYY", "DD/MM/YYYY", "MM/DD/YYYY", "DD-MM-YYYY", "MM-DD-YYYY", "YYYY/MM/DD", "DD-MMM-YYYY",
    "DD.MM.YY", "DD/MM/YY", "MM/DD/YY",
)  # fmt: skip
MOSTLY = 0.9  # of cells that are dates; the others are for the ingest to name
_CODE = re.compile(r"\s*([-+]?\w+)\s*[=:]\s*([^,;{}=]+?)\s*(?=[,;}]|$)")
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,(?:\d{1,2}|\d{4,})")


@dataclass(frozen=True)
class Column:
    """One column. second: what a second header row has in it, else empty; all_cells: with those that are missing."""

    name: str
    place: int
    all_cells: Sequence[str]
    second: str = ""

    @cached_property
    def cells(self) -> list[str]:
        return [c for c in self.all_cells if c not in MISSING]

    @cached_property
    def numbers(self) -> list[float]:
        return [v for v in map(_number, self.cells) if v is not None]

    @property
    def share_of_numbers(self) -> float:
        return len(self.numbers) / len(self.cells) if self.cells else 0.0

    @cached_property
    def has_commas(self) -> str:
        """A number with a decimal comma; empty where there is none."""
        return next((c for c in self.cells if _DECIMAL_COMMA.fullmatch(c)), "")

    @property
    def is_of_dates(self) -> bool:
        return bool(date_formats(self.cells))

    @cached_property
    def words_among_numbers(self) -> set[str]:
        """Few short words in a column of numbers: they say that there is none."""
        if self.share_of_numbers < 0.5 or len(self.numbers) < FEWEST_NUMBERS:
            return set()
        words = {c for c in self.all_cells if c and number(c) is None and not _DECIMAL_COMMA.fullmatch(c)} - {
            "NA",
            "N/A",
        }
        return words if len(words) <= 3 and all(len(w) < 20 for w in words) else set()

    @cached_property
    def meanings(self) -> dict[str, str]:
        """code -> meaning, as the header or a second header row says it: {0=neg, 1=pos}."""
        told = {code: meaning for t in (self.name, self.second) for code, meaning in _CODE.findall(t.strip("{}() "))}
        return told if set(told) & set(self.cells) else {}


def columns_of(sheet: Sheet) -> list[Column]:
    """The columns of a sheet; a first row that is no patient is what a second header row says."""
    rows = [cells for _, cells in sheet.rows]
    second = rows[0] if _is_header(rows) else None
    below = rows[1:] if second else rows
    return [
        Column(name, i, [row[i].strip() for row in below], second[i].strip() if second else "")
        for i, name in enumerate(sheet.unique_header)
    ]


def _is_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row has words where the others have numbers, in most of such columns, and never a number.

    A row whose identifier is made as those of the others is a patient's, whatever else it says.
    """
    if len(rows) < FEWEST_NUMBERS or _is_one_more(rows):
        return False
    of_numbers = [
        i for i in range(len(rows[0]))
        if sum(_number(r[i]) is not None for r in rows[1:]) > (len(rows) - 1) * 0.8
    ]  # fmt: skip
    first = [rows[0][i].strip() for i in of_numbers]
    has_words = sum(bool(t) and t not in MISSING and _number(t) is None for t in first)
    return bool(of_numbers) and has_words >= len(of_numbers) / 2 and not any(_number(t) is not None for t in first)


def _is_one_more(rows: Sequence[Sequence[str]]) -> bool:
    """Whether some column numbers its rows, P-001, P-002, …, and the first row is one of them."""
    for cells in zip(*rows, strict=True):
        first, *others = (re.sub(r"\d+", "9", re.sub(r"[^\W\d_]+", "a", cell.strip())) for cell in cells)
        if len(set(cells)) == len(cells) and {first} == set(others) and "9" in first:
            return True
    return False


def _number(text: str) -> float | None:
    """The number of a cell, with a decimal point or a decimal comma."""
    return number(text.replace(",", ".") if _DECIMAL_COMMA.fullmatch(text.strip()) else text)


def choice(candidates: Sequence[Column], is_exact: Callable[[Column], bool]) -> tuple[Column | None, str]:
    """(column, why): the only one, or the only one whose name leaves no doubt; None where several compete."""
    if not candidates:
        return None, ""
    if len(candidates) == 1:
        return candidates[0], "by its name; no other column looks like it"
    exact = [c for c in candidates if is_exact(c)]
    names = ", ".join(c.name for c in candidates)
    if len(exact) == 1:
        others = ", ".join(c.name for c in candidates if c is not exact[0])
        return exact[0], f"by its whole name. Others look like it: {others}"
    return None, f"one of these, which compete: {names}"


def date_formats(cells: Sequence[str]) -> list[str]:
    """The formats in which cells are dates: none for other cells, several where days and months could be either."""
    if all(date_of(c, "") is not None for c in cells):
        return list(DATES[:1]) if cells else []
    return [f for f in DATES if sum(date_of(c, f) is not None for c in cells) >= MOSTLY * len(cells)]


def codes_in(column: Column) -> list[str]:
    return sorted(set(column.cells))


def text(value: str) -> str:
    """A text as TOML writes it."""
    escaped = (
        value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
    )
    return f'"{escaped}"'


def inline(meanings: Mapping[str, object]) -> str:
    """An inline table of TOML."""
    pairs = (f"{text(c)} = {str(m).lower() if isinstance(m, bool) else text(str(m))}" for c, m in meanings.items())
    return "{ " + ", ".join(pairs) + " }"
