"""A style sheet of matplotlib (.mplstyle) as plain data: known settings of how things look, and no other.

What could run something, read or write elsewhere, or change what is drawn (the backend, TeX, cycles of properties, sizes, the
making of files) is refused: only settings of LOOKS are taken, each checked by matplotlib itself.
"""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

from tshdb.errors import InvalidInput, NotFound
from tshdb.near import did_you_mean
from tshdb.written import written_text

LOOKS = re.compile(
    r"font\.(family|size|style|weight|stretch|variant|serif|sans-serif|monospace|cursive|fantasy)|text\.color|"
    r"axes\.(facecolor|edgecolor|linewidth|grid|grid\.axis|grid\.which|titlesize|titleweight|titlecolor|titlepad|labelsize|labelpad|"
    r"labelweight|labelcolor|axisbelow|unicode_minus|spines\.(left|bottom|top|right)|[xy]margin)|"
    r"[xy]tick\.(major|minor)\.(size|width|pad|visible)|[xy]tick\.(color|labelcolor|labelsize|direction|top|bottom|left|right)|"
    r"grid\.(color|linestyle|linewidth|alpha)|lines\.(linewidth|markersize|markeredgewidth|antialiased|solid_capstyle)|"
    r"legend\.(fontsize|title_fontsize|frameon|framealpha|facecolor|edgecolor|fancybox|borderpad|labelspacing|handlelength)|"
    r"figure\.(facecolor|edgecolor|titlesize|titleweight|labelsize|labelweight)|patch\.(linewidth|facecolor|edgecolor)|"
    r"boxplot\.[a-z.]+|hatch\.(color|linewidth)|mathtext\.(default|fontset)"
)
MOST_BYTES = 100_000
_LINE = re.compile(r"\s*([A-Za-z0-9_.-]+)\s*:\s*(.*)")


def style_of(path: Path) -> dict[str, Any]:
    """setting -> value of a style sheet. Raises NotFound; InvalidInput, with the line, for what is no setting of looks."""
    if not path.is_file():
        raise NotFound("no such file", where=str(path))
    if path.stat().st_size > MOST_BYTES:
        raise InvalidInput(
            f"more than {MOST_BYTES:,} bytes", where=str(path), repair="A style sheet has some lines of settings"
        )
    found: dict[str, Any] = {}
    for number, line in enumerate(written_text(path).splitlines(), 1):
        said = _without_comment(line).strip()
        if said:
            name, value = _setting(said, f"{path} line {number}")
            if name in found:
                raise InvalidInput(
                    f"{name} stands twice", where=f"{path} line {number}", repair="Leave one of them out"
                )
            found[name] = value
    _require_fonts(found, path)
    return found


def _without_comment(line: str) -> str:
    """The line up to a # that does not stand in quotes."""
    quoted = False
    for i, letter in enumerate(line):
        if letter == '"':
            quoted = not quoted
        elif letter == "#" and not quoted:
            return line[:i]
    return line


def _setting(said: str, where: str) -> tuple[str, Any]:
    from matplotlib import RcParams, rcParamsDefault

    matched = _LINE.fullmatch(said)
    if matched is None:
        raise InvalidInput(f"found '{said[:60]}'", where=where, repair="Write: setting: value")
    name, value = matched[1], matched[2].strip().strip('"')
    if not LOOKS.fullmatch(name) or name not in rcParamsDefault:
        if name in rcParamsDefault:
            raise InvalidInput(
                f"{name} is no setting of how things look", where=where,
                repair="Leave it out: fonts, lines, ticks, grids, legends and colours of panels can be set",
            )  # fmt: skip
        known = [each for each in rcParamsDefault if LOOKS.fullmatch(each)]
        raise InvalidInput(f"no setting {name}", where=where, repair=did_you_mean(name, known, "Leave it out"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return name, RcParams({name: value})[name]
    except (ValueError, TypeError, UserWarning) as error:
        told = str(error).strip().partition("\n")[0]
        raise InvalidInput(
            f"{name} cannot be '{value[:60]}' ({told})", where=where, repair="Write a value that it takes"
        ) from None


def _require_fonts(found: dict[str, Any], path: Path) -> None:
    """Raises InvalidInput for a font that is not on this machine: another one would be drawn without a word."""
    from matplotlib import font_manager

    for name in found.get("font.family", ()):
        generic = name in ("serif", "sans-serif", "monospace", "cursive", "fantasy")
        try:
            if not generic:
                font_manager.findfont(name, fallback_to_default=False)
        except ValueError:
            raise InvalidInput(
                f"the font '{name}' is not on this machine",
                where=f"{path}: font.family",
                repair="Install it, or name another",
            ) from None
