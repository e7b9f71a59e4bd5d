"""The tables as `tshdb sql` shows them: columns with DuckDB types, without importing the models.

`tests/cli/test_docs.py` checks this list against the models; `make docs` writes it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache
from importlib import resources

PLAIN = re.compile(r"[a-z_][a-z0-9_]*")


@cache
def table_columns() -> dict[str, dict[str, str]]:
    """table -> column -> type."""
    by_table: dict[str, dict[str, str]] = {}
    text = resources.files("tshdb").joinpath("schema/columns.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        table, column, kind = line.split()
        by_table.setdefault(table, {})[column] = kind
    return by_table


def guest_columns(rows: Iterable[tuple[str, str]]) -> dict[str, dict[str, str]]:
    """table -> column -> type, of guests' tables. rows: name and columns of `guest_tables`, which may be anyone's words."""
    kinds = {"boolean": "BOOLEAN", "bigint": "BIGINT", "integer": "BIGINT", "double": "DOUBLE", "text": "VARCHAR"}
    by_table: dict[str, dict[str, str]] = {}
    for name, text in rows:
        try:
            columns = {str(c["name"]): kinds[c["type"]] for c in json.loads(text)}
        except (ValueError, TypeError, KeyError):
            continue  # `tshdb check` says so
        if PLAIN.fullmatch(str(name)) and all(map(PLAIN.fullmatch, columns)):
            by_table[name] = columns
    return by_table


def described() -> str:
    """The content of schema/columns.txt, from the models."""
    from sqlalchemy import BigInteger, Boolean, Double, Integer

    from tshdb.schema import Base

    kinds = ((Boolean, "BOOLEAN"), (BigInteger, "BIGINT"), (Integer, "BIGINT"), (Double, "DOUBLE"))
    lines = []
    for table in sorted(Base.metadata.tables.values(), key=lambda t: t.name):
        for column in table.columns:
            kind = next((name for cls, name in kinds if isinstance(column.type, cls)), "VARCHAR")
            lines.append(f"{table.name} {column.name} {kind}")
    return "\n".join(lines) + "\n"
