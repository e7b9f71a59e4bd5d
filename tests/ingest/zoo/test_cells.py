"""Cells of a clinical table that is read by a map: numbers, durations, codes, words, identifiers."""

from __future__ import annotations

from random import Random

import pytest

from ingest.tables import mapped, maps
from tests.ingest.zoo.judge import CLEAN, MAP, E, Found, Refused, W, judge, look_at_patients, patients, written
from tshdb.schema import FollowUp, Patient

ROW = 3  # on line 4
NUMBER, DAYS, CODE, WORD = "map.not-a-number", "follow-up.bad-duration", "map.unknown-code", "word.unknown"
CELLS = [  # column, cell, verdict
    *(("Age", cell, Found(NUMBER, E, "expected a number", 4)) for cell in (
        "<1", ">90", "60-69", "53 years", "~53", "53%", "1 053", "5\u200b3", "#REF!", "#NAME?", "1953-02-01", "inf", ".",
        "unknown", "sixty", "53;", "0x35", "5O",
    )),
    *(("Age", cell, Found(NUMBER, E, "between 0 and 120; of another unit: factor", 4)) for cell in (
        "255", "19359", "-4", "-9", "999", "1953", "1e3",
    )),
    *(("Age", cell, CLEAN) for cell in ("53", "53.5", "", "NA", "nan", "５３", "\u00a053", "5.3e1", '"53"', "0053")),
    *(("Days", cell, Found(DAYS, E, line=4)) for cell in (
        "-3", "two years", "2020-01-01", "900+", "1 234", "03:02:00", ">1000", "15.04.2019", "12m", "473 d",
    )),
    *(("Days", cell, Found("follow-up.too-long", W, "100 years", 4)) for cell in ("44197", "100000")),
    ("Days", "0", Found("follow-up.zero", W, line=4)),
    ("Days", "", Found("follow-up.event-without-day", W, line=4)),
    *(("Dead", cell, Found(CODE, E, "expected one of 0, 1", 4)) for cell in (
        "2", "1.0", "Dead", "1:DECEASED", "TRUE", "yes", "-1", "1?", "9",
    )),
    ("Dead", "", CLEAN),
    *(("ER", cell, Found(WORD, W, "expected positive, negative", 4)) for cell in (
        "positive?", "90%", "pos\u200b", "1", "Positve", "“pos”", 'po"s', "pos/neg", "8 (Allred)",
    )),
    *(("ER", cell, CLEAN) for cell in (
        "ＰＯＳ", "Pos.", " pos ", "pos\u00a0", "POSITIVE", "阳性", "positiv", "unknown", "equivocal",
    )),
    ("ID", "1.23E+08", Found("id.number", E, "digits or zeros are lost", 4)),
    ("ID", "1001.0", Found("id.number", E, line=4)),
    ("ID", "2020-03-02", Found("id.date", E, line=4)),
    ("ID", "02.03.2020", Found("id.date", E, line=4)),
    ("ID", "Total", Found("id.summary", E, "sums up", 4)),
    ("ID", "p-002", Found("id.alike", W, "P-002, p-002")),
    ("ID", "P_002", Found("id.alike", W, "P-002, P_002")),
    ("ID", "P-2", Found("id.alike", W, "P-002, P-2")),
    ("ID", "P-002", Found("clinical.patient-twice", E, "line 3", 4)),
    ("ID", "P-002 ", Found("clinical.patient-twice", E, line=4, also=("id.blank-around",))),
    ("ID", "P\u2013002", Found("id.other-hyphen", E, line=4)),
    ("ID", "P 003", Found("id.blank-inside", W, line=4)),
    ("ID", "", Found("id.no-patient", E, "the row has values", 4)),
    ("ID", "'003", Found("id.quote", E, line=4)),
    ("ID", "P|3", Found("id.quote", E, "or a bar", 4)),
    ("ID", "=A3", Found("id.formula", E, line=4)),
    ("ID", "C:\\scans\\3", Found("id.path", E, line=4)),
]  # fmt: skip


@pytest.mark.parametrize(("column", "cell", "verdict"), CELLS, ids=[f"{c}={v!r}" for c, v, _ in CELLS])
def test_a_cell_is_not_what_its_column_holds(zoo_study, tmp_path, column, cell, verdict):
    judge(look_at_patients(zoo_study, tmp_path, patients(ROW, column, cell), MAP), verdict)


@pytest.mark.parametrize(
    ("column", "cell", "wanted"),
    [
        ("Age", "５３", ("age_years", 53.0)), ("Age", "\u00a053", ("age_years", 53.0)), ("Age", "nan", ("age_years", None)),
        ("Days", "1e3", ("duration_days", 1000.0)), ("Dead", "", ("event", None)),
    ],
)  # fmt: skip
def test_a_cell_is_read_rightly_all_the_same(tmp_path, column, cell, wanted):
    content = mapped.read(
        written(tmp_path, "t.csv", patients(ROW, column, cell)), "c", maps.parse_map(MAP, "m.toml")
    )  # fmt: skip
    rows = [r.values for r in content.records if r.table in (Patient, FollowUp) and r.values["patient_id"] == "P-003"]
    assert {name: row[name] for name, _ in [wanted] for row in rows if name in row} == dict([wanted])


def spoilt(column: str, cells: list[str]) -> str:
    """The nine patients with other cells in one column."""
    header, *rows = (line.split(",") for line in patients().splitlines())
    at = header.index(column)
    for row, cell in zip(rows, cells, strict=True):
        row[at] = cell
    return "".join(",".join(row) + "\n" for row in (header, *rows))


COLUMNS = {
    "months for days": ("Days", [str(3 + 7 * i) for i in range(9)], MAP, Found("follow-up.not-days", W, "months or years")),
    "years for days": ("Days", [f"{0.5 + 0.7 * i:.1f}" for i in range(9)], MAP, Found("follow-up.not-days", W)),
    "days for months": (
        "Days", [str(1500 + 300 * i) for i in range(9)], MAP.replace('"days" }', '"months" }'), Found("follow-up.too-long", W),
    ),
    "codes 1 and 2": ("Dead", ["1", "2"] * 4 + ["1"], MAP, Found(CODE, E)),
    "codes the other way": ("Dead", ["1"] * 9, MAP, Found("follow-up.all-events", W, "codes swapped")),
    "nobody with the event": ("Dead", ["0"] * 9, MAP, Found("follow-up.all-censored", W)),
    "the event's column for the time's": (
        "Days", ["0", "1"] * 4 + ["1"], MAP, Found("follow-up.time-is-event", E, also=("follow-up.zero", "follow-up.not-days")),
    ),
    "ages in days": ("Age", [str(15000 + 365 * i) for i in range(9)], MAP, Found(NUMBER, E, "factor")),
    "ages in days, said": (
        "Age", [str(15000 + 365 * i) for i in range(9)],
        MAP.replace('column = "Age"', 'column = "Age"\nfactor = 0.0027379'), CLEAN,
    ),
    "decimal commas": ("Age", [f'"{40 + i},5"' for i in range(9)], MAP, Found(NUMBER, E)),
    "decimal commas, said": (
        "Age", [f'"{40 + i},5"' for i in range(9)], "[table]\ndecimal_comma = true\n" + MAP, CLEAN,
    ),
    "a decimal point among commas": (
        "Age", ['"40,5"'] * 8 + ["41.5"], "[table]\ndecimal_comma = true\n" + MAP, Found(NUMBER, E, line=10),
    ),
}  # fmt: skip


@pytest.mark.parametrize("trap", COLUMNS)
def test_a_column_is_not_what_the_map_says(zoo_study, tmp_path, trap):
    column, cells, map_, verdict = COLUMNS[trap]
    judge(look_at_patients(zoo_study, tmp_path, spoilt(column, cells), map_), verdict)


def test_a_row_off_and_a_row_twice_are_said(zoo_study, tmp_path):
    random = Random(3)
    rows = [
        [
            f"P-{i:03d}",
            40 + i,
            "pos",
            i % 2,
            random.randint(300, 3000),
            *(round(random.uniform(10, 50), 2) for _ in "abcd"),
        ]
        for i in range(1, 13)
    ]
    rows[4][5:] = [
        value * 1000 for value in rows[4][5:]
    ]  # a spreadsheet lost the decimal points of four of six numbers
    rows[9][1:] = rows[8][1:]
    text = "ID,Age,ER,Dead,Days,a,b,c,d\n" + "".join(",".join(map(str, r)) + "\n" for r in rows)
    look = look_at_patients(zoo_study, tmp_path, text, MAP)
    judge(look, Found("patient.same-row", W, "P-009, P-010", also=("clinical.row-off",)))
    judge(look, Found("clinical.row-off", W, "P-005", also=("patient.same-row",)))


def test_without_a_trap_there_is_no_finding(zoo_study, tmp_path):
    judge(look_at_patients(zoo_study, tmp_path, patients(), MAP), CLEAN)
    judge(look_at_patients(zoo_study, tmp_path, "ID,Age\n", MAP), Refused("no column ER"))
