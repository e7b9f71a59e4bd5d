"""What a report is made of: sections of tables, drawings and words. The template knows these and nothing else."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from markupsafe import Markup

from tshdb.tables.layouts import Layout
from tshdb.text.controls import clean

if TYPE_CHECKING:
    import pandas as pd

    from tshdb.pages.report import trees

SECTIONS = (
    "results", "variant", "overview", "cohorts", "patients", "tsh", "networks", "model", "signature", "ladder", "guests",
    "tables-of-guests", "multiverse", "truths", "paper", "sources", "provenance", "checklists", "trees", "ways", "code",
    "changes", "parts",
)  # fmt: skip
MOST_CSV = 1 << 20  # letters of a table's values that a page takes along


@dataclass(frozen=True)
class Words:
    """A line of text. kind: note, warning (something is missing or doubtful) or good."""

    text: str
    kind: str = "note"


@dataclass(frozen=True)
class Shown:
    """A table.

    title     its caption
    one_row   what one row is
    layouts   as it is printed
    csv       its values in full, to be saved; without them the printed ones are
    labels    what must be said of its numbers (optimistic, in sample, circular)
    units     the results behind it, for their trees: (analysis or table, unit)
    """

    id: str
    title: str
    one_row: str
    layouts: Sequence[Layout]
    csv: str | None = None
    labels: tuple[str, ...] = ()
    units: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Drawn:
    """A drawing. svg: inline; csv: the rows that are drawn, or None with the reason in `no_csv`; units: as those of a table."""

    id: str
    title: str
    svg: Markup
    how_to_read: str
    csv: str | None = None
    no_csv: str = ""
    units: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Tree:
    """What a result was computed from. anchor: its id; tree: as `trees.Trees.trees` has it."""

    anchor: str
    tree: trees.Tree


@dataclass(frozen=True)
class Statement:
    """One main result on the first screen.

    what    in words
    value   the number, with its interval
    detail  n, events, p
    label   how far it can be believed: "" where nothing is known against it
    kind    of the label: optimistic, in-sample, circular, weak, honest
    to      the id of the part that shows it
    """

    what: str
    value: str
    detail: str
    label: str = ""
    kind: str = ""
    to: str = ""


@dataclass(frozen=True)
class Section:
    """A heading with its parts, in order. folded: closed at first, as few readers need it."""

    id: str
    title: str
    parts: Sequence[Words | Shown | Drawn | Tree]
    notes: tuple[str, ...] = ()
    is_folded: bool = False


@dataclass
class Ids:
    """Anchors of a page: plain, stable, each once. Those of sections are taken from the beginning."""

    taken: set[str] = field(default_factory=lambda: set(SECTIONS))

    def of(self, *parts: str) -> str:
        """The anchor of a part, from its name."""
        text = unicodedata.normalize("NFKD", "-".join(parts)).encode("ascii", "ignore").decode().lower()
        plain = re.sub(r"[^a-z0-9]+", "-", text).strip("-") or "part"
        found, n = plain, 1
        while found in self.taken:
            n += 1
            found = f"{plain}-{n}"
        self.taken.add(found)
        return found


def parameter(value: object) -> str:
    """A parameter's value, as it stands in the settings."""
    if value is None:
        return "not set"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, allow_nan=False)


def csv_text(frame: pd.DataFrame) -> str:
    """A frame as CSV, numbers in full; what is missing is empty."""
    return frame.to_csv(index=False, lineterminator="\n")


def layout_csv(layouts: Iterable[Layout]) -> str:
    """Printed tables as CSV, one below the other where there are several."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    for i, layout in enumerate(layouts):
        if i:
            writer.writerow([])
        if layout.title and i + 1:
            writer.writerow([clean(layout.title)])
        writer.writerow([clean(h) for h in layout.headers])
        writer.writerows([["" if v is None else clean(v) for v in row] for row in layout.cells])
    return file.getvalue()
