"""Draws docs/demo.png, the README's picture, from the study that `make demo` makes.

python docs/demo_picture.py demo-study
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib
import pandas as pd

import tshdb

matplotlib.use("Agg")
from matplotlib import pyplot as plt

FILE = Path(__file__).parent / "demo.png"
COHORT = "tumor_stroma_development"
NEWEST = f"(SELECT max(cohort) FROM cox_terms WHERE starts_with(cohort, '{COHORT}@'))"
RATIOS = f"""
    SELECT term, hazard_ratio, ci_lower, ci_upper, n, n_events FROM cox_terms t JOIN units u USING (unit_id)
    WHERE u.analysis = 'univariable_cox' AND u.state = 'current' AND cohort = {NEWEST} AND hazard_ratio IS NOT NULL
    ORDER BY hazard_ratio
"""
CURVES = f"""
    SELECT prognosis, time_days / 365.25 AS years, survival, n_at_risk FROM km_points k JOIN units u USING (unit_id)
    WHERE u.analysis = 'km_curves' AND u.state = 'current' AND grouping = 'tsh_ratio' AND cohort = {NEWEST}
    AND endpoint = 'OS'
    ORDER BY prognosis, time_days
"""
TEST = f"""
    SELECT p_value FROM logrank_tests t JOIN units u USING (unit_id)
    WHERE u.analysis = 'logrank_tests' AND u.state = 'current' AND grouping = 'tsh_ratio' AND cohort = {NEWEST}
    AND endpoint = 'OS'
"""
COLOURS = {"good": "#1b6ca8", "poor": "#c0392b"}


def main(folder: str) -> None:
    study = tshdb.open(folder)
    ratios, curves, test = study.sql(RATIOS), study.sql(CURVES), study.sql(TEST)
    if ratios.empty or curves.empty or test.empty:
        sys.exit(f"{folder}: no Table 2 or no curves there; make the study with: make demo")
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), width_ratios=(1.25, 1), layout="constrained")
    draw_ratios(left, ratios)
    draw_curves(right, curves, test["p_value"].iloc[0])
    figure.savefig(FILE, dpi=150, metadata={"Software": None})


def draw_ratios(axes, rows: pd.DataFrame) -> None:
    places = range(len(rows))
    axes.hlines(places, rows["ci_lower"], rows["ci_upper"], color="#777", linewidth=1.5)
    axes.plot(rows["hazard_ratio"], places, "s", color="#222", markersize=5)
    axes.axvline(1, color="#999", linestyle=":", linewidth=1)
    axes.set_xscale("log")
    axes.set_yticks(places, rows["term"])
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_xlabel("hazard ratio of death per unit of the TSH ratio, 95 % CI")
    axes.set_title(
        f"Cells in the tumour against the breast around it\n{rows['n'].max()} patients, {rows['n_events'].max()} deaths",
        fontsize=11,
    )


def draw_curves(axes, rows: pd.DataFrame, p_value: float) -> None:
    for prognosis, curve in rows.groupby("prognosis"):
        n = curve["n_at_risk"].iloc[0]
        axes.step(
            [0, *curve["years"]],
            [1, *curve["survival"]],
            where="post",
            color=COLOURS[prognosis],
            label=f"{prognosis} (n = {n})",
        )
    axes.set_ylim(0, 1.02)
    axes.set_xlim(0, 10)
    axes.set_xlabel("years")
    axes.set_ylabel("alive")
    axes.legend(title="prognosis by the TSH ratio", frameon=False, loc="lower left")
    axes.set_title(f"Overall survival of the two groups\nlog-rank p = {p_value:.2g}", fontsize=11)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Write: python docs/demo_picture.py demo-study")
    main(sys.argv[1])
