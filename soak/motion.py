"""Simulated examinations at rest, and with planted shifts within the slices: which are flagged as moved."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from soak import Figure
from tests.support.in_time import in_time, tried

EXAMINATIONS = 20


def run(folder: Path, seed: int) -> Iterator[Figure]:
    from tests.support.motions import trials

    all_trials = list(in_time(trials(seed, EXAMINATIONS, (0.9, 1.2, 1.6), 2.5)))
    all_trials = all_trials[: len(all_trials) // 2 * 2]
    planted = [t for t in all_trials if t.planted]
    still = [t for t in all_trials if not t.planted]
    found = sum(t.motion.in_plane_voxels > 1 for t in planted)
    wrong = sum(t.motion.in_plane_voxels > 1 for t in still)
    yield Figure(
        "planted shifts of 1.3 to 6 voxels that are flagged",
        f"{found} of {len(planted)}",
        f"{len(planted)}",
        found == len(planted),
    )
    yield Figure("phases at rest that are flagged", f"{wrong} of {len(still)}", "0", wrong == 0)
    yield Figure("examinations", tried(len(planted), EXAMINATIONS))
    if not all_trials:
        return
    furthest = max(abs(t.motion.in_plane_voxels - t.planted) for t in all_trials)
    yield Figure("furthest from what was planted, voxels", f"{furthest:.2f}")
