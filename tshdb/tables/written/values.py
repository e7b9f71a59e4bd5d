"""The values of a table's facts: a row each, without nested values, in columns that all rows share."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any


def flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row without nested values: {"paper": {"beta": 1}} -> {"paper.beta": 1}."""
    found: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, Mapping):
            found |= {f"{name}.{k}": v for k, v in flat(value).items()}
        else:
            found[name] = value
    return found


def columns_and_rows(facts: Iterable[Mapping[str, Any]]) -> tuple[list[str], list[list[Any]]]:
    """(columns, rows): numbers, truths, texts, and None for what is missing. A list is its JSON."""
    rows = [flat(row) for row in facts]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return columns, [[_plain(row.get(name)) for name in columns] for row in rows]


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, list | tuple):
        return json.dumps(value, ensure_ascii=False, default=str)
    if hasattr(value, "item") and not isinstance(value, str | bytes):  # of numpy
        value = value.item()
    if isinstance(value, float) and math.isnan(value):
        return None
    return value if value is None or isinstance(value, str | bool | int | float) else str(value)
