"""Lines between populations: thicker is stronger, at any threshold; what is negative is dashed."""

from __future__ import annotations

import itertools

import pandas as pd
import pytest

from tshdb.figures.drawings import networks

POPULATIONS = ["A", "B", "C", "D"]


@pytest.mark.parametrize("correlations", [(0.12, 0.25, 0.39, 0.41, 0.9, 1.0), (-0.9, -0.3, 0.1, 0.35, 0.5, 0.55)])
def test_width_grows_with_the_correlation(correlations):
    pairs = list(itertools.combinations(POPULATIONS, 2))
    edges = pd.DataFrame(
        {"prognosis": "good", "compartment": "tumor", "population": a, "other_population": b, "correlation": r}
        for (a, b), r in zip(pairs, correlations, strict=True)
    )
    figure = networks(edges, POPULATIONS, {"good": 9, "poor": 9}, "title")
    lines = figure.axes[0].lines
    width = {r: line.get_linewidth() for r, line in zip(correlations, lines, strict=True)}
    by_strength = sorted(width, key=abs)
    assert [width[r] for r in by_strength] == sorted(width.values()) and min(width.values()) > 0
    assert len(set(width.values())) == len(width) and max(width.values()) <= 6
    assert [line.get_linestyle() for line in lines] == ["--" if r < 0 else "-" for r in correlations]
