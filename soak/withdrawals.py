"""100 random histories that end with a withdrawal: nothing of the patient is left that the certificate does not name, the others'
results are as they were, the preview said what was done."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from soak import Figure
from tests.support.in_time import in_time, tried

HISTORIES = 100


def run(folder: Path, seed: int) -> Iterator[Figure]:
    from tests.support import templates, withdrawals
    from tshdb.study import Study

    templates.core(folder / "template")
    template = Study(folder / "template")
    wrong: list[str] = []
    n = n_killed = n_moved = 0
    for i in in_time(range(HISTORIES)):
        n += 1
        number, place = 1000 * seed + i, folder / f"history-{i}"
        place.mkdir()
        found, said = withdrawals.trial(template, place, number)
        n_killed += any(word.startswith("killed") for word in said)
        n_moved += "move" in said
        wrong += [f"history {number} ({', '.join(said)}): {each}" for each in found]
        shutil.rmtree(place)
    yield Figure("histories that ended with a withdrawal", tried(n, HISTORIES))
    yield Figure("of these killed at a point and taken up, moved", f"{n_killed}, {n_moved}")
    yield Figure(
        "what is left and not named, differs from the preview, or was another's",
        "; ".join(wrong) or "none",
        "none",
        not wrong,
    )
