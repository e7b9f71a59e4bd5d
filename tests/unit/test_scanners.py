"""One name for one make of scanner, by hand from names that headers of public collections have."""

from __future__ import annotations

import pytest

from analyses.signature.scanners import group, group_of_text


@pytest.mark.parametrize(
    ("words", "tesla", "name"),
    [
        ("SIEMENS", 1.5, "Siemens 1.5 T"), ("Siemens", 1.494, "Siemens 1.5 T"), ("Siemens Healthineers", 1.5, "Siemens 1.5 T"),
        ("SIEMENS HEALTHCARE GmbH", 2.89362, "Siemens 3 T"), ("GE MEDICAL SYSTEMS", 3.0, "GE 3 T"),
        ("GE Healthcare", 1.5, "GE 1.5 T"),
        ("GEMS", 1.5, "GE 1.5 T"), ("Philips Medical Systems", 1.5, "Philips 1.5 T"), ("Philips", 1.5, "Philips 1.5 T"),
        ("TOSHIBA_MEC", 1.5, "Canon 1.5 T"), ("Canon Medical Systems", 1.5, "Canon 1.5 T"), ("UIH", 3.0, "United Imaging 3 T"),
        ("Hitachi Medical Corporation", 1.2, "Fujifilm 1.2 T"), ("Aurora Imaging Technology", 1.5, "Aurora 1.5 T"),
        ("My  Scanner", 1.5, "my scanner 1.5 T"), ("Merge", None, "merge"), ("GE", 2.0, "GE 2 T"), ("SIEMENS", None, "Siemens"),
    ],
)  # fmt: skip
def test_a_header(words, tesla, name):
    assert group(words, tesla) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Site A", "site A"), ("site  a ", "site A"), ("site A", "site A"), ("SIEMENS 1.494T", "Siemens 1.5 T"),
        ("GE MEDICAL SYSTEMS 3 Tesla", "GE 3 T"),
        ("Agency 3", "agency 3"), ("S2", "S2"),
    ],
)  # fmt: skip
def test_a_table(text, name):
    assert group_of_text(text) == name
