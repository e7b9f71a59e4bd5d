"""Every analysis of ours swears, each on data made for it (`tshdb check analysis`): about an hour. No promise may be broken."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from analyses import ANALYSES
from soak import Figure
from tests.support.in_time import in_time, tried
from tshdb.actions.making import make_study
from tshdb.oath.swearing import swear


def run(folder: Path, seed: int) -> Iterator[Figure]:
    study = make_study(folder / "study")
    untried: list[str] = []
    longest = 0.0
    analyses = random.Random(f"oath/{seed}").sample(list(ANALYSES), len(ANALYSES))
    n = 0
    for analysis in in_time(analyses):
        n += 1
        sworn = swear(study, analysis.name)
        untried += [f"{analysis.name} {p.name}: {p.says}" for p in sworn.promises if p.holds is None]
        longest = max(longest, sworn.seconds)
        found = "; ".join(f"{p.name}: {p.says} ({', '.join(p.seen[:5])})" for p in sworn.promises if p.holds is False)
        yield Figure(f"{analysis.name} breaks", found or "nothing", "nothing", sworn.holds)
    yield Figure("analyses that swore", tried(n, len(analyses)))
    yield Figure("longest oath, s", f"{longest:.0f}")
    for each in untried:
        yield Figure("not tried", each)
