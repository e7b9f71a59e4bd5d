"""A study that lived through any edits, with rebuilds between, ends as one that is made at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from soak import Figure
from tests.support.in_time import left, tried

HISTORIES = {"core": 150, "all": 6}  # analyses -> histories


def run(folder: Path, seed: int) -> Iterator[Figure]:
    """Hypothesis draws them, and makes the first one that is wrong as short as it can."""
    from analyses import ANALYSES
    from tests.support import tiny

    for world, analyses, share in (("core", tiny.CORE, 0.6), ("all", ANALYSES, 1.0)):
        lived: list[int] = []
        wrong = ""
        try:
            _histories(analyses, seed, HISTORIES[world], time.monotonic() + share * left(), lived)()
        except Exception as error:  # it is told, with the edits, and the other analyses are tried
            wrong = " ".join([f"{type(error).__name__}: {error}", *getattr(error, "__notes__", ())])
        what = f"{tried(len(lived), HISTORIES[world])} histories ({world}), any that ends otherwise"
        yield Figure(what, wrong or "none", "none", not wrong)


def _histories(analyses: Sequence[Any], seed: int, n: int, until: float, lived: list[int]) -> Callable[[], None]:
    """Live through n histories, as long as there is time: those that are left pass untried."""
    import hypothesis
    from hypothesis import strategies as st

    from tests.support import calm, histories

    @hypothesis.seed(seed)
    @hypothesis.settings(max_examples=n, database=None, **calm.CALM)
    @hypothesis.given(edits=st.lists(histories.EDITS, min_size=2, max_size=12))
    def ends_as_at_once(edits: list[tuple]) -> None:
        if not lived or time.monotonic() < until:
            lived.append(len(edits))
            histories.lives_as_at_once(edits, analyses)

    return ends_as_at_once
