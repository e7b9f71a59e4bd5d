"""Scenario 11: killed anywhere, two rebuilds at once: the same final tables as one undisturbed run.

More of all of them: `make soak PART=kills`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

from tests.support.program import ROOT

EVERY = int(os.environ.get("TSHDB_TEST_EVERY", "3"))  # failpoint
KILLS = int(os.environ.get("TSHDB_TEST_KILLS", "4"))


def serve(*arguments) -> dict:
    completed = subprocess.run(
        [sys.executable, "-m", "tests.support.crash_server", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=1800,
    )
    assert completed.returncode == 0, completed.stderr[-4000:]
    return json.loads(completed.stdout.splitlines()[-1])


def test_11_killed_at_every_failpoint(tmp_path):
    """At every third; the soak dies at all of them."""
    answer = serve("sweep", tmp_path, EVERY)
    assert answer["complaints"] == []
    assert EVERY * answer["kills"]["ingest"] >= 15 and EVERY * answer["kills"]["rebuild"] >= 15


def test_11_killed_at_random_moments(tmp_path):
    answer = serve("kill", tmp_path, KILLS, 11)
    assert answer["complaints"] == []
    assert answer["kills"] == {"ingest": KILLS, "rebuild": KILLS}


def test_11_two_rebuilds_at_once(tmp_path):
    answer = serve("two", tmp_path, 4, 3)
    assert answer["complaints"] == [] and answer["rounds"] == 4
