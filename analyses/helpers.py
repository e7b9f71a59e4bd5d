"""Small database-free pieces that several analyses share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from tshdb.expression_store import ExpressionMatrix
from tshdb.vocabulary import ExpressionUnit

if TYPE_CHECKING:
    import pandas as pd

LOG2_TRANSFORM = "log2(x + 1)"
NO_TRANSFORM = "none"


def log2_values(expression: ExpressionMatrix) -> np.ndarray:
    """(genes, profiles) log2 expression: log2(x + 1) of linear values; values on a log2 scale as they are."""
    linear = (expression.profiles["scale"] == "linear").to_numpy()
    values = expression.values.copy()
    values[:, linear] = np.log2(values[:, linear] + 1.0)
    return values


def transform_names(expression: ExpressionMatrix) -> list[str]:
    """What `log2_values` does to each profile."""
    return [LOG2_TRANSFORM if s == "linear" else NO_TRANSFORM for s in expression.profiles["scale"]]


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


def benjamini_hochberg(p_values: np.ndarray) -> np.ndarray:
    """Adjusted p values (Benjamini and Hochberg 1995, J R Stat Soc B 57:289); NaN stays NaN and does not count.

    >>> benjamini_hochberg(np.array([0.01, 0.04, 0.03, np.nan]))
    array([0.03, 0.04, 0.04,  nan])
    """
    p = np.asarray(p_values, dtype=float)
    adjusted = np.full(p.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(-p[tested], kind="stable")]
    ranks = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(1.0, np.minimum.accumulate(p[order] * len(order) / ranks))
    return adjusted
