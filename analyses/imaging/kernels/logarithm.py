"""Logarithms of base 2 by elementary operations: libraries of mathematics differ in the last digit between processors."""

from __future__ import annotations

import math

from analyses.shared.compiling import kernel

EPS = 2.0**-52  # PyRadiomics adds it to every probability before it takes the logarithm
_TO_BASE_2 = 1.4426950408889634
_ROOT_HALF = 0.7071067811865476


@kernel
def log2(x):
    """The logarithm of base 2 of a positive number, right to two units of the last place.

    x = m 2^e with m about 1; ln m = 2 artanh((m - 1) / (m + 1)), by its series.
    """
    m, e = math.frexp(x)
    if m < _ROOT_HALF:
        m *= 2.0
        e -= 1
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    series = z * (
        1 / 3 + z * (1 / 5 + z * (1 / 7 + z * (1 / 9 + z * (1 / 11 + z * (1 / 13 + z * (1 / 15 + z * (1 / 17 + z * (
            1 / 19 + z * (1 / 21)))))))))
    )  # fmt: skip
    return e + 2.0 * s * (1.0 + series) * _TO_BASE_2


@kernel
def entropy_of(shares):
    """- sum of p log2(p + EPS) of an array of shares; an empty share counts nothing."""
    total = 0.0
    for p in shares:
        if p > 0.0:
            total -= p * log2(p + EPS)
    return total
