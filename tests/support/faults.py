"""Faults in the kernels and filters, one line each: the court must see every one.

The module with the fault is read as plain Python, which needs no compiling, and put where the true one is used.
"""

from __future__ import annotations

import importlib
import types
from pathlib import Path
from typing import Any

FAULTS = {  # name -> (module, what stands there, what is written in its place, where its function is used)
    "a pair is counted twice": ("visits", "pairs[other, g] += 1", "pairs[other, g] += 2 if g > other else 1", "classes.visit"),
    "runs end at two": ("visits", "run = so_far[before] + np.uint32(1)", "run = np.uint32(2)", "classes.visit"),
    "dependence is below alpha": ("visits", "<= alpha", "< alpha", "classes.visit"),
    "zones grow one way": ("glszm", "if left[before] == level:", "if left[before] == level + 1:", "classes.glszm"),
    "one co-occurrence matrix for all": ("glcm", "made.append(features)", "made = [features]", "classes.glcm"),
    "the largest eigenvalue": ("glcm", "beside, m - 2), abs", "beside, m - 1), abs", "classes.glcm"),
    "neighbours outside count": ("ngtdm", "/ number)", "/ max(number, 26))", "classes.ngtdm"),
    "excess kurtosis": ("firstorder", "fourth / second**2 if", "fourth / second**2 - 3 if", "classes.firstorder"),
    "a percentile of the value below": ("firstorder", "a + (b - a) * share", "a", "classes.firstorder"),
    "an edge belongs to the bin below": ("region", "edges[at] <= x", "edges[at] < x", "features.region_of"),
    "cubes from the wrong side": ("shape", "signed = n_of[0] - n_of[1]", "signed = n_of[0] + n_of[1]", "features.shape"),
    "bands are a voxel beside": ("filters", "k - half, axis", "k - half + 1, axis", "court.filtered"),
    "scales are not normalised": ("filters", "AcrossScale(True)", "AcrossScale(False)", "court.filtered"),
    "a gradient per voxel": ("filters", "(image, use_spacing)", "(image, False)", "court.filtered"),
    "a gradient per mm": ("filters", "(image, use_spacing)", "(image, True)", "court.filtered"),
    "squares by the largest": ("filters", "values / math.sqrt(largest)", "values / largest", "court.filtered"),
    "roots have no sign": ("filters", "np.abs(values) * largest), values)", "np.abs(values) * largest), 1.0)", "court.filtered"),
    "a logarithm of the value": ("pointwise", "log2(values[i] + 1.0)", "log2(values[i] + 2.0)", "filters.logarithm"),
    "another base": ("pointwise", "* LN_2", "* 0.6932", "filters.exponential"),
    "planes are not told apart": ("shape", "if points[k, 0] != points[start, 0]:", "if k == 0:", "features.shape"),
}  # fmt: skip
USERS = {
    "classes": "analyses.imaging.kernels.classes", "features": "analyses.imaging.images.features",
    "filters": "analyses.imaging.images.filters", "court": "analyses.imaging.images.court",
}  # fmt: skip


def make_faulty(monkeypatch: Any, name: str) -> None:
    """Put a fault into the kernels until the test ends."""
    module, before, after, used = FAULTS[name]
    folder = "images" if module == "filters" else "kernels"
    path = Path(importlib.import_module(f"analyses.imaging.{folder}.{module}").__file__ or "")
    text = path.read_text()
    assert before in text, f"{module} has no line '{before}' any more: change the fault"
    text = text.replace("from analyses.shared.compiling import kernel", "kernel = lambda function: function")
    faulty = types.ModuleType(f"faulty_{module}")
    exec(compile(text.replace(before, after), str(path), "exec"), faulty.__dict__)
    user, function = used.split(".")
    monkeypatch.setattr(importlib.import_module(USERS[user]), function, getattr(faulty, function))
