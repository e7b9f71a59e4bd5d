"""Trials for as long as there is time. `python -m soak --minutes 60` gives every part a moment, at which it stops between two
trials; without one nothing stops."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

MOMENT = "TSHDB_UNTIL"  # seconds of time.monotonic(), which all processes of a machine share on Linux
T = TypeVar("T")


def left() -> float:
    """Seconds that are left; infinite without a moment."""
    return float(os.environ.get(MOMENT, math.inf)) - time.monotonic()


def handed_on(share: float) -> dict[str, str]:
    """The environment of a program that may take this share of what is left."""
    return {MOMENT: str(time.monotonic() + share * left())}


def in_time(trials: Iterable[T], share: float = 1.0) -> Iterator[T]:
    """The trials in turn as long as there is time, the first in any case. share: of what is left now, that these may take."""
    until = time.monotonic() + share * left()
    for n, trial in enumerate(trials):
        if n and time.monotonic() >= until:
            return
        yield trial


def tried(n: int, of: int) -> str:
    """How many trials there were, and of how many."""
    return f"{n:,}" if n >= of else f"{n:,} of {of:,}"
