"""The judge of two studies by other libraries: it forgives a billionth, and nothing else."""

from __future__ import annotations

import math

import pytest

from tests.support.same_numbers import compared

ROW = {"value": 2.0, "label": "good", "n": 3, "values": '{"a": [1.0, null], "object_id": "x"}', "missing": None}


def _of(**changes):
    return {"table": {"one/a": [ROW | changes]}}


def test_a_billionth_is_forgiven_and_told():
    found = compared(_of(), _of(value=2.0 * (1 + 5e-10), values='{"a": [1.0000000001, null], "object_id": "y"}'))
    assert found.other == [] and found.n == 7 and found.n_numbers == 2 and found.n_same_bits == 0
    assert found.furthest == pytest.approx(5e-10, rel=1e-3) and found.where == "table.value one/a row 0"
    assert compared(_of(value=math.nan), _of(value=math.nan)).other == []


@pytest.mark.parametrize(
    "changes",
    [{"value": 2.00000001}, {"value": math.nan}, {"value": None}, {"label": "poor"}, {"n": 4}, {"missing": 0.0},
     {"values": '{"a": [1.0, 0.0], "object_id": "x"}'}, {"values": '{"b": [1.0, null]}'}, {"values": "none"}],
)  # fmt: skip
def test_anything_else_is_another(changes):
    assert len(compared(_of(), _of(**changes)).other) == 1


def test_rows_and_units_that_are_not_there_are_another():
    assert len(compared(_of(), {"table": {}}).other) == 1
    assert len(compared({"table": {"one/a": [ROW]}}, {"table": {"one/a": [ROW, ROW]}}).other) == 1
