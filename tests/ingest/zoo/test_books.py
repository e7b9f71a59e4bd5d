"""Workbooks: what a spreadsheet program stores beside what people see."""

from __future__ import annotations

import datetime
import io

import openpyxl
import pytest
import xlwt

from ingest.tables import mapped, maps
from tests.ingest.zoo.judge import (
    CLEAN,
    MAP,
    PATIENTS,
    E,
    Found,
    Refused,
    W,
    judge,
    look_at_matrix,
    look_at_patients,
    written,
)
from tshdb.schema import Patient

ROWS = [[int(c) if c.isdigit() else c for c in row] for row in PATIENTS]
MATRIX = [["gene", "TCGA-Z1-Q001-01A", "TCGA-Z1-Q002-01A"], ["CD8A", 1.5, 2.5], ["TP53", 300, 40.5], ["ESR1", 20, 31]]


def book(*sheets: tuple[str, list[list]], after=None) -> bytes:
    """An .xlsx. after: what is done to it before it is saved."""
    made = openpyxl.Workbook()
    made.remove(made.active)
    for title, rows in sheets:
        sheet = made.create_sheet(title)
        for row in rows:
            sheet.append(row)
    if after is not None:
        after(made)
    buffer = io.BytesIO()
    made.save(buffer)
    return buffer.getvalue()


def old_book(rows: list[list]) -> bytes:
    """An .xls."""
    made = xlwt.Workbook()
    sheet = made.add_sheet("S")
    dates = xlwt.easyxf(num_format_str="DD.MM.YYYY")
    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            sheet.write(i, j, value, *([dates] if isinstance(value, datetime.date) else []))
    buffer = io.BytesIO()
    made.save(buffer)
    return buffer.getvalue()


def one(value, column: str, rows=ROWS, row: int = 3) -> list[list]:
    """The rows with another value in one cell, on line 4."""
    rows = [list(r) for r in rows]
    rows[row][rows[0].index(column)] = value
    return rows


def hidden(name: str):
    return lambda made: setattr(made[name], "sheet_state", "hidden")


def filtered(made) -> None:
    made["S"].auto_filter.ref = "A1:E10"
    for line in (3, 5, 7):
        made["S"].row_dimensions[line].hidden = True


OTHER = one(99, "Age")
NUMBER, DAYS = "map.not-a-number", "follow-up.bad-duration"
BOOKS = {
    "an error for a number": (book(("S", one("#REF!", "Age"))), Found(NUMBER, E, line=4)),
    "another error": (book(("S", one("#DIV/0!", "Age"))), Found(NUMBER, E, line=4)),
    "a date for an age": (book(("S", one(datetime.datetime(1953, 3, 2), "Age"))), Found(NUMBER, E, line=4)),
    "a date for days": (book(("S", one(datetime.datetime(2020, 3, 2), "Days"))), Found(DAYS, E, line=4)),
    "a duration of the clock for days": (book(("S", one(datetime.timedelta(days=400), "Days"))), Found(DAYS, E, line=4)),
    "a time of day for days": (book(("S", one(datetime.time(3, 2), "Days"))), Found(DAYS, E, line=4)),
    "a date for an identifier": (book(("S", one(datetime.datetime(2020, 3, 2), "ID"))), Found("id.date", E, line=4)),
    "a long number for an identifier": (book(("S", one(1.2345678901234567e20, "ID"))), Found("id.number", E, line=4)),
    "TRUE for a receptor": (book(("S", one(True, "ER"))), Found("word.unknown", W, line=4)),
    "a formula that nobody computed": (book(("S", one("=40+3", "Age"))), Refused("without saved values.*save it")),
    "formulas for all identifiers": (
        book(("S", [ROWS[0], *([f'="P-{i}"', *r[1:]] for i, r in enumerate(ROWS[1:]))])), Refused("holds formulas"),
    ),
    "a hidden sheet with other values": (book(("S", ROWS), ("old", OTHER), after=hidden("old")), Found("text.hidden-sheet", W)),
    "two sheets that disagree": (
        book(("S", ROWS), ("old", OTHER)), Found("clinical.rows-disagree", E, "another sheet says '43'", 4),
    ),
    "rows that a filter hides": (book(("S", ROWS), after=filtered), Found("text.hidden-rows", W, "3 rows", 3)),
    "a second table below": (
        book(("S", [*ROWS, [], ["ID", "Grade"], ["P-001", 2]])),
        Found("clinical.patient-twice", E, line=13, also=(NUMBER, "map.unknown-code")),
    ),
    "a second table beside": (
        book(("S", [[*r, None, *x] for r, x in zip(ROWS, [["ID", "Grade"]] + [["P-001", 2]] * 9, strict=True)])),
        Refused("'ID' stands 2 times"),
    ),
    "a total below": (book(("S", [*ROWS, ["Total", None, None, 3, None]])), Found("id.summary", E, line=11)),
    "a legend below": (book(("S", [*ROWS, [], ["pos = ER positive"]])), Found("id.note", E, line=12)),
    "no table at all": (book(("S", []), ("T", [["read me"]])), Refused("without a table")),
    "cut": (book(("S", ROWS))[:-300], Refused("no workbook that can be read.*Fetch it again")),
    "an old workbook's date for days": (old_book(one(datetime.date(2020, 1, 1), "Days")), Found(DAYS, E, line=4)),
    "another old file of the same office": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), Refused("no workbook")),
}  # fmt: skip


@pytest.mark.parametrize("trap", BOOKS)
def test_a_workbook_is_not_what_it_shows(zoo_study, tmp_path, trap):
    data, verdict = BOOKS[trap]
    judge(look_at_patients(zoo_study, tmp_path, data, MAP, name="t.xlsx"), verdict)


def as_seen(made) -> None:
    """Identifiers that are numbers with zeros before them by their format alone."""
    for line in range(2, 11):
        made["S"].cell(row=line, column=1).value = line
        made["S"].cell(row=line, column=1).number_format = "000"


def merged(made) -> None:
    made["S"].insert_rows(1)
    made["S"]["A1"] = "Patients of ours"
    made["S"].merge_cells("A1:E1")


RIGHT = {
    "as it is": (book(("S", ROWS)), "P-001"),
    "an .xls": (old_book(ROWS), "P-001"),
    "a title in merged cells": (book(("S", ROWS), after=merged), "P-001"),
    "an empty sheet before": (book(("empty", []), ("S", ROWS)), "P-001"),
    "a sheet of notes before": (book(("notes", [["read me"], ["of ours"]]), ("S", ROWS)), "P-001"),
    "the only table hidden": (book(("notes", [["read me"]]), ("S", ROWS), after=hidden("S")), "P-001"),
    "identifiers 002 by their format": (book(("S", ROWS), after=as_seen), "002"),
    "two sheets that agree": (book(("S", ROWS), ("T", [r[:2] for r in ROWS])), "P-001"),
    "a column without a name": (book(("S", [[*r, None if i == 0 else "x"] for i, r in enumerate(ROWS)])), "P-001"),
    "#N/A": (book(("S", one("#N/A", "Age"))), "P-001"),
}  # fmt: skip


@pytest.mark.parametrize("make", RIGHT)
def test_what_is_seen_is_read(zoo_study, tmp_path, make):
    data, first = RIGHT[make]
    judge(look_at_patients(zoo_study, tmp_path, data, MAP, name="t.xlsx"), CLEAN)
    content = mapped.read(written(tmp_path, "t.xlsx", data), "c", maps.parse_map(MAP, "m"))
    people = [r.values for r in content.records if r.table is Patient]
    assert (people[0]["patient_id"], people[0]["age_years"], len(people)) == (first, 41.0, 9)


def test_a_sheet_that_the_map_names_is_read_though_it_is_hidden(tmp_path):
    data = book(("S", ROWS), ("old", OTHER), after=hidden("old"))
    map_ = maps.parse_map('[table]\nsheet = "old"\n' + MAP, "m")
    content = mapped.read(written(tmp_path, "t.xlsx", data), "c", map_)
    assert content.findings == [] and 99.0 in [r.values.get("age_years") for r in content.records]


MATRICES = {
    "a gene that became a date": (one(datetime.datetime(2020, 9, 2), "gene", MATRIX, 1), Found("rna.gene-is-a-date", W, line=2)),
    "an error for a value": (one("#REF!", MATRIX[0][1], MATRIX, 1), Found("rna.not-a-number", E, line=2)),
    "a date for a value": (one(datetime.datetime(2020, 9, 2), MATRIX[0][1], MATRIX, 1), Found("rna.not-a-number", E, line=2)),
    "a formula that nobody computed": (one("=1+1", MATRIX[0][1], MATRIX, 1), Refused("without saved values")),
    "a total below": ([*MATRIX, ["Total", 321.5, 74]], Found("rna.summary-row", W, line=5)),
}  # fmt: skip


@pytest.mark.parametrize("trap", MATRICES)
def test_a_matrix_in_a_workbook(zoo_study, tmp_path, trap):
    rows, verdict = MATRICES[trap]
    judge(look_at_matrix(zoo_study, tmp_path, book(("S", rows)), name="m.xlsx"), verdict)


def test_two_matrices_in_a_workbook(zoo_study, tmp_path):
    judge(
        look_at_matrix(zoo_study, tmp_path, book(("a", MATRIX), ("b", MATRIX))), Refused("2 sheets of numbers")
    )  # fmt: skip
