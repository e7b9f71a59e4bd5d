"""The tests that `make test` leaves out, since another one sees the same sooner (marked long)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from soak import Figure
from soak.by_tests import by_tests


def run(folder: Path, seed: int) -> Iterator[Figure]:
    """seed: in which order they run."""
    yield from by_tests(folder, seed, "long tests that failed", "-m", "long", TSHDB_TEST_LONG="1")
