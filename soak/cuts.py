"""The connection to PostgreSQL is cut, or the server restarts, at 40 random statements of a rebuild and an ingest."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from soak import Figure

ROOT = Path(__file__).resolve().parents[1]
CUTS = 40


def run(folder: Path, seed: int) -> Iterator[Figure]:
    """The test itself, of so many moments."""
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", f"--basetemp={folder / 'pytest'}",
               "tests/engine/test_connection_lost.py"]  # fmt: skip
    environment = {**os.environ, "TSHDB_TEST_CUTS": str(CUTS), "TSHDB_TEST_SEED": str(seed)}
    done = subprocess.run(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    is_met = done.returncode == 0 and " passed" in done.stdout
    yield Figure(
        f"cut {CUTS} times, the same command goes on to the same tables", "yes" if is_met else "no", "yes", is_met
    )
    if not is_met:
        yield Figure("said", done.stdout[-2000:])
