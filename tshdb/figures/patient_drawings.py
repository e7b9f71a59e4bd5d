"""Small pictures of one examination for a patient's page: phases in one window, three planes with masks, each as a PNG.

Planes are turned as radiologists look at them, whatever the scanner's order was: axial from the feet, the patient's left on
the right; coronal from the front; sagittal with the front on the left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tshdb.figures import saved
from tshdb.figures.examination_drawings import letter_of, outline, time_of
from tshdb.figures.palette import DARK, LETTER, TEXT, Line

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tshdb.figures.examinations import DrawnExamination
    from tshdb.figures.region_drawings import Regions

LEFT, BACK, HEAD = np.eye(3)
PLANES = {  # by the axis that the plane's normal runs along: name, what points down, what points to the right
    0: ("sagittal", -HEAD, BACK),
    1: ("coronal", -HEAD, LEFT),
    2: ("axial", BACK, LEFT),
}
WIDE_INCHES, DPI = 3.6, 100
NARROWEST = 0.3  # of a picture's width: a thin stack is not drawn flatter
SCALE_MM = 20.0


class Stack(NamedTuple):
    """Values and masks on one grid. axes: unit vectors of slices, rows, columns (left, back, head); spacing_mm likewise."""

    values: np.ndarray
    masks: Mapping[str, np.ndarray]
    lines: Mapping[str, Line]
    axes: Sequence[np.ndarray]
    spacing_mm: Sequence[float]

    def middle(self) -> tuple[int, ...]:
        """Where the first mask that has voxels is largest along each axis; else the middle."""
        mask = next((mask for mask in self.masks.values() if mask.any()), None)
        if mask is None:
            return tuple(n // 2 for n in self.values.shape)
        return tuple(int(mask.sum(axis=tuple(a for a in range(3) if a != axis)).argmax()) for axis in range(3))


class Picture(NamedTuple):
    """One picture: a PNG, what it shows, and in full sentences what it shows to who cannot see it."""

    png: bytes
    caption: str
    alt: str


def planes(stack: Stack, what: str) -> list[Picture]:
    """The axial, coronal and sagittal plane through the tumour, masks outlined. what: whose values they are."""
    at, top = stack.middle(), float(np.percentile(stack.values, 99.8)) or 1.0
    found = {}
    for across in range(3):
        name, down, right = PLANES[int(np.abs(stack.axes[across]).argmax())]
        named = ", ".join(
            stack.lines[key].name for key, mask in stack.masks.items() if mask.take(at[across], axis=across).any()
        )
        alt = f"{what}, {name} plane; {f'outlined: {named}' if named else 'no mask lies in it'}"
        png = saved(lambda a=across, d=down, r=right: _plane(stack, a, at[a], d, r, 0.0, top), "png", dpi=DPI)
        found[name] = Picture(png, f"{name.capitalize()}", alt)
    return [found[name] for name in ("axial", "coronal", "sagittal") if name in found]


def phases(examination: DrawnExamination) -> list[Picture]:
    """The slice with most of the tumour before contrast, at the intermediate phase and at the last, in one window."""
    e = examination
    assert e.grid is not None
    body, at = e.volumes[e.intermediate], e.shown_slice()
    low, high = np.percentile(body[body > 0], [1, 99.7]) if (body > 0).any() else (0, 1)
    _, down, right = PLANES[int(np.abs(np.array(e.grid.normal)).argmax())]
    found = []
    for phase, name in {0: "before contrast", e.intermediate: "intermediate", len(e.volumes) - 1: "last"}.items():
        stack = Stack(e.volumes[phase], {}, {}, [np.array(axis) for axis in e.grid.axes], e.grid.spacing_mm)
        png = saved(lambda s=stack: _plane(s, 0, at, down, right, low, high), "png", dpi=DPI)
        caption = f"{name.capitalize()}{time_of(e, phase)}"
        found.append(Picture(png, caption, f"Phase {phase}, {name}, slice {at + 1} of {len(body)}"))
    return found


def of_examination(examination: DrawnExamination) -> Stack:
    """What rises with contrast, on the scanner's voxels, with the masks that fit."""
    e = examination
    assert e.grid is not None
    ordered = sorted(e.masks, key=lambda mask: not mask.is_outline)
    masks = {mask.name: mask.inside for mask in ordered}
    return Stack(
        e.rise, masks, {m.name: m.line for m in ordered}, [np.array(a) for a in e.grid.axes], e.grid.spacing_mm
    )


def of_regions(regions: Regions) -> Stack:
    """What rises with contrast, on the prepared voxels, with tumour, stroma and breast as features see them."""
    direction = np.array(regions.like.GetDirection()).reshape(3, 3)
    order = sorted(
        regions.masks, key=lambda name: ("tumor", "lesion", "stroma", "breast").index(name.partition(" ")[0])
    )
    axes = [direction[:, 2 - axis] for axis in range(3)]
    masks = {name: regions.masks[name] for name in order}
    return Stack(regions.maps()["SI"], masks, regions.lines, axes, regions.like.GetSpacing()[::-1])


def curve(examination: DrawnExamination) -> tuple[Line, list[tuple[float, float]], str]:
    """(what is followed, points, unit of x): its mean in percent of phase 0, over minutes; over phases where no clock rises."""
    line, inside = examination.followed()
    means = [float(volume[inside].mean(dtype=np.float64)) for volume in examination.volumes]
    seconds = examination.phases["t_seconds"].astype(float)
    has_times = bool(seconds.notna().all())
    x = seconds / 60 if has_times else examination.phases["phase_index"].astype(float)
    y = [100 * (mean - means[0]) / means[0] if means[0] else 0.0 for mean in means]
    return line, list(zip(map(float, x), y, strict=True)), "minutes" if has_times else "phase"


def _plane(stack: Stack, across: int, at: int, down: np.ndarray, right: np.ndarray, low: float, high: float) -> Figure:
    from matplotlib.figure import Figure

    rows, columns = (axis for axis in range(3) if axis != across)
    if abs(stack.axes[rows] @ down) < abs(stack.axes[columns] @ down):
        rows, columns = columns, rows

    def turned(volume: np.ndarray) -> np.ndarray:
        moved = np.transpose(volume, (across, rows, columns))
        moved = moved[:, ::-1] if stack.axes[rows] @ down < 0 else moved
        return moved[:, :, ::-1] if stack.axes[columns] @ right < 0 else moved

    values = turned(stack.values)[at]
    aspect = stack.spacing_mm[rows] / stack.spacing_mm[columns]
    height = WIDE_INCHES * max(values.shape[0] * aspect / values.shape[1], NARROWEST)
    figure = Figure(figsize=(WIDE_INCHES, min(height, 1.6 * WIDE_INCHES)), facecolor=DARK)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.imshow(values, cmap="gray", vmin=low, vmax=high or 1.0, aspect=aspect, interpolation="nearest")
    axes.axis("off")
    for name, mask in reversed(stack.masks.items()):
        if mask.take(at, axis=across).any():
            outline(axes, stack.lines[name], turned(mask), 0, at)
    for x, y, toward in ((0.03, 0.5, -right), (0.97, 0.5, right), (0.5, 0.04, down), (0.5, 0.96, -down)):
        axes.text(
            x, y, letter_of(toward), color=LETTER, fontsize=11, ha="center", va="center", transform=axes.transAxes
        )
    length = SCALE_MM / stack.spacing_mm[columns]
    if length < 0.7 * values.shape[1]:
        foot, end = values.shape[0] * 0.95, values.shape[1] * 0.95
        axes.plot([end - length, end], [foot, foot], color=TEXT, linewidth=2)
        axes.text(end - length / 2, foot, "2 cm", color=TEXT, fontsize=8, ha="center", va="bottom")
    return figure
