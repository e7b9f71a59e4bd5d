"""Facts as JSON that every reader takes (RFC 8259): what `--json` prints and what is written for other programs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from tshdb.text.controls import json_for_people


def facts_text(value: Any) -> str:
    """A value as JSON. NaN is null, as what is missing is; infinity is the text "Infinity" or "-Infinity"; what JSON has no type
    for is its text. Numbers of other libraries are numbers. Controls are escaped, so that they drive no terminal.
    """
    return json_for_people(_plain(value), indent=2, allow_nan=False)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | bool):
        return getattr(value, "value", value)
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, set | frozenset):
        return sorted(map(_plain, value), key=str)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return float(value) if math.isfinite(value) else "Infinity" if value > 0 else "-Infinity"
    if type(value).__name__ in ("NaTType", "NAType"):  # pandas' own words for it
        return None
    if hasattr(value, "tolist") and not hasattr(value, "columns"):  # NumPy's numbers and arrays
        return _plain(value.tolist())
    return str(value)
