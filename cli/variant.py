"""A study, or a variant of it, as a command looks at it: what must be said beside a variant goes to stderr."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cli.console import say

if TYPE_CHECKING:
    from tshdb.study import Study


@contextmanager
def opened(path: Path | None, variant: str | None) -> Iterator[Study]:
    """The study, or its results as a variant has them."""
    from tshdb.study import Study

    study = Study.find(path)
    if variant is None:
        yield study
        return
    from tshdb.actions.variants import viewed

    with viewed(study, variant) as (copied, words):
        say(words)
        yield copied


@contextmanager
def with_all_due(path: Path | None, variant: str | None) -> Iterator[Study]:
    """The study, or as a variant has it with all that is due there."""
    from tshdb.study import Study

    study = Study.find(path)
    if variant is None:
        yield study
        return
    from tshdb.actions.variants import looked_at

    with looked_at(study, variant) as copied:
        yield copied
