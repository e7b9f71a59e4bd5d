"""What a study is made of, damaged 100 times each: database, settings, objects, backups and bundles."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from soak import Figure
from tests.support.in_time import in_time, tried

TRIALS = int(os.environ.get("TSHDB_DAMAGED", "100"))  # of a kind


def run(folder: Path, seed: int) -> Iterator[Figure]:
    from tests.support.damaged_studies import Place
    from tests.support.forked_program import built_once

    with built_once():
        place = Place(folder)
        kinds = list(place.kinds())
        for i, kind in enumerate(kinds):
            trials = place.trials(kind, range(TRIALS * seed, TRIALS * (seed + 1)))
            found = list(in_time(trials, 1 / (len(kinds) - i)))
            wrong = [t for t in found if t.wrong]
            n_same = sum(t.is_same for t in found)
            harmless = f", {n_same} changed no row" if n_same else ""
            yield Figure(
                f"{kind.name}: {tried(len(found), TRIALS)} damaged{harmless}, not found",
                str(len(wrong)),
                "0",
                not wrong,
            )
            for trial in wrong[:10]:
                yield Figure("wrong", f"{kind.name}: {trial.what}: {trial.wrong}")
