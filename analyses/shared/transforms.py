"""Expression on a log2 scale, and the word for what was done to get there."""

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
