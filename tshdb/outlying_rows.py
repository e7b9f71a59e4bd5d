"""Rows of a table of numbers that lie orders of magnitude from the others in most columns: a lost decimal point, another unit.

    of a row: |log10 |x| - median over rows of log10 |x|| >= 2, and beyond 5 times the column's own spread (its median absolute
    deviation), in more than half of the columns in which the row is known and not 0

One number alone is not looked at: a single feature may be what it is. Both directions count.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

ORDERS = 2.0  # of magnitude
SPREADS = 5.0
SHARE = 0.5
FEWEST_ROWS, FEWEST_COLUMNS = 5, 4


class OutlyingRow(NamedTuple):
    """row: its place; n, of: columns in which it is off, and in which it is known; orders: the median of how far, in powers of
    ten; column: the place of the one that is farthest."""

    row: int
    n: int
    of: int
    orders: float
    column: int


def outlying_rows(values: np.ndarray) -> list[OutlyingRow]:
    """values: (rows, columns), NaN where there is none."""
    if values.shape[0] < FEWEST_ROWS or values.shape[1] < FEWEST_COLUMNS:
        return []
    with np.errstate(all="ignore"):
        sizes = np.log10(np.abs(values))
    sizes[~np.isfinite(sizes)] = np.nan
    known = ~np.isnan(sizes)
    usable = known.sum(axis=0) >= FEWEST_ROWS
    if usable.sum() < FEWEST_COLUMNS:
        return []
    sizes, known, places = sizes[:, usable], known[:, usable], np.flatnonzero(usable)
    off = sizes - np.nanmedian(sizes, axis=0)
    spread = np.nanmedian(np.abs(off), axis=0)
    is_off = known & (np.abs(off) >= ORDERS) & (np.abs(off) >= SPREADS * spread)
    rows = []
    for i in np.flatnonzero(is_off.sum(axis=1) > SHARE * np.maximum(known.sum(axis=1), FEWEST_COLUMNS)):
        distances = np.where(is_off[i], np.abs(off[i]), 0.0)
        orders = float(np.median(off[i][is_off[i]]))
        rows.append(
            OutlyingRow(int(i), int(is_off[i].sum()), int(known[i].sum()), orders, int(places[np.argmax(distances)]))
        )
    return rows


def said(row: OutlyingRow) -> str:
    """What is said of such a row."""
    way = "above" if row.orders > 0 else "below"
    return (
        f"{row.n} of {row.of} values lie orders of magnitude {way} the other rows' (about 1e{abs(row.orders):.0f} times): "
        "lost decimal points, or another unit?"
    )
