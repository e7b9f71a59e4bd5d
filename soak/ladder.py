"""The ladder's verdict on simulated feature tables with a planted truth: volume alone, textures, nothing.

Of tables in which volume is all, every one is flagged; of planted textures at least nine in ten add; of tables without a truth no
more add than chance allows at 5 %: of 20 at most 3, since 4 or more happen in 1.6 % of such sweeps (binomial).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from soak import Figure

TABLES = {"volume": 10, "texture": 10, "nothing": 20}  # truth -> tables
ADDS = {"volume": (0, 0), "texture": (9, 10), "nothing": (0, 3)}  # truth -> fewest and most that may add


def run(folder: Path, seed: int) -> Iterator[Figure]:
    from tests.support.ladder_tables import verdict

    for truth, n in TABLES.items():
        said = []
        for i in range(n):
            said.append(verdict(truth, 1000 * seed + i))
            print(f"  {truth} {i + 1} of {n}: {said[-1][1]}", file=sys.stderr, flush=True)
        adds = sum(word == "adds" for word, _ in said)
        least, most = ADDS[truth]
        goal = f"{least}" if least == most else f"{least} to {most}"
        yield Figure(
            f"of {n} tables with the truth {truth}, those that add to volume", str(adds), goal, least <= adds <= most
        )
        unjudged = [words for word, words in said if word == "cannot be judged"]
        yield Figure(f"of these, those that cannot be judged{f' ({unjudged[0]})' if unjudged else ''}", str(len(unjudged)), "0",
                     not unjudged)  # fmt: skip
