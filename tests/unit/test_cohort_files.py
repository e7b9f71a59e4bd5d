"""A cohort's file: its steps in order, and what is refused in one."""

from __future__ import annotations

import pytest

from tshdb.cohorts import steps
from tshdb.errors import InvalidInput

STEPPED = """
-- include: everyone
SELECT patient_id FROM patients;  -- all of them
-- exclude: men; the paper is about women
SELECT patient_id FROM patients WHERE sex = 'male';
/* a remark */
-- exclude: lived less than a year
SELECT patient_id FROM follow_ups WHERE duration_days < 365;
-- include: those with short names, after all
SELECT patient_id FROM patients WHERE patient_id LIKE '%0001';
"""


# ------------------------------------------------------------------------------------------------------- the file


def test_a_file_is_its_steps_in_order():
    found = steps.parse("-- disjoint from: a, b\n-- Disjoint from: c\n" + STEPPED, "here")
    assert [(s.effect.value, s.reason) for s in found.steps] == [
        ("include", "everyone"),
        ("exclude", "men; the paper is about women"),
        ("exclude", "lived less than a year"),
        ("include", "those with short names, after all"),
    ]
    assert found.steps[1].sql.startswith("SELECT patient_id FROM patients WHERE sex = 'male'")
    assert found.disjoint_from == ("a", "b", "c")


def test_a_file_without_marks_is_one_inclusion():
    found = steps.parse("-- people\nWITH x AS (SELECT 1) SELECT patient_id FROM patients;", "here")
    assert [s.effect.value for s in found.steps] == ["include"] and found.steps[0].sql.endswith("patients")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("SELECT 1; -- include: x\n-- include: y\nSELECT patient_id FROM patients", "stands before the first step"),
        ("-- include:\nSELECT patient_id FROM patients", "has no reason"),
        ("-- exclude: men\nSELECT patient_id FROM patients", "takes patients out"),
        ("-- include: all\nDELETE FROM patients", "not a SELECT"),
        ("-- include: all\n-- exclude: men\nSELECT patient_id FROM patients", "not a SELECT"),
        ("", "not a SELECT"),
    ],
)
def test_files_that_are_refused(text, said):
    with pytest.raises(InvalidInput, match=said):
        steps.parse(text, "here")
