"""The report of a study in which nothing has changed is the page of before; whatever changes, it is made anew."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.program import run_quick
from tshdb import kept_page
from tshdb.kept_page import KeptPage
from tshdb.study import Study


@pytest.fixture(scope="module")
def reported(core_template, tmp_path_factory):
    """A study of which there is a report."""
    from tests.support import tiny

    study = tiny.copy_study(Study(core_template), tmp_path_factory.mktemp("kept") / "study")
    assert _facts(study)["kept"] == 0
    study.engine.dispose()
    return study


def _facts(study: Study, *words: str) -> dict:
    return json.loads(run_quick("report", "--json", *words, cwd=study.root).stdout)


def _is_taken(study: Study) -> bool:
    kept = KeptPage.of(study)
    return kept is not None and kept.take() is not None


def test_an_unchanged_report_is_the_page_of_before(reported, monkeypatch, tmp_path):
    page = reported.root / "reports/report.html"
    before = page.read_bytes()
    page.unlink()
    monkeypatch.setattr("tshdb.actions.reporting.write", lambda *_: pytest.fail("it is made anew"))
    facts = _facts(reported)
    assert page.read_bytes() == before and facts["drawn"] == 0 and facts["kept"] > 0
    run_quick("report", "--out", tmp_path / "mine.html", cwd=reported.root)  # it is noted, which no page shows
    assert (tmp_path / "mine.html").read_bytes() == before and _is_taken(reported)


@pytest.mark.parametrize("words", [("--stamp",), ("--patients",)])
def test_what_is_asked_for_besides_is_made(reported, monkeypatch, words):
    from tshdb.actions import reporting

    before, made = (reported.root / "reports/report.html").read_bytes(), []
    with monkeypatch.context() as patch:
        write = reporting.write
        patch.setattr(reporting, "write", lambda *arguments: made.append(1) or write(*arguments))
        _facts(reported, *words)
    _facts(reported)
    assert made and (reported.root / "reports/report.html").read_bytes() == before


def _by(statement: str) -> Callable[[Path], None]:
    """A change of the database by this statement."""

    def change(root: Path) -> None:
        with closing(sqlite3.connect(root / "study.db")) as raw, raw:
            raw.execute(statement)

    return change


_a_value = _by("UPDATE patients SET age_years = age_years + 1")
_a_trigger = _by("DROP TRIGGER watch_patients_update")  # so that a change would not be seen
_a_table = _by("CREATE TABLE others (x)")
_a_column = _by("ALTER TABLE patients ADD COLUMN others")


def _settings(root: Path) -> None:
    (root / "study.toml").write_text((root / "study.toml").read_text() + "\n# another\n")


def _a_cohort(root: Path) -> None:
    (root / "cohorts/another.sql").write_text("SELECT patient_id FROM patients")


def _a_truth(root: Path) -> None:
    (root / "truths.toml").write_text("")


def _the_page(root: Path) -> None:
    (page,) = root.glob("reports/drawings/*.page.kept")
    data = bytearray(page.read_bytes())
    data[len(data) // 2] ^= 1
    page.write_bytes(bytes(data))


def _a_picture(root: Path) -> None:
    (root / "multiverse/x").mkdir(parents=True)
    (root / "multiverse/x/curve.svg").write_text("<svg/>")


@pytest.mark.parametrize(
    "change", [_a_value, _a_trigger, _a_table, _a_column, _settings, _a_cohort, _a_truth, _the_page, _a_picture]
)
def test_whatever_changes_it_is_made_anew(reported, tmp_path, change):
    from tests.support import tiny

    study = tiny.copy_study(reported, tmp_path / "study")
    _facts(study)  # a page of this place: files of a copy are of another time
    assert _is_taken(study)
    study.engine.dispose()
    change(study.root)
    assert not _is_taken(Study(study.root))
    if change in (
        _a_trigger,
        _a_table,
        _a_truth,
    ):  # of such a state none is ever kept: the next change would not be seen
        assert KeptPage.of(study) is None


def test_other_code_other_libraries_and_packages_of_others(reported, tmp_path, monkeypatch):
    _facts(reported)
    assert _is_taken(reported)
    package = tmp_path / "ours"
    package.mkdir()
    (package / "__init__.py").write_text("")
    with monkeypatch.context() as patch:
        patch.setattr(kept_page, "PACKAGES", (*kept_page.PACKAGES, "ours"))
        patch.syspath_prepend(tmp_path)
        before = KeptPage.of(reported)
        (package / "__init__.py").write_text("x = 1")
        assert KeptPage.of(reported) != before
    place = tmp_path / "site"
    (place / "another-1.0.dist-info").mkdir(parents=True)
    monkeypatch.syspath_prepend(place)
    assert KeptPage.of(reported) is not None and not _is_taken(reported)
    (place / "another-1.0.dist-info/entry_points.txt").write_text("[tshdb.analyses]\nx = another:ANALYSES\n")
    assert KeptPage.of(reported) is None


def test_a_page_of_somebody_else_is_none(reported, tmp_path, monkeypatch):
    _facts(reported)
    assert _is_taken(reported)
    monkeypatch.setenv("TSHDB_HOME", str(tmp_path / "another-account"))
    assert not _is_taken(reported)


def test_nothing_is_kept_of_a_study_that_changes_meanwhile(reported, tmp_path, monkeypatch):
    from tests.support import tiny
    from tshdb.actions import reporting

    study, write = tiny.copy_study(reported, tmp_path / "study"), reporting.write

    def changed(*arguments):
        written = write(*arguments)
        _a_value(study.root)
        return written

    monkeypatch.setattr(reporting, "write", changed)
    _settings(study.root)  # so that the page is another one
    _facts(study)
    assert not _is_taken(study)


def test_a_withdrawal_takes_the_page(reported, tmp_path):
    from tests.support import tiny

    study = tiny.copy_study(reported, tmp_path / "study")
    _facts(study)
    assert list(study.root.glob("reports/drawings/*.page.kept"))
    study.engine.dispose()
    run_quick("withdraw", "TCGA-TN-0003", "--reason", "consent", cwd=study.root, code=None)
    assert not list(study.root.glob("reports/drawings/*.page.kept"))
    assert os.path.isdir(study.root / "reports")
