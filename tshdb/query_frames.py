"""The answer to a query as a pandas DataFrame in which no value is another than in the answer."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from tshdb.answer_types import MOST_DIGITS, digits_of

if TYPE_CHECKING:
    import pandas as pd

    from tshdb.query import Answer

LARGEST = 1 << 53  # up to which a double has every whole number


def frame_of(answer: Answer) -> pd.DataFrame:
    """A column each, also where two have one name.

    Whole numbers beyond 2^53 in a column that also has missing ones stay Python's: pandas would make doubles of them. Decimals of
    more than 15 digits are `decimal.Decimal`, others floats. Dates, times and spans of time are text, as DuckDB writes them.
    """
    import pandas as pd

    frame = pd.DataFrame(answer.rows, columns=answer.columns)
    kept: dict[int, np.ndarray] = {}
    for i, kind in enumerate(answer.types):
        if (digits_of(kind) or 0) > MOST_DIGITS:
            values = [None if row[i] is None else Decimal(str(row[i])) for row in answer.rows]
        elif kind.endswith("INT") and frame.iloc[:, i].dtype.kind == "f":  # some are missing
            values = [row[i] for row in answer.rows]
            if all(value is None or abs(value) <= LARGEST for value in values):
                continue
        else:
            continue
        kept[i] = np.fromiter(values, dtype=object, count=len(values))
    if not kept:
        return frame
    columns = [pd.Series(kept[i], dtype=object) if i in kept else frame.iloc[:, i] for i in range(len(answer.columns))]
    made = pd.concat(columns, axis=1)
    made.columns = frame.columns
    return made
