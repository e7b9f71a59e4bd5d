"""A study that lived through any edits, with rebuilds between, ends as one that is made at the end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from soak import Figure

HISTORIES = {"core": 150, "all": 6}  # analyses -> histories


def run(folder: Path, seed: int) -> Iterator[Figure]:
    """Hypothesis draws them, and makes the first one that is wrong as short as it can."""
    import hypothesis
    from hypothesis import strategies as st

    from analyses import ANALYSES
    from tests.support import calm, histories, tiny

    for world, analyses in (("core", tiny.CORE), ("all", ANALYSES)):

        @hypothesis.seed(seed)
        @hypothesis.settings(max_examples=HISTORIES[world], database=None, **calm.CALM)
        @hypothesis.given(edits=st.lists(histories.EDITS, min_size=2, max_size=12))
        def ends_as_at_once(edits: list[tuple], analyses=analyses) -> None:
            histories.lives_as_at_once(edits, analyses)

        wrong = ""
        try:
            ends_as_at_once()
        except Exception as error:  # it is told, with the edits, and the other analyses are tried
            wrong = " ".join([f"{type(error).__name__}: {error}", *getattr(error, "__notes__", ())])
        yield Figure(
            f"{HISTORIES[world]} histories ({world}), any that ends otherwise", wrong or "none", "none", not wrong
        )
