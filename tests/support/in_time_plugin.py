"""A plugin for pytest (`-p tests.support.in_time_plugin`): tests in an order that TSHDB_TEST_SEED draws, as long as there is
time; what became of them is written as JSON into the file TSHDB_COUNTS."""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from pathlib import Path

import pytest

from tests.support.in_time import left

NOT_TRIED = "no time was left"
REASON = 1_000  # letters of why a test failed
_ends: dict[str, str] = {}
_why: dict[str, str] = {}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    random.Random(f"order/{os.environ.get('TSHDB_TEST_SEED', '1')}").shuffle(items)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    if left() <= 0:
        pytest.skip(NOT_TRIED)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped:
        _ends[report.nodeid] = "not tried" if NOT_TRIED in str(report.longrepr) else "skipped"
    elif report.failed:
        _ends[report.nodeid] = "failed"
        crash = getattr(report.longrepr, "reprcrash", None)
        _why[report.nodeid] = (crash.message if crash else report.longreprtext[-REASON:])[:REASON]
    else:
        _ends.setdefault(report.nodeid, "passed")


def pytest_sessionfinish() -> None:
    counts = {"counts": Counter(_ends.values()), "failed": dict(sorted(_why.items()))}
    Path(os.environ["TSHDB_COUNTS"]).write_text(json.dumps(counts))
