"""Figures as files: form, width, resolution, style. Letters keep their size, nothing leaves the page or meets another text."""

from __future__ import annotations

import io
import itertools
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tshdb.errors import InvalidInput, NotFound, UsageError
from tshdb.figures import Drawing, Print, asked, drawings, form_of
from tshdb.figures.printed import FONTS, drawn_in_style
from tshdb.figures.room import inches, room
from tshdb.figures.settled import settle
from tshdb.figures.styles import style_of

GROUPS = ("good", "poor")


def curves() -> pd.DataFrame:
    rows = []
    for group, rate in zip(GROUPS, (0.995, 0.985), strict=True):
        for i in range(40):
            rows.append(
                {
                    "prognosis": group, "time_days": 90.0 * i, "survival": rate**i, "ci_lower": 0.9 * rate**i, "ci_upper": 1.0,
                    "n_at_risk": 60 - i, "n_events": int(i % 3 == 0), "n_censored": int(i % 3 == 1), "cohort": "some@1",
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def km():
    test = pd.Series(
        {f"median_{g}_{end}": 900.0 for g in GROUPS for end in ("days", "lower", "upper")}
        | {"p_value": 0.0123, "reason": None}
    )
    label = "optimistic: cutoff/some@1 looked at follow_ups of 109 of these 109 patients"
    return drawings.kaplan_meier(curves(), test, "OS by the TSH ratio, tumor_stroma_development@1", label)


def correlation():
    values = pd.DataFrame(
        {"tumor_abundance": np.arange(20.0), "stroma_abundance": np.arange(20.0) % 7, "prognosis": list(GROUPS) * 10}
    )
    tests = pd.DataFrame(
        {
            "grouping": GROUPS,
            "correlation": [0.5, 0.1],
            "correlation_p_value": [0.01, 0.5],
            "is_circular": [False, True],
        }
    )
    return drawings.correlation(values, tests, "Cytotoxic lymphocytes, tumor_stroma_development@1")


def topology():
    names = (
        "density",
        "clustering_coefficient",
        "characteristic_path_length",
        "diameter",
        "heterogeneity",
        "centralization",
    )
    rows = [
        {"compartment": c, "parameter": n, "prognosis": g, "value": 0.1 + i / 7, "p_adjusted": 0.02, "is_circular": False}
        for c in ("tumor", "stroma") for i, n in enumerate(names) for g in GROUPS
    ]  # fmt: skip
    return drawings.topology(pd.DataFrame(rows), "Topology of the cell networks, tumor_stroma_development@1")


@pytest.mark.parametrize("width", ["85mm", "180mm"])
@pytest.mark.parametrize("draw", [km, correlation, topology])
def test_nothing_leaves_the_page_or_meets_another_text(draw, width):
    from matplotlib import rc_context
    from matplotlib.text import Text

    with rc_context({**drawings.STYLE, **FONTS}), room(inches(width)):
        figure = draw()
        settle(figure)
        figure.draw_without_rendering()
        assert figure.get_size_inches()[0] == pytest.approx(inches(width))
        texts = [
            t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip() and t not in _unseen(figure)
        ]
        boxes = [(t.get_text(), t.get_window_extent()) for t in texts]
        whole = figure.bbox
        outside = [
            n
            for n, b in boxes
            if b.x0 < whole.x0 - 1 or b.x1 > whole.x1 + 1 or b.y0 < whole.y0 - 1 or b.y1 > whole.y1 + 1
        ]
        assert not outside
        met = [(a, b) for (a, p), (b, q) in itertools.combinations(boxes, 2) if _meet(p, q)]
        assert not met
        assert min(t.get_fontsize() for t in texts) >= 8  # as designed, not scaled


def _unseen(figure) -> list:
    """Labels of ticks that lie beyond the ends of their axis: they are not drawn."""
    found = []
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        low, high = sorted(axis.get_view_interval())
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
            if not low - 1e-9 <= tick.get_loc() <= high + 1e-9:
                found += [tick.label1, tick.label2]
    return found


def _meet(a, b) -> bool:
    return min(a.x1, b.x1) - max(a.x0, b.x0) > 1.5 and min(a.y1, b.y1) - max(a.y0, b.y0) > 1.5


def test_the_same_rows_give_the_same_bytes_in_every_form():
    from PIL import Image

    how = asked("85mm", 300)
    made = {form: drawn_in_style(km, form, how) for form in ("svg", "pdf", "png", "tiff")}
    assert all(drawn_in_style(km, form, how) == made[form] for form in ("svg", "pdf", "tiff"))
    assert b"/Type3" not in made["pdf"] and b"/CIDFontType2" in made["pdf"]
    with Image.open(io.BytesIO(made["tiff"])) as image:
        assert image.mode == "RGB" and image.info["compression"] == "tiff_lzw"
        assert [round(float(v)) for v in image.info["dpi"]] == [300, 300]
        assert image.width == pytest.approx(85 / 25.4 * 300, abs=1)


@pytest.mark.parametrize(("text", "value"), [("85mm", 85 / 25.4), ("8.5cm", 85 / 25.4), ("3.5in", 3.5)])
def test_a_width_has_a_unit(text, value):
    assert inches(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["85", "85 px", "-3cm", "1e9mm", "5mm", "9999mm", ""])
def test_another_width_is_refused(text):
    with pytest.raises(UsageError, match="--width: width .*mm"):
        inches(text)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("backend: module://evil", "backend is no setting of how things look"),
        ("text.usetex: True", "text.usetex is no setting of how things look"),
        ("text.latex.preamble: \\input{/etc/passwd}", "text.latex.preamble is no setting"),
        ("axes.prop_cycle: cycler('color', [__import__('os').system('id')])", "axes.prop_cycle is no setting"),
        ("savefig.directory: /etc", "savefig.directory is no setting"),
        ("animation.ffmpeg_path: /bin/sh", "animation.ffmpeg_path is no setting"),
        ("font.sise: 7", "no setting font.sise. Did you mean font.size"),
        ("font.size: large-ish", "font.size cannot be 'large-ish'"),
        ("font.family: No Such Font", "the font 'No Such Font' is not on this machine"),
        ("just words", "found 'just words'. Write: setting: value"),
    ],
)
def test_a_style_sheet_is_data_of_looks_alone(tmp_path, line, said):
    path = tmp_path / "lab.mplstyle"
    path.write_text(f"lines.linewidth: 1\n{line}\n")
    with pytest.raises(InvalidInput, match=re.escape(said)) as refused:
        style_of(path)
    assert "line 2" in str(refused.value) or "font.family" in str(refused.value)


def test_a_style_is_seen(tmp_path):
    path = tmp_path / "lab.mplstyle"
    path.write_text("# of the lab\nxtick.labelsize: 7  # small\naxes.linewidth : 0.5\n")
    assert style_of(path) == {"xtick.labelsize": 7.0, "axes.linewidth": 0.5}
    assert drawn_in_style(km, "svg", asked(style=path)) != drawn_in_style(km, "svg", Print())
    with pytest.raises(NotFound, match="no such file"):
        style_of(tmp_path / "none")


def test_a_name_that_says_another_form_is_refused(tmp_path):
    drawing = Drawing("km", "how", "pdf", b"%PDF", (curves(),))
    with pytest.raises(UsageError, match="its name says svg, and --format says pdf. Call it km.pdf"):
        drawing.save(tmp_path / "km.svg")
    with pytest.raises(UsageError, match="its name says tiff, and --format says pdf"):
        form_of(Path("km.tif"), "pdf")
    assert not list(tmp_path.iterdir())


def test_the_rows_that_are_drawn_can_be_had(tmp_path):
    from openpyxl import load_workbook

    drawing = Drawing("km", "how", "pdf", b"%PDF", (curves(), curves().head(2)))
    assert drawing.save_rows(tmp_path / "km.csv") == [tmp_path / "km.csv", tmp_path / "km-2.csv"]
    read = pd.read_csv(tmp_path / "km.csv")
    pd.testing.assert_frame_equal(read, curves(), check_dtype=False)
    drawing.save_rows(tmp_path / "km.xlsx")
    book = load_workbook(tmp_path / "km.xlsx")
    assert [sheet.max_row for sheet in book] == [81, 3]
    with pytest.raises(UsageError, match="does not say which rows it draws"):
        Drawing("guest", "how", "pdf", b"%PDF").save_rows(tmp_path / "g.csv")
