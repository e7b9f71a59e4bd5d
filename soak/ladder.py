"""The ladder's verdict on simulated feature tables with a planted truth: volume alone, textures, nothing.

Of tables in which volume is all, every one is flagged; of planted textures at least nine in ten add; of tables without a truth no
more add than chance allows at 5 %: of 20 at most 3, since 4 or more happen in 1.6 % of such sweeps (binomial).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from soak import Figure
from tests.support.in_time import in_time, tried

TABLES = {"volume": 10, "texture": 10, "nothing": 20}  # truth -> tables
ADDS = {"volume": (0, 0), "texture": (0.9, 1), "nothing": (0, 0.15)}  # truth -> least and largest share that may add


def run(folder: Path, seed: int) -> Iterator[Figure]:
    from tests.support.ladder_tables import verdict

    for i_truth, (truth, n) in enumerate(TABLES.items()):
        said = []
        for i in in_time(range(n), 1 / (len(TABLES) - i_truth)):
            said.append(verdict(truth, 1000 * seed + i))
            print(f"  {truth} {i + 1} of {n}: {said[-1][1]}", file=sys.stderr, flush=True)
        adds = sum(word == "adds" for word, _ in said)
        least, most = (round(share * len(said)) for share in ADDS[truth])
        goal = f"{least}" if least == most else f"{least} to {most}"
        yield Figure(
            f"of {tried(len(said), n)} tables with the truth {truth}, those that add to volume",
            str(adds),
            goal,
            least <= adds <= most,
        )
        unjudged = [words for word, words in said if word == "cannot be judged"]
        yield Figure(f"of these, those that cannot be judged{f' ({unjudged[0]})' if unjudged else ''}", str(len(unjudged)), "0",
                     not unjudged)  # fmt: skip
