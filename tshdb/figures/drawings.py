"""The paper's figures, drawn from rows of the result tables. Each function takes frames and gives a matplotlib Figure.

The bytes of a saved figure depend on the rows alone: `STYLE` fixes fonts, ids and metadata.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tshdb.tables.layouts import intervals_of

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


def kaplan_meier(points: pd.DataFrame, test: pd.Series | None, title: str, label: str | None = None) -> Figure:
    """Curves of good and poor with 95 % intervals, ticks where patients are censored, and the numbers at risk.

    points: rows of km_points of one cohort and grouping. test: their row of logrank_tests. label: why its p is too small.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 5.0))
    _curves(figure, points, test, "\n".join([title, *textwrap.wrap(label or "", 86)]), {})
    return figure


def kaplan_meiers(
    panels: Sequence[tuple[pd.DataFrame, pd.Series | None, str]], words: Mapping[str, str] | None = None
) -> Figure:
    """Several such panels side by side. panels: as the arguments of `kaplan_meier`; words: of good and of poor, if others."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.0 * len(panels), 5.0))
    parts = figure.subfigures(1, len(panels), squeeze=False)[0]
    for part, (points, test, title) in zip(parts, panels, strict=True):
        _curves(part, points, test, title, words or {})
    return figure


def _curves(figure, points: pd.DataFrame, test: pd.Series | None, title: str, words: Mapping[str, str]) -> None:
    """Draw into a figure or a part of one. words: as `kaplan_meiers` has them."""
    axes, below = figure.subplots(2, 1, height_ratios=(5, 1), sharex=True)
    last = int(np.ceil(points["time_days"].max() / YEAR))
    years = list(range(0, last + 1, 2 if last > 5 else 1))
    names = [p for p in ("good", "poor") if (points["prognosis"] == p).any()]
    for i, name in enumerate(names):
        curve = points[points["prognosis"] == name].sort_values("time_days")
        x, y = curve["time_days"].to_numpy(float) / YEAR, curve["survival"].to_numpy(float)
        low, high = curve["ci_lower"].astype(float).fillna(1.0), curve["ci_upper"].astype(float).fillna(1.0)
        n, events = int(curve["n_at_risk"].max()), int(curve["n_events"].sum())
        who = words.get(name, f"{name} prognosis")
        axes.step(x, y, where="post", color=COLORS[name], lw=1.8, label=f"{who} (n = {n}, {events} events)")
        axes.fill_between(x, low, high, step="post", color=COLORS[name], alpha=0.15, lw=0)
        censored = curve["n_censored"].to_numpy() > 0
        axes.plot(x[censored], y[censored], "|", color=COLORS[name], ms=5, mew=0.9)
        for year, count in zip(years, at_risk(curve, [t * YEAR for t in years]), strict=True):
            below.text(year, -i, f"{count}", ha="center", va="center", color=COLORS[name])
    axes.set(ylim=(0, 1.02), xlim=(-0.02 * last, last * 1.02), ylabel="survival", xticks=years)
    axes.legend(loc="lower left", frameon=False)
    axes.set_title(title, fontsize=10, loc="left")
    if test is not None:
        axes.text(0.98, 0.98, "\n".join(_said(test, words)), transform=axes.transAxes, ha="right", va="top", fontsize=9)
    below.set(
        ylim=(-len(names) + 0.4, 0.6),
        yticks=[-i for i in range(len(names))],
        xlabel="years",
        yticklabels=[words.get(name, name) for name in names],
    )
    below.set_title("at risk", fontsize=9, loc="left")
    below.tick_params(length=0)
    below.tick_params(axis="y", pad=12)
    for side in ("left", "bottom"):
        below.spines[side].set_visible(False)


def _said(test: pd.Series, words: Mapping[str, str]) -> list[str]:
    """The test in words, and the medians with their intervals; NR is what was not reached."""

    def years(name: str) -> str | None:
        value = test[name]
        return None if value is None or value != value else f"{value / YEAR:.1f}"

    p = test["p_value"]
    lines = [f"log-rank p = {p:.2g}"] if p is not None and p == p else textwrap.wrap(str(test["reason"]), 44)
    for group in ("good", "poor"):
        if middle := years(f"median_{group}_days"):
            low, high = (years(f"median_{group}_{end}") or "NR" for end in ("lower", "upper"))
            lines.append(f"median, {words.get(group, group)}: {middle} years ({low}–{high})")
    return lines


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
        lines = [
            f"AUC {auc['value']:.3f}",
            *(f"95 % CI {interval}" for interval in intervals_of(auc)),
            f"n = {int(auc['n'])}",
        ]
        axes.text(0.97, 0.05, "\n".join(lines), ha="right", transform=axes.transAxes)
    axes.set(xlabel="1 - specificity", ylabel="sensitivity", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    axes.set_title(title, fontsize=10, loc="left")
    return figure


def compartments(values: pd.DataFrame, tests: pd.DataFrame, title: str) -> Figure:
    """Abundance of every population in tumour and stroma, one panel a group; stars by the adjusted p of the paired test.

    values: population, prognosis, tumor_abundance, stroma_abundance. tests: rows of wilcoxon_tests of one cohort; stars
    stand in brackets where is_circular is true.
    """
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    populations = list(dict.fromkeys(tests["population"]))
    stars = {(t.grouping, t.population): _bracketed(_stars(t.p_adjusted), t.is_circular) for t in tests.itertuples()}
    is_circular = bool(tests["is_circular"].any())
    figure = Figure(figsize=(10, 7.2))
    for axes, group in zip(figure.subplots(2, 1, sharex=True, sharey=True), ("good", "poor"), strict=True):
        of_group = values[values["prognosis"] == group]
        for shift, side in ((-0.19, "tumor"), (0.19, "stroma")):
            data = [
                of_group.loc[of_group["population"] == p, f"{side}_abundance"].dropna().to_numpy(float)
                for p in populations
            ]
            boxes = axes.boxplot(data, positions=np.arange(len(populations)) + shift, widths=0.32, patch_artist=True,
                                 flierprops={"ms": 2.5, "mew": 0.6}, medianprops={"color": "black"})  # fmt: skip
            for box in boxes["boxes"]:
                box.set(facecolor=COLORS[side], alpha=0.75)
        top = axes.get_ylim()[1]
        for i, population in enumerate(populations):
            axes.text(i, top, stars.get((group, population), ""), ha="center", va="bottom")
        axes.set_title(f"{group} prognosis (n = {of_group['patient_id'].nunique()})", fontsize=10, loc="left", pad=14)
        axes.set_ylabel("abundance (mean log2)")
        axes.set_xticks(np.arange(len(populations)), populations, rotation=25, ha="right")
    keys = [Patch(facecolor=COLORS[s], alpha=0.75, label=n) for s, n in (("tumor", "tumour"), ("stroma", "stroma"))]
    figure.legend(handles=keys, loc="outside upper right", frameon=False, ncols=2)
    said = f"{title}; Wilcoxon signed-rank, BH: * < .05, ** < .01, *** < .001"
    said += "\n(*): circular, the groups were made from this population's abundances" if is_circular else ""
    figure.suptitle(said, fontsize=10, x=0.01, ha="left")
    return figure


def _bracketed(stars: str, is_circular: bool) -> str:
    return f"({stars})" if is_circular and stars else stars


def _stars(p: float | None) -> str:
    return "" if p is None or p != p else "*" * sum(p < limit for limit in (0.05, 0.01, 0.001))


THINNEST, THICKEST = 0.3, 6.0  # points, of lines between populations with a correlation of 0 and of 1


def networks(edges: pd.DataFrame, populations: Sequence[str], counts: dict[str, int], title: str) -> Figure:
    """Populations on a circle, joined where their abundances correlate: good and poor, in the tumour and in the stroma.

    A line's width grows with |r|, from whatever threshold on; negative correlations are dashed.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 6.6))
    angle = np.linspace(0.5 * np.pi, -1.5 * np.pi, len(populations), endpoint=False)
    place = {p: (np.cos(a), np.sin(a)) for p, a in zip(populations, angle, strict=True)}
    panels = figure.subplots(2, 2)
    for row, (compartment, label) in zip(panels, (("tumor", "tumour"), ("stroma", "stroma")), strict=True):
        for axes, group in zip(row, ("good", "poor"), strict=True):
            of_panel = edges[(edges["compartment"] == compartment) & (edges["prognosis"] == group)]
            for edge in of_panel.itertuples():
                (x1, y1), (x2, y2) = place[edge.population], place[edge.other_population]
                r = float(edge.correlation)
                axes.plot(
                    [x1, x2], [y1, y2], color=COLORS[group], lw=THINNEST + (THICKEST - THINNEST) * r * r, alpha=0.8,
                    zorder=1, linestyle="--" if r < 0 else "-",
                )  # fmt: skip
            linked = {*of_panel["population"], *of_panel["other_population"]}
            for population, (x, y) in place.items():
                axes.scatter([x], [y], s=90, zorder=2, color=COLORS[group] if population in linked else "0.8")
                axes.text(1.12 * x, 1.12 * y, population, fontsize=8, va="center",
                          ha="center" if abs(x) < 0.1 else "left" if x > 0 else "right")  # fmt: skip
            axes.set(xlim=(-2.2, 2.2), ylim=(-1.25, 1.3), aspect="equal")
            axes.set_title(
                f"{label}, {group} prognosis (n = {counts.get(group, 0)}): {len(of_panel)} edges", fontsize=10
            )
            axes.axis("off")
    figure.suptitle(title, fontsize=10, x=0.01, ha="left")
    return figure


def topology(parameters: pd.DataFrame, title: str) -> Figure:
    """Radar maps of the parameters that the paper names: good and poor, in the stroma and in the tumour.

    parameters: rows of network_parameters of one cohort; stars stand in brackets where is_circular is true. A spoke ends at the
    larger of the two values.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 5.4))
    panels = figure.subplots(1, 2, subplot_kw={"projection": "polar"})
    for axes, (compartment, label) in zip(panels, (("stroma", "stroma"), ("tumor", "tumour")), strict=True):
        of_compartment = parameters[parameters["compartment"] == compartment]
        table = of_compartment.pivot(index="parameter", columns="prognosis", values="value").astype(float).fillna(0.0)
        p_values = of_compartment.groupby("parameter")["p_adjusted"].first()
        is_circular = of_compartment.groupby("parameter")["is_circular"].any()
        angle = np.linspace(0, 2 * np.pi, len(table), endpoint=False)  # clockwise from the top
        largest = table.max(axis=1).where(lambda v: v > 0, 1.0)
        for group in ("poor", "good"):
            shares = (table[group] / largest).to_numpy()
            axes.fill(angle, shares, color=COLORS[group], alpha=0.18)
            axes.plot(
                np.append(angle, angle[0]), np.append(shares, shares[0]), color=COLORS[group], lw=1.8, label=group
            )
        axes.set(theta_offset=np.pi / 2, theta_direction=-1, thetamin=0, thetamax=360)
        axes.set_xticks(angle, [""] * len(angle))
        axes.set_yticks([0.5, 1.0], ["", ""])
        axes.set_ylim(0, 1.05)
        axes.spines["polar"].set_visible(False)
        for name, a in zip(table.index, angle, strict=True):
            has_star = p_values[name] is not None and p_values[name] < 0.05
            star = f" {_bracketed('*', is_circular[name])}" if has_star else ""
            text = f"{name.replace('_', ' ')}{star}\n{table.loc[name, 'good']:.3g} good, {table.loc[name, 'poor']:.3g} poor"
            side = "center" if abs(np.sin(a)) < 0.1 else "left" if np.sin(a) > 0 else "right"
            axes.text(a, 1.16, text, ha=side, va="center", fontsize=8)
        axes.set_title(label, fontsize=11, pad=44, weight="bold")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles[::-1], [f"{name} prognosis" for name in labels[::-1]], loc="outside lower center", frameon=False,
                  ncols=2)  # fmt: skip
    figure.suptitle(title, fontsize=10, x=0.01, ha="left")
    return figure


def correlation(values: pd.DataFrame, tests: pd.DataFrame, title: str) -> Figure:
    """One population's abundance in the stroma over that in the tumour, one panel a group, with the correlation.

    values: tumor_abundance, stroma_abundance, prognosis. tests: rows of wilcoxon_tests of that population, with is_circular.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.4, 4.2))
    by_group = {row.grouping: row for row in tests.itertuples()}
    for axes, group in zip(figure.subplots(1, 2, sharex=True, sharey=True), ("good", "poor"), strict=True):
        of_group = values[values["prognosis"] == group].dropna(subset=["tumor_abundance", "stroma_abundance"])
        x, y = of_group["tumor_abundance"].to_numpy(float), of_group["stroma_abundance"].to_numpy(float)
        axes.scatter(x, y, s=16, color=COLORS[group], alpha=0.7, lw=0)
        if len(x) > 2 and np.ptp(x) > 0:
            ends = np.array([x.min(), x.max()])
            slope, intercept = np.polyfit(x, y, 1)
            axes.plot(ends, intercept + slope * ends, color=COLORS[group], lw=1.6)
        test = by_group.get(group)
        if test is not None and test.correlation is not None and test.correlation == test.correlation:
            said = f"r = {test.correlation:.2f}, p = {test.correlation_p_value:.2g}{', circular' if test.is_circular else ''}"
            axes.text(0.03, 0.97, said, va="top", transform=axes.transAxes)
        axes.set_title(f"{group} prognosis (n = {len(of_group)})", fontsize=10, loc="left")
        axes.set_xlabel("abundance in the tumour (mean log2)")
    figure.axes[0].set_ylabel("abundance in the stroma (mean log2)")
    figure.suptitle(title, fontsize=10, x=0.01, ha="left")
    return figure


def flow(steps: Sequence, title: str) -> Figure:
    """The flow of a cohort: boxes of who is left, and beside the arrows who was taken out, and why.

    steps: FlowStep rows. A step that moves nobody is named in grey.
    """
    from textwrap import fill

    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.6, 0.6 + 0.78 * len(steps)))
    axes = figure.subplots()
    box = {"boxstyle": "round,pad=0.5", "fc": "white", "ec": "0.35"}
    last = len(steps) - 1
    for i, step in enumerate(steps):
        moved, added = abs(step.n_out - step.n_in), step.n_out >= step.n_in
        if i == 0:
            label = f"{step.n_out:,}  {fill(step.reason, 34)}" + (f"\nmembers of {title}" if last == 0 else "")
            axes.text(0, 0, label, ha="center", va="center", bbox=box)
            continue
        axes.annotate("", xy=(0, -i + 0.24), xytext=(0, -i + 0.76), arrowprops={"arrowstyle": "->", "color": "0.35"})
        label = f"{'+' if added and moved else '−' if moved else ''}{moved:,}  {step.reason}"
        axes.text(
            0.62, -i + 0.52, fill(label, 46), ha="left", va="center", fontsize=9, color="black" if moved else "0.6"
        )
        axes.plot([0, 0.58], [-i + 0.52] * 2, color="0.35" if moved else "0.8", lw=0.9)
        text = f"{step.n_out:,}" + (f"  members of {title}" if i == last else "")
        axes.text(0, -i, text, ha="center", va="center", bbox=box, weight="bold" if i == last else "normal")
    axes.set(xlim=(-1.0, 2.4), ylim=(-last - 0.4, 0.4))
    axes.axis("off")
    return figure
