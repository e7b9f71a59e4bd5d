"""The tests that `make test` leaves out, since another one sees the same sooner (marked long)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from soak import Figure


def run(scratch: Path, seed: int) -> Iterator[Figure]:
    """seed: of nothing here."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-m",
        "long",
        "-p",
        "no:cacheprovider",
        f"--basetemp={scratch / 'pytest'}",
    ]
    environment = {**os.environ, "TSHDB_TEST_LONG": "1"}
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=False).stdout
    counts = {word: int(n) for n, word in re.findall(r"(\d+) (passed|failed|error)", said)}
    n = sum(counts.values())
    yield Figure(
        f"long tests that failed of {n}", str(n - counts.get("passed", 0)), "0", n > 0 and n == counts.get("passed", 0)
    )
