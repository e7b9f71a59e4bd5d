"""The connection to PostgreSQL is cut, or the server restarts, at 40 random statements of a rebuild and an ingest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from soak import Figure
from soak.by_tests import by_tests

CUTS = 40


def run(folder: Path, seed: int) -> Iterator[Figure]:
    """The test itself, of so many moments."""
    what = f"tests that cut a connection {CUTS} times and go on by the same command, that failed"
    yield from by_tests(folder, seed, what, "tests/engine/test_connection_lost.py", TSHDB_TEST_CUTS=str(CUTS))
