"""Expression on a log2 scale, and the word for what was done to get there."""

from __future__ import annotations

import numpy as np

from tshdb.expression_store import ExpressionMatrix

LOG2_TRANSFORM = "log2(x + 1)"
CPM_TRANSFORM = "log2(CPM + 1)"
NO_TRANSFORM = "none"
MILLION = 1e6


def log2_values(expression: ExpressionMatrix) -> np.ndarray:
    """(genes, profiles) log2 expression: log2(x + 1) of linear values, log2(CPM + 1) of counts; logarithms as they are.

    CPM is x * 1e6 / the library size of the profile, which all genes of its source make: twice the depth is the same. Counts
    without a library size have no value.
    """
    linear = (expression.profiles["scale"] == "linear").to_numpy()
    counts = linear & (expression.profiles["unit"] == "counts").to_numpy()
    values = expression.values.copy()
    if counts.any():
        values[:, counts] = values[:, counts] * MILLION / library_sizes(expression)[counts]
    values[:, linear] = np.log2(values[:, linear] + 1.0)
    return values


def library_sizes(expression: ExpressionMatrix) -> np.ndarray:
    """(profiles,) counts of all genes; NaN where it is not known, or nothing was counted."""
    if "library_size" not in expression.profiles:
        return np.full(len(expression.profiles), np.nan)
    sizes = np.array([np.nan if size is None else float(size) for size in expression.profiles["library_size"]])
    return np.where(sizes > 0, sizes, np.nan)


def transform_names(expression: ExpressionMatrix) -> list[str]:
    """What `log2_values` does to each profile."""
    profiles = expression.profiles
    names = {"counts": CPM_TRANSFORM}
    return [
        names.get(str(unit), LOG2_TRANSFORM) if scale == "linear" else NO_TRANSFORM
        for unit, scale in zip(profiles["unit"], profiles["scale"], strict=True)
    ]
