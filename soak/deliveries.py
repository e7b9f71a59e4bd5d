"""Random deliveries of three releases of a clinic: the study is what the clinic knows, whatever files are called."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from soak import Figure
from tests.support.in_time import in_time, tried

CLINICS, WAYS, REBUILT = 40, 5, 4  # clinics, deliveries of each; clinics of which results are made too


def run(folder: Path, seed: int) -> Iterator[Figure]:
    from tests.support import deliveries

    wrong = []
    n = 0
    for i in in_time(range(CLINICS)):
        n += 1
        number = 1000 * seed + i
        print(f"  clinic {number}, {len(wrong)} wrong so far", file=sys.stderr, flush=True)
        wrong += deliveries.wrong(folder, number, WAYS, rebuilds=i < REBUILT)
    yield Figure(
        f"{n * WAYS} deliveries of {tried(n, CLINICS)} clinics, in which a row is another",
        str(len(wrong)),
        "0",
        not wrong,
    )
    for complaint in wrong[:40]:
        yield Figure("wrong", complaint)
