"""Ten random studies of all analyses: every count beside a result of their reports is what a query of its own gives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from soak import Figure
from soak.by_tests import by_tests

STUDIES = 10


def run(folder: Path, seed: int) -> Iterator[Figure]:
    what = f"tests of the counts of {STUDIES} reports that failed"
    yield from by_tests(folder, seed, what, "tests/study/test_report_result_counts.py", TSHDB_TEST_COUNTS=str(STUDIES))
