"""Rows of cell populations: their order, and the one expression unit that they have."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tshdb.vocabulary import ExpressionUnit

if TYPE_CHECKING:
    import pandas as pd

# the order of the paper's tables; other populations follow by name
TABLE_ORDER = (
    "T cells", "CD8 T cells", "Cytotoxic lymphocytes", "B lineage", "NK cells", "Monocytic lineage",
    "Myeloid dendritic cells", "Neutrophils", "Endothelial cells", "Fibroblasts",
)  # fmt: skip


def in_table_order(populations: Iterable[str]) -> list[str]:
    """The populations in the order of the paper's tables."""
    return sorted(set(populations), key=lambda p: (TABLE_ORDER.index(p) if p in TABLE_ORDER else len(TABLE_ORDER), p))


def only_unit(rows: pd.DataFrame, wanted: ExpressionUnit | None, table: str) -> str | None:
    """The expression unit to use: the one that was asked for, or the only one that the rows have; None without rows.

    Raises ValueError when they have several. table: of study.toml, where the choice is made.
    """
    units = sorted(set(map(str, rows["unit"])))
    if wanted is not None or not units:
        return str(wanted) if wanted is not None else None
    if len(units) > 1:
        raise ValueError(f"values of several units ({', '.join(units)}): set [{table}] unit in study.toml")
    return units[0]
