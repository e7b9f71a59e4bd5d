"""Characters of data that would drive a terminal."""

from __future__ import annotations

_CONTROLS = {i: None for i in (*range(32), *range(127, 160)) if i not in (9, 10)}


def clean(text: object) -> str:
    """The text without C0 and C1 controls, so that data cannot drive the terminal."""
    return str(text).translate(_CONTROLS)
