"""Texts of a drawing that has become narrower: they wrap where they would leave the figure or meet each other."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

EDGE = 2.0  # points that stay free at the edge of a figure
ROUNDS = 3  # layout and wrapping by turns: what wraps moves what stands beside it


def settle(figure: Figure) -> None:
    """Wrap titles, labels, legends and notes to the room that they have; turn labels of an axis that meet each other."""
    for _ in range(ROUNDS):
        figure.draw_without_rendering()
        moved = [_wrap(text, most) for text, most in _lines_of(figure)]
        moved += [_turn(axes) for axes in figure.axes]
        if not any(moved):
            return


def _lines_of(figure: Figure) -> Iterator[tuple[Any, float]]:
    """Texts with the pixels that each may be long."""
    whole, edge = figure.bbox.width, EDGE * figure.dpi / 72
    for holder in (figure, *figure.subfigs):
        for name in ("_suptitle", "_supxlabel"):
            if (text := getattr(holder, name, None)) is not None:
                yield text, holder.bbox.width - 2 * edge
        for legend in holder.legends:
            for text in legend.get_texts():
                yield text, whole / max(getattr(legend, "_ncols", 1), 1) - 60
    for axes in figure.axes:
        box = axes.get_window_extent()
        right = min((o.get_window_extent().x0 for o in figure.axes if o.get_window_extent().x0 > box.x1), default=whole)
        room = max(right - box.x0 - edge, box.width)
        for text in (axes.title, axes._left_title, axes._right_title):
            yield text, room
        yield axes.xaxis.label, max(2 * min(box.x0 + box.width / 2, whole - box.x0 - box.width / 2) - edge, box.width)
        yield axes.yaxis.label, box.height
        if (legend := axes.get_legend()) is not None:
            for text in legend.get_texts():
                yield text, 0.72 * box.width
        for text in axes.texts:
            if text.get_visible() and text.get_rotation() == 0:
                yield text, _until_edge(text, whole, edge)


def _until_edge(text: Any, whole: float, edge: float) -> float:
    """How long a text within a panel may be, so that it stays in the figure."""
    box = text.get_window_extent()
    side = text.get_horizontalalignment()
    if side == "left":
        return whole - edge - box.x0
    if side == "right":
        return box.x1 - edge
    middle = (box.x0 + box.x1) / 2
    return 2 * (min(middle, whole - middle) - edge)


def _wrap(text: Any, most: float) -> bool:
    """Wrap a text that is longer than so many pixels. Gives whether it was."""
    said = text.get_text()
    if not said or not text.get_visible():
        return False
    box = text.get_window_extent()
    is_upright = text.get_rotation() % 180 == 90
    length = box.height if is_upright else box.width
    if length <= most or most <= 0:
        return False
    longest = max(map(len, said.split("\n")))
    n = max(int(longest * most / length), 6)
    wrapped = "\n".join(
        part for line in said.split("\n") for part in textwrap.wrap(line, n, break_long_words=False) or [""]
    )
    text.set_text(wrapped)
    return wrapped != said


def _turn(axes: Any) -> bool:
    """Turn the labels below a panel that meet each other, first aslant, then upright. Gives whether something was done."""
    labels = [t for t in axes.get_xticklabels() if t.get_visible() and t.get_text()]
    if len(labels) < 2 or axes.name == "polar":
        return False
    turned = labels[0].get_rotation()
    if turned >= 90:
        return False
    places = sorted(axes.transData.transform((x, 0))[0] for x in axes.get_xticks() if _is_shown(axes, x))
    step = min((b - a for a, b in zip(places, places[1:], strict=False)), default=float("inf"))
    tall = max(t.get_fontsize() for t in labels) * axes.figure.dpi / 72
    wide = max(t.get_window_extent().width for t in labels)
    if (turned == 0 and wide < step) or (0 < turned < 90 and 2.2 * tall < step):
        return False
    if turned == 0 and all(len(t.get_text()) <= 6 for t in labels):  # numbers: fewer of them
        axes.locator_params(axis="x", nbins=max(int(axes.bbox.width / (1.6 * wide)), 2)) if _is_numeric(axes) else None
        return False
    axes.tick_params(axis="x", labelrotation=90)
    for label in labels:
        label.set_horizontalalignment("center")
    return True


def _is_shown(axes: Any, x: float) -> bool:
    low, high = sorted(axes.get_xlim())
    return low <= x <= high


def _is_numeric(axes: Any) -> bool:
    from matplotlib.ticker import MaxNLocator

    return isinstance(axes.xaxis.get_major_locator(), MaxNLocator)
