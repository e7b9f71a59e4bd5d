"""Characters of data that would drive a terminal, or turn round what stands beside them."""

from __future__ import annotations

import json
import re
from typing import Any

_TURNS = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))  # embeddings, overrides and isolates: Unicode Annex 9
_CONTROLS = {i: None for i in (*range(32), *range(127, 160), *_TURNS) if i not in (9, 10)}
_RAW = re.compile("[\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
# what breaks a line, drives a terminal, or turns the order of what is read: shown by a sign, so that a row stays one line
_BREAKS = (0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_SIGNS = {
    **{i: chr(0x2400 + i) for i in range(32)},
    127: "\u2421",
    **{i: f"\\x{i:02x}" for i in range(128, 160)},
    **{i: f"\\u{i:04x}" for i in _BREAKS},
}


def clean(text: object) -> str:
    """The text without C0 and C1 controls and changes of direction, so that data cannot drive the terminal."""
    return str(text).translate(_CONTROLS)


def json_for_people(value: Any, **how: Any) -> str:
    """JSON in the letters of its data, in which controls are escaped: the same value, and harmless on a terminal."""
    text = json.dumps(value, ensure_ascii=False, **how)
    return _RAW.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def in_one_line(text: object) -> str:
    """The text of a cell: line breaks, tabs and other control characters as signs (␊, ␉, \\x9b), never as what they do."""
    return str(text).translate(_SIGNS)
