"""A figure of another package: drawn, named, shown in the report; what fails in its code is no failure of the program."""

from __future__ import annotations

import pytest

from tests.support.program import run_quick
from tshdb import installed
from tshdb.errors import InvalidInput, NotFound
from tshdb.figures import figure
from tshdb.next_step import NoRows
from tshdb.offered import StudyFigure
from tshdb.pages import report


def _drawn(study, cohort):
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(2, 2))
    drawn.add_subplot().bar(["all"], study.sql("SELECT count(*) AS n FROM patients")["n"])
    return drawn, f"Patients of {cohort}."


def _broken(study, cohort):
    return {}["no such key"]


def _without_rows(study, cohort):
    raise NoRows("no ratios at all", analyses=("tsh_ratios",))


@pytest.fixture
def three(monkeypatch):
    """Three figures that a package offers besides ours."""
    guests = [
        StudyFigure(f"lab-{read.__name__[1:]}", f"Of the lab: {read.__name__}", read)
        for read in (_drawn, _broken, _without_rows)
    ]
    known = installed.figures() | {each.name: each for each in guests}
    monkeypatch.setattr(installed, "figures", lambda: known)


def test_it_is_drawn_and_the_same_rows_give_the_same_bytes(core, three):
    first = figure(core, "lab-drawn", "some")
    assert first.how_to_read == "Patients of some." and first.title == "Of the lab: _drawn"
    assert first.data == figure(core, "lab-drawn", "some").data and first.data.startswith(b"<?xml")
    assert "lab-drawn" in run_quick("figure", "--list", cwd=core.root).stdout
    run_quick("figure", "lab-drawn", cwd=core.root)
    assert (core.root / "figures/lab-drawn.svg").is_file()


def test_what_fails_in_its_code_is_said_of_it(core, three):
    with pytest.raises(InvalidInput, match="figure lab-broken, of .*test_guest_figures: it cannot be drawn: KeyError"):
        figure(core, "lab-broken")


def test_missing_rows_have_a_next_step(empty_study, three):
    with pytest.raises(NotFound, match="no ratios at all. Nothing was ingested yet"):
        figure(empty_study, "lab-without_rows")


def test_the_report_shows_it_and_survives_it(core, three):
    page = report(core)
    assert "Of the lab: _drawn" in page and "Patients of None." in page
    assert "it cannot be drawn: KeyError" in page
