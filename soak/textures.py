"""Two hundred random regions by the compiled kernels and by PyRadiomics: every feature agrees, or is a named exception."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from soak import Figure
from tests.support import regions
from tests.support.in_time import in_time, tried

N = 200


def run(folder: Path, seed: int) -> Iterator[Figure]:
    off: list[str] = []
    kinds: Counter[str] = Counter()
    for n in in_time(range(seed * 1000, seed * 1000 + N)):
        case = regions.case_of(n)
        kinds[case.kind] += 1
        off += [f"region {n} ({case.kind}): {words}" for words in regions.differences(case)]
    many = ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items()))
    yield Figure(
        f"features of {tried(sum(kinds.values()), N)} regions ({many}) that differ", str(len(off)), "0", not off
    )
    for words in off[:20]:
        yield Figure("differs", words)
