"""Parts whose trials are tests: which ones pytest is given, and what became of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from soak import Figure
from tests.support.in_time import tried
from tests.support.program import ROOT


def by_tests(folder: Path, seed: int, what: str, *words: str, **environment: str) -> Iterator[Figure]:
    """Run the tests that `words` choose, in an order that the seed draws, as long as there is time: how many failed."""
    ends = folder / "ends.json"
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "-p", "tests.support.in_time_plugin",
               f"--basetemp={folder / 'pytest'}", *words]  # fmt: skip
    settings = {**os.environ, **environment, "TSHDB_TEST_SEED": str(seed), "TSHDB_COUNTS": str(ends)}
    done = subprocess.run(command, cwd=ROOT, env=settings, stdout=subprocess.PIPE, text=True, check=False)
    if not ends.is_file():
        yield Figure(what, f"pytest ended with {done.returncode}: {done.stdout[-1000:]}", "0", False)
        return
    found = json.loads(ends.read_text())
    counts = found["counts"]
    n = counts.get("passed", 0) + counts.get("failed", 0)
    yield Figure(
        f"{what}, of {tried(n, n + counts.get('not tried', 0))}",
        str(len(found["failed"])),
        "0",
        n > 0 and not found["failed"],
    )
    for name, why in list(found["failed"].items())[:20]:
        yield Figure(f"failed: {name}", why)
    if counts.get("skipped"):
        yield Figure("skipped, since something is not here", str(counts["skipped"]))
