"""Radiomic features by group, with a patient of each group beside them (the paper's Figure 7 a, b and S2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tshdb.figures.drawings import COLORS, heading
from tshdb.figures.room import new_figure
from tshdb.tables.numbers import p_short

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
    values: pd.DataFrame,
    tests: pd.DataFrame,
    examples: dict[str, tuple[np.ndarray, np.ndarray, float]],
    title: str,
) -> Figure:
    """One panel a feature, and SI through the tumour of one patient a group.

    values    patient_id, prognosis, feature, value
    tests     rows of feature_tests between the same groups, one a feature at most: only these have a p
    examples  group -> (SI of a slice, tumour in it, height of a pixel in widths) of a patient, who is not named: figures are
              passed on
    """
    figure, down, across = new_figure(10.5, 7.2, 2, 4, least=1.6)
    grid = figure.add_gridspec(down, across, width_ratios=(1, 1, 1, 1.25) if across == 4 else None)
    places = [grid[i // 4, i % 4] for i in (0, 1, 2, 4, 5, 6, 3, 7)] if across == 4 else list(grid)
    for i, feature in enumerate(SHOWN):
        axes = figure.add_subplot(places[i])
        _panel(axes, values[values["feature"] == feature], tests[tests["feature"] == feature], feature)
    for row, group in enumerate(GROUPS):
        axes = figure.add_subplot(places[len(SHOWN) + row])
        axes.set_xticks([])
        axes.set_yticks([])
        if group in examples:
            plane, tumor, aspect = examples[group]
            axes.imshow(plane, cmap="gray", vmin=0, vmax=float(np.percentile(plane, 99.8)) or 1.0, aspect=aspect)
            axes.contour(tumor.astype(float), levels=[0.5], colors=COLORS[group], linewidths=1.2)
            axes.set_title(f"the patient in the middle\n{group} prognosis, SI", fontsize=8.5, color=COLORS[group])
        else:
            axes.set_title(f"no patient of {group} prognosis", fontsize=8.5)
    figure.suptitle(heading(title, 100), fontsize=11)
    return figure


def _panel(axes: Axes, values: pd.DataFrame, tests: pd.DataFrame, feature: str) -> None:
    """The groups of one feature: boxes, every patient a point; p where a test of them stands behind it."""
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
    p = p_short(tests["p_adjusted"].iloc[0]) if len(tests) else None
    p_line = "" if p is None else f"\np {p}{', circular' if tests['is_circular'].iloc[0] else ''}"
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
