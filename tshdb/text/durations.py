"""How long something takes, in words."""

from __future__ import annotations

import math
from collections.abc import Callable

STEPS = (  # up to so many seconds: the unit, its seconds, and of how many units an end of a range is a multiple
    (10, "s", 1, 1), (100, "s", 1, 5), (600, "min", 60, 1), (6_000, "min", 60, 5), (36_000, "h", 3_600, 1),
    (172_800, "h", 3_600, 5), (864_000, "d", 86_400, 1),
)  # fmt: skip
LARGEST = ("d", 86_400, 5)


def seconds(low: float, high: float) -> str:
    """A range of durations in words, both ends rounded outwards: 1–3 s, 40 s–2 min, 4–9 min."""
    if high < 1:
        return "< 1 s"
    least, most = _rounded(low, math.floor), _rounded(high, math.ceil)
    if least == most:
        return most
    if not int(least.split()[0]):
        return f"up to {most}"
    number, unit = least.split()
    return f"{number if most.endswith(' ' + unit) else least}–{most}"


def _rounded(value: float, to_whole: Callable[[float], int]) -> str:
    unit, divisor, step = next((tuple(rest) for limit, *rest in STEPS if value < limit), LARGEST)
    return f"{to_whole(value / divisor / step) * step:,} {unit}"
