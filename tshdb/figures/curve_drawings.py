"""A specification curve: estimates in order with their intervals, and below them which options gave each.

Simonsohn, Simmons and Nelson 2020, doi:10.1038/s41562-020-0912-z, Fig. 2.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from tshdb.figures import Drawing, Print, drawn_in_style, joined
from tshdb.figures.drawings import COLORS
from tshdb.figures.room import new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tshdb.multiverse.curve import Curve, Point

QUIET = "0.6"
MOST_DOTS = 400  # combinations that have room for a mark each
LONGEST = 34  # letters of an option beside the dashboard
CLEAR = 20.0  # an interval is cut where it goes farther from the estimates than so many times their range


def drawing(curve: Curve, form: str = "svg", how: Print = Print()) -> Drawing:  # noqa: B008 - it cannot be changed
    """The picture of a curve, in the house's style: the same combinations give the same bytes."""
    words = (
        "Above: estimates in order, with 95 % intervals; blue and orange are significant at .05, grey is not. "
        "Below: the options of each."
    )
    said = [words]
    data = drawn_in_style(lambda: figure(curve), form, how, said)
    return Drawing(f"Specification curve of {curve.asked.name}", joined(said), form, data)


def figure(curve: Curve) -> Figure:
    """Estimates above, options below. Combinations without an estimate are counted in the title alone."""
    shown = [p for p in curve.points if p.result.estimate is not None]
    rows = [(choice.name, option.label) for choice in curve.asked.choices for option in choice.options]
    gaps = len(curve.asked.choices)
    below = 0.2 * (len(rows) + 1.4 * gaps)
    made, _, _ = new_figure(9.0, 3.4 + below)
    top, dashboard = made.subplots(2, 1, height_ratios=(3.0, max(below, 0.6)), sharex=True)
    _estimates(top, curve, shown)
    _options(dashboard, curve, shown)
    top.set_title("\n".join(_title(curve, len(shown))), fontsize=10, loc="left")
    return made


def _title(curve: Curve, n_shown: int) -> list[str]:
    followed, counts = curve.asked.followed, curve.counts
    row = ", ".join(f"{column} {value}" for column, value in followed.row.items())
    lines = [
        f"{followed.table}.{followed.measure.column}: {row}" if row else f"{followed.table}.{followed.measure.column}"
    ]
    said = f"{counts['combinations']:,} combinations, {counts['significant']:,} significant"
    if without := counts["combinations"] - n_shown:
        said += f", {without:,} without an estimate"
    lines.append(said)
    if found := curve.inference:
        lines.append(
            f"outcomes exchanged {found.n:,} times: of the median p = {found.p_median:.3g}"
            + (f", of the number significant p = {found.p_significant:.3g}" if found.p_significant is not None else "")
        )
    return lines


def _color(point: Point) -> str:
    if not point.is_significant:
        return QUIET
    return COLORS["poor"] if point.direction == 1 else COLORS["good"]


def _estimates(axes, curve: Curve, shown: list[Point]) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter

    measure = curve.measure
    is_log = measure.scale in ("log", "p") and all((p.result.estimate or 0) > 0 for p in shown)
    if is_log:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.yaxis.set_minor_formatter(NullFormatter())
    values = [p.result.estimate for p in shown if p.result.estimate is not None]
    low, high = _limits(values, measure.null, is_log)
    for x, point in enumerate(shown):
        result = point.result
        if result.lower is not None and result.upper is not None:
            axes.plot(
                [x, x],
                [max(result.lower, low), min(result.upper, high)],
                color=_color(point),
                lw=0.8,
                alpha=0.55,
                zorder=1,
            )
        axes.plot(
            [x],
            [result.estimate],
            "o",
            color=_color(point),
            ms=3.2 if len(shown) <= MOST_DOTS else 1.4,
            mew=0,
            zorder=2,
        )
    line = measure.null if measure.scale != "p" else 0.05
    if line is not None:
        axes.axhline(line, color="0.3", lw=0.8, ls=":", zorder=0)
    axes.set_ylabel(measure.column.replace("_", " "))
    axes.tick_params(axis="x", length=0, labelbottom=False)


def _limits(values: list[float], null: float | None, is_log: bool) -> tuple[float, float]:
    """Where intervals are cut: those of a model that hardly has an estimate would leave no room for the others."""
    marks = [*values, *([null] if null is not None else [])]
    if not marks:
        return -math.inf, math.inf
    if is_log:
        room = CLEAR * max(max(marks) / min(marks), 1.1)
        return min(marks) / room, max(marks) * room
    room = CLEAR * max(max(marks) - min(marks), 1e-12)
    return min(marks) - room, max(marks) + room


def _options(axes, curve: Curve, shown: list[Point]) -> None:
    y, ticks, labels = 0.0, [], []
    for place, choice in enumerate(curve.asked.choices):
        axes.text(
            -0.008,
            y,
            choice.name,
            ha="right",
            va="center",
            fontsize=8,
            weight="bold",
            transform=axes.get_yaxis_transform(),
        )
        y -= 1
        for option in choice.options:
            at = [x for x, p in enumerate(shown) if p.labels[place] == option.label]
            colors = [_color(shown[x]) for x in at]
            axes.scatter(
                at, np.full(len(at), y), marker="|", s=26 if len(shown) <= MOST_DOTS else 14, c=colors or None, lw=1.3
            )
            ticks.append(y)
            text = option.label.strip('"')
            labels.append(text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…")
            y -= 1
        y -= 0.4
    axes.set_yticks(ticks, labels, fontsize=8)
    axes.tick_params(axis="both", length=0)
    axes.set(ylim=(y + 0.6, 0.8), xlim=(-0.8, max(len(shown), 1) - 0.2), xticks=[])
    axes.set_xlabel(f"{len(shown):,} combinations in order of the estimate")
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
