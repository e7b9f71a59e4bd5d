"""Proportional hazards: the scaled residuals of each term of Cox models over time, with a smooth curve and the test's p."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from tshdb.figures.drawings import COLORS, CUT, YEAR, heading
from tshdb.figures.room import letters, new_figure
from tshdb.tables.numbers import p_short

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

ACROSS = 3
TICKS = 6


def residuals(rows: pd.DataFrame, title: str) -> Figure:
    """One panel a model and term, in the order of the rows; a term without residuals has its reason in the panel's place.

    rows: of schoenfeld_residuals, of one cohort. Time is drawn as the share of deaths before it, so that these are even; its
    marks are years.
    """
    panels = list(_panels(rows))
    n_rows, n_columns = -(-len(panels) // ACROSS), min(ACROSS, len(panels))
    figure, down, across = new_figure(4.2 * n_columns, 0.5 + 3.1 * n_rows, n_rows, n_columns)
    grid = figure.subplots(down, across, squeeze=False).ravel()
    for axes in grid[len(panels) :]:
        axes.axis("off")
    for axes, ((endpoint, model, term), of_panel) in zip(grid, panels, strict=False):
        p = p_short(of_panel["ph_p_value"].iloc[0])
        name = textwrap.wrap(f"{endpoint}, {model}: {term}", letters(44), max_lines=3, placeholder=CUT)
        axes.set_title("\n".join([*name, f"p {p}" if p else "no test"]), fontsize=9, loc="left")
        if (of_panel["position"] > 0).any():
            _panel(axes, of_panel.sort_values("position"))
        else:
            said = "\n".join(textwrap.wrap(str(of_panel["reason"].iloc[0]), letters(40), max_lines=8, placeholder=CUT))
            axes.text(0.5, 0.5, said, ha="center", va="center", transform=axes.transAxes, fontsize=8.5, color="0.35")
            axes.set(xticks=[], yticks=[])
    figure.suptitle(heading(title, 100), fontsize=10, x=0.01, ha="left")
    return figure


def _panels(rows: pd.DataFrame) -> Iterator[tuple[tuple[str, str, str], pd.DataFrame]]:
    for key, of_panel in rows.groupby(["endpoint", "model", "term"], sort=False):
        yield (str(key[0]), str(key[1]), str(key[2])), of_panel


def _panel(axes, rows: pd.DataFrame) -> None:
    x = rows["km_time"].to_numpy(float)
    axes.plot(x, rows["value"].to_numpy(float), "o", ms=3, mfc="none", mec="0.45", mew=0.7)
    axes.axhline(float(rows["coefficient"].iloc[0]), color="0.3", lw=1, ls=":")
    if rows["smooth"].notna().all():
        for name, style, width in (("smooth", "-", 1.8), ("smooth_lower", "--", 1), ("smooth_upper", "--", 1)):
            axes.plot(x, rows[name].to_numpy(float), style, color=COLORS["good"], lw=width)
    places = np.unique(np.linspace(0, len(x) - 1, TICKS).round().astype(int))
    places = places[np.r_[True, np.diff(x[places]) > 0]]
    axes.set_xticks(x[places], [f"{days / YEAR:.1f}" for days in rows["time_days"].to_numpy(float)[places]])
    axes.set(xlabel="years", ylabel="log hazard ratio")
