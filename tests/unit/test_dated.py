"""How late a source's word is: dates in names and cells, and which of two is the later one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tshdb import dated
from tshdb.errors import UsageError


@pytest.mark.parametrize(
    ("path", "day"),
    [
        ("clinical.cart.2024-05-01.tsv", "2024-05-01"), ("export_20240501.csv", "2024-05-01"),
        ("2024_05_01 follow-up.xlsx", "2024-05-01"),
        ("Nachsorge 01.05.2024.csv", "2024-05-01"), ("gdc_download_20240501_121314.567/clinical.tsv", "2024-05-01"),
        ("clinical.project-tcga-brca.2025-06-01/clinical.tsv", "2025-06-01"), ("x-2024-05-01_2024-05-01.tsv", "2024-05-01"),
        # no date, none of a calendar, several, or one that may be read in two ways
        ("export.tsv", None), ("rna_v3.tsv", None), ("cohort_2010-2015.tsv", None), ("2024-02-30.csv", None),
        ("01-02-2024.csv", None),
        ("from_2020-01-01_to_2024-05-01.csv", None), ("TCGA-20240501234.tsv", None), ("2024-05/clinical.tsv", None),
        ("backup 2024-05-01/clinical.tsv", None), ("a_2024-0501.csv", None),
    ],
)  # fmt: skip
def test_a_date_in_a_name(path, day):
    assert dated.in_name(Path("/data") / path) == day


@pytest.mark.parametrize(
    ("one", "other", "is_later"),
    [
        ("2025-06-01", "2024-05-01", True), ("2024-05-01", "2025-06-01", False), ("2025-06-01", "2025-06-01", False),
        ("2025", "2024-12-31", True), ("2024", "2024-05-01", False), ("2024-05-01", "2024", False),
        ("2024-06", "2024-05-31", True),
        ("form 2014-02-01", "form 2011-03-01", True), ("form 2014-02-01", "2011-03-01", True), ("form v4.0", "form v2.1", True),
        ("form v10.0", "form v9.1", True), ("form v4.0", "form 2011-03-01", False), ("2025-06-01", None, False),
        (None, None, False),
        ("who knows", "2024-05-01", False),
    ],
)  # fmt: skip
def test_which_is_the_later_one(one, other, is_later):
    assert dated.is_later(one, other) is is_later


def test_the_day_of_a_form():
    assert dated.of_form("2014-2-1") == "form 2014-02-01" and dated.of_form("2014-02-01T10:00") == "form 2014-02-01"
    assert (
        dated.of_form("[Not Available]") is None and dated.of_form("2014-13-01") is None and dated.of_form(None) is None
    )
    assert dated.of_version("nationwidechildrens.org_clinical_follow_up_v4.0_brca.txt") == "form v4.0"
    assert dated.of_version("rna_v3.tsv") is None


def test_a_day_that_the_user_says():
    assert [dated.said(text) for text in ("2025-6-1", "2025-06", " 2025 ")] == ["2025-06-01", "2025-06", "2025"]
    for text in ("01.06.2025", "yesterday", "2025-02-30", "", "2025-06-01T10:00"):
        with pytest.raises(UsageError, match="year first"):
            dated.said(text)
