"""Text as Markdown shows it: nothing in it is taken for an emphasis, a link, a formula or a column."""

from __future__ import annotations

import re

from tshdb.text.controls import clean

_MEANT = re.compile(r"([\\`*_|<>\[\]~$#&])")
_BEGINS = re.compile(r"^(\d+)([.)])(?=\s)|^([-+])(?=\s)")


def escaped(text: object) -> str:
    """The text in one line, as it is."""
    line = _MEANT.sub(r"\\\1", " ".join(clean(text).split("\n")).replace("\t", " "))
    return _BEGINS.sub(lambda m: f"{m[1]}\\{m[2]}" if m[1] else f"\\{m[3]}", line)
