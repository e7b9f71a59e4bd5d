"""The two classes of a label in its own words: the one that a signature foretells, and the other.

Columns that are named for good and poor (is_good, n_good, mean_good, prognosis) mean the class that is foretold by good, whatever
the label.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from tshdb.engine.columns import Column

if TYPE_CHECKING:
    import pandas as pd


class Classes(NamedTuple):
    """foretold: the class whose probability a score is; against: the other; asked: what they are made of, None: the TSH score."""

    foretold: str = "good"
    against: str = "poor"
    asked: str | None = None

    def counted(self, n_foretold: int, n_against: int) -> str:
        return f"{n_foretold} {self.foretold} and {n_against} {self.against}"

    def reworded(self, said: str | None) -> str | None:
        """What is said of good and poor, in the words of these classes."""
        if said is None or self.asked is None:
            return said
        return re.sub(r"\b(good|poor)\b", lambda found: self.foretold if found[1] == "good" else self.against, said)

    @property
    def term(self) -> str:
        """Of a Cox model: the one against the other."""
        prognosis = " prognosis" if self.asked is None else ""
        return f"{self.foretold}{prognosis} (against {self.against})"

    @property
    def had(self) -> tuple[str, str]:
        """What patients of the one and of the other class have, by their score."""
        if self.asked is None:
            return f"a {self.foretold} prognosis", f"a {self.against} prognosis"
        return f"the score of {self.foretold}", f"the score of {self.against}"

    @property
    def columns(self) -> dict[str, str | None]:
        """As tables have them: empty for the TSH score's."""
        if self == Classes():
            return {"foretold": None, "against": None, "asked": None}
        return {"foretold": self.foretold, "against": self.against, "asked": self.asked}

    def is_made_of(self, covariates: Sequence[str]) -> list[str]:
        """Those of these columns of the patients that the label itself was made of."""
        return [name for name in covariates if self.asked == str(Column.of(name))]


NAMES = ("foretold", "against", "asked")


def classes_of(rows: pd.DataFrame) -> Classes:
    """The classes of rows of signature_labels, signature_models or signature_scores."""
    if "foretold" not in rows or not rows["foretold"].notna().any():
        return Classes()
    return row_classes(rows[rows["foretold"].notna()].iloc[0])


def row_classes(row: Any) -> Classes:
    """The classes of one row."""
    return Classes(*(row[name] for name in NAMES)) if isinstance(row["foretold"], str) else Classes()
