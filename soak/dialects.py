"""Simulated examinations in every dialect, ingested and rebuilt: the mask's voxels, the phases' and all features are the same."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

from ingest.simulate.outlines import ARCHIVES
from ingest.simulate.subjects import Role
from soak import Figure
from tests.support.in_time import in_time, tried


def run(folder: Path, seed: int) -> Iterator[Figure]:
    from tests.support import dialects

    plain: dict[tuple, dialects.Found] = {}
    every, n = list(dialects.every_way()), 0
    random.Random(f"dialects/{seed}").shuffle(every)
    for role, ways in in_time(every):
        n += 1
        # beside an outline the first of its kinds: a .les says no place, and is held against its images alone
        layout = {"layout": ways.get("layout")} | ({"outline": ARCHIVES} if "outline" in ways else {})
        key = (role, *layout.values())
        if key not in plain:
            plain[key] = _found(folder, role, seed, layout)
        other = _found(folder, role, seed, ways)
        scanned = dialects.scanned(role, dialects.settings_of(seed, **ways))
        wrong = dialects.differences(scanned, other) + dialects.differences(plain[key], other)
        words = ", ".join(name for name in ways.values() if name)
        seen = f"{int(other.tumor.sum())} voxels, {len(other.phases)} phases, {len(other.features)} features"
        is_met = not wrong and len(other.features) == 572
        yield Figure(f"{role}, {words}", "; ".join(wrong) or f"{seen} as planted", "as planted", is_met)
    yield Figure("ways that were tried", tried(n, len(every)))


def _found(folder: Path, role: Role, seed: int, ways: dict):
    from tests.support import dialects

    place = folder / "one"
    try:
        return dialects.found(place, role, dialects.settings_of(seed, **ways), dialects.FEATURES)
    finally:
        shutil.rmtree(place, ignore_errors=True)
