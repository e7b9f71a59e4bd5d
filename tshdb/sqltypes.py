"""The tables as `tshdb sql` shows them: columns with DuckDB types, without importing the models.

`tests/cli/test_docs.py` checks this list against the models; `make docs` writes it.
"""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def table_columns() -> dict[str, dict[str, str]]:
    """table -> column -> type."""
    by_table: dict[str, dict[str, str]] = {}
    text = resources.files("tshdb").joinpath("schema/columns.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        table, column, kind = line.split()
        by_table.setdefault(table, {})[column] = kind
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
