"""How a setting names a column, and how values of a column are compared with the words of a setting."""

from __future__ import annotations

from typing import NamedTuple

PATIENTS = "patients"
FIELDS = "clinical_values"  # its rows are fields of the clinical files, as found


class Column(NamedTuple):
    """What a setting names. field: of the clinical files, where the table is theirs; the column is `value` then."""

    table: str
    column: str
    field: str | None = None

    @classmethod
    def of(cls, text: str) -> Column:
        """Of `table.column`, `clinical_values.FIELD`, or a column of the patients that stands alone."""
        name, dot, column = text.partition(".")
        if not dot:
            return cls(PATIENTS, name)
        return cls(name, "value", column) if name == FIELDS else cls(name, column)

    def __str__(self) -> str:
        return f"{self.table}.{self.field or self.column}"

    @property
    def name(self) -> str:
        """Without its table."""
        return self.field or self.column


def plain(value: object) -> str:
    """A value as it is compared: as text, without regard to case and to blanks around it; 1.0 is 1."""
    text = str(value).strip().casefold()
    return text.removesuffix(".0") if text.removesuffix(".0").lstrip("-").isdigit() else text
