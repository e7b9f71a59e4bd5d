"""A study whose own files are damaged: refused with the way back, found by its check, or without a consequence;
never a traceback."""

from __future__ import annotations

import pytest

from tests.support.damaged_studies import Place
from tests.support.forked_program import built_once

KINDS = ("database", "settings, TOML", "expression, Parquet", "backup", "bundle")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with built_once():
        yield Place(tmp_path_factory.mktemp("damaged"))


@pytest.mark.parametrize("name", KINDS)
def test_it_is_seen(place, name):
    (kind,) = [k for k in place.kinds() if k.name == name]
    found = list(place.trials(kind, range(6, 9)))
    assert [(t.what, t.wrong) for t in found if t.wrong] == []
    assert name in ("database", "settings, TOML") or not any(t.is_taken for t in found)
