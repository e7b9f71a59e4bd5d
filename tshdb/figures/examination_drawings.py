"""The picture of one examination: phases in one window, the subtraction with masks on it, its projection, the time curve."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import shorten
from typing import TYPE_CHECKING

import numpy as np

from tshdb.figures.examinations import DrawnExamination
from tshdb.figures.palette import DARK, EDGE, ELSEWHERE, LETTER, QUIET, TEXT, WARNING, Line

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SCALE_MM = 20.0
_LETTERS = (("L", "R"), ("P", "A"), ("H", "F"))  # toward the left, the back, the head, and away from them


def letter_of(direction) -> str:
    """Where a direction points in the patient: one letter, two for oblique ones."""
    order = np.argsort(-np.abs(direction))
    parts = [_LETTERS[i][0 if direction[i] > 0 else 1] for i in order if abs(direction[i]) > 0.35]
    return "".join(parts[:2])


def picture(examination: DrawnExamination) -> Figure:
    """The whole picture of an examination that has phases and pixels."""
    from matplotlib.figure import Figure

    e = examination
    figure = Figure(figsize=(13.2, 9.0), facecolor=DARK)
    bottom = 0.07 + legend_height(len(e.masks) + 1)
    axes = figure.subplots(2, 3, gridspec_kw={"hspace": 0.16, "wspace": 0.06, "top": 0.86, "bottom": bottom,
                                             "left": 0.02, "right": 0.98})  # fmt: skip
    at, last = e.shown_slice(), len(e.volumes) - 1
    body = e.volumes[e.intermediate]
    low, high = np.percentile(body[body > 0], [1, 99.7]) if (body > 0).any() else (0, 1)
    for axis, phase, name in zip(
        axes[0], (0, e.intermediate, last), ("before contrast (S0)", "intermediate", "last"), strict=True
    ):
        _image(axis, e, e.volumes[phase][at], low, high, f"phase {phase}, {name}{time_of(e, phase)}")
    rise = e.rise
    top = float(np.percentile(rise, 99.8)) or 1.0
    _image(axes[1, 0], e, rise[at], 0, top, f"intermediate - S0, slice {at + 1} of {len(rise)}")
    drawn = []
    for mask in e.masks:
        is_cut = outline(axes[1, 0], mask.line, mask.inside, 0, at)
        drawn.append((mask.line, f"{mask.name}, {mask.inside.sum() * e.grid.voxel_ml:.1f} ml", is_cut))
    legend(figure, drawn)
    _image(axes[1, 1], e, rise.max(axis=0), 0, top, "intermediate - S0, brightest along the normal")
    _curve(axes[1, 2], e)
    _heading(figure, e)
    return figure


def time_of(e: DrawnExamination, phase: int) -> str:
    """When a phase began, after phase 0, to be added to its name; nothing where that is not known."""
    seconds = e.phases["t_seconds"].iloc[phase]
    return "" if seconds is None or seconds != seconds else f", {int(seconds) // 60}:{int(seconds) % 60:02d} min"


def _image(axis: Axes, e: DrawnExamination, values, low: float, high: float, title: str) -> None:
    grid = e.grid
    axis.imshow(
        values,
        cmap="gray",
        vmin=low,
        vmax=high,
        aspect=grid.spacing_mm[1] / grid.spacing_mm[2],
        interpolation="nearest",
    )
    axis.set_title(title, color=TEXT, fontsize=10)
    axis.set_xticks([])
    axis.set_yticks([])
    row, column = np.array(grid.row), np.array(grid.column)
    for x, y, direction in ((0.02, 0.5, -row), (0.98, 0.5, row), (0.5, 0.97, -column), (0.5, 0.03, column)):
        axis.text(
            x, y, letter_of(direction), color=LETTER, fontsize=11, ha="center", va="center", transform=axis.transAxes
        )
    width = values.shape[1]
    length = SCALE_MM / grid.spacing_mm[2]
    at = values.shape[0] * 0.95
    axis.plot([width * 0.95 - length, width * 0.95], [at, at], color=TEXT, linewidth=2)
    axis.text(
        width * 0.95 - length / 2,
        at - values.shape[0] * 0.015,
        "2 cm",
        color=TEXT,
        fontsize=8,
        ha="center",
        va="bottom",
    )


def outline(axis: Axes, line: Line, inside: np.ndarray, across: int, at: int) -> bool:
    """Draw a mask on a plane that cuts it; where none does, dotted, as it looks from there. Gives whether the plane cuts it.

    inside: (slices, rows, columns); across: the axis along which the plane is the one of number `at`.
    """
    cut = inside.take(at, axis=across)
    is_cut = bool(cut.any())
    seen = cut if is_cut else inside.any(axis=across)
    if seen.any():
        framed = np.pad(seen.astype(float), 1)
        rows, columns = (np.arange(-1, n + 1) for n in seen.shape)
        style = line.style if is_cut else ELSEWHERE.style
        limits = axis.get_xlim(), axis.get_ylim()
        axis.contour(columns, rows, framed, levels=[0.5], colors=line.color, linestyles=[style], linewidths=1.2)
        axis.set(xlim=limits[0], ylim=limits[1])
    return is_cut


COLUMNS = 4  # of a legend


def legend_height(n: int) -> float:
    """The share of a picture that a legend of n lines takes."""
    return 0.026 * -(-n // COLUMNS)


def legend(figure: Figure, drawn: Sequence[tuple[Line, str, bool]]) -> None:
    """Below a picture, what its lines are. drawn: line, words, and whether a plane that is shown cuts it."""
    from matplotlib.lines import Line2D

    entries = [
        (Line2D([], [], color=line.color, linestyle=line.style if is_cut else ELSEWHERE.style), words)
        for line, words, is_cut in drawn
    ]
    if not all(is_cut for *_, is_cut in drawn):
        entries.append((Line2D([], [], color=ELSEWHERE.color, linestyle=ELSEWHERE.style), ELSEWHERE.name))
    if entries:
        handles, words = zip(*entries, strict=True)
        figure.legend(handles, words, loc="lower left", bbox_to_anchor=(0.01, 0.0), ncols=COLUMNS, fontsize=9, frameon=False,
                      labelcolor=TEXT)  # fmt: skip


def _curve(axis: Axes, e: DrawnExamination) -> None:
    """Mean of what is followed, in percent of phase 0, over time."""
    line, inside = e.followed()
    means = [float(v[inside].mean(dtype=np.float64)) for v in e.volumes]
    seconds = e.phases["t_seconds"].astype(float)
    has_times = seconds.notna().all()
    x = seconds / 60 if has_times else e.phases["phase_index"].astype(float)
    y = [100 * (m - means[0]) / means[0] if means[0] else 0.0 for m in means]
    axis.plot(x, y, color=line.color, marker="o", linewidth=1.8)
    axis.set_facecolor(DARK)
    axis.set_title(f"rise in percent of S0: {line.name}", color=TEXT, fontsize=10)
    axis.set_xlabel("minutes" if has_times else "phase (no clock rises)", color=TEXT, fontsize=9)
    axis.tick_params(colors=QUIET, labelsize=8)
    axis.axhline(0, color=EDGE, linewidth=0.8)
    for side in axis.spines.values():
        side.set_color(EDGE)
    axis.margins(y=0.15)


def _heading(figure: Figure, e: DrawnExamination) -> None:
    f = e.facts
    first = f"{f['patient_id']}   {f['time_point']}   {f['study_date'] or 'no date'}   {f['collection']}"
    figure.text(0.02, 0.955, first, color="#ffffff", fontsize=14, weight="bold")
    second = f"{int(f['n_phases'])} phases of {int(f['n_slices'])} slices, told apart by {f['key_used']}"
    flags = e.phases["qc_flags"].iloc[0]
    figure.text(0.02, 0.927, second, color=QUIET, fontsize=10)
    remarks = [f"look at: {flags}"] if flags else []
    remarks += e.notes
    if isinstance(f["verdict"], str):
        remarks.append(
            f"{f['verdict']}{' (' + f['cause'] + ')' if isinstance(f['cause'], str) else ''}, {f['read_by']}"
        )
    if remarks:
        figure.text(0.02, 0.903, shorten("   |   ".join(remarks), 165, placeholder=" ..."), color=WARNING, fontsize=10)
