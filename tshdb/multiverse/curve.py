"""A specification curve: all combinations in order of the estimate, what each choice moves, and what chance would do.

Estimates of scale `log` (hazard ratios) are compared as logarithms and said as ratios; p values and others as differences. A
combination counts as often as the file names it, also where several give one result.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any, NamedTuple

from tshdb.multiverse.asked import Asked
from tshdb.multiverse.kept import Result
from tshdb.multiverse.measures import Measure

ALPHA = 0.05


class Point(NamedTuple):
    """One combination. labels: the option of each choice; direction: 1 above the null, -1 below it, 0 at it, None without one."""

    labels: tuple[str, ...]
    result: Result
    direction: int | None
    is_significant: bool | None


class OptionMoves(NamedTuple):
    """Over the combinations with this option. median: of the estimates, None without any."""

    label: str
    n: int
    n_with_estimate: int
    n_significant: int
    median: float | None


@dataclass(frozen=True)
class ChoiceMoves:
    """What a choice moves, over combinations that are otherwise equal.

    typical, largest: the median and the largest spread from the lowest to the highest estimate; ratios on a log scale, else
        differences.
    n_sets: sets of otherwise equal combinations; n_moved: those whose results are not all the same.
    is_read: whether anything on the way to the result reads its settings.
    """

    name: str
    options: tuple[OptionMoves, ...]
    typical: float | None
    largest: float | None
    n_sets: int
    n_moved: int
    is_read: bool

    @property
    def words(self) -> str | None:
        """What must be said of a choice that does nothing; None of one that does something."""
        if not self.is_read:
            return "does nothing: nothing on the way to this result reads it"
        if self.n_sets and not self.n_moved:
            return "does nothing: the result is the same whatever is chosen"
        return None


class Inference(NamedTuple):
    """Against outcomes that are exchanged between patients. p_*: (1 + exchanges that reach it) / (1 + exchanges).

    median, n_significant: as observed; n: exchanges; n_combinations: with an estimate, which are those that are compared.
    p_significant: None where the estimate has no p value.
    """

    median: float
    n_significant: int
    n: int
    n_combinations: int
    p_median: float
    p_significant: float | None


@dataclass(frozen=True)
class Curve:
    """points: in order of the estimate; those without one come last. notes: what must be said beside it."""

    asked: Asked
    points: tuple[Point, ...]
    choices: tuple[ChoiceMoves, ...]
    inference: Inference | None
    notes: tuple[str, ...]
    n_computed: int = 0

    @property
    def measure(self) -> Measure:
        return self.asked.followed.measure

    @property
    def counts(self) -> dict[str, int]:
        """How many combinations there are, have an estimate, point which way, and are significant."""
        count = {
            "combinations": len(self.points),
            "made_differently": len({p.result.made_of for p in self.points}),
            "different_results": len({_said(p.result) for p in self.points}),
            "with_estimate": sum(p.result.estimate is not None for p in self.points),
            "significant": sum(bool(p.is_significant) for p in self.points),
            "optimistic": sum(bool(p.result.is_optimistic) for p in self.points),
        }
        if self.measure.null is not None:
            for word, sign in (("above", 1), ("below", -1)):
                of_sign = [p for p in self.points if p.direction == sign]
                count |= {word: len(of_sign), f"significant_{word}": sum(bool(p.is_significant) for p in of_sign)}
        return count

    @property
    def facts(self) -> dict[str, Any]:
        """Plain values, as `tshdb multiverse --json` prints them."""
        followed = self.asked.followed
        return {
            "multiverse": self.asked.name,
            "estimate": {"table": followed.table, "row": followed.row, **followed.measure._asdict()},
            "counts": self.counts,
            "combinations": [
                {
                    "choices": dict(zip((c.name for c in self.asked.choices), p.labels, strict=True)),
                    **{k: v for k, v in p.result._asdict().items() if k not in ("permuted", "data")},
                    "direction": p.direction,
                    "is_significant": p.is_significant,
                }
                for p in self.points
            ],
            "choices": [
                {
                    "choice": c.name, "typical": c.typical, "largest": c.largest, "n_sets": c.n_sets, "n_moved": c.n_moved,
                    "is_read": c.is_read, "says": c.words, "options": [o._asdict() for o in c.options],
                }
                for c in self.choices
            ],
            "inference": None if self.inference is None else self.inference._asdict(),
            "notes": list(self.notes),
            "computed": self.n_computed,
        }  # fmt: skip


def curve(asked: Asked, done: Iterable[tuple[tuple[str, ...], Result]], notes: Sequence[str] = (), n: int = 0) -> Curve:
    """The curve of all combinations. done: (labels, result) of each; n: exchanges of outcomes that count, 0 for none."""
    measure = asked.followed.measure
    points = [Point(labels, r, direction(r.estimate, measure), is_significant(r, measure)) for labels, r in done]
    points.sort(key=lambda p: (p.result.estimate is None, p.result.estimate or 0.0, p.labels))
    choices = tuple(_moves(asked, points, place) for place in range(len(asked.choices)))
    found = Curve(asked, tuple(points), choices, None, tuple(notes))
    if not n:
        return found
    inference, why = infer([p.result for p in points], measure, n)
    return replace(found, inference=inference, notes=(*notes, *([why] if why else [])))


def direction(estimate: float | None, measure: Measure) -> int | None:
    """Which side of no effect an estimate is on."""
    if estimate is None or measure.null is None:
        return None
    return (estimate > measure.null) - (estimate < measure.null)


def is_significant(result: Result, measure: Measure) -> bool | None:
    """By the p value; without one by whether the interval leaves out what means no effect. None where neither is known."""
    if measure.p is not None:
        return None if result.p is None else result.p < ALPHA
    if measure.null is None or result.lower is None or result.upper is None:
        return None
    return not result.lower <= measure.null <= result.upper


def _said(result: Result) -> tuple[Any, ...]:
    """What is said of a combination, whatever it is made of."""
    return result.estimate, result.lower, result.upper, result.p, result.n, result.n_events, result.reason


# --------------------------------------------------------------------------------------------------- what moves what


def _moves(asked: Asked, points: Sequence[Point], place: int) -> ChoiceMoves:
    choice, measure = asked.choices[place], asked.followed.measure
    options = []
    for option in choice.options:
        with_it = [p for p in points if p.labels[place] == option.label]
        known = [p.result.estimate for p in with_it if p.result.estimate is not None]
        n_significant = sum(bool(p.is_significant) for p in with_it)
        options.append(OptionMoves(option.label, len(with_it), len(known), n_significant, middle(known, measure)))
    equal: dict[tuple[str, ...], list[Result]] = defaultdict(list)
    for point in points:
        equal[point.labels[:place] + point.labels[place + 1 :]].append(point.result)
    sets = [results for results in equal.values() if len(results) > 1]
    spreads = [spread for results in sets if (spread := _spread(results, measure)) is not None]
    return ChoiceMoves(
        choice.name,
        tuple(options),
        median(spreads) if spreads else None,
        max(spreads, default=None),
        len(sets),
        sum(len({_said(r) for r in results}) > 1 for results in sets),
        any(len({r.made_of for r in results}) > 1 for results in sets) or not sets,
    )


def middle(estimates: Sequence[float], measure: Measure) -> float | None:
    """The median of estimates, on their scale."""
    if not estimates:
        return None
    if measure.scale == "log" and min(estimates) > 0:
        return math.exp(median(map(math.log, estimates)))
    return median(estimates)


def _spread(results: Sequence[Result], measure: Measure) -> float | None:
    """From the lowest to the highest estimate: a ratio on a log scale, else a difference."""
    known = [r.estimate for r in results if r.estimate is not None]
    if len(known) < 2:
        return None
    if measure.scale == "log" and min(known) > 0:
        return max(known) / min(known)
    return max(known) - min(known)


# -------------------------------------------------------------------------------------------------------- inference


def infer(results: Sequence[Result], measure: Measure, n: int) -> tuple[Inference | None, str | None]:
    """How often exchanged outcomes give a median as extreme, and as many significant combinations in one direction.

    Gives the inference, or why there is none.
    """
    compared = [r for r in results if r.estimate is not None]
    if not compared:
        return None, "no permutation of outcomes: no combination has an estimate"
    for result in compared:
        if result.permuted is None or result.permuted.refused:
            why = result.permuted.refused if result.permuted else "it was not done"
            return None, f"no permutation of outcomes ({', '.join(result.settings) or 'as in study.toml'}): {why}"
    observed = _statistics([(r.estimate, r.p) for r in compared], measure)
    reached = [0, 0]
    for i in range(n):
        null = _statistics(
            [(r.permuted.estimates[i], r.permuted.p_values[i]) for r in compared if r.permuted is not None], measure
        )
        reached[0] += null[0] >= observed[0] - 1e-12 * abs(observed[0])
        reached[1] += null[1] >= observed[1]
    found = middle([r.estimate for r in compared if r.estimate is not None], measure)
    assert found is not None
    p_median, p_significant = ((1 + times) / (1 + n) for times in reached)
    has_p = measure.p is not None
    return Inference(found, observed[1], n, len(compared), p_median, p_significant if has_p else None), None


def _statistics(estimates: Sequence[tuple[float | None, float | None]], measure: Measure) -> tuple[float, int]:
    """How far the median is from no effect, and how many are significant in the direction of most of those.

    A combination without an estimate counts as one without an effect.
    """
    far = [_far(value, measure) for value, _ in estimates]
    signs = [direction(value, measure) for value, p in estimates if p is not None and p < ALPHA]
    if measure.scale == "p":
        return median(far), len(signs)
    return abs(median(far)), max(signs.count(1), signs.count(-1))


def _far(value: float | None, measure: Measure) -> float:
    """A signed distance from no effect; of a p value its logarithm's size."""
    if measure.scale == "p":
        return 0.0 if value is None else -math.log(max(value, 1e-300))
    null = measure.null if measure.null is not None else 0.0
    if value is None:
        return 0.0
    if measure.scale == "log":
        return math.log(value) - math.log(null) if value > 0 else 0.0
    return value - null
