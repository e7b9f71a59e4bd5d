"""The paper's figures, drawn from rows of the result tables. Each function takes frames and gives a matplotlib Figure.

The bytes of a saved figure depend on the rows alone: `STYLE` fixes fonts, ids and metadata.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

COLORS = {
    "good": "#0072B2",
    "poor": "#D55E00",
    "tumor": "#CC79A7",
    "stroma": "#009E73",
}  # Okabe and Ito, colour-blind safe
YEAR = 365.25
STYLE = {
    "svg.hashsalt": "tshdb", "svg.fonttype": "none", "font.family": "DejaVu Sans", "font.size": 10,
    "axes.spines.top": False, "axes.spines.right": False, "figure.constrained_layout.use": True,
}  # fmt: skip


def at_risk(points: pd.DataFrame, days: Sequence[float]) -> list[int]:
    """Patients at risk on these days: those whose duration is at least that. points: one curve's rows of km_points."""
    curve = points.sort_values("time_days")
    later = np.searchsorted(curve["time_days"].to_numpy(float), np.asarray(days, float), side="left")
    counts = [*curve["n_at_risk"].astype(int), 0]
    return [counts[i] for i in later]


def kaplan_meier(points: pd.DataFrame, test: pd.Series | None, title: str) -> Figure:
    """Curves of good and poor with 95 % intervals, ticks where patients are censored, and the numbers at risk.

    points: rows of km_points of one cohort and grouping. test: their row of logrank_tests.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 5.0))
    axes, below = figure.subplots(2, 1, height_ratios=(5, 1), sharex=True)
    last = int(np.ceil(points["time_days"].max() / YEAR))
    years = list(range(0, last + 1, 2 if last > 5 else 1))
    names = [p for p in ("good", "poor") if (points["prognosis"] == p).any()]
    for i, name in enumerate(names):
        curve = points[points["prognosis"] == name].sort_values("time_days")
        x, y = curve["time_days"].to_numpy(float) / YEAR, curve["survival"].to_numpy(float)
        low, high = curve["ci_lower"].astype(float).fillna(1.0), curve["ci_upper"].astype(float).fillna(1.0)
        n, events = int(curve["n_at_risk"].max()), int(curve["n_events"].sum())
        axes.step(x, y, where="post", color=COLORS[name], lw=1.8, label=f"{name} prognosis (n = {n}, {events} events)")
        axes.fill_between(x, low, high, step="post", color=COLORS[name], alpha=0.15, lw=0)
        censored = curve["n_censored"].to_numpy() > 0
        axes.plot(x[censored], y[censored], "|", color=COLORS[name], ms=5, mew=0.9)
        for year, count in zip(years, at_risk(curve, [t * YEAR for t in years]), strict=True):
            below.text(year, -i, f"{count}", ha="center", va="center", color=COLORS[name])
    axes.set(ylim=(0, 1.02), xlim=(-0.02 * last, last * 1.02), ylabel="survival", xticks=years)
    axes.legend(loc="lower left", frameon=False)
    axes.set_title(title, fontsize=10, loc="left")
    if test is not None:
        p = test["p_value"]
        axes.text(0.98, 0.98, f"log-rank p = {p:.2g}" if p == p and p is not None else str(test["reason"]),
                  transform=axes.transAxes, ha="right", va="top")  # fmt: skip
    below.set(ylim=(-len(names) + 0.4, 0.6), yticks=[-i for i in range(len(names))], yticklabels=names, xlabel="years")
    below.set_title("at risk", fontsize=9, loc="left")
    below.tick_params(length=0)
    below.tick_params(axis="y", pad=12)
    for side in ("left", "bottom"):
        below.spines[side].set_visible(False)
    return figure


def roc(points: pd.DataFrame, auc: pd.Series | None, title: str) -> Figure:
    """Sensitivity over 1 - specificity by the scores of patients that no model had seen."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.6, 4.6))
    axes = figure.subplots()
    curve = points.sort_values("position")
    axes.plot([0, 1], [0, 1], color="0.7", lw=1, ls=":")
    axes.step(1 - curve["specificity"].astype(float), curve["sensitivity"].astype(float), where="post",
              color=COLORS["good"], lw=1.8)  # fmt: skip
    if auc is not None:
        axes.text(0.97, 0.05, f"AUC {auc['value']:.3f}\n95 % CI {auc['ci_lower']:.3f} to {auc['ci_upper']:.3f}\n"
                              f"n = {int(auc['n'])}", ha="right", transform=axes.transAxes)  # fmt: skip
    axes.set(xlabel="1 - specificity", ylabel="sensitivity", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    axes.set_title(title, fontsize=10, loc="left")
    return figure


def compartments(values: pd.DataFrame, tests: pd.DataFrame, title: str) -> Figure:
    """Abundance of every population in tumour and stroma, one panel a group; stars by the adjusted p of the paired test.

    values: population, prognosis, tumor_abundance, stroma_abundance. tests: rows of wilcoxon_tests of one cohort.
    """
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    populations = list(dict.fromkeys(tests["population"]))
    adjusted = {(t.grouping, t.population): t.p_adjusted for t in tests.itertuples()}
    figure = Figure(figsize=(10, 7.2))
    for axes, group in zip(figure.subplots(2, 1, sharex=True, sharey=True), ("good", "poor"), strict=True):
        mine = values[values["prognosis"] == group]
        for shift, side in ((-0.19, "tumor"), (0.19, "stroma")):
            data = [
                mine.loc[mine["population"] == p, f"{side}_abundance"].dropna().to_numpy(float) for p in populations
            ]
            boxes = axes.boxplot(data, positions=np.arange(len(populations)) + shift, widths=0.32, patch_artist=True,
                                 flierprops={"ms": 2.5, "mew": 0.6}, medianprops={"color": "black"})  # fmt: skip
            for box in boxes["boxes"]:
                box.set(facecolor=COLORS[side], alpha=0.75)
        top = axes.get_ylim()[1]
        for i, population in enumerate(populations):
            axes.text(i, top, _stars(adjusted.get((group, population))), ha="center", va="bottom")
        axes.set_title(f"{group} prognosis (n = {mine['patient_id'].nunique()})", fontsize=10, loc="left", pad=14)
        axes.set_ylabel("abundance (mean log2)")
        axes.set_xticks(np.arange(len(populations)), populations, rotation=25, ha="right")
    keys = [Patch(facecolor=COLORS[s], alpha=0.75, label=n) for s, n in (("tumor", "tumour"), ("stroma", "stroma"))]
    figure.legend(handles=keys, loc="outside upper right", frameon=False, ncols=2)
    figure.suptitle(f"{title}; Wilcoxon signed-rank, BH: * < .05, ** < .01, *** < .001", fontsize=10, x=0.01, ha="left")
    return figure


def _stars(p: float | None) -> str:
    return "" if p is None or p != p else "*" * sum(p < limit for limit in (0.05, 0.01, 0.001))


def networks(edges: pd.DataFrame, populations: Sequence[str], counts: dict[str, int], title: str) -> Figure:
    """Populations on a circle, joined where their abundances correlate: good and poor, in the tumour and in the stroma."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 6.6))
    angle = np.linspace(0.5 * np.pi, -1.5 * np.pi, len(populations), endpoint=False)
    place = {p: (np.cos(a), np.sin(a)) for p, a in zip(populations, angle, strict=True)}
    panels = figure.subplots(2, 2)
    for row, (compartment, said) in zip(panels, (("tumor", "tumour"), ("stroma", "stroma")), strict=True):
        for axes, group in zip(row, ("good", "poor"), strict=True):
            mine = edges[(edges["compartment"] == compartment) & (edges["prognosis"] == group)]
            for edge in mine.itertuples():
                (x1, y1), (x2, y2) = place[edge.population], place[edge.other_population]
                axes.plot(
                    [x1, x2], [y1, y2], color=COLORS[group], lw=6 * (abs(edge.correlation) - 0.4), alpha=0.8, zorder=1
                )
            linked = {*mine["population"], *mine["other_population"]}
            for population, (x, y) in place.items():
                axes.scatter([x], [y], s=90, zorder=2, color=COLORS[group] if population in linked else "0.8")
                axes.text(1.12 * x, 1.12 * y, population, fontsize=8, va="center",
                          ha="center" if abs(x) < 0.1 else "left" if x > 0 else "right")  # fmt: skip
            axes.set(xlim=(-2.2, 2.2), ylim=(-1.25, 1.3), aspect="equal")
            axes.set_title(f"{said}, {group} prognosis (n = {counts.get(group, 0)}): {len(mine)} edges", fontsize=10)
            axes.axis("off")
    figure.suptitle(title, fontsize=10, x=0.01, ha="left")
    return figure
