"""Table 1 of six patients whose every count is known: what is not known is counted, and every row adds up to n."""

from __future__ import annotations

import json
import re

import pandas as pd
import pytest

from tshdb.actions.ingest import clinical
from tshdb.tables.characteristics import _characteristics

MAP = """
[patient_id]
column = "ID"
[patients.age_years]
column = "Age"
[patients.race]
column = "Race"
[follow_ups.OS]
time_origin = "study_entry"
event = { column = "status", codes = { "7" = false, "8" = true, "9" = false }, notes = { "9" = "lost" } }
duration = { column = "days", unit = "days" }
"""
ROWS = """ID,Age,Race,status,days
P-1,50,white,7,400
P-2,,not known,8,300
P-3,,,9,200
P-4,,white,9,
P-5,,asian,,100
P-6,,not known,7,500
"""


@pytest.fixture
def one(empty_study, tmp_path, quick):
    (tmp_path / "t.csv").write_text(ROWS)
    (tmp_path / "map.toml").write_text(MAP)
    clinical(empty_study, tmp_path / "t.csv", "c", map=tmp_path / "map.toml")
    (tmp_path / "all.sql").write_text("SELECT patient_id FROM patients")
    quick("cohort", "define", "all", tmp_path / "all.sql", cwd=empty_study.root)
    quick("cohort", "freeze", "all", cwd=empty_study.root)
    return empty_study


@pytest.fixture
def values(one, quick) -> dict[tuple[str, str], str]:
    rows = json.loads(quick("table", "1", "--cohort", "all@1", "--json", cwd=one.root).stdout)
    return {(row["row"], row["level"]): row["value"] for row in rows}


def test_who_lives_who_died_and_who_was_lost(values):
    status = {level: text for (row, level), text in values.items() if row == "Follow-up status"}
    assert status == {"alive": "2 (33%)", "dead": "1 (17%)", "lost": "2 (33%)", "not known": "1 (17%)"}
    assert values["Death", "event"] == "1 (17%)" and values["Death", "no event"] == "4 (67%)"


def test_every_row_adds_up_to_all(values):
    counted: dict[str, int] = {}
    for (row, level), text in values.items():
        if row != "n" and level not in ("median (range)", "mean ± SD"):
            counted[row] = counted.get(row, 0) + int(re.match(r"\d+", text).group())
    of_numbers = {"Age (years)": 5, "Tumour size (mm)": 6, "Follow-up (years)": 1}  # those who have no number
    assert counted == dict.fromkeys(counted, 6) | of_numbers
    assert {"ER", "Race", "pT", "Recurrence", "Death", "Follow-up status"} <= set(counted), "empty for all is said, too"


def test_an_empty_cell_is_counted_as_not_known(values):
    assert values["Race", "not known"] == "3 (50%)" and values["Race", "white"] == "2 (33%)"


def test_a_source_that_says_not_known_is_counted_with_what_is_empty():
    columns = (
        "age_years", "er_status", "pr_status", "her2_status", "menopausal_status", "family_history", "histology", "t_stage",
        "tumor_size_mm", "event", "duration_days", "follow_up_reason", "recurrence", "recurrence_days",
    )  # fmt: skip
    members = pd.DataFrame(dict.fromkeys(columns, [None] * 4) | {"race": ["white", "not known", None, "not known"]})
    found = _characteristics(members)
    assert [found.get(("Race", level)) for level in ("white", "not known")] == ["1 (25%)", "3 (75%)"]


def test_one_age_has_no_deviation(values):
    assert values["Age (years)", "mean ± SD"] == "50"


@pytest.mark.parametrize("name", ["all@1st", "all@2", "al"])
def test_a_version_that_there_is_not_is_refused(one, quick, name):
    failed = quick("table", "1", "--cohort", name, cwd=one.root, code=None)
    assert failed.returncode not in (0, 70) and failed.stderr.count("\n") == 1, failed.stderr
