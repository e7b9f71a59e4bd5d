"""How long a rebuild will take, as a range: from what units took in this study, in others of the user, or as shipped.

The nearest counts, unless it measured something so unlike that its range tells nothing.

What is certainly due makes the low end; what is possibly due counts in the high end alone. Both ends lie outside of what was
measured, since machines are busy at times; the farther, the less it has to do with this study. No estimate reads a clock.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection

from tshdb.engine.costs.elsewhere import Elsewhere, known, shipped
from tshdb.engine.costs.own import Own, cohort_of, measured
from tshdb.engine.costs.took import Sizes, Took, sizes_of
from tshdb.engine.plan import AnalysisPlan

ALIKE = 0.1  # measurements so much farther from what is due than the nearest count as near
SETTLING_S = 0.2  # what an analysis takes at most besides its units, seconds: looks, transactions
WORKERS_S = 8.0  # what it takes at most until worker processes have started and imported, seconds
MORE_UNITS = 3.0  # so many times as many units as were measured: what was fixed there does not come again for each

BROAD = 50.0  # a range whose high end is more times its low end is taken only where none is narrower


class Range(NamedTuple):
    """Seconds."""

    low: float
    high: float

    def __add__(self, other: Range) -> Range:  # type: ignore[override] # a sum of durations, no longer tuple
        return Range(self.low + other.low, self.high + other.high)


class Slack(NamedTuple):
    """How many times less or more than was measured it may take."""

    less: float
    more: float


IN_STUDY, OF_USER, AS_SHIPPED = Slack(1.5, 2.0), Slack(2.0, 3.0), Slack(4.0, 4.0)
Measurements = tuple[Mapping[str, Sequence[Took]], Slack]  # analysis -> measurements, and how far from them it may be


@dataclass(frozen=True)
class Estimate:
    """by_analysis: seconds, None where it is not known at all; total: with the start; n_unknown: units that it leaves out."""

    by_analysis: Mapping[str, Range | None]
    total: Range
    n_unknown: int

    @property
    def facts(self) -> dict[str, float] | None:
        """The total as plain values; None where there is nothing to estimate."""
        return self.total._asdict() if any(self.by_analysis.values()) else None

    def of(self, analysis: str) -> dict[str, float] | None:
        """What an analysis takes, as plain values; None where it is not known, or nothing of it is due."""
        estimated = self.by_analysis.get(analysis)
        return estimated._asdict() if estimated else None


def foretold(
    connection: Connection, plans: Sequence[AnalysisPlan], parameters: Mapping[str, Any], n_workers: int = 1
) -> Estimate:
    """The seconds of a rebuild of these plans, from all that is known here."""
    return estimate(plans, parameters, measured(connection, plans), known(), shipped(), n_workers)


def estimate(
    plans: Iterable[AnalysisPlan],
    parameters: Mapping[str, Any],
    own: Own,
    of_user: Elsewhere,
    of_program: Elsewhere,
    n_workers: int = 1,
) -> Estimate:
    """The seconds of a rebuild of these plans. parameters: analysis -> its parameters as they are now."""
    sources: list[Measurements] = [(own.took, IN_STUDY), (of_user.took, OF_USER), (of_program.took, AS_SHIPPED)]
    by_analysis: dict[str, Range | None] = {}
    total, n_unknown, is_computing = _start(of_user.start, of_program.start), 0, False
    for plan in plans:
        if not plan.due:
            continue
        is_computing = True
        name = plan.analysis.name
        given = parameters[name].model_dump(mode="json")
        seconds = _of_analysis(plan, given, own, sources, n_workers)
        by_analysis[name] = seconds
        if seconds is None:
            n_unknown += len(plan.due)
        else:
            total += seconds
    if n_workers > 1 and is_computing:
        total += Range(0.0, WORKERS_S)
    return Estimate(by_analysis, total, n_unknown)


def _start(of_user: Sequence[float], of_program: Sequence[float]) -> Range:
    """From the start of the program to its end, without what the analyses take."""
    seconds, slack = (of_user, IN_STUDY) if of_user else (of_program, OF_USER)
    return Range(min(seconds) / slack.less, max(seconds) * slack.more) if seconds else Range(0.0, 0.0)


def _of_analysis(
    plan: AnalysisPlan, given: Mapping[str, Any], own: Own, sources: Sequence[Measurements], n_workers: int
) -> Range | None:
    """What is due of one analysis; None where nothing like it was ever measured."""
    analysis = plan.analysis
    batch = 1 if analysis.over_cohort else analysis.batch
    at_once = _at_once(n_workers, len(plan.due), batch)
    total = Range(0.0, SETTLING_S)
    for keys in ([key] for key in plan.due) if analysis.over_cohort else [list(plan.due)]:
        n_inputs = _n_inputs(plan, keys[0]) if analysis.over_cohort else None
        sizes = sizes_of(given, analysis.key_field, n_inputs)
        over_it = own.of_cohort.get((analysis.name, cohort_of(keys[0])), ()) if analysis.over_cohort else ()
        nearest_first = [(over_it, IN_STUDY), *((took.get(analysis.name, ()), slack) for took, slack in sources)]
        candidates = [u for took, slack in nearest_first if (u := _unit(took, slack, sizes, len(keys), batch))]
        if not candidates:
            return None
        unit = next((u for u in candidates if _width(u) <= BROAD), min(candidates, key=_width))
        n_certain = sum(not plan.due[key].is_possible for key in keys)
        total += Range(unit.low * n_certain / at_once, unit.high * len(keys) / _help(at_once))
    return total


def _at_once(n_workers: int, n_units: float, batch: int) -> int:
    return min(n_workers, math.ceil(n_units / batch))


def _help(at_once: int) -> float:
    """How many times as quick so many workers are at least, what they share being the limit; at most as many as they are."""
    return (at_once + 1) / 2


def _width(seconds: Range) -> float:
    """How many times the low end the high end is."""
    return seconds.high / seconds.low if seconds.low > 0 else math.inf


def _n_inputs(plan: AnalysisPlan, key: str) -> int:
    return sum(len(by_key.get(key, ())) for by_key in plan.inputs.values())


def _unit(took: Sequence[Took], slack: Slack, sizes: Sizes, n_units: int, batch: int) -> Range | None:
    """What one of so many units takes with one worker, by the measurements that are most like it; None without any."""
    distances = [t.sizes.distance(sizes) for t in took]
    if min(distances, default=math.inf) == math.inf:
        return None
    near = [t for t, distance in zip(took, distances, strict=True) if distance <= min(distances) + ALIKE]
    lows, highs = [], []
    for t in near:
        least, most = t.sizes.dearer(sizes)
        elapsed, at_once = t.seconds / t.n_units, _at_once(t.n_workers, t.n_units, batch)
        computing = t.computing if n_units > MORE_UNITS * t.n_units else None
        lows.append((min(computing, elapsed) if computing is not None else elapsed * _help(at_once)) * least)
        highs.append(elapsed * at_once * most)
    return Range(min(lows) / slack.less, max(highs) * slack.more)
