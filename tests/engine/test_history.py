"""Scenario 12: any sequence of edits with rebuilds between gives what one rebuild at the end gives.

More of them: `make soak PART=histories`.
"""

from __future__ import annotations

import os

from hypothesis import given, settings
from hypothesis import strategies as st

from analyses import ANALYSES
from tests.support import tiny
from tests.support.calm import CALM
from tests.support.histories import EDITS, lives_as_at_once

MORE = int(os.environ.get("TSHDB_TEST_MORE", "1"))  # times as many histories


@settings(max_examples=5 * MORE, derandomize=True, **CALM)
@given(edits=st.lists(EDITS, min_size=2, max_size=12))
def test_12_any_history_ends_as_one_rebuild_would(edits):
    """With analyses of every kind."""
    lives_as_at_once(edits, tiny.CORE)


@settings(max_examples=1 * MORE, derandomize=True, **CALM)
@given(edits=st.lists(EDITS, min_size=2, max_size=6))
def test_12_with_all_analyses(edits):
    lives_as_at_once(edits, ANALYSES)
