"""The picture of a refused geometry: the grids to scale in three planes, the largest difference enlarged, and the reason.

All planes are of one scale, in mm; lines are slices, dots the middles of voxels. The axes are those of the images: along their
rows, their columns and their normal.
"""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np

from tshdb.figures.examination_drawings import letter_of
from tshdb.figures.palette import DARK, EDGE, GRIDS, LETTER, MARK, QUIET, TEXT, WARNING
from tshdb.images.refusals import HOLDS, Outline, Refusal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW, COLUMN, NORMAL = 0, 1, 2
PLANES = ((ROW, COLUMN, "in the plane of the slices"), (ROW, NORMAL, "across the slices, along rows"),
          (COLUMN, NORMAL, "across the slices, along columns"))  # fmt: skip
MOST_DOTS = 3000  # of one grid in the enlarged view; more are no dots any more
WIDE, THIN = 2.6, 0.9  # of lines: what is held against lies under the other one, and is seen beside it
PANEL_PT = 205.0  # the height of a panel
MOST_NUMBERS = 4  # grids whose numbers stand beside
SEEN = 0.2  # of the difference, from which a plane shows it


def picture(refusal: Refusal, heading: str) -> Figure:
    """Three planes, the enlarged difference, and the two grids in numbers."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13.2, 9.0), facecolor=DARK)
    axes = figure.subplots(2, 3, gridspec_kw={"hspace": 0.24, "wspace": 0.16, "top": 0.775, "bottom": 0.05, "left": 0.04,
                                             "right": 0.98})  # fmt: skip
    origin = refusal.outlines[0].slices[0, 0]
    low, high = _extent(refusal, origin)
    for axis, (across, up, title) in zip(axes[0], PLANES, strict=True):
        middle, half = (low + high) / 2, 0.58 * max((high - low).max(), 1.0)
        _plane(axis, refusal, origin, across, up, 2 * half)
        _frame(axis, refusal, across, up, title)
        axis.set_xlim(middle[across] - half, middle[across] + half)
        limits = (middle[up] - half, middle[up] + half)
        axis.set_ylim(limits if up == NORMAL else limits[::-1])
    _enlarged(axes[1, 0], refusal, origin)
    for axis in axes[1, 1:]:
        axis.set_axis_off()
    _numbers(axes[1, 1], refusal)
    _words(figure, refusal, heading)
    return figure


def _in_plane(refusal: Refusal, origin: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(..., 3) mm along rows, columns and normal of the images, from the first voxel."""
    return (places - origin) @ refusal.axes.T


def _extent(refusal: Refusal, origin: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    marked = [] if refusal.mark is None else [np.array([refusal.mark.start, refusal.mark.end])]
    drawn = [o.slices.reshape(-1, 3) for o in refusal.outlines]
    places = _in_plane(refusal, origin, np.concatenate(drawn + marked))
    return places.min(axis=0), places.max(axis=0)


def _plane(axis: Axes, refusal: Refusal, origin: np.ndarray, across: int, up: int, span: float) -> None:
    """Slices as lines, and the mark."""
    for outline in refusal.outlines:
        _lines(axis, outline, refusal, origin, across, up, span)
    if refusal.mark is not None:
        ends = _in_plane(refusal, origin, np.array([refusal.mark.start, refusal.mark.end]))[:, [across, up]]
        if np.linalg.norm(ends[1] - ends[0]) >= SEEN * refusal.mark.mm:
            axis.plot(*ends.T, color=MARK.color, linewidth=1.4)
            axis.plot(*ends.mean(axis=0), marker="o", markersize=13, markerfacecolor="none", markeredgecolor=MARK.color)


def _lines(
    axis: Axes, outline: Outline, refusal: Refusal, origin: np.ndarray, across: int, up: int, span: float
) -> None:
    """The slices of a grid; of those that lie in the plane that is drawn, the first and the last. span: mm of the panel."""
    from matplotlib.collections import LineCollection

    line = GRIDS[outline.meaning]
    rings = _in_plane(refusal, origin, outline.slices)[:, [0, 1, 2, 3, 0]][:, :, [across, up]]
    ends = rings if up == NORMAL else rings[[0, -1]]
    apart = PANEL_PT * _step(outline, NORMAL) / span if up == NORMAL else PANEL_PT
    width, alpha = (min(WIDE, 0.5 * apart), 0.55) if outline.meaning == HOLDS else (min(THIN, 0.25 * apart), 1.0)
    axis.add_collection(
        LineCollection(list(ends), colors=line.color, linestyles=line.style, linewidths=width, alpha=alpha)
    )


def _frame(axis: Axes, refusal: Refusal, across: int, up: int, title: str) -> None:
    axis.set_facecolor(DARK)
    axis.set_aspect("equal", adjustable="box")
    axis.set_title(f"{title}, mm", color=TEXT, fontsize=10)
    axis.tick_params(colors=QUIET, labelsize=8)
    axis.locator_params(nbins=6)
    for side in axis.spines.values():
        side.set_color(EDGE)
    top = refusal.axes[up] if up == NORMAL else -refusal.axes[up]
    for x, y, direction in ((0.03, 0.5, -refusal.axes[across]), (0.97, 0.5, refusal.axes[across]), (0.5, 0.965, top),
                            (0.5, 0.035, -top)):  # fmt: skip
        axis.text(x, y, letter_of(direction), color=LETTER, fontsize=11, ha="center", va="center",
                  transform=axis.transAxes)  # fmt: skip


def _enlarged(axis: Axes, refusal: Refusal, origin: np.ndarray) -> None:
    """The mark, with the slices and voxels around it, in the plane in which it is longest."""
    if refusal.mark is None:
        axis.set_axis_off()
        return
    ends = _in_plane(refusal, origin, np.array([refusal.mark.start, refusal.mark.end]))
    length = np.abs(ends[1] - ends[0])
    across, up, _ = max(PLANES, key=lambda plane: length[plane[0]] ** 2 + length[plane[1]] ** 2)
    middle, half = ends.mean(axis=0), max(0.8 * length.max(), 1.6 * _step(refusal.outlines[0], up))
    for outline in refusal.outlines:
        _lines(axis, outline, refusal, origin, across, up, 2 * half)
        dots = _dots(outline, refusal, origin, (across, up), middle, half)
        axis.plot(*dots.T, marker=".", linestyle="none", markersize=5, color=GRIDS[outline.meaning].color)
    arrow = {"arrowstyle": "<->", "color": MARK.color, "linewidth": 1.6, "shrinkA": 0, "shrinkB": 0}
    axis.annotate("", ends[1][[across, up]], ends[0][[across, up]], arrowprops=arrow)
    box = {"facecolor": DARK, "edgecolor": "none", "alpha": 0.85}
    axis.annotate(f"{refusal.mark.mm:.2f} mm", ends.mean(axis=0)[[across, up]], xytext=(10, 10), bbox=box,
                  textcoords="offset points", color=MARK.color, fontsize=12, weight="bold")  # fmt: skip
    _frame(axis, refusal, across, up, "the largest difference, enlarged")
    axis.set_xlim(middle[across] - half, middle[across] + half)
    limits = (middle[up] - half, middle[up] + half)
    axis.set_ylim(limits if up == NORMAL else limits[::-1])


def _dots(
    outline: Outline, refusal: Refusal, origin: np.ndarray, plane: tuple[int, int], middle: np.ndarray, half: float
) -> np.ndarray:
    """(n, 2) the voxels' middles around a place, of the layer through it that lies nearest; none if these are too many."""
    (depth,) = {ROW, COLUMN, NORMAL} - set(plane)
    rings = _in_plane(refusal, origin, outline.slices)
    rows, columns = (max(n - 1, 1) for n in outline.shape)
    down, right = (rings[0, 3] - rings[0, 0]) / rows, (rings[0, 1] - rings[0, 0]) / columns
    found = []
    for ring in rings:
        offset = middle - ring[0]
        at = [float(offset @ v / max(v @ v, 1e-12)) for v in (down, right)]
        reach = [int(np.ceil(1.5 * half / max(float(np.linalg.norm(v)), 1e-6))) for v in (down, right)]
        index = [
            np.arange(max(0, round(a) - r), min(n - 1, round(a) + r) + 1)
            for a, r, n in zip(at, reach, outline.shape, strict=True)
        ]
        if index[0].size * index[1].size > 50 * MOST_DOTS:
            return np.zeros((0, 2))
        i, j = np.meshgrid(*index, indexing="ij")
        found.append(ring[0] + i.reshape(-1, 1) * down + j.reshape(-1, 1) * right)
    places = np.concatenate(found)
    places = places[(np.abs(places[:, list(plane)] - middle[list(plane)]) <= half).all(axis=1)]
    if len(places):
        layer = places[np.abs(places[:, depth] - middle[depth]).argmin(), depth]
        places = places[np.abs(places[:, depth] - layer) <= 0.5 * _step(outline, depth)]
    return places[:, list(plane)] if len(places) <= MOST_DOTS else np.zeros((0, 2))


def _step(outline: Outline, along: int) -> float:
    """mm from voxel to voxel, roughly along an axis of the images."""
    rows, columns = outline.shape
    if along == NORMAL:
        apart = np.linalg.norm(np.diff(outline.slices[:, 0], axis=0), axis=1)
        return float(np.median(apart)) if len(apart) else 1.0
    first, last, n = (0, 1, columns) if along == ROW else (0, 3, rows)
    return float(np.linalg.norm(outline.slices[0, last] - outline.slices[0, first])) / max(n - 1, 1)


def _numbers(axis: Axes, refusal: Refusal) -> None:
    """The grids in numbers, each under its name and in its colour; of all but the first what differs from it."""
    y, step = 0.98, 0.08
    first = refusal.outlines[0].facts()
    for k, outline in enumerate(refusal.outlines[:MOST_NUMBERS]):
        line = GRIDS[outline.meaning]
        axis.plot([0.0, 0.07], [y, y], color=line.color, linestyle=line.style, linewidth=2, transform=axis.transAxes,
                  clip_on=False)  # fmt: skip
        axis.text(0.1, y, f"{outline.name} ({line.name})", color=line.color, fontsize=10, va="center",
                  transform=axis.transAxes)  # fmt: skip
        y -= step
        facts = outline.facts()
        for label, value in facts if k == 0 else [fact for fact in facts if fact not in first]:
            axis.text(0.1, y, label, color=QUIET, fontsize=9, va="center", transform=axis.transAxes)
            axis.text(0.8, y, value, color=TEXT if k == 0 else WARNING, fontsize=9, va="center",
                      transform=axis.transAxes)  # fmt: skip
            y -= 0.75 * step
        y -= 0.25 * step
    if len(refusal.outlines) > MOST_NUMBERS:
        more = f"and {len(refusal.outlines) - MOST_NUMBERS} more"
        axis.text(0.1, y, more, color=QUIET, fontsize=9, va="center", transform=axis.transAxes)


def _words(figure: Figure, refusal: Refusal, heading: str) -> None:
    figure.text(0.02, 0.955, heading, color="#ffffff", fontsize=14, weight="bold")
    y = 0.925
    lines = [(refusal.title, TEXT, 11), (f"Refused: {refusal.said}", WARNING, 10.5)]
    if refusal.measured not in refusal.said:
        lines.append((f"By the positions as they are now: {refusal.measured}", WARNING, 10))
    if refusal.mark is not None:
        lines.append((f"Marked: {refusal.mark.text}", MARK.color, 10))
    if refusal.repair:
        lines.append((f"To do: {refusal.repair}", QUIET, 10))
    for text, color, size in lines:
        for part in wrap(text, 160, max_lines=3, placeholder=" ..."):
            figure.text(0.02, y, part, color=color, fontsize=size)
            y -= 0.025
