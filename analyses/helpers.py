"""Small database-free pieces that several analyses share."""

from __future__ import annotations

import numpy as np

from tshdb.expression_store import ExpressionMatrix

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
