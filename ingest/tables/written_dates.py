"""Dates as people write them in tables, by the format that a map states."""

from __future__ import annotations

import re
from datetime import date

_DATE_PARTS = {
    "YYYY": r"(?P<year>\d{4})", "YY": r"(?P<short>\d{2})", "MMM": r"(?P<name>[A-Za-z]{3})", "MM": r"(?P<month>\d{1,2})",
    "DD": r"(?P<day>\d{1,2})",
}  # fmt: skip
LAST_SHORT_YEAR = 49  # of YY: 49 is 2049, 50 is 1950
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def date_pattern(dates: str) -> re.Pattern[str]:
    """What dates of a format look like: YYYY or YY, MM or MMM, DD. Raises ValueError for a format that lacks one."""
    parts = re.split("(YYYY|YY|MMM|MM|DD)", dates)
    pattern = re.compile("".join(_DATE_PARTS.get(part, re.escape(part)) for part in parts))
    if not ({"year", "short"} & pattern.groupindex.keys() and {"month", "name"} & pattern.groupindex.keys()
            and "day" in pattern.groupindex):  # fmt: skip
        raise ValueError(f"'{dates}' is no format of dates; write such as DD.MM.YYYY, MM/DD/YYYY, YYYY-MM-DD")
    return pattern


def date_of(text: str, dates: str) -> date | None:
    """The date that a text is in a format, if there is one, or as a workbook gives it (ISO 8601); None for another text."""
    match = date_pattern(dates).fullmatch(text) if dates else None
    if match is None:
        try:
            return date.fromisoformat(text[:10]) if re.fullmatch(r"\d{4}-\d{2}-\d{2}(T[\d:.]+)?", text) else None
        except ValueError:
            return None
    parts = match.groupdict()
    if "short" in parts:
        short = int(parts["short"])
        year = 2000 + short if short <= LAST_SHORT_YEAR else 1900 + short
    else:
        year = int(parts["year"])
    try:
        month = MONTHS.index(parts["name"].lower()) + 1 if "name" in parts else int(parts["month"])
        return date(year, month, int(parts["day"]))
    except ValueError:
        return None
