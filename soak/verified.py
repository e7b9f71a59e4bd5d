"""Faults planted in results, in what they were made by and made of: `tshdb verify --all` finds each, and none where none is."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

from soak import Figure
from tests.support import templates, tiny
from tests.support.in_time import in_time, tried
from tests.support.result_faults import FAULTS, OF_IMAGES, plant
from tshdb.study import Study
from tshdb.verification.comparing import Verdict
from tshdb.verification.verify import verify

SEEDS = 5


def run(folder: Path, seed: int) -> Iterator[Figure]:
    templates.core(folder / "core")
    templates.whole(folder / "whole")
    whole = verify(Study(folder / "whole"), sample=None)
    same = whole.count(Verdict.SAME)
    yield Figure("whole results that are the same", f"{same} of {len(whole.units)}", "all", same == len(whole.units))
    todo = [(fault, "core", s) for fault in FAULTS for s in range(seed, seed + SEEDS)]
    todo += [(fault, "whole", seed) for fault in OF_IMAGES]
    random.Random(f"verified/{seed}").shuffle(todo)
    missed, n = [], 0
    for fault, source, luck in in_time(todo):
        n += 1
        study = tiny.copy_study(Study(folder / source), folder / "study")
        study.engine.dispose()
        unit = plant(fault, study.root, luck)
        done = verify(Study(study.root), sample=None)
        if unit not in {v.unit for v in done.units if v.verdict is not Verdict.SAME}:
            missed.append(f"{fault.__name__}, seed {luck}: {unit}")
        shutil.rmtree(study.root)
    yield Figure(
        f"of {tried(n, len(todo))} planted faults, those that verify finds", str(n - len(missed)), "all", not missed
    )
    for each in missed:
        yield Figure("missed", each, is_met=False)
