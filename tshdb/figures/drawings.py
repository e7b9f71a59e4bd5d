"""The paper's figures, drawn from rows of the result tables. Each function takes frames and gives a matplotlib Figure.

The bytes of a saved figure depend on the rows alone: `STYLE` fixes fonts, ids and metadata.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tshdb.figures.fitting import shortened
from tshdb.figures.room import LOWEST, letters, new_figure
from tshdb.tables.numbers import counted, intervals_of, number, p_short
from tshdb.text.counts import plural
from tshdb.text.labels import in_words
from tshdb.text.widths import cells

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

CUT = " …"
COLORS = {
    "good": "#0072B2",
    "poor": "#D55E00",
    "tumor": "#CC79A7",
    "stroma": "#009E73",
}  # Okabe and Ito, colour-blind safe
YEAR = 365.25
ALONE, BESIDE = 86, 64  # letters a line above curves, of one panel and of several
LINE = 0.2  # inches, of a line above panels in a narrow figure
OVER = {"framealpha": 0.6, "edgecolor": "none", "borderpad": 0.2}  # of a legend that may lie on curves
WIDE_PANEL = 3.3  # inches, below which such a panel stands alone: its texts need the room
STYLE = {
    "svg.hashsalt": "tshdb", "svg.fonttype": "none", "font.family": "DejaVu Sans", "font.size": 10,
    "axes.spines.top": False, "axes.spines.right": False, "figure.constrained_layout.use": True,
    "text.parse_math": False, "text.usetex": False,
}  # fmt: skip


def heading(title: str, designed: int) -> str:
    """A title, each of its lines in four at most, of so many letters as designed or as the width has room for."""
    return "\n".join(shortened(part, letters(designed), 4) for part in title.split("\n"))


def at_risk(points: pd.DataFrame, days: Sequence[float]) -> list[int]:
    """Patients at risk on these days: those whose duration is at least that. points: one curve's rows of km_points."""
    curve = points.sort_values("time_days")
    later = np.searchsorted(curve["time_days"].to_numpy(float), np.asarray(days, float), side="left")
    counts = [*curve["n_at_risk"].astype(int), 0]
    return [counts[i] for i in later]


def kaplan_meier(
    points: pd.DataFrame,
    test: pd.Series | None,
    title: str,
    label: str | None = None,
    beside: Sequence[str] = (),
) -> Figure:
    """Curves of good and poor with 95 % intervals, ticks where patients are censored, and the numbers at risk.

    points  rows of km_points of one cohort and grouping
    test    their row of logrank_tests
    label   why its p is too small
    beside  what else is said above the curves: hazard ratio, cut-off
    """
    above = _above(test, title, {}, beside, label, 1.0, ALONE)
    figure, _, _ = new_figure(6.4, (5.6 if label else 5.2) + _more([above], ALONE))
    _curves(figure, points, above, {}, 1.0)
    return figure


def kaplan_meiers(
    panels: Sequence[tuple[pd.DataFrame, pd.Series | None, str, Sequence[str]]], words: Mapping[str, str] | None = None
) -> Figure:
    """Several such panels side by side. panels: points, test, title, beside, as `kaplan_meier` takes them; words: of good and of
    poor, if others."""
    _, _, across = new_figure(6.0 * len(panels), 5.2, 1, len(panels), least=WIDE_PANEL)
    said = [_above(test, title, words or {}, beside, None, 1 / across, BESIDE) for _, test, title, beside in panels]
    height = 5.2 + _more(said, BESIDE, 1 / across)
    figure, down, across = new_figure(6.0 * len(panels), height, 1, len(panels), least=WIDE_PANEL)
    parts = figure.subfigures(down, across, squeeze=False).ravel()
    for part, (points, *_), above in zip(parts, panels, said, strict=True):
        _curves(part, points, above, words or {}, 1 / across)
    return figure


def packed(parts: Sequence[str], most: int) -> list[str]:
    """Parts of a sentence in lines of so many letters; a line ends between two parts."""
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + len("; ") + len(part) <= most:
            lines[-1] += f"; {part}"
        else:
            lines.append(part)
    return lines


def _more(said: Sequence[str], designed: int, share: float = 1.0) -> float:
    """Inches by which a figure that is narrower than designed is higher, for the lines that stand above its panels then."""
    return LINE * max(max(text.count("\n") for text in said) - 3, 0) if letters(designed, share) < designed else 0.0


def _above(
    test: pd.Series | None, title: str, words: Mapping[str, str], beside: Sequence[str], label: str | None, share: float,
    designed: int,
) -> str:  # fmt: skip
    """What stands above curves: the title, what the test says, hazard ratio and cut-off, why p is too small.

    share: of the width; designed: letters a line.
    """
    most = letters(designed, share)
    said = [] if test is None else _said(test, words, most)
    lines = packed([*said[:1], *beside, *said[1:]], most - 2)
    wrapped = [line for text in (*lines, label or "") for line in textwrap.wrap(text, most - 2)]
    return "\n".join([shortened(title, most, 4), *wrapped])


def _curves(figure, points: pd.DataFrame, above: str, words: Mapping[str, str], share: float) -> None:
    """Draw into a figure or a part of one. above: as `_above`; words: as `kaplan_meiers` has them; share: of the width.

    What the test says stands between title and curves, where no curve can be.
    """
    axes, below = figure.subplots(2, 1, height_ratios=(5, 1), sharex=True)
    last = max(int(np.ceil(points["time_days"].max() / YEAR)), 1)
    step = next((n for n in (1, 2, 5, 10, 20, 50) if last <= 5 * n or (n > 1 and last <= 10 * n)), 100)
    years = list(range(0, last + 1, step))
    names = [p for p in ("good", "poor") if (points["prognosis"] == p).any()]
    for i, name in enumerate(names):
        curve = points[points["prognosis"] == name].sort_values("time_days")
        x, y = curve["time_days"].to_numpy(float) / YEAR, curve["survival"].to_numpy(float)
        low, high = curve["ci_lower"].to_numpy(float), curve["ci_upper"].to_numpy(float)
        n, events = int(curve["n_at_risk"].max()), int(curve["n_events"].sum())
        who = shortened(words.get(name, f"{name} prognosis"), letters(34, 0.6 * share), 1)
        axes.step(x, y, where="post", color=COLORS[name], lw=1.8, label=f"{who} (n = {n}, {plural(events, 'event')})")
        axes.fill_between(x, low, high, step="post", color=COLORS[name], alpha=0.15, lw=0)
        censored = curve["n_censored"].to_numpy() > 0
        axes.plot(x[censored], y[censored], "|", color=COLORS[name], ms=5, mew=0.9)
        for year, count in zip(years, at_risk(curve, [t * YEAR for t in years]), strict=True):
            below.text(year, -i, f"{count}", ha="center", va="center", color=COLORS[name])
    axes.set(ylim=(0, 1.02), xlim=(-0.02 * last, last * 1.02), ylabel="survival", xticks=years)
    axes.legend(loc="lower left", **OVER)
    axes.set_title(above, fontsize=9, loc="left")
    below.set(
        ylim=(-max(len(names), 1) + 0.4, 0.6),
        yticks=[-i for i in range(len(names))],
        xlabel="years",
        yticklabels=[shortened(words.get(name, name), letters(20, 0.35 * share), 1) for name in names],
    )
    below.set_title("at risk", fontsize=9, loc="left")
    below.tick_params(length=0)
    below.tick_params(axis="y", pad=12)
    for side in ("left", "bottom"):
        below.spines[side].set_visible(False)


def _said(test: pd.Series, words: Mapping[str, str], most: int) -> list[str]:
    """The test in words, and the medians with their intervals; NR is what was not reached. most: letters a line."""

    def years(name: str) -> str | None:
        value = test[name]
        return None if value is None or value != value else f"{value / YEAR:.1f}"

    p = p_short(test["p_value"])
    reason = test["reason"] if isinstance(test["reason"], str) else "no test, and no reason is stored"
    lines = [f"log-rank p {p}" if p is not None else shortened(reason, most, 3)]
    for group in ("good", "poor"):
        if middle := years(f"median_{group}_days"):
            low, high = (years(f"median_{group}_{end}") or "NR" for end in ("lower", "upper"))
            lines.append(f"median, {shortened(words.get(group, group), 40, 1)}: {middle} years ({low}–{high})")
    return lines


def roc(points: pd.DataFrame, auc: pd.Series | None, title: str) -> Figure:
    """Sensitivity over 1 - specificity by the scores of patients that no model had seen.

    Straight from point to point: patients of one score are one step, and the area is the AUC (the trapezoid's).
    """
    figure, _, _ = new_figure(4.6, 4.6)
    axes = figure.subplots()
    curve = points.sort_values("position")
    axes.plot([0, 1], [0, 1], color="0.7", lw=1, ls=":")
    axes.plot(1 - curve["specificity"].astype(float), curve["sensitivity"].astype(float), color=COLORS["good"], lw=1.8)
    if auc is not None and auc["value"] == auc["value"] and auc["value"] is not None:
        lines = [
            f"AUC {auc['value']:.3f}",
            *(f"95 % CI {interval}" for interval in intervals_of(auc)),
            f"n = {int(auc['n'])}",
        ]
        axes.text(0.97, 0.05, "\n".join(lines), ha="right", transform=axes.transAxes)
    axes.set(xlabel="1 - specificity", ylabel="sensitivity", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    axes.set_title(heading(title, 54), fontsize=10, loc="left")
    return figure


def compartments(values: pd.DataFrame, tests: pd.DataFrame, title: str) -> Figure:
    """Abundance of every population in tumour and stroma, one panel a group; stars by the adjusted p of the paired test.

    values: population, prognosis, tumor_abundance, stroma_abundance. tests: rows of wilcoxon_tests of one cohort; stars
    stand in brackets where is_circular is true.
    """
    from matplotlib.patches import Patch

    populations = list(dict.fromkeys(tests["population"]))
    stars = {(t.grouping, t.population): _bracketed(_stars(t.p_adjusted), t.is_circular) for t in tests.itertuples()}
    is_circular = bool(tests["is_circular"].any())
    figure, _, _ = new_figure(10, 7.2)
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
        both = (
            of_group.dropna(subset=["tumor_abundance", "stroma_abundance"])
            .groupby("population")["patient_id"]
            .nunique()
        )
        n = counted([int(both.get(p, 0)) for p in populations] or [0])
        axes.set_title(f"{group} prognosis (n = {n})", fontsize=10, loc="left", pad=14)
        names = [shortened(p, letters(30, 0.5), 2) for p in populations]
        axes.set_xticks(np.arange(len(populations)), names, rotation=25, ha="right")
    keys = [Patch(facecolor=COLORS[s], alpha=0.75, label=n) for s, n in (("tumor", "tumour"), ("stroma", "stroma"))]
    figure.legend(handles=keys, loc="outside lower right", frameon=False, ncols=2)
    figure.supylabel("abundance (mean log2)", fontsize=10)
    said = f"{shortened(title, letters(110), 3)}; Wilcoxon signed-rank, BH: * < .05, ** < .01, *** < .001"
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
    figure, down, across = new_figure(9, 6.6, 2, 2, least=WIDE_PANEL)
    angle = np.linspace(0.5 * np.pi, -1.5 * np.pi, len(populations), endpoint=False)
    place = {p: (np.cos(a), np.sin(a)) for p, a in zip(populations, angle, strict=True)}
    panels = figure.subplots(down, across).reshape(2, 2)
    gap = "\n" if letters(46, 1 / across) < 46 else " "
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
                name = shortened(population, letters(40, 0.36 / across), 2)
                is_middle = abs(x) < 0.1
                axes.text(1.12 * x, 1.12 * y, name, fontsize=8,
                          va="center" if not is_middle else "bottom" if y > 0 else "top",
                          ha="center" if is_middle else "left" if x > 0 else "right")  # fmt: skip
            axes.set(xlim=(-2.2, 2.2), ylim=(-1.4, 1.45), aspect="equal")
            axes.set_title(
                f"{label}, {group} prognosis{gap}(n = {counts.get(group, 0)}): {plural(len(of_panel), 'edge')}",
                fontsize=10,
            )
            axes.axis("off")
    figure.suptitle(heading(title, 100), fontsize=10, x=0.01, ha="left")
    return figure


def topology(parameters: pd.DataFrame, title: str) -> Figure:
    """Radar maps of the parameters that the paper names: good and poor, in the stroma and in the tumour.

    parameters: rows of network_parameters of one cohort; stars stand in brackets where is_circular is true. A spoke ends at the
    larger of the two values.
    """
    figure, down, across = new_figure(11, 5.4, 1, 2, least=WIDE_PANEL)
    panels = figure.subplots(down, across, subplot_kw={"projection": "polar"})
    for axes, (compartment, label) in zip(panels, (("stroma", "stroma"), ("tumor", "tumour")), strict=True):
        of_compartment = parameters[parameters["compartment"] == compartment]
        table = of_compartment.pivot(index="parameter", columns="prognosis", values="value").astype(float)
        table = table.reindex(columns=["good", "poor"])
        p_values = of_compartment.groupby("parameter")["p_adjusted"].first()
        is_circular = of_compartment.groupby("parameter")["is_circular"].any()
        angle = np.linspace(0, 2 * np.pi, len(table), endpoint=False)  # clockwise from the top
        largest = table.max(axis=1).where(lambda v: v > 0, 1.0)
        for group in ("poor", "good"):
            shares = (table[group] / largest).to_numpy()
            if np.isfinite(shares).all():  # an undefined value has no place, and its line a gap
                axes.fill(angle, shares, color=COLORS[group], alpha=0.18)
            axes.plot(
                np.append(angle, angle[0]), np.append(shares, shares[0]), color=COLORS[group], lw=1.8, label=group
            )
        axes.set(theta_offset=np.pi / 2, theta_direction=-1, thetamin=0, thetamax=360)
        axes.set_xticks(angle, [""] * len(angle))
        axes.set_yticks([0.5, 1.0], ["", ""])
        axes.set_ylim(0, 1.05)
        axes.spines["polar"].set_visible(False)
        n_breaks = 1
        for name, a in zip(table.index, angle, strict=True):
            has_star = p_values[name] is not None and p_values[name] < 0.05
            star = f" {_bracketed('*', is_circular[name])}" if has_star else ""
            values = ", ".join(f"{number(table.loc[name, group]) or 'none'} {group}" for group in ("good", "poor"))
            lines = (f"{in_words(name)}{star}", values)
            long, few = letters(60, 0.36 / across), {"max_lines": 2, "placeholder": CUT}
            text = "\n".join(textwrap.fill(line, long, break_long_words=False, **few) for line in lines)
            n_breaks = max(n_breaks, text.count("\n"))
            side = "center" if abs(np.sin(a)) < 0.1 else "left" if np.sin(a) > 0 else "right"
            level = "center" if side != "center" else "bottom" if np.cos(a) > 0 else "top"
            axes.text(a, 1.1, text, ha=side, va=level, fontsize=8)
        axes.set_title(label, fontsize=11, pad=33 + 11 * n_breaks, weight="bold")  # above the label at the top
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles[::-1], [f"{name} prognosis" for name in labels[::-1]], loc="outside lower center", frameon=False,
                  ncols=2)  # fmt: skip
    figure.suptitle(heading(title, 100), fontsize=10, x=0.01, ha="left")
    return figure


def correlation(values: pd.DataFrame, tests: pd.DataFrame, title: str) -> Figure:
    """One population's abundance in the stroma over that in the tumour, one panel a group, with the correlation.

    values: tumor_abundance, stroma_abundance, prognosis. tests: rows of wilcoxon_tests of that population, with is_circular.
    """
    figure, down, across = new_figure(8.4, 4.2, 1, 2)
    by_group = {row.grouping: row for row in tests.itertuples()}
    for axes, group in zip(figure.subplots(down, across, sharex=True, sharey=True), ("good", "poor"), strict=True):
        of_group = values[values["prognosis"] == group].dropna(subset=["tumor_abundance", "stroma_abundance"])
        x, y = of_group["tumor_abundance"].to_numpy(float), of_group["stroma_abundance"].to_numpy(float)
        axes.scatter(x, y, s=16, color=COLORS[group], alpha=0.7, lw=0)
        if len(x) > 2 and np.ptp(x) > 0:
            ends = np.array([x.min(), x.max()])
            slope, intercept = np.polyfit(x, y, 1)
            axes.plot(ends, intercept + slope * ends, color=COLORS[group], lw=1.6)
        test = by_group.get(group)
        said = "no correlation"
        if test is not None and test.correlation is not None and test.correlation == test.correlation:
            p = p_short(test.correlation_p_value)
            said = f"r = {test.correlation:.2f}{f', p {p}' if p else ''}{', circular' if test.is_circular else ''}"
        gap = "\n" if letters(60, 1 / across) < 60 else " "
        axes.set_title(f"{group} prognosis (n = {len(of_group)}):{gap}{said}", fontsize=10, loc="left")
        axes.set_xlabel("abundance in the tumour (mean log2)")
    figure.axes[0].set_ylabel("abundance in the stroma (mean log2)")
    figure.suptitle(heading(title, 100), fontsize=10, x=0.01, ha="left")
    return figure


def flow(steps: Sequence, title: str) -> Figure:
    """The flow of a cohort: boxes of who is left, and beside the arrows who was taken out, and why.

    steps: FlowStep rows. Those that moved nobody take no room: they are named in one line below.
    """
    from textwrap import fill

    first, *others = steps
    moving = [step for step in others if step.n_out != step.n_in]
    idle = [step.reason for step in others if step.n_out == step.n_in]
    words = fill(f"Nobody was moved by: {'; '.join(idle)}", letters(100, 1.3)) if idle else ""
    n_lines = words.count("\n") + 1 if words else 0
    last = len(moving)
    is_narrow = letters(46, 0.6) < 46
    beside = [
        fill(f"{'+' if step.n_out > step.n_in else '−'}{abs(step.n_out - step.n_in):,}  {step.reason}", letters(46, 0.6),
             max_lines=5 if is_narrow else 3, placeholder=CUT)
        for step in moving
    ]  # fmt: skip
    members = [shortened(f"{step.n_out:,}  members of {title}", letters(60, 0.55), 3) for step in steps[-1:]]
    row = 0.78  # inches, of a step with its words
    if is_narrow:  # half of the words and half of a box lie between two boxes
        most = max([max(text.count("\n") + 1, -(-cells(text) // letters(46, 0.6))) for text in beside] or [0])
        row = max((0.3 + 0.16 * most + 0.17 * (members[0].count("\n") + 1)) / LOWEST, 1.0)
    below = 0.26 * n_lines * 0.78 / row
    figure, _, _ = new_figure(7.6, 0.6 + row * (last + 1) + 0.2 * n_lines)
    axes = figure.subplots()
    box = {"boxstyle": "round,pad=0.5", "fc": "white", "ec": "0.35"}
    label = fill(f"{first.n_out:,}  {first.reason}", letters(40, 0.5), max_lines=3, placeholder=CUT)
    of_title = shortened(f"members of {title}", letters(60, 0.55), 3)
    axes.text(0, 0, label if last else f"{label}\n{of_title}", ha="center", va="center", bbox=box)
    for i, step in enumerate(moving, 1):
        axes.annotate("", xy=(0, -i + 0.24), xytext=(0, -i + 0.76), arrowprops={"arrowstyle": "->", "color": "0.35"})
        axes.text(0.62, -i + 0.52, beside[i - 1], ha="left", va="center", fontsize=9)
        axes.plot([0, 0.58], [-i + 0.52] * 2, color="0.35", lw=0.9)
        text = members[0] if i == last else f"{step.n_out:,}"
        axes.text(0, -i, text, ha="center", va="center", bbox=box, weight="bold" if i == last else "normal")
    if words:
        axes.text(-1.0, -last - 0.42, words, ha="left", va="top", fontsize=8, color="0.4")
    axes.set(xlim=(-1.0, 2.4), ylim=(-last - 0.4 - below, 0.4))
    axes.axis("off")
    return figure
