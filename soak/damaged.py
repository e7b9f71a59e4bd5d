"""Every format that is read, damaged 300 times: no signal, no traceback, no row changed where it is refused, every cut seen.

Of formats that keep no sum of their content a changed value may be taken: it is a well-formed file of other values,
whose digest the
study keeps. How many were taken so is told.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from soak import Figure
from tests.support.in_time import in_time, tried

TRIALS = int(os.environ.get("TSHDB_DAMAGED", "300"))  # of a format, of which a fifth are cuts
PROCESSES = 2
_begun: list[str] = []  # formats, by this process


def run(folder: Path, seed: int) -> Iterator[Figure]:
    from tests.support.damaged_formats import formats

    all_formats = formats()
    rounds = -(-len(all_formats) // PROCESSES)
    n, wrong, n_taken = 0, [], 0
    with ProcessPoolExecutor(PROCESSES, multiprocessing.get_context("fork")) as pool:
        for name, found in zip(
            all_formats, pool.map(partial(_of_format, folder, seed, rounds), all_formats), strict=True
        ):
            cuts = [t for t in found if " cut," in t.what]
            missed = [t for t in cuts if t.is_taken and not t.is_same and not t.is_told]
            taken = [t for t in found if t.is_taken and not t.is_same and t not in missed]
            said = f"{tried(len(found), TRIALS)}, {len(taken)} taken as other values; {len(cuts)} cuts, {len(missed)} taken"
            bad = [f"{name}: {t.what}: {t.wrong}" for t in found if t.wrong]
            if all_formats[name].knows_end:
                bad += [f"{name}: {t.what}: a cut that is not seen" for t in missed]
            yield Figure(name, said, "", not bad)
            n, n_taken, wrong = n + len(found), n_taken + len(taken), wrong + bad
    yield Figure(
        f"{n} damaged files of {len(all_formats)} formats that did what they may not", str(len(wrong)), "0", not wrong
    )
    for complaint in wrong[:60]:
        yield Figure("wrong", complaint)


def _of_format(folder: Path, seed: int, rounds: int, name: str) -> list:
    """rounds: of formats that a process tries, this one among them: each takes its part of the time that is left."""
    from tests.support.damage_trials import Ground, trials
    from tests.support.damaged_formats import formats
    from tests.support.forked_program import built_once

    place = folder / str(os.getpid())
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    with built_once():
        found = trials(Ground(place), formats()[name], range(TRIALS * seed, TRIALS * (seed + 1)))
        _begun.append(name)
        return list(in_time(found, 1 / max(1, rounds - len(_begun) + 1)))
