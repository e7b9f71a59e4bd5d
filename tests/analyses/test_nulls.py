"""Where nothing is, nothing is found more often than the level says, and intervals hold the truth: a part of soak `nulls`."""

from __future__ import annotations

import pytest

from soak import nulls


def test_p_values_without_a_label_keep_their_level(monkeypatch):
    monkeypatch.setattr(nulls, "STUDIES", 30)
    figures = list(nulls._rejections(7))
    assert len([f for f in figures if "labelled" in f.what]) == 2 and len(figures) > 20
    assert [f.what for f in figures if not f.is_met] == []


@pytest.mark.parametrize("name", nulls.COVERED)
def test_intervals_hold_the_truth(monkeypatch, name):
    """60 draws: a share of 95 % is at least .87 with a chance of 99.6 %; an interval of half the width holds .67."""
    monkeypatch.setattr(nulls, "DRAWS", 60)
    monkeypatch.setattr(nulls, "COVERED", {name: nulls.COVERED[name]})
    large = next(iter(nulls._coverage(3)))
    assert float(large.value.rstrip("%")) >= 87
