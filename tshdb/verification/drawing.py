"""Which units are verified: a seeded draw that goes round the analyses, so that each has its turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random


def drawn(keys: Mapping[str, Sequence[str]], n: int | None, seed: int) -> list[tuple[str, str]]:
    """(analysis, key) of n units, all without a number. keys: of each analysis; the order of neither matters."""
    shuffled = {}
    for analysis in sorted(keys):
        ordered = sorted(keys[analysis])
        Random(f"{seed} {analysis}").shuffle(ordered)
        shuffled[analysis] = ordered
    names = sorted(shuffled)
    Random(f"{seed}").shuffle(names)
    longest = max((len(of_one) for of_one in shuffled.values()), default=0)
    rounds = [(name, shuffled[name][i]) for i in range(longest) for name in names if i < len(shuffled[name])]
    return rounds[:n]
