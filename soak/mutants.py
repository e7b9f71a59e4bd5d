"""Every mutant of the engine, of the normal form of code and of what defends a study, the long ones too: each is
caught by the test that names it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from soak import Figure
from soak.by_tests import by_tests

FILES = ("tests/engine/test_mutants.py", "tests/engine/test_code_mutants.py", "tests/study/test_defence_mutants.py")


def run(folder: Path, seed: int) -> Iterator[Figure]:
    """seed: in which order they are tried."""
    yield from by_tests(folder, seed, "mutants that survived", *FILES, TSHDB_TEST_MUTANTS="all")
