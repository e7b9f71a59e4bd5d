"""The signature's figures: how its search went, what else would have done as well, and how well its score is calibrated."""

from __future__ import annotations

import itertools
import json
import textwrap
from typing import TYPE_CHECKING

import numpy as np

from tshdb.figures.drawings import COLORS, LINE, OVER, heading
from tshdb.figures.fitting import shortened
from tshdb.figures.room import letters, new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

BESIDE = 0.22  # rows, by which the draws of a rung lie above its mean


def search(generations: pd.DataFrame, nested: pd.Series | None, title: str) -> Figure:
    """Fitness by generation, the size of the best subset below, and the nested AUC as the line that counts.

    generations: rows of search_generations of one cohort; nested: the row of model_performance with the nested AUC,
    or why it has none.
    """
    from pandas import isna

    figure, _, _ = new_figure(6.8, 5.0)
    axes, below = figure.subplots(2, 1, height_ratios=(4, 1), sharex=True)
    rows = generations.sort_values("generation")
    x = rows["generation"].to_numpy(int)
    axes.plot(
        x,
        rows["best_fitness"].astype(float),
        color=COLORS["poor"],
        lw=1.8,
        label="best subset, on the search's own folds",
    )
    axes.plot(
        x, rows["mean_fitness"].astype(float), color=COLORS["poor"], lw=1, ls="--", label="mean of the population"
    )
    if nested is not None and isna(nested["value"]):
        axes.plot([], [], lw=0, label="patients not seen: none of them has a score")
    elif nested is not None:
        if nested[["ci_lower", "ci_upper"]].notna().all():
            low, high = float(nested["ci_lower"]), float(nested["ci_upper"])
            axes.axhspan(low, high, color=COLORS["good"], alpha=0.12, lw=0)
        axes.axhline(
            float(nested["value"]), color=COLORS["good"], lw=1.8, label=f"patients not seen: {nested['value']:.3f}"
        )
    axes.axhline(0.5, color="0.7", lw=1, ls=":")
    axes.set(ylabel="AUC", ylim=(min(0.4, axes.get_ylim()[0]), 1.02))
    axes.legend(loc="lower right", fontsize=8.5, **OVER)
    axes.set_title(heading(title, 70), fontsize=10, loc="left")
    below.step(x, rows["n_best"].astype(int), where="post", color="0.3")
    below.set(xlabel="generation", ylabel="features", ylim=(0, None))
    return figure


def ladder(rungs: pd.DataFrame, title: str, finding: str) -> Figure:
    """The AUC of every rung, and beside it how far the signature is above, with intervals; a rung without has its reason.

    rungs: rows of ladder_rungs of one cohort, the signature's first; finding: the verdict in words.
    """
    from pandas import notna

    above = "\n".join([heading(title, 100), *textwrap.wrap(finding, letters(110))])
    height = 0.42 * len(rungs) + 2.0 + LINE * max(above.count("\n") - 1, 0)
    figure, down, across = new_figure(9.0, height, 1, 2)
    left, right = figure.subplots(down, across, sharey=True)
    shown = (
        (left, 0.5, "auc", "ci_lower", "ci_upper", "AUC"),
        (right, 0.0, "difference", "difference_lower", "difference_upper", "AUC of the signature less the rung's"),
    )
    names = []
    for at, (_, row) in enumerate(rungs.iterrows()):
        names.append(f"{row['rung']} (n = {int(row['n'])})" if row["n"] else row["rung"])
        color = COLORS["good"] if at == 0 else "0.25"
        draws = json.loads(row["draws"])
        left.plot(draws, [at - BESIDE] * len(draws), "o", color=COLORS["poor"], ms=3, alpha=0.5, mew=0)
        for axes, _, value, lower, upper, _ in shown:
            if notna(row[value]):
                axes.plot(float(row[value]), at, "o", color=color, ms=5)
            if notna(row[lower]):
                axes.plot([float(row[lower]), float(row[upper])], [at, at], color=color, lw=1.6)
        if not notna(row["auc"]):
            said = "\n".join(textwrap.wrap(str(row["reason"]), letters(62, 0.55), max_lines=2, placeholder=" …"))
            box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
            left.text(
                0.02, at, said, fontsize=7.5, va="center", transform=left.get_yaxis_transform(), bbox=box, zorder=3
            )
    for axes, chance, value, *_, label in shown:
        axes.axvline(chance, color="0.6", lw=1, ls=":")
        axes.set_xlabel(label)
        if not rungs[value].notna().any():
            axes.set_xlim(chance - 0.5, chance + 0.5)
    left.set_yticks(range(len(rungs)), [shortened(name, letters(30, 0.5), 2) for name in names])
    left.set_ylim(len(rungs) - 0.5, -0.5)
    if rungs["auc"].notna().any():
        draws = "; small dots: single draws" if rungs["n_draws"].notna().any() else ""
        figure.supxlabel(f"bars: 95 % intervals (DeLong; on the right, paired){draws}", fontsize=8, x=0.99, ha="right")
    figure.suptitle(above, fontsize=10, x=0.01, ha="left")
    return figure


def calibration(groups: pd.DataFrame, title: str) -> Figure:
    """Survival seen over survival foretold, one line an endpoint; on the dotted line they agree."""
    figure, _, _ = new_figure(5.2, 5.0)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="0.7", lw=1, ls=":")
    endpoints = list(groups.groupby("endpoint", sort=True))
    looks = [(mark, color) for mark in "osD" for color in (COLORS["good"], COLORS["poor"], COLORS["stroma"])]
    for (mark, color), (endpoint, of_endpoint) in zip(itertools.cycle(looks), endpoints, strict=False):
        rows = of_endpoint.dropna(subset=["foretold", "seen"]).sort_values("foretold")
        seen = rows["seen"].to_numpy(float)  # without an interval there is no bar
        bars = [seen - rows["ci_lower"].to_numpy(float), rows["ci_upper"].to_numpy(float) - seen]
        axes.errorbar(rows["foretold"].astype(float), seen, yerr=np.maximum(bars, 0), fmt=f"{mark}-", color=color, capsize=3,
                      label=f"{shortened(endpoint, letters(46, 0.5), 1)} (n = {int(of_endpoint['n'].sum())})")  # fmt: skip
    days = float(groups["at_days"].iloc[0])
    axes.set(xlabel="survival foretold", ylabel="survival seen", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    axes.set_title(heading(f"{title}, at {days / 365.25:.3g} years", 58), fontsize=10, loc="left")
    axes.legend(loc="upper left", **OVER)
    return figure
