"""Clinical tables whose text, header or rows are damaged or lie otherwise than they seem, and maps that cannot be meant."""

from __future__ import annotations

import bz2
import gzip
import lzma

import pytest

from ingest.tables import mapped, maps
from tests.ingest.test_formats import packed_zip
from tests.ingest.zoo.judge import CLEAN, MAP, E, Found, Refused, W, judge, look_at_patients, patients, written
from tshdb.schema import FollowUp

PLAIN = patients()
LINES = PLAIN.splitlines()
COUNT = "clinical.field-count"


def rows(change, header=LINES[0]) -> str:
    """The table with each row changed."""
    return "".join(line + "\n" for line in (header, *map(change, LINES[1:])))


TEXTS = {
    "a NUL in an identifier": (PLAIN.replace("P-004", "P-0\x0004"), Refused("NUL character")),
    "a NUL in a word": (PLAIN.replace("44,neg", "44,n\x00eg"), Refused("NUL character")),
    "Latin-1": (PLAIN.replace("Days", "Größe").encode("latin-1"), Refused("Windows-1252.*UTF-8")),
    "a stray CR": (PLAIN.replace("P-004,", "P-004\r,"), Refused("lines end in two ways")),
    "cut within the last number": (PLAIN[:-2], Found("text.last-line-open", E, line=10)),
    "cut within the last row": (PLAIN[:-7], Found("text.last-line-open", E, "may be cut", 10)),
    "cut while packed": (gzip.compress(PLAIN.encode() * 50)[:-40], Refused("cut or damaged")),
    "a quotation mark left open": (PLAIN.replace("44,neg", '44,"neg'), Refused("within a quoted field")),
    "empty": ("", Refused("the file is empty")),
    "blank lines alone": ("\n\n \n", Refused("the file is empty")),
    "a header alone": (LINES[0] + "\n", Found("text.no-rows", W, "no rows")),
    "a web page": ("<html><table><tr><td>ID</td></tr></table></html>", Refused("a web page")),
    "an old spreadsheet's XML": ('<?xml version="1.0"?>\n<Workbook/>\n', Refused("XML.*xlsx")),
    "two files in one archive": (packed_zip(PLAIN, "a.csv", "b.csv"), Refused("zip archive of 2 files")),
    "a title above": ("Patients of ours\n\n" + PLAIN, Refused("no column ID")),
    "commas at each row's end that the header lacks": (
        rows(lambda r: r + ","), Found(COUNT, E, "a delimiter that the header lacks"),
    ),
    "commas at some rows' ends": ("\n".join([*LINES[:4], *(r + "," for r in LINES[4:])]) + "\n", Found(COUNT, E, line=5)),
    "a decimal comma without quotation marks": (PLAIN.replace("P-004,44", "P-004,44,5"), Found(COUNT, E, "6 fields", 5)),
    "a column without a name that is needed": (PLAIN.replace(",Days", ","), Refused("no column Days")),
    "a column's name that hides a character": (PLAIN.replace("Age", "Age\u200b"), Refused("no column Age")),
    "a needed column twice": (PLAIN.replace(",Days", ",Dead"), Refused("stands 2 times.*place")),
    "another column twice": (rows(lambda r: r + ",1,2", LINES[0] + ",x,x"), Found("text.column-twice", W, "x (column 6)")),
    "a second table below": (PLAIN + "\nID,Grade\nP-001,2\n", Found(COUNT, E, "2 fields", 12)),
    "a total below": (PLAIN + "Total,,,3,\n", Found("id.summary", E, line=11)),
    "means below": (PLAIN + "Mean,45,,0,655\n", Found("id.summary", E, line=11)),
    "a count below": (PLAIN + "n = 9,,,,\n", Found("id.note", E, line=11)),
    "a note below": (PLAIN + "Cut in 2020,,,,\n", Found("id.note", E, line=11)),
    "a row of units": (
        "\n".join([LINES[0], "(code),(years),(pos/neg),(0/1),(days)", *LINES[1:]]) + "\n",
        Found("map.unknown-code", E, line=2, also=("map.not-a-number",)),
    ),
    "the header once more": (
        "\n".join([*LINES[:5], LINES[0], *LINES[5:]]) + "\n", Found("map.unknown-code", E, line=6, also=("map.not-a-number",)),
    ),
    "names in a column": (
        rows(lambda r: r + ",Jane Doe", LINES[0] + ",Name"), Found("identity.left-out", W, "Name (names)"),
    ),
    "dates of birth in a column": (
        "\n".join([LINES[0] + ",x", *(f"{r},19{50 + i}-02-0{i}" for i, r in enumerate(LINES[1:], 1))]) + "\n",
        Found("identity.left-out", W, "birth dates"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("trap", TEXTS)
def test_a_table_is_damaged_or_lies_otherwise(zoo_study, tmp_path, trap):
    data, verdict = TEXTS[trap]
    judge(look_at_patients(zoo_study, tmp_path, data, MAP), verdict)


RIGHT = {
    "UTF-8 with its mark": PLAIN.encode("utf-8-sig"), "UTF-16": PLAIN.encode("utf-16"), "CR alone": PLAIN.replace("\n", "\r"),
    "CR LF": PLAIN.replace("\n", "\r\n"), "CR LF and LF": PLAIN.replace("\n", "\r\n", 3), "tabs": PLAIN.replace(",", "\t"),
    "semicolons": PLAIN.replace(",", ";"), "bars": PLAIN.replace(",", "|"), "a spreadsheet's sep=": "sep=,\r\n" + PLAIN,
    "gzip": gzip.compress(PLAIN.encode()), "bzip2": bz2.compress(PLAIN.encode()), "xz": lzma.compress(PLAIN.encode()),
    "zip": packed_zip(PLAIN, "t.csv"), "commas at all lines' ends": PLAIN.replace("\n", ",,\n"),
    "a header in capitals": PLAIN.replace(LINES[0], LINES[0].upper()),
    "blanks in the header": PLAIN.replace(LINES[0], " ID , Age ,ER ,Dead,\u00a0Days"),
    "notes with # above": "# version 2\n# of ours\n" + PLAIN, "empty lines": PLAIN.replace("\nP-004", "\n\nP-004"),
    "all quoted": "".join(",".join(f'"{c}"' for c in line.split(",")) + "\n" for line in LINES),
    "a line end within a field": rows(lambda r: r + ',"one\ntwo"', LINES[0] + ",stage of care"),
}  # fmt: skip


@pytest.mark.parametrize("make", RIGHT)
def test_a_table_is_read_rightly_all_the_same(zoo_study, tmp_path, make):
    data = RIGHT[make]
    judge(look_at_patients(zoo_study, tmp_path, data, MAP), CLEAN)
    content = mapped.read(written(tmp_path, "t.csv", data), "c", maps.parse_map(MAP, "m"))
    days = [r.values["duration_days"] for r in content.records if r.table is FollowUp]
    assert days == [200.0 + 91 * i for i in range(1, 10)]


ID = '[patient_id]\ncolumn = "ID"\n'
AGE = '[patients.age_years]\ncolumn = "Age"\n'
OS = '[follow_ups.OS]\ntime_origin = "diagnosis"\nevent = { column = "Dead", codes = { "0" = false, "1" = true } }\n'
MAPS = {
    "a template without its group": (ID + 'template = "{1}"\n', "no group of the pattern"),
    "a template with a name": (ID + 'template = "{site}"\n', "no group of the pattern"),
    "a template that is open": (ID + 'template = "P{"\n', "no group of the pattern"),
    "a template that looks inside": (ID + 'template = "{0.__class__}"\n', "no group of the pattern"),
    "one name for all": (ID + 'template = "P"\n', "all patients one name"),
    "a header on line 0": ("[table]\nheader_rows = [0]\n" + ID, "header_rows"),
    "a line before the first": ("[table]\nskip_rows = [-1]\n" + ID, "skip_rows"),
    "a header below the end": ("[table]\nheader_rows = [99]\n" + ID, "no table"),
    "an encoding that there is not": ('[table]\nencoding = "klingon"\n' + ID, "no encoding 'klingon'"),
    "an encoding that it has not": ('[table]\nencoding = "utf-16"\n' + ID, "no text in utf-16, as the map says"),
    "UTF-32 that it has not": ('[table]\nencoding = "utf-32"\n' + ID, "no text in utf-32, as the map says"),
    "a factor of 0": (ID + AGE + "factor = 0\n", "all values 0"),
    "a column before the first": (ID + AGE.replace('"Age"', "0"), "no column 0"),
    "a column behind the last": (ID + AGE.replace('"Age"', "9"), "no column 9"),
    "rows by a column that there is not": ('[table]\nwhere = { column = "visit", equals = ["1"] }\n' + ID, "no column visit"),
    "an event without codes": (ID + OS.replace(', codes = { "0" = false, "1" = true }', ""), "say either codes"),
    "a duration without a unit": (ID + OS + 'duration = { column = "Days" }\n', "say either column and unit"),
    "a unit of fortnights": (ID + OS + 'duration = { column = "Days", unit = "fortnights" }\n', "unit"),
    "an endpoint that there is not": (ID + OS.replace("OS", "PFS") + 'duration = { column = "Days", unit = "days" }\n', "PFS"),
    "a column of the study that there is not": (ID + '[patients.weight]\ncolumn = "Age"\n', "no column of patients"),
    "a code of no word": (ID + '[patients.er_status]\ncolumn = "ER"\ncodes = { pos = "yellow" }\n', "'yellow' is no value"),
    "a word of the language that there is not": (ID + "here = 1\n", "patient_id.here"),
}  # fmt: skip


@pytest.mark.parametrize("trap", MAPS)
def test_a_map_cannot_be_meant(zoo_study, tmp_path, trap):
    map_, words = MAPS[trap]
    judge(look_at_patients(zoo_study, tmp_path, PLAIN, map_), Refused(words))


def test_a_group_that_is_not_there_adds_nothing():
    map_ = maps.parse_map(ID + 'pattern = "(A)?P-(\\\\d+)"\ntemplate = "{1}{2}"\n', "m")
    assert (map_.patient_id.identifier("P-07"), map_.patient_id.identifier("AP-07")) == ("07", "A07")


def test_letters_become_capitals_where_the_map_says_so():
    map_ = maps.parse_map(ID + "upper_case = true\n", "m")
    assert map_.patient_id.identifier("tcga-z1-q001") == "TCGA-Z1-Q001"
    assert maps.as_recorded(map_)["patient_id"]["upper_case"] is True


DATES = ID + (
    '[follow_ups.OS]\ntime_origin = "diagnosis"\nevent = { column = "died", none = ["0"] }\n'
    'duration = { start = "dx", end = ["died", "seen"], dates = "DD.MM.YYYY" }\n'
)
BAD = "follow-up.bad-duration"
CALENDAR = [
    ("01.03.2015,,15.04.2019", CLEAN), ("2015-03-01,,2019-04-15", CLEAN), ("1.3.2015,,15.4.2019", CLEAN),
    ("01.03.2015,0,15.04.2019", CLEAN), ("01.03.2015,,", CLEAN),
    *((row, Found(BAD, E, "no date as DD.MM.YYYY", 2)) for row in (
        "01/03/2015,,15.04.2019", "42064,,43570", "01.03.15,,15.04.2019", "29.02.2015,,15.04.2019", "31.13.2015,,15.04.2019",
        "00.00.2015,,15.04.2019", "01.03.2015,unknown,15.04.2019", "03.2015,,15.04.2019", "01.03.2015,,1.3.2015 10:00",
    )),
    ("15.04.2019,,01.03.2015", Found(BAD, E, "before dx", 2)),
    ("01.03.1015,,15.04.2019", Found("follow-up.too-long", W, line=2)),
    ("01.03.2015,01.03.2015,", Found("follow-up.zero", W, line=2)),
]  # fmt: skip


@pytest.mark.parametrize(("row", "verdict"), CALENDAR, ids=[row for row, _ in CALENDAR])
def test_dates_are_dates_or_named(zoo_study, tmp_path, row, verdict):
    judge(look_at_patients(zoo_study, tmp_path, f"ID,dx,died,seen\nP-001,{row}\n", DATES), verdict)
