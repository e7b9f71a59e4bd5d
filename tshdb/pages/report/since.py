"""What has changed since an earlier report. The earlier report is the page itself, as it was kept or passed on.

Every report carries the list of what it shows: of each table the cells, of each figure a digest. It stands in the page as a block
of data (`<script type="application/json" id="parts">`), which no browser runs and no policy has to allow. A later report with
`--since THAT.html` reads the list and marks what is otherwise. Why a page, and no date or run: docs/decisions/0043.

    block = listed(Shown("brca", parts))            into the page
    before = read(Path("report-2026-11.html"))      out of an earlier one
    changed(before, now)                            part -> what was there
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from tshdb.canonical import json_text
from tshdb.errors import InvalidInput, NotFound
from tshdb.tables.layouts import Layout
from tshdb.text.controls import clean

FORM = 1
BLOCK = re.compile(r'<script type="application/json" id="parts">(.*?)</script>', re.DOTALL)
OPENS = '<script type="application/json" id="parts">'
MOST_BYTES = 200 * 2**20  # of an earlier page
AGAIN = "Name a report that this program wrote, as it was written"


class Cell(NamedTuple):
    """A place in a table: the key of its row, and its column."""

    row: str
    column: str


@dataclass(frozen=True)
class Part:
    """A table or a figure, as a report shows it.

    id      its anchor: the same part has the same one in every report
    columns headers; rows: cells as they are shown, "" for none; both empty of a figure
    digest  of a figure's bytes; "" of a table
    """

    id: str
    title: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    digest: str = ""

    @classmethod
    def of_table(cls, id: str, title: str, layout: Layout) -> Part:
        rows = tuple(tuple("" if cell is None else clean(cell) for cell in row) for row in layout.cells)
        return cls(id, title, tuple(map(clean, layout.headers)), rows)

    @classmethod
    def of_figure(cls, id: str, title: str, content: bytes) -> Part:
        return cls(id, title, digest=sha256(content).hexdigest()[:32])


@dataclass(frozen=True)
class Shown:
    """What one report shows. study, variant: whose; parts: in the page's order."""

    study: str
    parts: tuple[Part, ...]
    variant: str = ""


@dataclass
class Change:
    """What of one part is otherwise than it was.

    cells     cells whose text is another one -> the text before
    new       rows (their keys) and columns that were not there
    gone      rows that are not there any more: key -> their cells
    is_new    the whole part is; is_other: a figure is drawn otherwise
    """

    title: str
    cells: dict[Cell, str] = field(default_factory=dict)
    new: list[str] = field(default_factory=list)
    new_columns: list[str] = field(default_factory=list)
    gone: dict[str, tuple[str, ...]] = field(default_factory=dict)
    gone_columns: list[str] = field(default_factory=list)
    is_new: bool = False
    is_gone: bool = False
    is_other: bool = False

    def __bool__(self) -> bool:
        return any(value for name, value in vars(self).items() if name != "title")


def listed(shown: Shown) -> str:
    """The list as the text of a block of data: canonical JSON in which nothing can end the block."""
    parts = [
        {"id": p.id, "title": p.title, "columns": p.columns, "rows": p.rows, "digest": p.digest} for p in shown.parts
    ]
    text = json_text({"form": FORM, "study": shown.study, "variant": shown.variant, "parts": parts})
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def read(path: Path) -> Shown:
    """The list of an earlier report. Raises NotFound without the file, InvalidInput for a page that has none, or a broken one."""
    if not path.is_file():
        raise NotFound("no such report", where=f"--since {path}", repair="Name the HTML file of an earlier report")
    if path.stat().st_size > MOST_BYTES:
        raise InvalidInput("it is larger than any report", where=f"--since {path}", repair=AGAIN)
    found = BLOCK.search(path.read_text(encoding="utf-8", errors="replace"))
    if found is None:
        why = "the page has no list of what it shows: it is no report, or one of before there were such lists"
        raise InvalidInput(why, where=f"--since {path}", repair=AGAIN)
    try:
        value = json.loads(found[1])
        if value["form"] != FORM:
            repair = "Compare by the program that wrote it"
            raise InvalidInput(f"its list has form {value['form']}, known is {FORM}", where=str(path), repair=repair)
        parts = tuple(_part(each) for each in value["parts"])
        return Shown(_text(value["study"]), parts, _text(value["variant"]))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise InvalidInput(f"its list cannot be read ({error!r})", where=f"--since {path}", repair=AGAIN) from None


def refuse_other_study(before: Shown, now: Shown, path: Path) -> None:
    """Raises InvalidInput where the earlier report is of another study, or of another variant."""
    for what, was, is_now in (("study", before.study, now.study), ("variant", before.variant, now.variant)):
        if was != is_now:
            said = f"it is of the {what} {was!r}" if was else f"it is of no {what}"
            expected = f"expected: {is_now!r}" if is_now else "expected: the study itself"
            raise InvalidInput(f"{said}; {expected}", where=f"--since {path}", repair="Name a report of the same")


def changed(before: Shown, now: Shown) -> dict[str, Change]:
    """part -> what is otherwise, of the parts in which something is; those that are gone last."""
    were, are = {p.id: p for p in before.parts}, {p.id: p for p in now.parts}
    found = {
        id: _compared(were[id], part) if id in were else Change(part.title, is_new=True) for id, part in are.items()
    }
    found |= {id: Change(part.title, is_gone=True) for id, part in were.items() if id not in are}
    return {id: change for id, change in found.items() if change}


def keys(rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """The key of each row: its first cells, and which one it is of those that have the same."""
    seen: Counter[str] = Counter()
    found = []
    for row in rows:
        key = " · ".join(row[:width])
        seen[key] += 1
        found.append(key if seen[key] == 1 else f"{key} ({seen[key]})")
    return found


def width_of_keys(*tables: Part) -> int:
    """How many first columns tell the rows of these tables apart; where none do, the columns that all of them have."""
    most = min((len(row) for table in tables for row in table.rows), default=1)
    for width in range(1, most):
        if all(len({row[:width] for row in table.rows}) == len(table.rows) for table in tables):
            return width
    return 1


def _compared(was: Part, part: Part) -> Change:
    change = Change(part.title, is_other=was.digest != part.digest)
    width = width_of_keys(was, part)
    columns, columns_were = keys([(c,) for c in part.columns], 1), keys([(c,) for c in was.columns], 1)
    change.new_columns = [c for c in columns if c not in columns_were]
    change.gone_columns = [c for c in columns_were if c not in columns]
    stood = dict(zip(keys(was.rows, width), was.rows, strict=True))
    for key, row in zip(keys(part.rows, width), part.rows, strict=True):
        if key not in stood:
            change.new.append(key)
            continue
        texts_were = dict(zip(columns_were, stood.pop(key), strict=False))
        for column, text in zip(columns, row, strict=False):
            if column in texts_were and texts_were[column] != text:
                change.cells[Cell(key, column)] = texts_were[column]
    change.gone = stood
    return change


def _part(value: Any) -> Part:
    rows = tuple(tuple(_text(cell) for cell in row) for row in value["rows"])
    columns = tuple(_text(column) for column in value["columns"])
    return Part(_text(value["id"]), _text(value["title"]), columns, rows, _text(value["digest"]))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, found {type(value).__name__}")
    return clean(value)
