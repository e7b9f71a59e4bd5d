"""A plan is true, and causes are: a few histories of random changes. The larger part is in `make soak PART=truth`."""

from __future__ import annotations

import pytest

from tests import truth

# one that fails, blocks and mends, one with models behind models, one with images
HISTORIES = [("core", 0, 8), ("core", 2, 8), ("core", 4, 8), ("before images", 3, 5), ("all", 8, 3)]


@pytest.mark.parametrize(("world", "seed", "n_changes"), HISTORIES)
def test_what_is_said_of_a_rebuild_is_true(tmp_path, world, seed, n_changes):
    assert list(truth.history(tmp_path, seed, n_changes, world)) == []
