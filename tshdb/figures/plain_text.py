"""What data brings into a drawing is text: no formula, whatever signs it holds, and no control characters.

matplotlib takes what stands between two `$` for a formula, and fails where it is none; a control character makes an SVG that no
program opens. An axis in powers of ten has plain numbers, as its own labels are formulas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tshdb.text.controls import clean

if TYPE_CHECKING:
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

NO_MATH = {"text.parse_math": False}
"""settings of matplotlib under which a figure is made and saved"""


def made_plain(figure: Figure) -> Figure:
    """The figure, in which all texts are without control characters, and no scale writes formulas."""
    from matplotlib.text import Text

    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            _make_plain(axis)
    for text in figure.findobj(Text):
        if (said := text.get_text()) and (cleaned := clean(said)) != said:
            text.set_text(cleaned)
    return figure


def _make_plain(axis: Axis) -> None:
    from matplotlib.category import StrCategoryFormatter
    from matplotlib.ticker import FixedFormatter, FuncFormatter, LogFormatterMathtext, NullFormatter

    formatter = axis.get_major_formatter()
    if isinstance(formatter, LogFormatterMathtext):
        axis.set_major_formatter(lambda value, _: f"{value:g}")
        axis.set_minor_formatter(NullFormatter())
    elif isinstance(formatter, FixedFormatter):
        formatter.seq = [clean(label) for label in formatter.seq]
    elif isinstance(
        formatter, FuncFormatter | StrCategoryFormatter
    ):  # labels that are given with their places, or by words
        axis.set_major_formatter(lambda value, place: clean(formatter(value, place)))
