"""DuckDB's types of an answer's columns: what Python or Parquet would change of a value, and what is done about it.

`as_told` says as which type a column leaves DuckDB: dates, times and spans of time as DuckDB's own text, since Python's have
fewer years, fewer digits, no months and no infinity. `refusal` says which columns Parquet cannot hold as they are.
"""

from __future__ import annotations

import re
from typing import Any

MOST_DIGITS = 15  # of a decimal that a double gives back
_AS_TEXT = ("date", "time", "timestamp", "interval")  # as DuckDB's names of types begin
_NESTED = ("list", "array", "struct", "map", "union")
_DECIMAL = re.compile(r"DECIMAL\((\d+),\d+\)")
_NOT_IN_PARQUET = ("interval", "time with time zone", "union", "bit", "bignum", "uhugeint", "variant")


def as_told(kind: Any) -> str | None:
    """The type to which a column is cast before its values leave DuckDB; None where they leave as they are.

    kind: a DuckDBPyType.
    """
    name = kind.id
    if name.startswith(_AS_TEXT):
        return "VARCHAR"
    if name not in _NESTED:
        return None
    children = _children(kind)
    told = {child: as_told(of) for child, of in children}
    if name == "map":
        key, value = children[0][1], children[1][1]
        key_told = "VARCHAR" if key.id in _NESTED else told["key"]  # Python's keys are no lists
        if key_told is None and told["value"] is None:
            return None
        return f"MAP({key_told or key}, {told['value'] or value})"
    if not any(told.values()):
        return None
    if name in ("list", "array"):
        size = f"[{dict(kind.children)['size']}]" if name == "array" else "[]"
        return f"{told[children[0][0]]}{size}"
    fields = ", ".join(f"{_quoted(child)} {told[child] or of}" for child, of in children)
    return f"{name.upper()}({fields})"


def refusal(columns: list[str], kinds: list[Any]) -> tuple[str, str] | None:
    """(what, repair) of the first column that Parquet cannot hold so that it comes back equal; None where all can be held."""
    if (twice := named_twice([column.lower() for column in columns])) is not None:
        return f"two columns are named '{twice}'", "Name them apart with AS"
    for column, kind in zip(columns, kinds, strict=True):
        if (inner := _not_in_parquet(kind)) is not None:
            return (
                f"column '{column}' holds {inner}, for which Parquet has no type that keeps its values",
                f"Cast it: {_quoted(column)}::VARCHAR, or write CSV or JSON",
            )
    return None


def named_twice(names: list[str]) -> str | None:
    """The first name that stands twice; None where all differ."""
    return next((name for i, name in enumerate(names) if name in names[:i]), None)


def digits_of(kind: str) -> int | None:
    """How many digits a decimal has, of its type as DuckDB names it; None for another type."""
    found = _DECIMAL.fullmatch(kind)
    return int(found[1]) if found else None


def _not_in_parquet(kind: Any) -> str | None:
    if kind.id in _NOT_IN_PARQUET:
        return str(kind)
    if kind.id not in _NESTED:
        return None
    return next((found for _, of in _children(kind) if (found := _not_in_parquet(of)) is not None), None)


def _children(kind: Any) -> list[tuple[str, Any]]:
    """(name, type) of what a type is made of, without the tag of a union and the length of an array."""
    return [(name, of) for name, of in kind.children if hasattr(of, "id") and not (kind.id == "union" and name == "")]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
