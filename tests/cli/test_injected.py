"""Hostile texts in every free-text column of every table, and all that a study shows: nothing of it runs, fails or
drives a terminal."""

from __future__ import annotations

import pytest

from tests.support import injected, payloads
from tests.support.forked_program import built_once

TABLES = ["clinical_values", "lesion_verdicts"]  # the soak asks every table, with each text alone


def test_the_texts_and_columns_are_as_many_as_is_said():
    assert [len(texts) for texts in payloads.KINDS.values()] == [15, 12, 8, 6, 4]
    assert len(list(injected.free_columns())) > 100 and len(list(injected.text_columns())) > 500


@pytest.mark.filterwarnings("ignore::UserWarning")  # of letters that no font has, and of drawings without room
def test_nothing_that_is_shown_does_anything(study):
    assert injected.poison(study.root / "study.db", list(injected.free_columns()), payloads.EVERYTHING) > 1000
    study.engine.dispose()
    with built_once():
        assert list(injected.complaints(study.root, TABLES)) == []


def test_a_page_that_runs_something_is_seen(tmp_path):
    """The judge itself: each HTML text, unescaped, is complained of, but for the two that are text anyway."""
    harmless = {"{{ 7 * 7 }}{% raw %}", "&lt;script&gt;alert(1)&lt;/script&gt;"}
    for i, text in enumerate(payloads.HTML):
        page = tmp_path / f"{i}.html"
        page.write_text(
            f"<title></title><p data-x=''>{text}</p>" if not text.startswith("'") else f"<p title='{text}'></p>"
        )
        assert bool(list(injected._of_file(page))) == (text not in harmless and not text.startswith("<style")), text
