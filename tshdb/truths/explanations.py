"""What would make a truth agree that does not: each explanation is tried, and told only if the figure is good with it.

wrong sign        the derived values run the other way
wrong unit        they are multiplied by one of FACTORS, or one side is a logarithm of the other
exchanged         each patient has the value of a neighbour: by pairs, moved by one, or in the opposite order
other side        left and right are exchanged (of columns and words that have the other)
two by two        of the relation `same` alone: two patients whose values fit each other, and not themselves
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from tshdb.truths.declared import Side, Truth
from tshdb.truths.verdicts import Pairs, State, figure_of, state_of

FACTORS = {
    1000.0: "mm3 for ml, or g for kg?", 100.0: "percent for a share, or mm2 for cm2?", 10.0: "mm for cm?",
    2.0: "the diameter for the radius?", 12.0: "months for years?", 30.4375: "days for months?", 365.25: "days for years?",
}  # fmt: skip
LOGARITHMS = {"log2": np.log2, "ln": np.log, "log10": np.log10}
OUTLYING, FITTING = 6.0, 2.5  # robust standard deviations of a pair's difference
SHARE = 2 / 3  # of those who are that far off: more must be in pairs, else these are chance
LEAST_FOR_PAIRS = 10
OPPOSITE = (("left", "right"), ("right", "left"))
_EXACT = 1e-9  # of the spread of the values: below it two are the same


class Exchange(NamedTuple):
    """Two patients of whom each has the derived value that the other should have."""

    one: str
    other: str


def explanations(truth: Truth, pairs: Pairs, others: Mapping[str, Pairs] | None = None) -> list[str]:
    """What makes the figure good, in words, the simplest first. others: words -> pairs that were read otherwise."""
    if len(pairs.keys) < truth.least:
        return []
    tried = [*_signs(truth, pairs), *_units(truth, pairs), *(others or {}).items(), *_orders(pairs)]
    found = []
    for words, with_it in tried:
        figure = figure_of(truth, with_it)
        if state_of(truth, figure)[0] is State.AGREES and figure.value is not None:
            found.append(f"{words} ({figure.name} {figure.value:.2f} then)")
    return found


def _signs(truth: Truth, pairs: Pairs) -> Iterator[tuple[str, Pairs]]:
    if pairs.derived.dtype != object:
        yield "wrong sign: the derived values run the other way", pairs._replace(derived=-pairs.derived)
        return
    words = sorted({*pairs.derived, *pairs.measured})
    if len(words) == 2:
        turned = np.array([words[0] if word == words[1] else words[1] for word in pairs.derived], object)
        yield f"wrong sign: {words[0]} and {words[1]} are exchanged", pairs._replace(derived=turned)


def _units(truth: Truth, pairs: Pairs) -> Iterator[tuple[str, Pairs]]:
    if truth.relation != "same":
        return  # ranks and areas are the same in every unit
    x, y = pairs.derived, pairs.measured
    for factor, words in FACTORS.items():
        yield f"wrong unit: derived is {factor:,g} times as large: {words}", pairs._replace(derived=x / factor)
        yield f"wrong unit: measured is {factor:,g} times as large: {words}", pairs._replace(derived=x * factor)
    for name, log in LOGARITHMS.items():
        if (y > 0).all():
            yield f"wrong unit: derived is the {name} of measured", pairs._replace(measured=log(y))
        if (x > 0).all():
            yield f"wrong unit: measured is the {name} of derived", pairs._replace(derived=log(x))
    names = list(LOGARITHMS)
    for one in names:
        for other in names:
            if one != other:  # log2(v) * ln(2) = ln(v)
                ratio = float(LOGARITHMS[other](np.e) / LOGARITHMS[one](np.e))
                yield f"wrong unit: derived is {one}, measured {other}", pairs._replace(derived=x * ratio)


def _orders(pairs: Pairs) -> Iterator[tuple[str, Pairs]]:
    n = len(pairs.keys)
    each = np.arange(n)
    for first, words in (
        (0, "first with second, third with fourth, …"),
        (1, "second with third, fourth with fifth, …"),
    ):
        order = each.copy()
        for i in range(first, n - 1, 2):
            order[[i, i + 1]] = i + 1, i
        yield f"exchanged: {words}, in the order of their names", pairs.exchanged(order)
    yield "exchanged: each has the derived value of the next one", pairs.exchanged(np.roll(each, 1))
    yield "exchanged: each has the derived value of the one before", pairs.exchanged(np.roll(each, -1))
    yield "exchanged: the order is turned around", pairs.exchanged(each[::-1])


def exchanges(truth: Truth, pairs: Pairs) -> list[Exchange]:
    """Patients who have each other's derived value, of the relation `same`.

    The difference of a pair is that of logarithms where all values are above 0. Its spread is 1.4826 times the median absolute
    deviation; both must be more than OUTLYING of it away from the median as they are, and within FITTING when exchanged. Of all
    who are that far off more than SHARE must be in such pairs: among many outliers some fit each other by chance.
    """
    n = len(pairs.keys)
    if truth.relation != "same" or n < LEAST_FOR_PAIRS:
        return []
    x, y = pairs.derived, pairs.measured
    if (x > 0).all() and (y > 0).all():
        x, y = np.log(x), np.log(y)
    middle = float(np.median(x - y))
    off = x - y - middle
    spread = max(1.4826 * float(np.median(np.abs(off))), _EXACT * float(np.ptp(y)))
    suspects = [i for i in np.argsort(-np.abs(off)) if abs(off[i]) > OUTLYING * spread]
    found: list[Exchange] = []
    taken: set[int] = set()
    for i in suspects:
        fitting = [
            j for j in suspects
            if j != i and not {i, j} & taken and abs(x[j] - y[i] - middle) <= FITTING * spread
            and abs(x[i] - y[j] - middle) <= FITTING * spread
        ]  # fmt: skip
        if fitting:
            j = min(fitting, key=lambda j: abs(x[j] - y[i] - middle) + abs(x[i] - y[j] - middle))
            taken |= {i, j}
            found.append(Exchange(*sorted((pairs.keys[i], pairs.keys[j]))))
    return sorted(found) if 2 * len(found) > SHARE * len(suspects) else []


def opposite(side: Side, columns: Sequence[str]) -> Side | None:
    """The same of the other breast, where its column or its word names one; None where nothing does. columns: of the table."""
    for word, other in OPPOSITE:
        column = (side.column or "").replace(word, other)
        if word in (side.column or "") and column in columns:
            return side.model_copy(update={"column": column})
        for name, value in side.where.items():
            if value == word:
                return side.model_copy(update={"where": {**side.where, name: other}})
    return None
