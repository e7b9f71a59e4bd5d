"""The parameters of the oath's study: those of the study that was asked, with repetitions made few; and TOML of them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

if TYPE_CHECKING:
    from tshdb.engine.analysis import Analysis

SMALL = {
    "n_bootstrap": 5, "n_permutations": 5, "repeats": 1, "outer_folds": 2, "inner_folds": 2, "folds": 2,
    "population": 4, "generations": 1, "n_trees": 2, "final_trees": 3, "min_events": 2, "min_per_class": 2,
    "min_patients": 3, "max_features": 2,
}  # fmt: skip
FILLED = {"perturbations": ["noise"]}  # of what is empty, so that nothing would be computed
COHORT = "patients_of_the_oath"
FEATURES = "features"  # the table of imported ones, by the name of its file


def small(analysis: Analysis, values: dict[str, Any], has_images: bool) -> dict[str, Any]:
    """Parameters with which it is quick on a few patients, and computes something."""
    wanted: dict[str, Any] = {}
    for field, value in values.items():
        if isinstance(value, int) and not isinstance(value, bool) and field in SMALL:
            wanted[field] = min(value, SMALL[field])
        if value in ([], "") and (field in FILLED or field == analysis.key_field):
            wanted[field] = FILLED.get(field, [COHORT] if value == [] else COHORT)
    if not has_images and values.get("features") == "computed":
        wanted["features"] = FEATURES
    for field, value in wanted.items():
        try:
            analysis.params.model_validate(values | {field: value})
        except ValidationError:
            continue
        values = values | {field: value}
    return {field: value for field, value in values.items() if value is not None}


def toml(tables: Mapping[str, Mapping[str, Any]]) -> str:
    """Tables of plain values (text, numbers, lists of them) as TOML."""
    parts = []
    for name, table in tables.items():
        if table:
            parts.append("\n".join([f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in table.items())]))
    return "\n\n".join(parts) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {_toml(v)}" for k, v in value.items() if v is not None) + "}"
    return json.dumps(value, ensure_ascii=False)
