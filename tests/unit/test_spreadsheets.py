"""What a spreadsheet would compute becomes text; what it would show anyway stays."""

from __future__ import annotations

import pytest

from tests.support.payloads import FORMULAS
from tshdb.text.spreadsheets import safe_cell, safe_row


@pytest.mark.parametrize(
    "text", [f for f in FORMULAS if not f.startswith('"')] + ["=10+20+cmd|' /C calc'!A0", "－1", "\u00a0=1"]
)
def test_what_a_spreadsheet_would_compute_is_text(text):
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("value", ["TCGA-A7-A0CE", "a=b", "", "5", -0.3512, 7, None, True, "'=1", '"=1+1"'])
def test_all_else_is_as_it_was(value):
    assert safe_cell(value) is value
    assert safe_row([value, "=1"]) == [value, "'=1"]


def test_no_other_letters_come_of_controls(quick, empty_study, tmp_path):
    """A control character in JSON is written by its number: the same value, and no terminal is driven. Exact CSV stays exact."""
    import json

    query = "SELECT '=1' AS a, chr(155) || 'x' || chr(8238) AS b, 1.5 AS c"
    said = quick("sql", query, "--json", cwd=empty_study.root).stdout
    assert json.loads(said)["rows"] == [["=1", "\x9bx\u202e", 1.5]] or json.loads(said)["rows"][0][:2] == [
        "=1",
        "\x9bx\u202e",
    ]
    assert "\x9b" not in said and "\u202e" not in said and "\\u009b" in said
    quick("sql", query, "--out", tmp_path / "exact.csv", cwd=empty_study.root)
    quick("sql", query, "--for-excel", "--out", tmp_path / "people.csv", cwd=empty_study.root)
    assert (tmp_path / "exact.csv").read_text(encoding="utf-8").splitlines()[1].startswith("=1,")
    assert (tmp_path / "people.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert (tmp_path / "people.csv").read_text(encoding="utf-8-sig").splitlines()[1].startswith("'=1,")
    for words in (
        ("--for-excel",),
        ("--for-excel", "--json"),
        ("--for-excel", "--format", "json", "--out", tmp_path / "x.json"),
    ):
        assert quick("sql", query, *words, cwd=empty_study.root, code=2).stderr.count("\n") == 1
