"""The index of numbers that are equal to R's (tests/data/golden.toml): each case is run, and its data are what it says."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pandas as pd
import pytest

from tests.support.program import DATA, ROOT

spec = importlib.util.spec_from_file_location("golden", ROOT / "docs" / "golden.py")
golden = importlib.util.module_from_spec(spec)
spec.loader.exec_module(golden)

ENTRIES = golden.entries()
REFUSALS = "analyses/test_refusals.py::test_where_r_has_no_number_there_is_none"
FEWEST = 60
each = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["function"])


@pytest.fixture(scope="module")
def ran() -> dict[str, set[str]]:
    """Test -> the parameters that pytest runs it with."""
    named = [test for entry in ENTRIES for test in (entry["test"], entry.get("refused", {}).get("test", REFUSALS))]
    files = sorted({f"tests/{test.partition('::')[0]}" for test in named})
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-n", "0", "-p", "no:cacheprovider", *files]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found: dict[str, set[str]] = {}
    for line in listed.splitlines():
        test, _, parameter = line.removeprefix("tests/").rstrip("]").partition("[")
        found.setdefault(test, set()).add(parameter)
    return found


def is_run(case: str, parameters: set[str]) -> bool:
    return any(parameter == case or parameter.startswith(f"{case}-") for parameter in parameters)


@each
def test_each_case_is_run(entry, ran):
    cases = [case for kind in golden.KINDS for case in entry.get(kind, ())]
    assert len(set(cases)) == len(cases) > 0
    assert [case for case in cases if not is_run(case, ran[entry["test"]])] == []
    refused = dict(entry.get("refused", {}))
    by = ran[refused.pop("test", REFUSALS)] | ran[entry["test"]]
    assert [case for kind in refused.values() for case in kind if not is_run(case, by)] == []


@each
def test_each_kind_is_there_or_makes_no_sense(entry):
    known = {*golden.KINDS, "refused", "senseless"}
    assert set(entry) <= known | {"function", "package", "of", "script", "input", "session", "test", "tolerance"}
    for kind in golden.KINDS:
        here = entry.get(kind, []) + entry.get("refused", {}).get(kind, [])
        assert bool(here) != (kind in entry.get("senseless", {})), kind
    assert entry["tolerance"] <= 1e-6


@each
def test_the_session_that_made_it_is_there(entry):
    script = (DATA / entry["script"]).read_text(encoding="utf-8")
    packages = {"stats", "base"} | {name for name in entry["package"].split(", ") if name in script}
    assert set(entry["package"].split(", ")) <= packages, "the script calls it"
    assert "R version 4.2" in (DATA / entry["session"]).read_text(encoding="utf-8")


@each
def test_data_are_what_the_kind_says(entry):
    """Ties: a tenth of a column is there before. Zeros: a column has some."""
    if "input" not in entry:
        return
    whole = pd.read_csv(DATA / entry["input"])
    for kind, holds in (("ties", has_ties), ("zeros", has_zeros), ("missing", has_missing)):
        for case in entry.get(kind, []):
            if names := [name for name in whole["set"].unique() if case == name or case.startswith(f"{name} ")]:
                assert holds(whole[whole["set"] == max(names, key=len)]), (kind, case)
            else:
                pytest.fail(f"no set {case} in {entry['input']}")


def _columns(rows: pd.DataFrame) -> list[pd.Series]:
    """The numbers of a set that are ranked or counted: no classes, and of pairs that are compared their differences."""
    if {"tumor", "stroma"} <= set(rows):
        return [(rows["tumor"] - rows["stroma"]).dropna().round(9)]
    return [rows[name].dropna() for name in rows.select_dtypes("number") if name not in ("event", "cause", "c")]


def has_ties(rows: pd.DataFrame) -> bool:
    return any(column.nunique() <= 0.9 * len(column) for column in _columns(rows))


def has_zeros(rows: pd.DataFrame) -> bool:
    return any((column == 0).any() for column in _columns(rows))


def has_missing(rows: pd.DataFrame) -> bool:
    return bool(rows.isna().any(axis=None))


def test_there_are_enough_of_every_kind():
    n = {kind: sum(len(entry.get(kind, ())) for entry in ENTRIES) for kind in golden.KINDS}
    assert sum(n.values()) >= FEWEST and min(n.values()) >= 10


def test_the_table_of_the_document_is_current():
    assert golden.written() == golden.table(), "run: make docs"
