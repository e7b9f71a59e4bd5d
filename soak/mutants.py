"""Every mutant of the engine and of the normal form of code, the long ones too: each is caught by the test that names it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from soak import Figure

FILES = ("tests/engine/test_mutants.py", "tests/engine/test_code_mutants.py")


def run(scratch: Path, seed: int) -> Iterator[Figure]:
    """seed: of nothing here, each mutant is tried once."""
    environment = {**os.environ, "TSHDB_TEST_MUTANTS": "all"}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        f"--basetemp={scratch / 'pytest'}",
        *FILES,
    ]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=False).stdout
    counts = {word: int(n) for n, word in re.findall(r"(\d+) (passed|failed|error)", said)}
    n = sum(counts.values())
    survived = n - counts.get("passed", 0)
    yield Figure(f"mutants that survived of {n}", str(survived), "0", n > 0 and survived == 0)
