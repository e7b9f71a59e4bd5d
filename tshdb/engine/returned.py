"""What a function gave is held against the table that was declared: what does not fit is that unit's failure, never a NULL.

A guest's frame must have exactly the columns that are declared: a name that is misspelt would be an empty column, without a
word. Numbers that are not finite have no place in a guest's table: a row without a value says the reason.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tshdb.near import did_you_mean
from tshdb.schema.base import is_ours

if TYPE_CHECKING:
    import pandas as pd
    from sqlalchemy import Column

    from tshdb.engine.analysis import Analysis

OURS = ("tshdb", "analyses")  # packages whose lines tell a user nothing
SHOWN = 8


def judge_frame(analysis: Analysis, frame: Any) -> None:
    """Raises ValueError, with what is wrong of it, for what is no frame of the declared columns."""
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        raise ValueError(f"{analysis.name} gave {_kind(frame)}, and not a DataFrame")
    table = analysis.makes.__table__
    if is_ours(table):
        return
    declared = [c.name for c in table.columns if c.name != "unit_id"]
    own = {analysis.key_column} if analysis.over_cohort else set()  # the engine gives the cohort
    for name in map(str, frame.columns):
        if name not in declared and name not in own:
            columns = f"Columns of {table.name}: {', '.join(declared)}"
            raise ValueError(f"{analysis.name} gave a column '{name}'. {did_you_mean(name, declared, columns)}")
    lacking = [name for name in declared if name not in frame and name not in own]
    if lacking and len(frame):
        raise ValueError(f"{analysis.name} did not give {', '.join(lacking)}")


def judge_column(analysis: Analysis, column: Column, series: pd.Series) -> None:
    """Raises ValueError for numbers of a guest that are not finite."""
    if is_ours(analysis.makes.__table__) or series.dtype.kind != "f":
        return
    n = int(np.isinf(series.to_numpy(dtype=float)).sum())
    if n:
        raise ValueError(
            f"{column.name} is not finite in {n:,} rows: a row without a value gives none, and says why in a column of its own"
        )


def judge_rows(analysis: Analysis, owners: Sequence[str], values: Mapping[str, Sequence[Any]]) -> None:
    """Raises ValueError for a value that must be there and is not, and for two rows of one key."""
    table = analysis.makes.__table__
    for column in table.columns:
        if column.name == "unit_id" or column.nullable:
            continue
        for owner, value in zip(owners, values[column.name], strict=True):
            if value is None:
                raise ValueError(
                    f"{analysis.name} gave no {column.name} of {owner}, and the table says that it is never empty"
                )
    keys = [c.name for c in table.primary_key if c.name != "unit_id"]
    rows = list(zip(owners, *(values[k] for k in keys), strict=True))
    if len(set(rows)) < len(rows):
        twice = next(row for row in rows if rows.count(row) > 1)
        named = ", ".join(f"{k} {v}" for k, v in zip(keys, twice[1:], strict=True)) or "the unit's only row"
        raise ValueError(f"{analysis.name} gave two rows of {twice[0]} for {named}")


def _kind(value: Any) -> str:
    return "nothing: does it return?" if value is None else f"a {type(value).__name__}"


def place_of(error: Exception, analysis: Analysis) -> str:
    """` (file.py line N)`: where in a guest's own code an error arose; nothing of an error in this program's."""
    package = analysis.function.__module__.partition(".")[0]
    if package in OURS:
        return ""
    files = {getattr(m, "__file__", None) for name, m in list(sys.modules.items()) if name.partition(".")[0] == package}
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename in files:
            return f" ({frame.filename.rpartition('/')[2]} line {frame.lineno})"
    return ""


def frames_in_words(arguments: Mapping[str, Any]) -> str:
    """The frames that a function was given, with their columns: what a KeyError leaves one asking."""
    import pandas as pd

    parts = []
    for role, value in arguments.items():
        if isinstance(value, pd.DataFrame):
            names = list(map(str, value.columns))
            more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
            parts.append(f"{role} has {', '.join(names[:SHOWN])}{more}")
    return "; ".join(parts)
