"""The picture of one examination: phases in one window, the subtraction with masks on it, its projection, the time curve."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tshdb.figures.examinations import DrawnExamination

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLORS = ("#ffb000", "#4cc9f0", "#f72585", "#7ae582")
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
    figure = Figure(figsize=(13.2, 9.0), facecolor="#101418")
    axes = figure.subplots(2, 3, gridspec_kw={"hspace": 0.16, "wspace": 0.06, "top": 0.86, "bottom": 0.07,
                                             "left": 0.02, "right": 0.98})  # fmt: skip
    at, last = e.shown_slice(), len(e.volumes) - 1
    body = e.volumes[e.intermediate]
    low, high = np.percentile(body[body > 0], [1, 99.7]) if (body > 0).any() else (0, 1)
    for axis, phase, name in zip(
        axes[0], (0, e.intermediate, last), ("before contrast (S0)", "intermediate", "last"), strict=True
    ):
        _image(axis, e, e.volumes[phase][at], low, high, f"phase {phase}, {name}{_time(e, phase)}")
    rise = e.rise
    top = float(np.percentile(rise, 99.8)) or 1.0
    _image(axes[1, 0], e, rise[at], 0, top, f"intermediate - S0, slice {at + 1} of {len(rise)}")
    for mask, color in zip(e.masks, COLORS, strict=False):
        if mask.inside[at].any():
            axes[1, 0].contour(mask.inside[at].astype(float), levels=[0.5], colors=color, linewidths=1.1)
    _legend(axes[1, 0], e)
    _image(axes[1, 1], e, rise.max(axis=0), 0, top, "intermediate - S0, brightest along the normal")
    _curve(axes[1, 2], e)
    _heading(figure, e)
    return figure


def _time(e: DrawnExamination, phase: int) -> str:
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
    axis.set_title(title, color="#e6edf3", fontsize=10)
    axis.set_xticks([])
    axis.set_yticks([])
    row, column = np.array(grid.row), np.array(grid.column)
    for x, y, direction in ((0.02, 0.5, -row), (0.98, 0.5, row), (0.5, 0.97, -column), (0.5, 0.03, column)):
        axis.text(
            x, y, letter_of(direction), color="#8fd3ff", fontsize=11, ha="center", va="center", transform=axis.transAxes
        )
    width = values.shape[1]
    length = SCALE_MM / grid.spacing_mm[2]
    at = values.shape[0] * 0.95
    axis.plot([width * 0.95 - length, width * 0.95], [at, at], color="#e6edf3", linewidth=2)
    axis.text(
        width * 0.95 - length / 2,
        at - values.shape[0] * 0.015,
        "2 cm",
        color="#e6edf3",
        fontsize=8,
        ha="center",
        va="bottom",
    )


def _legend(axis: Axes, e: DrawnExamination) -> None:
    for i, (mask, color) in enumerate(zip(e.masks, COLORS, strict=False)):
        volume = mask.inside.sum() * e.grid.voxel_ml
        axis.text(
            0.02, 0.07 + 0.05 * i, f"{mask.name}, {volume:.1f} ml", color=color, fontsize=9, transform=axis.transAxes
        )


def _curve(axis: Axes, e: DrawnExamination) -> None:
    """Mean of what is followed, in percent of phase 0, over time."""
    name, inside = e.followed()
    means = [float(v[inside].mean(dtype=np.float64)) for v in e.volumes]
    seconds = e.phases["t_seconds"].astype(float)
    has_times = seconds.notna().all()
    x = seconds / 60 if has_times else e.phases["phase_index"].astype(float)
    y = [100 * (m - means[0]) / means[0] if means[0] else 0.0 for m in means]
    axis.plot(x, y, color="#ffb000", marker="o", linewidth=1.8)
    axis.set_facecolor("#101418")
    axis.set_title(f"rise in percent of S0: {name}", color="#e6edf3", fontsize=10)
    axis.set_xlabel("minutes" if has_times else "phase (no clock rises)", color="#e6edf3", fontsize=9)
    axis.tick_params(colors="#9aa7b4", labelsize=8)
    axis.axhline(0, color="#3a4652", linewidth=0.8)
    for side in axis.spines.values():
        side.set_color("#3a4652")
    axis.margins(y=0.15)


def _heading(figure: Figure, e: DrawnExamination) -> None:
    f = e.facts
    first = f"{f['patient_id']}   {f['time_point']}   {f['study_date'] or 'no date'}   {f['collection']}"
    figure.text(0.02, 0.955, first, color="#ffffff", fontsize=14, weight="bold")
    second = f"{int(f['n_phases'])} phases of {int(f['n_slices'])} slices, told apart by {f['key_used']}"
    flags = e.phases["qc_flags"].iloc[0]
    figure.text(0.02, 0.927, second, color="#9aa7b4", fontsize=10)
    remarks = [f"look at: {flags}"] if flags else []
    remarks += e.notes
    if isinstance(f["verdict"], str):
        remarks.append(
            f"{f['verdict']}{' (' + f['cause'] + ')' if isinstance(f['cause'], str) else ''}, {f['read_by']}"
        )
    if remarks:
        figure.text(0.02, 0.903, "   |   ".join(remarks)[:170], color="#ff9e6d", fontsize=10)
