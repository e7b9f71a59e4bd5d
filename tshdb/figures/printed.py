"""A drawing as a file: its form, its width, its resolution, its style. The same drawing, asked for alike, gives the same bytes.

svg holds text as text; pdf embeds its fonts as Type 42, which journals take; tiff is RGB with LZW and says its resolution.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tshdb.errors import UsageError
from tshdb.figures.plain_text import NO_MATH, made_plain
from tshdb.figures.room import inches, room

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SUFFIXES = {"svg": (".svg",), "pdf": (".pdf",), "png": (".png",), "tiff": (".tiff", ".tif")}
DPI = 150
LOWEST, HIGHEST = 50, 1200
FONTS = {"pdf.fonttype": 42, "ps.fonttype": 42}
NO_DATES: dict[str, dict[str, None]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}


@dataclass(frozen=True)
class Print:
    """How a drawing is asked for.

    width  inches; None: as it was designed
    dpi    pixels an inch, of png and tiff
    style  settings of matplotlib over the house's own
    """

    width: float | None = None
    dpi: int = DPI
    style: dict[str, Any] = field(default_factory=dict)

    @property
    def is_usual(self) -> bool:
        """Whether it is as reports have it."""
        return self == Print()


def asked(width: str | None = None, dpi: int = DPI, style: str | Path | None = None) -> Print:
    """width: such as 85mm; style: a .mplstyle file. Raises UsageError, NotFound and InvalidInput for what cannot be."""
    from tshdb.figures.styles import style_of

    if not LOWEST <= dpi <= HIGHEST:
        raise UsageError(f"{dpi} dpi", where="--dpi", repair=f"Write a number from {LOWEST} to {HIGHEST}")
    return Print(None if width is None else inches(width), dpi, {} if style is None else style_of(Path(style)))


def drawn_in_style(
    draw: Callable[[], Figure], form: str, how: Print = Print(), remarks: list[str] | None = None
) -> bytes:
    """A figure in the house's style as the bytes of a file, which depend on what is drawn alone.

    remarks: gets what must be said of it, such as signs without a glyph.
    """
    from matplotlib import rc_context

    from tshdb.figures.drawings import STYLE

    with rc_context({**STYLE, **FONTS, **NO_MATH, **how.style}), room(how.width):
        return as_file(draw, form, how, remarks)


def as_file(draw: Callable[[], Figure], form: str, how: Print, remarks: list[str] | None = None) -> bytes:
    """A figure whose texts fit its page, as the bytes of a file. remarks: as `drawn_in_style`."""
    from tshdb.figures.fitting import fit, outside, quietly
    from tshdb.figures.settled import settle

    buffer = io.BytesIO()
    kind = "png" if form == "tiff" else form
    with quietly():
        figure = made_plain(draw())
        if how.width is not None:
            width, height = figure.get_size_inches()
            if abs(width - how.width) > 1e-6:  # of a package that knows nothing of widths
                figure.set_size_inches(how.width, height * how.width / width)
            settle(figure)
        said = fit(figure)
        # what could not be made short enough has a larger page, where the width is free
        larger = {"bbox_inches": "tight"} if how.width is None and outside(figure) else {}
        figure.savefig(buffer, format=kind, metadata=NO_DATES[kind], dpi=how.dpi, **larger)
    if remarks is not None:
        remarks += said
    return _tiff(buffer, how.dpi) if form == "tiff" else buffer.getvalue()


def _tiff(png: io.BytesIO, dpi: int) -> bytes:
    """A PNG as a TIFF without transparency, packed by LZW."""
    from PIL import Image

    made = io.BytesIO()
    with Image.open(png) as image:
        image.convert("RGB").save(made, format="TIFF", compression="tiff_lzw", dpi=(dpi, dpi))
    return made.getvalue()
