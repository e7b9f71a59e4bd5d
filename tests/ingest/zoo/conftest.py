"""A study that no trap changes: each is looked at without being loaded."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def zoo_study(tmp_path_factory):
    """An empty study. Not to be changed."""
    from tests.support import tiny

    made = tiny.new_study(tmp_path_factory.mktemp("zoo") / "study")
    _ = made.engine
    yield made
    made.engine.dispose()
