"""Random changes of parameters, data, code, seed, lists and members, a rebuild after each: whether plan and causes are true.

Each history lives through its changes in a tiny study (tests/support/truth.py), and ends as a new study.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

from soak import Figure
from tests.support.in_time import in_time, tried

HISTORIES = {"core": 12, "before images": 5, "all": 3}  # analyses -> histories
CHANGES = 10  # rebuilds in each


def run(folder: Path, seed: int) -> Iterator[Figure]:
    from tests.support import truth

    wrong, n = [], 0
    for i_world, (world, n_histories) in enumerate(HISTORIES.items()):
        for i in in_time(range(n_histories), 1 / (len(HISTORIES) - i_world)):
            number = 1000 * seed + i
            print(f"  {world}, seed {number}, {len(wrong)} wrong so far", file=sys.stderr, flush=True)
            place = folder / f"{world.replace(' ', '-')}-{number}"
            place.mkdir()
            try:
                found = list(truth.history(place, number, CHANGES, world))
            except Exception:  # a rebuild that cannot be done at all is wrong, too; the others are tried
                found = [f"{world}, seed {number}: {traceback.format_exc(limit=-3)}"]
            wrong += found
            n += 1
    n_histories = sum(HISTORIES.values())
    what = f"{n * CHANGES} changes in {tried(n, n_histories)} histories, of which something was said that is not true"
    yield Figure(what, str(len(wrong)), "0", not wrong)
    for complaint in wrong[:40]:
        yield Figure("wrong", complaint)
