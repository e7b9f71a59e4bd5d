"""Numbers as tables show them: significant digits, intervals whose ends can be told apart, and no value that is not there.

A ratio that is not 0 is never shown as 0.00, nor an interval as a point, nor a p value as 0 or 1 (which it is not).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

LEAST = 1e-300  # of doubles that keep all their digits
LARGE, VERY_LARGE = 1_000.0, 1e5
DECIMALS = (2, 3, 4)
ROUNDED = 0.05  # by which share of itself a ratio may be rounded
YEAR = 365.25  # days
NONE, NOT_REACHED = "none", "NR"


def number(value: float | None) -> str | None:
    """Three significant digits; whole numbers of four or five digits in full."""
    if value is None or value != value:
        return None
    if math.isinf(value):
        return "infinite" if value > 0 else "−infinite"
    return f"{value:.0f}" if LARGE <= abs(value) < VERY_LARGE else f"{value:.3g}"


def p(value: float | None) -> str | None:
    """A p value: four decimals, or two digits below .001."""
    if value is None or value != value:
        return None
    if value < LEAST:
        return f"< {LEAST:.0e}"
    if value < 0.001:
        return f"{value:.2g}"
    return "> 0.999" if 0.999 < value < 1 and f"{value:.4f}" == "1.0000" else f"{value:.4f}"


def p_short(value: float | None) -> str | None:
    """A p value of two digits, as figures have it: `= 0.012`, `< 1e-300`, `> 0.99`."""
    if value is None or value != value:
        return None
    if value < LEAST:
        return f"< {LEAST:.0e}"
    return "> 0.99" if 0.99 < value < 1 and f"{value:.2g}" == "1" else f"= {value:.2g}"


def ratio(row: Mapping[str, Any]) -> str:
    """A hazard ratio with its interval."""
    values = [row["hazard_ratio"], row["ci_lower"], row["ci_upper"]]
    shown = with_ends([LEAST if v is not None and 0 <= v < LEAST else v for v in values], is_ratio=True) or NONE
    return shown.replace(f"{LEAST:.3g}", f"< {LEAST:.0e}")  # e to the power of what is far below 0


def interval(row: Mapping[str, Any], name: str) -> str | None:
    """A value with its interval, where it has one."""
    return with_ends([row[name], row["ci_lower"], row["ci_upper"]])


def with_ends(values: Sequence[float | None], is_ratio: bool = False, between: str = "–", sign: str = "") -> str | None:
    """A value and the ends of its interval, `0.45 (0.21–0.97)`; the value alone where it has no interval, None without a value.

    values: the value, the lower and the upper end. All have as many decimals as tell them apart. is_ratio: and as many that none
    is rounded by more than a twentieth of itself.
    """
    value, *ends = (None if v is None or v != v else float(v) for v in values)
    if value is None:
        return None
    if None in ends and all(end is None for end in ends):
        return number(value) if not sign else f"{value:+.2f}"
    texts = alike([value, *ends], is_ratio, sign)
    return f"{texts[0]} ({between.join(texts[1:])})"


def alike(values: Sequence[float | None], is_ratio: bool = False, sign: str = "") -> list[str]:
    """Numbers of one kind, with so many decimals that those that differ look different; else three or more significant digits."""
    finite = [v for v in values if v is not None and math.isfinite(v)]
    if all(abs(v) < VERY_LARGE for v in finite):
        for decimals in DECIMALS:
            if _tells(finite, [f"{v:{sign}.{decimals}f}" for v in finite], is_ratio):
                return [_one(v, f"{sign}.{decimals}f") for v in values]
    digits = next((d for d in range(3, 17) if len({f"{v:.{d}g}" for v in finite}) == len(set(finite))), 17)
    return [_one(v, f"{sign}.{digits}g") for v in values]


def _tells(values: Sequence[float], texts: Sequence[str], is_ratio: bool) -> bool:
    if len(set(texts)) < len(set(values)) or any(v and not float(text) for v, text in zip(values, texts, strict=True)):
        return False
    return not is_ratio or all(abs(float(text) - v) <= ROUNDED * abs(v) for v, text in zip(values, texts, strict=True))


def _one(value: float | None, form: str) -> str:
    if value is None:
        return NONE
    if math.isinf(value):
        return "infinite" if value > 0 else "−infinite"
    return format(value, form)


def median(row: Mapping[str, Any], group: str) -> str | None:
    """A group's median survival in days with its interval; NR is a limit that was not reached."""
    return _days(row[f"median_{group}_days"], [row[f"median_{group}_{end}"] for end in ("lower", "upper")])


def quantile(row: Mapping[str, Any]) -> str | None:
    """A day with its interval; NR is what was not reached."""
    if not row["is_reached"]:
        return None if row["is_reached"] is None else NOT_REACHED
    return _days(row["days"], [row["ci_lower"], row["ci_upper"]])


def _days(value: float | None, ends: Sequence[float | None]) -> str | None:
    if value is None or value != value:
        return None
    return f"{value:.0f} ({'–'.join(NOT_REACHED if end is None or end != end else f'{end:.0f}' for end in ends)})"


def difference(row: Mapping[str, Any]) -> str | None:
    """Good less poor of the restricted means, in days."""
    value, *ends = (row[f"mean_difference_{of}"] for of in ("days", "lower", "upper"))
    if value is None:
        return None
    return f"{value:.0f}" if None in ends else f"{value:.0f} ({ends[0]:.0f} to {ends[1]:.0f})"


def less(row: Mapping[str, Any]) -> str | None:
    """How much larger one value is than another, on the patients whom both know: difference, its ends, n_shared."""
    value, *ends = (row[f"difference{of}"] for of in ("", "_lower", "_upper"))
    if value is None:
        return None
    texts = alike([value, *(end for end in ends if end is not None)], sign="+")
    n = f"n = {row['n_shared']:.0f}"
    return f"{texts[0]} ({n if len(texts) < 3 else f'{texts[1]} to {texts[2]}; {n}'})"


def intervals_of(row: Mapping[Any, Any]) -> list[str]:
    """The 95 % intervals that a row of model_performance has, each with how it was found."""
    from pandas import notna

    ends = (("bootstrap", "ci_lower", "ci_upper"), ("DeLong", "delong_lower", "delong_upper"))
    known = [(name, row[low], row[high]) for name, low, high in ends if notna(row[low]) and notna(row[high])]
    return [f"{low:.3f} to {high:.3f} ({name})" for name, low, high in known]


def with_intervals(row: Mapping[str, Any]) -> str:
    """A row of model_performance: the value, n and its 95 % intervals, the bootstrap's and DeLong's, where it has them."""
    if row["value"] is None:
        return row["reason"] or "no value"
    parts = intervals_of(row)
    intervals = f"95 % CI {', '.join(parts)}; " if parts else ""
    return f"{row['value']:.3f} ({intervals}n = {row['n']}{'; ' + row['reason'] if row['reason'] else ''})"


def within(days: float | None) -> str:
    """Until when events count, to be added to their number: ` within 10 years`; nothing where all count."""
    return "" if days is None or days != days else f" within {number(days / YEAR)} year{'' if days == YEAR else 's'}"


def share(count: int, n: int) -> str:
    """A count with its share of n: `3 (30%)`; some that are few are `< 1%`, and not quite all `> 99%`."""
    percent = count / n
    shown = "< 1%" if 0 < percent < 0.005 else "> 99%" if 0.995 <= percent < 1 else f"{percent:.0%}"
    return f"{count} ({shown})"


def counted(values: Sequence[int], noun: str | None = None) -> str:
    """A number that may differ by row: `60`, or `40 to 60`. noun: what of, `1 event`, `40 to 60 events`."""
    least, most = min(values), max(values)
    said = f"{most}" if least == most else f"{least} to {most}"
    return said if noun is None else f"{said} {noun}{'' if said == '1' else 's'}"
