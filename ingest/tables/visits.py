"""Rows of one patient in one table, each of its own day: the later word holds, column by column."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from ingest.tables.maps import AsOfMap


class Cell(NamedTuple):
    """One cell with its place."""

    line: int
    column: str
    text: str


Row = dict[tuple[str, str], Cell]  # (sheet, column) -> cell


class Visit(NamedTuple):
    """One row of a patient. day: none where the table, or the row, has no date."""

    line: int
    day: date | None
    cells: Row


@dataclass
class Visits:
    """The rows of every patient.

    earlier: of which a later one took the place; as_of: patient -> the day of the latest; words: patient -> (each row, its day)
    where there are several.
    """

    rows: dict[str, Row] = field(default_factory=dict)
    earlier: list[tuple[str, Row]] = field(default_factory=list)
    as_of: dict[str, str] = field(default_factory=dict)
    words: dict[str, list[tuple[Row, str]]] = field(default_factory=dict)

    def add(self, patient: str, visits: list[Visit], as_of: AsOfMap | None, missing: Iterable[str]) -> None:
        """Take the rows that one sheet has of a patient: the last filled cell of each column, by day."""
        none = set(missing)
        in_order = sorted(visits, key=lambda v: (v.day or date.min, v.line))
        merged: Row = {}
        for visit in in_order:
            merged |= {
                place: cell for place, cell in visit.cells.items() if place not in merged or cell.text not in none
            }
        self.rows.setdefault(patient, {}).update(merged)
        self.earlier += [(patient, visit.cells) for visit in in_order[:-1]]
        last = in_order[-1].day
        if as_of is not None and last is not None:
            self.as_of[patient] = as_of.said(last)
        if as_of is not None and len(in_order) > 1:
            self.words[patient] = [(v.cells, as_of.said(v.day)) for v in in_order if v.day is not None]
