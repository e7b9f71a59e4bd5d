"""The language of maps: the page's examples run, with values by hand; a map is kept; a first map asks where it cannot know."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import openpyxl
import pytest

from ingest.expression import rna_map
from ingest.tables import mapped, maps
from ingest.tables.guess import guess
from tshdb.errors import InvalidInput
from tshdb.schema import FollowUp, Patient

PAGE = (Path(__file__).parents[2] / "docs/maps.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"## ([^\n]+)\n(?:(?!\n## ).)*?```csv\n(.*?)```\n\n```toml\n(.*?)```", PAGE, re.DOTALL)
MONTH = 365.25 / 12

# section -> (patient, columns of patients) and (patient, endpoint, event, days), by hand
PATIENTS = {
    "Patients": [
        ("P-01", {"age_years": 61, "er_status": "positive", "tumor_size_mm": 25, "tumor_size_source": "MRI"}),
        ("P-02", {"age_years": 49, "er_status": None, "er_status_reason": "indeterminate", "tumor_size_mm": None}),
    ],
    "Dates, decimal commas, semicolons": [("H1", {"age_years": 61.5}), ("H2", {"age_years": 49})],
    "Header rows, rows that are none, a sheet": [("P-01", {"age_years": 61})],
    "Some of the rows": [("P-01", {"age_years": 61}), ("P-03", {"age_years": 70})],
    "The day of a row": [("P-01", {"er_status": "positive"}), ("P-02", {"er_status": "negative"})],
    "Identifiers that are rewritten": [("UCSF-BR-06", {"age_years": 61}), ("UCSF-BR-12", {"age_years": 49})],
    "Words for nothing": [("P-01", {"age_years": 61}), ("P-02", {"age_years": None})],
    "Patients in columns, another encoding": [("TCGA-Z1-Q001", {"age_years": 61}), ("TCGA-Z1-Q002", {"age_years": 49})],
}
OUTCOMES = {
    "Outcomes": [
        ("P-01", "OS", True, 12 * MONTH), ("P-01", "RFS", True, 200),
        ("P-02", "OS", False, 6.5 * MONTH), ("P-02", "RFS", False, 198),
    ],
    "A day of the event, and 0 or nothing where there was none": [
        ("P-01", "RFS", False, 900), ("P-02", "RFS", True, 340), ("P-03", "RFS", False, 55),
    ],
    # 2015-03-01 to 2019-04-15: 4 years (2016 a leap year) and 45 days; 2016-12-20 to 2018-01-01: 365 + 12
    "Dates, decimal commas, semicolons": [("H1", "OS", False, 1461 + 45), ("H2", "OS", True, 377)],
    "The day of a row": [("P-01", "OS", True, 1365), ("P-02", "OS", False, 900)],
    "The day of an event, and the last contact where there was none": [
        ("P-01", "RFS", False, 30), ("P-02", "RFS", True, 10), ("P-03", "RFS", True, None),
    ],
    "Columns of one name, columns that are left out": [("P-01", "OS", False, 900)],
    "Patients in columns, another encoding": [("TCGA-Z1-Q001", "OS", False, 900), ("TCGA-Z1-Q002", "OS", True, 300)],
}  # fmt: skip


def read(tmp_path, table: str | bytes, map_: str):
    path = tmp_path / "table.csv"
    path.write_bytes(table.encode() if isinstance(table, str) else table)
    return mapped.read(path, "c", maps.parse_map(map_, "m.toml"))


@pytest.mark.parametrize(("section", "table", "map_"), EXAMPLES, ids=[e[0] for e in EXAMPLES])
def test_the_pages_examples_run(tmp_path, section, table, map_):
    if section == "Expression":
        assert rna_map.RnaMap.model_validate(tomllib.loads(map_)).samples.tissues == {"T": "tumor", "N": "stroma"}
        return
    content = read(tmp_path, table, map_)
    assert content.errors == []
    patients = [(r.values["patient_id"], r.values) for r in content.records if r.table is Patient]
    for (patient, values), (wanted, columns) in zip(patients, PATIENTS.get(section, patients), strict=True):
        assert patient == wanted and {name: values[name] for name in columns} == columns
    outcomes = [
        (r.values["patient_id"], r.values["endpoint"].value, r.values["event"], r.values["duration_days"])
        for r in content.records if r.table is FollowUp
    ]  # fmt: skip
    expected = [(*o[:3], o[3] if o[3] is None else pytest.approx(o[3])) for o in OUTCOMES.get(section, [])]
    assert sorted(outcomes, key=lambda o: o[:2]) == expected
    assert section in PATIENTS or section in OUTCOMES


def test_every_word_of_the_language_is_on_the_page():
    models = (maps.TableMap, maps.WhereMap, maps.PatientIdMap, maps.ValueMap, maps.EventMap, maps.DurationMap, maps.OutcomeMap,
              maps.AsOfMap, maps.MissingMap, rna_map.ExpressionMap, rna_map.SamplesMap)  # fmt: skip
    missing = [f"{m.__name__}.{name}" for m in models for name in m.model_fields if not re.search(rf"\b{name} =", PAGE)]
    assert missing == ["SamplesMap.tissue"] or missing == []


OS = '[patient_id]\ncolumn = "id"\n[follow_ups.OS]\ntime_origin = "diagnosis"\n'
DATES = OS + 'event = { column = "e", none = [] }\nduration = { start = "a", end = "b", dates = "MM/DD/YYYY" }\n'


@pytest.mark.parametrize(
    ("map_", "says"),
    [
        (OS + 'entry = "x"\n', "no analysis takes delayed entry into account"),
        (OS + 'event = { column = "e" }\nduration = { column = "d", unit = "days" }\n', "say either codes"),
        (OS + 'event = { column = "e", none = [] }\nduration = { column = "d" }\n', "say either column and unit"),
        (OS + 'event = { column = "e", none = [] }\nduration = { start = "a", end = "b", dates = "DD" }\n', "no format of dates"),
        (OS + 'event = { column = "?", none = [] }\nduration = { column = "d", unit = "days" }\n', "m.toml:5: a [?] stands for"),
        ('[patient_id]\ncolumn = "id"\npattern = "("\n', "patient_id.pattern"),
    ],
)  # fmt: skip
def test_a_map_that_says_nothing_clear_is_refused(map_, says):
    with pytest.raises(InvalidInput, match=says):
        maps.parse_map(map_, "m.toml")


@pytest.mark.parametrize(
    "row", ["P1,1,13/01/2020,02/01/2020", "P1,1,02/30/2020,03/01/2020", "P1,1,03/01/2020,02/01/2020"]
)
def test_what_is_no_date_or_runs_backwards_is_withheld_and_not_shown(tmp_path, row):
    content = read(tmp_path, f"id,e,a,b\n{row}\n", DATES)
    assert [(f.rule, f.line) for f in content.errors] == [("follow-up.bad-duration", 2)]
    assert not any("2020" in (f.value or "") + f.message for f in content.findings)


def test_a_map_is_recorded_as_before_where_it_uses_no_newer_word():
    map_ = maps.parse_map(
        OS + 'event = { column = "e", codes = { x = true } }\nduration = { column = "d", unit = "days" }\n', "m"
    )
    assert maps.as_recorded(map_)["follow_ups"]["OS"] == {
        "event": {"column": "e", "codes": {"x": True}, "notes": {}}, "duration": {"column": "d", "unit": "days"},
        "time_origin": "diagnosis", "event_share_expected": None,
    }  # fmt: skip
    assert maps.as_recorded(map_)["patient_id"] == {
        "column": "id",
        "template": "{}",
    } and "table" not in maps.as_recorded(map_)


def test_the_study_keeps_the_map(quick, empty_study, tmp_path):
    first, second = tmp_path / "2020.csv", tmp_path / "2021.csv"
    first.write_text("id,age\nP00001,50\n")
    second.write_text("id,age\nP00002,60\n")
    (tmp_path / "m.toml").write_text('[patient_id]\ncolumn = "id"\n[patients.age_years]\ncolumn = "age"\n')
    command = ("ingest", "clinical", second, "--collection", "own")
    assert "--guess" in quick(*command, cwd=empty_study.root, code=7).stderr
    quick("ingest", "clinical", first, "--collection", "own", "--map", tmp_path / "m.toml", cwd=empty_study.root)
    said = quick(*command, cwd=empty_study.root)
    assert "map.kept" in said.stderr + said.stdout and "2020.csv" in said.stderr + said.stdout
    assert empty_study.sql("SELECT age_years FROM patients ORDER BY 1")["age_years"].tolist() == [50, 60]
    assert "--guess" in quick(*command[:-1], "other", cwd=empty_study.root, code=7).stderr, (
        "of another collection it is not"
    )
    (tmp_path / "other.toml").write_text('[patient_id]\ncolumn = "id"\n')
    (tmp_path / "third.csv").write_text("id,age\nP00003,70\n")
    third = ("ingest", "clinical", tmp_path / "third.csv", "--collection", "own")
    quick(*third, "--map", tmp_path / "other.toml", cwd=empty_study.root)
    (tmp_path / "fourth.csv").write_text("id,age\nP00004,70\n")
    fourth = ("ingest", "clinical", tmp_path / "fourth.csv", "--collection", "own")
    assert "keeps 2 maps" in quick(*fourth, cwd=empty_study.root, code=7).stderr
    (tmp_path / "third.csv").write_text("id,age\nP00003,71\n")
    quick(*third, cwd=empty_study.root)
    assert empty_study.sql("SELECT count(age_years) AS n FROM patients")["n"].tolist() == [2], "a source has its own"


# ----------------------------------------------------------------------------------------------------- first maps


def first_map(tmp_path, table: str) -> tuple[dict, str]:
    path = tmp_path / "t.csv"
    path.write_text(table)
    text = guess(path)
    return tomllib.loads(text), text


def test_a_first_map_takes_whole_names_and_says_why(tmp_path):
    header = "MRN,PatID,OS,OS.time,PFI,PFI.time,age_at_initial_pathologic_diagnosis,ER % of cells,internal"
    rows = "".join(f"{i},P{i},{i % 2},{100 + 7 * i},{(i + 1) % 2},{50 + i},{40 + i},{i * 10},x\n" for i in range(1, 9))
    map_, text = first_map(tmp_path, f"{header}\n{rows}")
    assert map_["patient_id"]["column"] == "PatID"
    assert map_["follow_ups"]["OS"]["event"] == {"column": "OS", "codes": {"0": False, "1": True}}
    assert map_["follow_ups"]["OS"]["duration"] == {"column": "OS.time", "unit": "?"}, "nothing says days or months"
    assert set(map_["follow_ups"]) == {"OS"} and set(map_["patients"]) == {"age_years"}
    assert all(name in text for name in header.split(","))
    assert all("#" in line for line in text.splitlines() if line.startswith(("column", "event", "duration", "codes")))


@pytest.mark.parametrize(
    ("header", "cells", "where"),
    [
        ("ER core,ER biopsy", "pos,neg", ("patients", "er_status", "column")),
        ("Death,Deceased at end,Survival days", "1,0,{}", ("follow_ups", "OS", "event", "column")),
        ("Vital status,Survival in days,Survival in months", "1,{},{}", ("follow_ups", "OS", "duration", "column")),
        ("Tumor size", "{}", ("patients", "tumor_size_mm", "factor")),
    ],
)
def test_where_two_compete_there_is_a_question(tmp_path, header, cells, where):
    rows = "".join(f"P{i},{cells.format(i * 3, i * 5)}\n" for i in range(1, 9))
    at, text = first_map(tmp_path, f"Patient ID,{header}\n{rows}")
    for key in where:
        at = at[key]
    assert at == "?" and all(name in text for name in header.split(","))


def test_a_recurrence_is_no_death_and_days_to_an_mri_are_no_survival(tmp_path):
    rows = "".join(f"P{i},{i % 2},{i * 9}\n" for i in range(1, 9))
    map_, _ = first_map(tmp_path, f"Patient ID,Recurrence event,Days to MRI\n{rows}")
    assert "OS" not in map_["follow_ups"] and map_["follow_ups"]["RFS"]["duration"]["column"] == "?"
    map_, text = first_map(tmp_path, f"Patient ID,Recurrence or death,Recurrence-free survival days\n{rows}")
    assert "follow_ups" not in map_ and "Recurrence or death" in text, "neither of the two"


def test_a_first_map_sees_header_rows_codes_commas_and_words(tmp_path):
    book = openpyxl.Workbook()
    for row in (
        ["Who", "Tumour", None, None],
        ["Patient ID", "T stage", "Size (cm)", "Death (days)"],
        [None, "{1=T1, 2=T2}", "(cm)", "if any"],
    ):
        book.active.append(row)
    for i in range(1, 9):
        book.active.append([f"P{i}", i % 2 + 1, f"{i},5", i * 30 if i % 3 else "NC"])
    book.save(tmp_path / "b.xlsx")
    map_ = tomllib.loads(guess(tmp_path / "b.xlsx"))
    assert map_["table"] == {"header_rows": [2], "skip_rows": [3], "decimal_comma": True}
    assert map_["patients"]["t_stage"]["codes"] == {"1": "T1", "2": "T2"}
    assert map_["patients"]["tumor_size_mm"] == {"column": "Size (cm)", "factor": 10}
    assert "NC" in map_["missing"]["tokens"] and map_["follow_ups"]["OS"]["event"] == {
        "column": "Death (days)",
        "none": [],
    }


def test_a_guess_says_how_it_is_used_and_what_is_missing(tmp_path, quick, empty_study):
    """The command is the one that was typed; an event without a time says what to do, with or without a last contact."""
    table, rows = tmp_path / "two words.csv", [(f"P-{n}", 50 + n, n % 2, 100 * n) for n in range(1, 9)]
    table.write_text("id,age,dead\n" + "".join(f"{i},{age},{dead}\n" for i, age, dead, _ in rows))
    said = quick("ingest", "clinical", table, "--collection", "own", "--guess", cwd=empty_study.root).stderr
    map_file = tmp_path / "two words.map.toml"
    assert f"tshdb ingest clinical '{table}' --collection own --map '{map_file}'" in said and "NAME" not in said
    text = map_file.read_text()
    assert "no column is called like its time: name the one that holds it, or take this section out" in text
    assert "none" not in text
    table.write_text("id,age,dead,last_contact\n" + "".join(f"{','.join(map(str, row))}\n" for row in rows))
    again = ("ingest", "clinical", table, "--collection", "own", "--guess", "--map", tmp_path / "b.toml")
    quick(*again, cwd=empty_study.root)
    assert "no column is called like its time; is it last_contact?" in (tmp_path / "b.toml").read_text()


@pytest.mark.parametrize("words", [("--dry-run",), ("--keep-going",)])
def test_a_finding_names_the_patient_whose_line_it_is(tmp_path, quick, empty_study, words):
    """In a dry run as in the ingest itself. A line that is refused is nobody's yet."""
    table, is_dry = tmp_path / "t.csv", words == ("--dry-run",)
    table.write_text("id,dead,days\n" + "".join(f"P-{n},{n % 2},{0 if n else 9}\n" for n in range(8)))
    (tmp_path / "m.toml").write_text(
        '[patient_id]\ncolumn = "id"\n[follow_ups.OS]\ntime_origin = "diagnosis"\n'
        'event = { column = "dead", codes = { "0" = false, "1" = true } }\nduration = { column = "days", unit = "days" }\n'
    )
    command = ("ingest", "clinical", table, "--collection", "own", "--map", tmp_path / "m.toml", *words)
    said = quick(*command, cwd=empty_study.root, code=None).stderr
    assert re.search(r"t\.csv:3 P-1 column \S+ '0': a duration of 0 days", said), said
    assert ("--json has all" in said) == is_dry != ("from ingest_issues" in said), said
    if is_dry:
        findings = json.loads(quick(*command, "--json", cwd=empty_study.root, code=None).stdout)["findings"]
        assert [f["patient"] for f in findings if f["rule"] == "follow-up.zero"] == [f"P-{n}" for n in range(1, 8)]


def test_a_first_map_of_a_matrix_obeys(tmp_path, quick, empty_study):
    (tmp_path / "m.tsv").write_text("gene\tTCGA-Z1-Q001-01A\nCD3D\t1.5\nTP53\t300\n")
    command = ("ingest", "rna", tmp_path / "m.tsv", "--collection", "c", "--guess", "--unit", "fpkm", "--scale", "log2")
    quick(*command, cwd=empty_study.root)
    expression = tomllib.loads((tmp_path / "m.map.toml").read_text())["expression"]
    assert (expression["unit"], expression["scale"]) == ("fpkm", "log2")
