"""What a figure says fits its page: labels are text and no formula, long ones are cut, and signs without a glyph are counted.

Works on a finished matplotlib figure, whoever drew it.
"""

from __future__ import annotations

import textwrap
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tshdb.text.controls import in_one_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure
    from matplotlib.text import Text
    from matplotlib.transforms import Bbox

CUT = "…"
TICK, LEGEND, AXIS, OTHER = (
    (30, 2),
    (46, 3),
    (60, 2),
    (90, 6),
)  # letters a line, and lines, that a text of its kind may have
TITLE_LINES = 12
EDGE = 1.0  # pixels, by which a text may lie beyond the page
PASSES = 6
SHORTER = 0.85  # of its letters a line, that a text keeps which runs off the page
FEWEST = 6  # letters


def fit(figure: Figure) -> list[str]:
    """Have all texts fit the page. Gives what must be said of it: signs that no font here has a glyph for."""
    from matplotlib.ticker import LogFormatter

    texts = [text for text in figure.findobj(_is_text) if text.get_text()]
    for text in texts:
        text.set_parse_math(False)
        text.set_usetex(False)
        if any(not sign.isprintable() for sign in text.get_text()):
            text.set_text("\n".join(map(in_one_line, text.get_text().split("\n"))))
    for axes in _axes(figure):
        for axis in (axes.xaxis, axes.yaxis):
            if isinstance(axis.get_major_formatter(), LogFormatter):  # it writes formulas
                axis.set_major_formatter(lambda value, _: f"{value:g}")
    remarks = _choose_fonts(texts)
    _limit(figure, texts)
    with quietly():
        for _ in range(PASSES):
            figure.draw_without_rendering()
            ticks = _shorten_ticks(figure)
            if not _shorten(figure, texts) and not ticks:
                break
    return remarks


def outside(figure: Figure) -> list[str]:
    """The texts that lie beyond the page, as they are drawn."""
    page = figure.get_window_extent()
    return [text.get_text() for text in _drawn(figure) if _is_off(text.get_window_extent(), page)]


def _is_text(artist: object) -> bool:
    from matplotlib.text import Text

    return isinstance(artist, Text)


def _axes(figure: Figure) -> Iterator[Axes]:
    yield from (axes for axes in figure.get_axes() if axes.get_visible())


def _tick_labels(figure: Figure) -> Iterator[Text]:
    """Those that are drawn: of ticks within the view."""
    for axes in _axes(figure):
        for axis in (axes.xaxis, axes.yaxis) if axes.axison else ():
            low, high = sorted(axis.get_view_interval())
            for tick, at in zip(axis.get_major_ticks(), axis.get_majorticklocs(), strict=False):
                if low <= at <= high:
                    yield from (label for label in (tick.label1, tick.label2) if label.get_visible())


def _drawn(figure: Figure) -> list[Text]:
    """Every text that is drawn."""
    hidden = _ids_of_ticks(figure) - {id(label) for label in _tick_labels(figure)}
    for axes in _axes(figure):
        if not axes.axison:
            hidden |= {id(axes.xaxis.label), id(axes.yaxis.label)}
    return [t for t in figure.findobj(_is_text) if t.get_text().strip() and t.get_visible() and id(t) not in hidden]


# ------------------------------------------------------------------------------------------------------------ fonts


def _choose_fonts(texts: Sequence[Text]) -> list[str]:
    """Fonts of this machine for the signs that the first one has not, and what is said of signs that none of them has."""
    from matplotlib.font_manager import findfont

    signs = {sign for text in texts for sign in text.get_text() if not sign.isspace()}
    family = texts[0].get_fontfamily() if texts else []
    missing = signs - _that_are_in(findfont(texts[0].get_fontproperties()), signs) if texts else set()
    if not missing:
        return []
    chain = []
    for name, path in _installed():
        if name.startswith("Last Resort"):  # it has a box for every sign
            continue
        has = _that_are_in(path, missing)
        if has:
            chain.append(name)
            missing -= has
        if not missing:
            break
    for text in texts:
        text.set_fontfamily([*family, *chain])
    return [said_of(len(missing))] if missing else []


def said_of(n: int) -> str:
    return f"{n} sign has no glyph in the fonts here" if n == 1 else f"{n} signs have no glyph in the fonts here"


def _installed() -> list[tuple[str, str]]:
    """(name, path) of the upright fonts of this machine, in one order."""
    from matplotlib.font_manager import fontManager

    return sorted(
        {
            (f.name, f.fname)
            for f in fontManager.ttflist
            if f.style == "normal" and str(f.weight) in ("400", "normal", "regular")
        }
    )


def _that_are_in(path: str, signs: set[str]) -> set[str]:
    """The signs that a font has a glyph for."""
    from matplotlib.font_manager import get_font

    try:
        font = get_font(path)
        return {sign for sign in signs if font.get_char_index(ord(sign))}
    except (OSError, RuntimeError, ValueError):  # a font that FreeType cannot draw with
        return set()


# ------------------------------------------------------------------------------------------------------------ length


def _limit(figure: Figure, texts: Sequence[Text]) -> None:
    """Break or cut what is longer than texts of its kind may be."""
    kinds: dict[int, tuple[int, int]] = {}
    for axes in _axes(figure):
        kinds |= {id(axes.xaxis.label): AXIS, id(axes.yaxis.label): AXIS}
        for axis in (axes.xaxis, axes.yaxis):
            _relabel(axis, *TICK)
    for legend in _legends(figure):
        kinds |= dict.fromkeys(map(id, legend.get_texts()), LEGEND)
    titles, ticks = _titles(figure), _ids_of_ticks(figure)
    for text in texts:
        if id(text) in titles or id(text) in ticks:
            continue
        letters, lines = kinds.get(id(text), OTHER)
        _set(text, shortened(text.get_text(), letters, lines))


def _relabel(axis: Axis, letters: int, lines: int) -> bool:
    """Shorten the labels of an axis that are longer; they belong to its formatter, which writes them at every drawing."""
    labels = [label.get_text() for label in axis.get_majorticklabels()]
    shorter = [shortened(label, letters, lines) for label in labels]
    if shorter == labels:
        return False
    axis.set_ticks(axis.get_majorticklocs(), shorter)
    return True


def _ids_of_ticks(figure: Figure) -> set[int]:
    """Of the labels of all ticks, drawn or not."""
    axes = [axis for each in _axes(figure) for axis in (each.xaxis, each.yaxis)]
    return {id(label) for axis in axes for label in axis.get_ticklabels(which="both")}


def _shorten_ticks(figure: Figure) -> bool:
    """Shorten the labels of axes of which one runs off the page. Gives whether there were any."""
    page, is_any = figure.get_window_extent(), False
    drawn = {id(label) for label in _tick_labels(figure)}
    for axes in _axes(figure):
        for axis in (axes.xaxis, axes.yaxis):
            labels = [label for label in axis.get_majorticklabels() if id(label) in drawn and label.get_text()]
            if any(_is_off(label.get_window_extent(), page) for label in labels):
                longest = max(max(map(len, label.get_text().split("\n"))) for label in labels)
                is_any |= _relabel(axis, max(int(longest * SHORTER), FEWEST), TICK[1])
    return is_any


def _is_off(box: Bbox, page: Bbox) -> bool:
    return bool(
        box.x0 < page.x0 - EDGE or box.x1 > page.x1 + EDGE or box.y0 < page.y0 - EDGE or box.y1 > page.y1 + EDGE
    )


def _legends(figure: Figure) -> list:
    own = [axes.get_legend() for axes in _axes(figure)]
    return [legend for legend in [*own, *figure.legends] if legend is not None]


def _titles(figure: Figure) -> dict[int, tuple[Text, float]]:
    """id of a title -> (title, where its line must end): before the next panel to its right, or the page."""
    page = figure.get_window_extent()
    found: dict[int, tuple[Text, float]] = {}
    boxes = [axes.get_window_extent() for axes in _axes(figure)]
    for axes, box in zip(_axes(figure), boxes, strict=True):
        right = min((b.x0 for b in boxes if b.x0 > box.x1 and b.y0 < box.y1 and b.y1 > box.y0), default=page.x1)
        for title in (axes.title, axes._left_title, axes._right_title):
            if title.get_text():
                found[id(title)] = (title, right - EDGE)
    for part in (figure, *figure.subfigs):
        if part._suptitle is not None:
            found[id(part._suptitle)] = (part._suptitle, part.get_window_extent().x1 - EDGE)
    return found


def _shorten(figure: Figure, texts: Sequence[Text]) -> bool:
    """Make those texts narrower, or lower, that run off the page or into the next panel. Gives whether there were any."""
    page = figure.get_window_extent()
    titles, drawn = _titles(figure), {id(text) for text in _drawn(figure)} - _ids_of_ticks(figure)
    is_any = False
    for text in texts:
        if id(text) not in drawn:
            continue
        box, right = text.get_window_extent(), titles.get(id(text), (text, page.x1))[1]
        is_wide = box.x0 < page.x0 - EDGE or box.x1 > right + EDGE
        is_high = box.y0 < page.y0 - EDGE or box.y1 > page.y1 + EDGE
        if not (is_wide or is_high):
            continue
        lines = text.get_text().split("\n")
        longest = max(map(len, lines))
        is_upright = text.get_rotation() % 180 == 90
        if is_wide != is_upright or (is_high and is_upright):
            room = max((right - max(box.x0, page.x0)) / max(box.width, 1.0), 0.2) if is_wide else SHORTER
            letters = max(
                int(longest * min(room, SHORTER if id(text) not in titles else 1.0)) - (room >= SHORTER), FEWEST
            )
            _set(text, shortened(text.get_text(), letters, TITLE_LINES if id(text) in titles else max(len(lines), 3)))
            is_any |= letters < longest
        elif len(lines) > 1:
            _set(text, "\n".join([*lines[:-2], lines[-2].rstrip(CUT) + CUT]))
            is_any = True
    return is_any


def _set(text: Text, said: str) -> None:
    if said != text.get_text():
        text.set_text(said)


def shortened(said: str, letters: int, lines: int) -> str:
    """The text in lines of so many letters; what is more than so many lines is cut, and the cut is marked."""
    parts = said.split("\n")
    if max(map(len, parts)) > letters:
        parts = [piece for part in parts for piece in (textwrap.wrap(part, max(letters, 2)) or [""])]
    if len(parts) > lines:
        parts = [*parts[: lines - 1], parts[lines - 1][: max(letters - 1, 1)].rstrip() + CUT]
    return "\n".join(parts)


@contextmanager
def quietly() -> Iterator[None]:
    """A missing glyph is said in words (`fit`), and not by matplotlib's warnings; nor that long texts leave no room for axes."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        warnings.filterwarnings("ignore", message="constrained_layout not applied")
        yield
