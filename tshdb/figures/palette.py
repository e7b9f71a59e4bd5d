"""What the lines of pictures of images mean: name and colour of each, in one place, from which pictures and legends are made.

Tumour, breast and stroma have one colour in all pictures, a lesion that of its number; other masks take theirs in their order.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

from tshdb.images.refusals import HOLDS, LEFT_OUT, MISSING, REFUSED

DARK, TEXT, QUIET, EDGE = "#101418", "#e6edf3", "#9aa7b4", "#3a4652"
WARNING, LETTER = "#ff9e6d", "#8fd3ff"


class Line(NamedTuple):
    """How one thing is drawn, and what a legend calls it."""

    name: str
    color: str
    style: str = "-"

    @property
    def dashes(self) -> str:
        """The style, as SVG has it: lengths of dashes and gaps; nothing for a whole line."""
        return {"-": "", "--": "7 4", "-.": "7 3 2 3", ":": "2 3"}[self.style]


REGIONS = {
    "tumor": Line("tumour", "#ff4d6d"),
    "breast": Line("breast", "#4cc9f0"),
    "stroma": Line("stroma, the band around the tumour", "#ffd60a"),
}
OTHERS = [
    (color, style)
    for style, color in product(
        ("-", "-."),
        ("#7ae582", "#c77dff", "#fd7e14", "#ffafcc", "#5c7cfa", "#b08968", "#94a89a", "#f8f9fa"),
    )
]
BAND = "--"  # of the stroma around a lesion, in the lesion's colour
ELSEWHERE = Line("dotted: lies in other slices", QUIET, ":")
GRIDS = {
    HOLDS: Line("what it is held against", "#4cc9f0"),
    REFUSED: Line("does not fit it", "#ff4d6d"),
    LEFT_OUT: Line("left out", "#c8b6ff"),
    MISSING: Line("missing", "#ffd60a", "--"),
}
MARK = Line("the largest difference", "#ffffff")


def lines_of(masks: Sequence[tuple[str | int, str]]) -> list[Line]:
    """How masks are drawn, in their order. masks: (what, name) of each; what: of `REGIONS`, a lesion's number, or another word.

    A lesion has the line of its number in all pictures. The first of a region that has a colour of its own takes it. Of more
    masks than there are lines some share theirs.
    """
    of_lesions = {(what - 1) % len(OTHERS) for what, _ in masks if isinstance(what, int)}
    left = [line for i, line in enumerate(OTHERS) if i not in of_lesions] or OTHERS
    n_others, taken, found = 0, set(), []
    for what, name in masks:
        if isinstance(what, int):
            found.append(Line(name, *OTHERS[(what - 1) % len(OTHERS)]))
        elif what in REGIONS and what not in taken:
            taken.add(what)
            found.append(Line(name, REGIONS[what].color))
        else:
            found.append(Line(name, *left[n_others % len(left)]))
            n_others += 1
    return found
