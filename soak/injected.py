"""Each of 45 hostile texts in every free-text column of every table, all of them in every text column by itself: all
that is shown."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

from soak import Figure
from tests.support.in_time import in_time, tried


def run(folder: Path, seed: int) -> Iterator[Figure]:
    """seed: in which order the other columns are tried."""
    from tests.support import injected, kept, payloads, templates
    from tests.support.forked_program import built_once

    made = kept.copy_of("whole", templates.whole, folder / "whole")
    free = list(injected.free_columns())
    tables = sorted({c.table.name for c in injected.text_columns()})
    wrong: list[str] = []
    with built_once():
        n_texts = n_keys = 0
        for n, text in in_time(enumerate(payloads.ALL), 0.5):
            n_texts += 1
            of = tables if n == 0 else tables[n::15]  # every table with each kind of text
            wrong += [f"{text!r}: {c}" for c in _tried(made, folder / "one", free, text, of)]
        yield Figure(
            f"{tried(n_texts, len(payloads.ALL))} texts in {len(free)} columns, complaints",
            str(len(wrong)),
            "0",
            not wrong,
        )
        keys = [c for c in injected.text_columns() if c not in free]
        random.Random(f"injected/{seed}").shuffle(keys)
        of_keys: list[str] = []
        for c in in_time(keys):
            n_keys += 1
            found = _tried(made, folder / "one", [c], payloads.EVERYTHING, [c.table.name], is_appended=True)
            of_keys += [f"{c}: {complaint}" for complaint in found]
    yield Figure(
        f"all of them in each of {tried(n_keys, len(keys))} other columns, complaints",
        str(len(of_keys)),
        "0",
        not of_keys,
    )
    for complaint in (wrong + of_keys)[:60]:
        yield Figure("wrong", complaint)


def _tried(
    made: Path, place: Path, columns: list, text: str, tables: list[str], is_appended: bool = False
) -> list[str]:
    from tests.support import injected

    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(made, place)
    injected.poison(place / "study.db", columns, text, is_appended)
    return list(injected.complaints(place, tables))
