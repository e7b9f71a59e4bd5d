"""`tshdb new analysis`: what it writes works at once, and a name that cannot be is refused with a better one."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.program import run_quick
from tshdb.actions import trusting
from tshdb.actions.beginning import new_analysis, prefix_of
from tshdb.errors import InvalidInput, UsageError


def computed(study, name: str, per: str, table: str) -> str:
    """Written, trusted, planned, computed, shown, checked, its test run. Gives its rows as the program shows them."""
    run_quick("new", "analysis", name, "--per", per, cwd=study.root)
    run_quick("trust", "--yes", cwd=study.root)
    assert name in run_quick("plan", name, cwd=study.root).stdout
    run_quick("rebuild", name, cwd=study.root)
    assert run_quick("plan", name, cwd=study.root).stdout.startswith("Nothing is due")
    assert "Everything holds" in run_quick("check", cwd=study.root).stdout
    tried = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"tests/test_{name}.py"],
        cwd=study.root,
        check=False,
    )
    assert tried.returncode == 0
    return run_quick("sql", f"SELECT * FROM {table} ORDER BY ALL", "--format", "json", cwd=study.root).stdout


def test_an_analysis_of_patients(core):
    """All ten are 60 years old: 10 above the limit."""
    rows = computed(core, "older", "patient", "study_older")
    assert rows.count('"years_above": 10') == 10 and rows.count('"is_older": true') == 10


def test_an_analysis_of_profiles(core):
    """The means that SQL gives of the same abundances: only T cells are measured in the tiny study."""
    computed(core, "mean_cells", "profile", "study_mean_cells")
    both = core.sql(
        "SELECT m.value, a.abundance FROM study_mean_cells m JOIN cell_abundances a USING (profile_id) "
        "WHERE a.population = 'T cells'"
    )
    assert len(both) == 20 and (both["value"] - both["abundance"]).abs().max() == 0


@pytest.mark.parametrize(
    ("name", "options", "error", "says"),
    [
        ("MeanRatio", {}, UsageError, "Did you mean mean_ratio"),
        ("class", {}, UsageError, "it is no name. Write small letters"),
        ("../x", {}, UsageError, "Did you mean x"),
        ("a" * 41, {}, UsageError, "at most 40"),
        ("tsh_ratios", {}, InvalidInput, "this program has an analysis tsh_ratios. .* such as study_tsh_ratios"),
        ("signature_search", {}, InvalidInput, "this program has an analysis"),
        ("signature", {}, InvalidInput, "the table of several analyses"),
        ("imaging", {}, InvalidInput, "something else"),
        ("patients", {}, InvalidInput, "there is a table patients"),
        ("mine", {"per": "profil"}, UsageError, "Did you mean profile"),
        ("mine", {"prefix": "A_"}, UsageError, "small letters and digits"),
        ("ratios", {"prefix": "tsh"}, InvalidInput, "there is a table tsh_ratios. Give yours another prefix"),
    ],
)  # fmt: skip
def test_a_name_that_cannot_be_is_refused_and_nothing_is_written(core, name, options, error, says):
    with pytest.raises(error, match=says):
        new_analysis(core, name, **options)
    assert not (core.root / "analyses").exists() and not (core.root / "tests").exists()


def test_what_is_there_is_not_written_over(core):
    first = new_analysis(core, "older")
    first.analysis.write_text("mine")
    with pytest.raises(InvalidInput, match="there is a file analyses/older.py"):
        new_analysis(core, "older")
    assert first.analysis.read_text() == "mine"


def test_the_test_is_no_part_of_what_is_trusted(core):
    begun = new_analysis(core, "older")
    digest = trusting.look(core).digest
    begun.test.write_text("another")
    assert trusting.look(core).digest == digest
    assert [f.name for f in trusting.look(core).files] == ["older.py"]


@pytest.mark.parametrize(
    ("study", "prefix"), [("BRCA-2", "brca2"), ("2nd", "nd"), ("42", "my"), ("Étude", "tude"), ("x" * 30, "x" * 12)]
)
def test_a_prefix_comes_from_the_study_s_name(study, prefix):
    assert prefix_of(study) == prefix
