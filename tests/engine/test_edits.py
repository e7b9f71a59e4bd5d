"""Two edits while a rebuild runs, in one process and in two: a slice of `make soak PART=edits`."""

from __future__ import annotations

from soak import edits


def test_what_is_recorded_is_what_ran(tmp_path):
    assert edits.tried(seed=7, n=2, folder=tmp_path, kinds=("1", "2")) == []
