"""When a printed number holds on other data: as printed, in its direction alone, not at all, or when nothing can be said.

An estimate is judged by this study's interval, a p value by the claim that is printed: "< 0.0001" asks for less than that,
not for less than .05.
"""

from __future__ import annotations

from enum import StrEnum

SIGNIFICANT = 0.05
ALIKE = 10.0  # times, which two p values below .05 may differ by and say the same
WIDE_RATIO = 25.0  # times, from which an interval of a ratio is too wide to judge by
WIDE = 0.4  # of 1: the same for an AUC, a sensitivity, a correlation


class Verdict(StrEnum):
    """What became of a printed number."""

    HOLDS = "holds"
    SAME_DIRECTION = "same direction"
    MOVED = "moved"
    CANNOT = "cannot be judged"
    NOT_HERE = "not reproducible here"


def by_interval(
    printed: float, lower: float | None, upper: float | None, neutral: float, is_ratio: bool
) -> tuple[Verdict, str]:
    """(verdict, why) of an estimate by this study's 95 % interval. neutral: what says no effect (1 of a ratio, .5 of an AUC).

    It holds where the interval has the printed value; the direction is the same where all of the interval lies on the printed
    value's side of `neutral`. A very wide interval judges no size.
    """
    if lower is None or upper is None:
        return Verdict.CANNOT, "this study's estimate has no interval"
    is_wide = (lower <= 0 or upper / lower > WIDE_RATIO) if is_ratio else upper - lower > WIDE
    has_neutral = lower <= neutral <= upper
    if is_wide and has_neutral:
        return Verdict.CANNOT, f"the interval is too wide: {lower:.3g} to {upper:.3g}"
    if not is_wide and lower <= printed <= upper:
        return Verdict.HOLDS, ""
    if not has_neutral and (lower > neutral) == (printed > neutral):
        return (
            Verdict.SAME_DIRECTION,
            f"the interval is too wide for its size: {lower:.3g} to {upper:.3g}" if is_wide else "",
        )
    return Verdict.MOVED, ""


def by_p(printed: str, value: float) -> tuple[Verdict, str]:
    """(verdict, why) of a p value, by the claim as it is printed: `< 0.0001`, or a number.

    A number below .05 holds where this study's is below .05 too, and at most ALIKE times larger or smaller; one that is not
    below .05, where this study's is not either.
    """
    text = printed.replace("p", "").replace("=", "").strip()
    if text.startswith("<"):
        bound = float(text[1:])
        if value < bound:
            return Verdict.HOLDS, ""
        weaker = value < SIGNIFICANT
        return (Verdict.SAME_DIRECTION, f"below {SIGNIFICANT:g}, and not {printed}") if weaker else (Verdict.MOVED, "")
    claimed = float(text)
    if (claimed < SIGNIFICANT) != (value < SIGNIFICANT):
        return Verdict.MOVED, ""
    if value >= SIGNIFICANT or 1 / ALIKE <= value / claimed <= ALIKE:
        return Verdict.HOLDS, ""
    times = "smaller" if value < claimed else "larger"
    return Verdict.SAME_DIRECTION, f"below {SIGNIFICANT:g} as well, and more than {ALIKE:g} times {times}"
