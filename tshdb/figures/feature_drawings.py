"""Radiomic features by group, with a patient of each group beside them (the paper's Figure 7 a, b and S2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tshdb.figures.drawings import COLORS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GROUPS = ("good", "poor")
SHOWN = (  # the six of the paper's signature
    "tumor.shape.Flatness", "tumor.shape.Sphericity", "tumor.S0.glrlm.LongRunHighGrayLevelEmphasis",
    "tumor.SI.glcm.Idmn", "stroma.SI.glcm.Idmn", "stroma.SI.glszm.GrayLevelNonUniformity",
)  # fmt: skip
EXAMPLE = "tumor.SI.glcm.Idmn"


def by_group(
    values: pd.DataFrame, examples: dict[str, tuple[str, np.ndarray, np.ndarray, float]], title: str
) -> Figure:
    """One panel a feature, and SI through the tumour of one patient a group.

    values: patient_id, prognosis, feature, value; examples: group -> (patient, SI of a slice, tumour in it, height of a pixel
    in widths).
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.5, 7.2))
    grid = figure.add_gridspec(2, 4, width_ratios=(1, 1, 1, 1.25))
    for i, feature in enumerate(SHOWN):
        axes = figure.add_subplot(grid[i // 3, i % 3])
        _panel(axes, values[values["feature"] == feature], feature)
    for row, group in enumerate(GROUPS):
        axes = figure.add_subplot(grid[row, 3])
        axes.set_xticks([])
        axes.set_yticks([])
        if group in examples:
            patient, plane, tumor, aspect = examples[group]
            axes.imshow(plane, cmap="gray", vmin=0, vmax=float(np.percentile(plane, 99.8)) or 1.0, aspect=aspect)
            axes.contour(tumor.astype(float), levels=[0.5], colors=COLORS[group], linewidths=1.2)
            axes.set_title(f"{patient}\n{group} prognosis, SI", fontsize=8.5, color=COLORS[group])
        else:
            axes.set_title(f"no patient of {group} prognosis", fontsize=8.5)
    figure.suptitle(title, fontsize=11)
    return figure


def _panel(axes: Axes, values: pd.DataFrame, feature: str) -> None:
    """The groups of one feature: boxes, every patient a point, a Mann-Whitney p."""
    from scipy import stats

    of = {g: np.sort(values.loc[values["prognosis"] == g, "value"].dropna().to_numpy(float)) for g in GROUPS}
    for i, (group, x) in enumerate(of.items()):
        if not len(x):
            continue
        axes.boxplot([x], positions=[i], widths=0.5, showfliers=False, medianprops={"color": COLORS[group]},
                     boxprops={"color": COLORS[group]}, whiskerprops={"color": COLORS[group]},
                     capprops={"color": COLORS[group]})  # fmt: skip
        beside = i + 0.18 * np.sin(np.arange(len(x)) * 2.4)  # spread by a fixed pattern
        axes.plot(beside, x, "o", ms=2.6, color=COLORS[group], alpha=0.6, mew=0)
    axes.set_xticks(range(len(GROUPS)), [f"{g}\nn = {len(of[g])}" for g in GROUPS], fontsize=8)
    axes.tick_params(axis="y", labelsize=7.5)
    p = stats.mannwhitneyu(of["good"], of["poor"]).pvalue if min(map(len, of.values())) >= 3 else None
    p_line = "" if p is None else f"\np = {p:.2g}"
    region, *_, name = feature.split(".")
    kind = ".".join(feature.split(".")[1:-1])
    axes.set_title(f"{region} {kind}\n{_wrapped(name)}{p_line}", fontsize=8)


def _wrapped(name: str) -> str:
    """A long name on two lines, broken before a capital letter near its middle."""
    if len(name) < 22:
        return name
    breaks = [i for i, c in enumerate(name) if c.isupper() and i]
    at = min(breaks, key=lambda i: abs(i - len(name) / 2))
    return f"{name[:at]}\n{name[at:]}"
