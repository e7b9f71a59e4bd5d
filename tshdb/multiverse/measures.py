"""What is read off a row as the estimate: its column, its interval, its p value, and the value that means no effect.

Known for what is usually followed; a file says otherwise by `column`, `lower`, `upper`, `p`, `null` and `scale`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, get_args

from tshdb.errors import InvalidInput

Scale = Literal["linear", "log", "p"]


class Measure(NamedTuple):
    """lower, upper: columns of the 95 % interval; p: of the p value; null: the estimate without an effect, between directions.

    scale  linear: estimates are compared by differences; log: by ratios; p: the estimate is a p value, which has no direction
    """

    column: str
    lower: str | None = None
    upper: str | None = None
    p: str | None = None
    null: float | None = None
    scale: Scale = "linear"

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that are read, each once."""
        named = (self.column, self.lower, self.upper, self.p)
        return tuple(dict.fromkeys(column for column in named if column is not None))


KNOWN = {  # table -> what is followed of it, the first where no column is named
    "cox_terms": (
        Measure("hazard_ratio", "ci_lower", "ci_upper", "p_value", 1.0, "log"),
        Measure("coefficient", p="p_value", null=0.0),
    ),
    "logrank_tests": (
        Measure("p_value", p="p_value", scale="p"),
        Measure("mean_difference_days", "mean_difference_lower", "mean_difference_upper", "p_value", 0.0),
    ),
    "model_performance": (Measure("value", "ci_lower", "ci_upper"),),
    "signature_performance": (Measure("value", "ci_lower", "ci_upper"),),
    "concordances": (Measure("c_index", "ci_lower", "ci_upper", null=0.5),),
}
AREA, OF_GUESSING = "auc", 0.5


def measure_of(table: str, row: Mapping[str, Any], said: Mapping[str, Any], where: str) -> Measure:
    """What a file says, else what is known of the table. Raises InvalidInput where neither says which column."""
    known = KNOWN.get(table, ())
    column = said.get("column", known[0].column if known else None)
    if not isinstance(column, str):
        raise InvalidInput(f"no column: which of {table} is the estimate", where=where, repair='Write column = "NAME"')
    measure = next((m for m in known if m.column == column), Measure(column))
    if row.get("measure") == AREA and measure.null is None:
        measure = measure._replace(null=OF_GUESSING)
    for key in ("lower", "upper", "p"):
        if key in said:
            if not isinstance(said[key], str):
                raise InvalidInput(f"{key} is no name of a column", where=where, repair=f'Write {key} = "NAME"')
            measure = measure._replace(**{key: said[key]})
    if "null" in said:
        if isinstance(said["null"], bool) or not isinstance(said["null"], int | float):
            raise InvalidInput(
                "null is no number", where=where, repair="Write the estimate without an effect: null = 1.0"
            )
        measure = measure._replace(null=float(said["null"]))
    if "scale" in said:
        if said["scale"] not in get_args(Scale):
            raise InvalidInput(f"no scale {said['scale']!r}", where=where, repair=f"Write {', '.join(get_args(Scale))}")
        measure = measure._replace(scale=said["scale"])
    if (measure.lower is None) != (measure.upper is None):
        raise InvalidInput("an interval has two ends", where=where, repair="Write both lower and upper, or neither")
    if measure.scale == "log" and measure.null is not None and measure.null <= 0:
        raise InvalidInput(
            f"null {measure.null:g} has no logarithm", where=where, repair='Write null = 1.0, or scale = "linear"'
        )
    return measure
