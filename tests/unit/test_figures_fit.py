"""Every figure with the worst of labels: text is text, lies on the page, and no two of a legend, a table or an axis overlap."""

from __future__ import annotations

import itertools
import warnings
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib import rc_context

from tshdb.figures import drawings, feature_drawings, residual_drawings, signature_drawings
from tshdb.figures.fitting import _axes, _legends, _tick_labels, fit, outside, quietly, said_of, shortened

WORST = r"$x_1^{2}$ \frac{免疫} لمفاوية Ж" + "µ" * 60 + " of the " + "very long name " * 9
RNG = np.random.default_rng(1)


def curves(events: int = 3, n: int = 6) -> pd.DataFrame:
    rows = []
    for group in ("good", "poor"):
        alive = 1.0
        for i in range(n + 1):
            died = int(0 < i <= events)
            alive -= alive * died / max(n - i + 1, 1)
            low, high = (None, None) if i == n else (alive * 0.8, min(alive * 1.2, 1))
            rows.append({"prognosis": group, "time_days": 300.0 * i, "survival": alive, "ci_lower": low, "ci_upper": high,
                         "n_at_risk": n - max(i - 1, 0), "n_events": died, "n_censored": int(i > events)})  # fmt: skip
    return pd.DataFrame(rows)


def a_test(**more) -> pd.Series:
    names = [f"median_{group}_{of}" for group in ("good", "poor") for of in ("days", "lower", "upper")]
    return pd.Series(dict.fromkeys(names, None) | {"p_value": None, "reason": "no events: " + WORST} | more)


def of_groups() -> pd.DataFrame:
    rows = itertools.product((WORST, "T cells"), ("good", "poor"), range(4))
    return pd.DataFrame(
        {
            "population": p,
            "prognosis": g,
            "patient_id": f"P{i}",
            "tumor_abundance": i + 1.0,
            "stroma_abundance": 2.0 - i,
        }
        for p, g, i in rows
    )


def of_tests() -> pd.DataFrame:
    rows = itertools.product((WORST, "T cells"), ("good", "poor"))
    return pd.DataFrame(
        {
            "population": p,
            "grouping": g,
            "p_adjusted": 1e-4,
            "is_circular": True,
            "correlation": -1.0,
            "correlation_p_value": 0.0,
        }
        for p, g in rows
    )


def parameters() -> pd.DataFrame:
    rows = itertools.product(("tumor", "stroma"), ("density", WORST, "diameter"), ("good", "poor"))
    return pd.DataFrame(
        {
            "compartment": c,
            "parameter": p,
            "prognosis": g,
            "value": None if p == "diameter" else 0.3,
            "p_adjusted": 0.01,
            "is_circular": False,
        }
        for c, p, g in rows
    )


def rungs() -> pd.DataFrame:
    none = dict.fromkeys(
        ("auc", "ci_lower", "ci_upper", "difference", "difference_lower", "difference_upper", "n_draws")
    )
    first = none | {
        "rung": WORST,
        "n": 20,
        "auc": 0.7,
        "ci_lower": 0.6,
        "ci_upper": 0.8,
        "draws": "[0.6, 0.65]",
        "reason": None,
    }
    return pd.DataFrame([first, none | {"rung": "volume", "n": 0, "draws": "[]", "reason": WORST}])


def of_residuals() -> pd.DataFrame:
    row = {"endpoint": "OS", "model": WORST, "km_time": 0.1, "value": 1.0, "coefficient": 0.2, "smooth": None,
           "smooth_lower": None, "smooth_upper": None, "ph_p_value": 0.5, "time_days": 200.0, "reason": WORST}  # fmt: skip
    return pd.DataFrame(
        [row | {"term": "a", "position": i, "km_time": 0.1 * i} for i in (1, 2, 3)]
        + [row | {"term": "b", "position": 0}]
    )


T_CELLS = "population == 'T cells'"
ROC = {"position": [0, 1, 2], "specificity": [1, 0.5, 0], "sensitivity": [0, 0.9, 1]}
EDGES = {
    "prognosis": "good",
    "compartment": "tumor",
    "population": [WORST],
    "other_population": ["B"],
    "correlation": [-0.5],
}
GROUPS = {
    "endpoint": [WORST, "B", "C", "D"], "foretold": 0.5, "seen": [0.1, 0.4, 0.6, 0.9], "ci_lower": None, "ci_upper": None, "n": 5,
    "at_days": 1825.0,
}  # fmt: skip
GENERATIONS = {"generation": [0, 1], "best_fitness": [0.5, 0.6], "mean_fitness": [0.4, 0.5], "n_best": [3, 4]}
FIGURES = {
    "km": lambda: drawings.kaplan_meier(curves(), a_test(p_value=0.99999, median_good_days=900.0), WORST, WORST),
    "km, no events": lambda: drawings.kaplan_meier(curves(0), a_test(), WORST),
    "km, one patient": lambda: drawings.kaplan_meier(curves(1, 1).iloc[:2], a_test(), WORST),
    "kms": lambda: drawings.kaplan_meiers([(curves(), a_test(), WORST, ())] * 2, {"good": WORST, "poor": "poor"}),
    "roc": lambda: drawings.roc(pd.DataFrame(ROC), None, WORST),
    "compartments": lambda: drawings.compartments(of_groups(), of_tests(), WORST),
    "networks": lambda: drawings.networks(
        pd.DataFrame(EDGES), [WORST, "B", "C"], {"good": 2}, WORST
    ),
    "topology": lambda: drawings.topology(parameters(), WORST),
    "correlation": lambda: drawings.correlation(of_groups().query(T_CELLS), of_tests().query(T_CELLS), WORST),
    "flow": lambda: drawings.flow([SimpleNamespace(n_in=9, n_out=9 - i, reason=WORST) for i in range(4)], WORST),
    "search": lambda: signature_drawings.search(
        pd.DataFrame(GENERATIONS), None, WORST
    ),
    "ladder": lambda: signature_drawings.ladder(rungs(), WORST, WORST),
    "calibration": lambda: signature_drawings.calibration(pd.DataFrame(GROUPS), WORST),
    "residuals": lambda: residual_drawings.residuals(of_residuals(), WORST),
    "features": lambda: feature_drawings.by_group(
        pd.DataFrame({"patient_id": "P", "prognosis": "good", "feature": feature_drawings.SHOWN[0], "value": [1.0]}),
        pd.DataFrame({"feature": feature_drawings.SHOWN[0], "p_adjusted": [0.01], "is_circular": [True]}),
        {"good": (RNG.random((9, 9)), np.eye(9), 1.0)}, WORST,
    ),
}  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("name", FIGURES)
def test_no_label_runs_off_the_page_or_into_another(name):
    with rc_context(drawings.STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure = FIGURES[name]()
        said = fit(figure)
        figure.draw_without_rendering()
        assert outside(figure) == []
        assert said == [said_of(2)] or said == [], "two signs are Chinese; a machine may have a font for them"
        assert not any(
            text.get_parse_math() for text in figure.findobj(lambda artist: hasattr(artist, "get_parse_math"))
        )
        drawn = set(map(id, _tick_labels(figure)))
        ticks = [
            [label for label in axis.get_ticklabels() if id(label) in drawn]
            for axes in _axes(figure)
            for axis in (axes.xaxis, axes.yaxis)
        ]
        for texts in [*(legend.get_texts() for legend in _legends(figure)), *ticks]:
            boxes = [t.get_window_extent() for t in texts if t.get_text() and not t.get_rotation()]
            assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2)), [t.get_text() for t in texts]


def test_what_a_test_says_lies_on_no_curve():
    with rc_context(drawings.STYLE):
        figure = drawings.kaplan_meier(curves(0), a_test(), "title")
        with quietly():
            fit(figure)
            figure.draw_without_rendering()
        axes = figure.axes[0]
        assert [text.get_text() for text in axes.texts] == []
        assert "no events" in axes._left_title.get_text()
        assert axes._left_title.get_window_extent().y0 >= axes.get_window_extent().y1


def test_an_undefined_value_is_none_and_no_corner_at_0():
    with rc_context(drawings.STYLE):
        figure = drawings.topology(parameters(), "title")
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert sum("none good, none poor" in text for text in texts) == 2
    drawn = np.concatenate([line.get_ydata() for axes in figure.axes for line in axes.lines])
    assert not (drawn == 0).any() and np.isnan(drawn).any()


def test_the_roc_curve_has_the_area_that_is_printed():
    """Ten scores, three of them tied across the classes: the area by hand is (wins + half of the ties) by pairs = 19.5 of 25."""
    scores, labels = np.array([9, 8, 7, 5, 5, 5, 4, 3, 2, 1.0]), np.array([1, 1, 0, 1, 1, 0, 0, 1, 0, 0], bool)
    cuts = [np.inf, *sorted(set(scores), reverse=True)]
    points = pd.DataFrame(
        {"position": range(len(cuts)), "sensitivity": [(scores[labels] >= c).mean() for c in cuts],
         "specificity": [(scores[~labels] < c).mean() for c in cuts]}
    )  # fmt: skip
    wins = (scores[labels][:, None] > scores[~labels]).sum() + (scores[labels][:, None] == scores[~labels]).sum() / 2
    line = drawings.roc(points, None, "").axes[0].lines[1]
    assert (
        np.trapezoid(line.get_ydata(), line.get_xdata()) == pytest.approx(wins / 25)
        and line.get_drawstyle() == "default"
    )


def test_a_long_text_is_cut_with_a_mark():
    assert shortened("a b c", 9, 1) == "a b c" and shortened("aaaa bbbb cccc", 4, 2) == "aaaa\nbbb…"
    assert shortened("x" * 10, 4, 3) == "xxxx\nxxxx\nxx"


def test_what_stands_above_curves_is_broken_between_its_parts():
    parts = ["log-rank p = 0.11", "HR 0.53 (0.24–1.17)", "cut-off -0.351", "median 6.9 years"]
    assert drawings.packed(parts, 40) == ["log-rank p = 0.11; HR 0.53 (0.24–1.17)", "cut-off -0.351; median 6.9 years"]
    assert drawings.packed(parts, 38) == drawings.packed(parts, 40), "a line may be full"
    assert drawings.packed(parts, 10) == parts and drawings.packed([], 10) == []
