"""Ingest and rebuild are killed: at every failpoint, twice, and at random moments; and two rebuilds run at once.

The program that kills is that of the tests (tests/support/crash_server.py). No study may be damaged between a kill and the
next command, and the tables at the end are those of a run that nobody disturbed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from soak import Figure
from tests.support.in_time import handed_on

ROOT = Path(__file__).resolve().parents[1]
KILLS, ROUNDS = 300, 60  # of ingest and of rebuild each; of two rebuilds at once


def run(folder: Path, seed: int) -> Iterator[Figure]:
    trials = {"at every failpoint": ("sweep", 1, seed), "at every third failpoint, and once more": ("sweep", 3, seed, 1),
              "at random moments": ("kill", KILLS, seed), "two rebuilds at once": ("two", ROUNDS, seed)}  # fmt: skip
    for number, (name, (mode, *numbers)) in enumerate(trials.items()):
        answer = _served(1 / (len(trials) - number), mode, folder / str(number), *numbers)
        n = sum(answer["kills"].values()) if "kills" in answer else answer["rounds"]
        wrong = answer["complaints"]
        of = f" of {answer['of']}" if answer["of"] > n else ""
        yield Figure(f"{name}, {n}{of} times, of which something was wrong after", str(len(wrong)), "0", not wrong)
        for complaint in wrong[:20]:
            yield Figure("wrong", complaint)


def _served(share: float, *arguments: object) -> dict:
    """share: of the time that is left."""
    environment = os.environ | handed_on(share)
    command = [sys.executable, "-m", "tests.support.crash_server", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])
