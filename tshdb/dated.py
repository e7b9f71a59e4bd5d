"""How late the word of a source is: by a date in it, in its file's name, or as the user says; never by the name itself.

What a source says of a row may bear a date (`source_records.as_of`), in one of these forms:

2025-06-01        the day of an export, of a release, or that the user says (`--as-of`): all that it says was so then
form 2014-02-01   the day of a visit, or on which a form was filled in: what was seen on an earlier one stays seen
form v4.0         the version of a form

Days are compared with days and versions with versions; 2024 and 2024-05 are none later than the other.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from tshdb.errors import UsageError

FORM = "form "
EARLIEST, LATEST = 1900, 2100  # years in which files speak
_ISO = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")
_VERSION = re.compile(r"v(\d+(?:\.\d+)*)")
_YEAR_FIRST = re.compile(r"(?<![0-9])((?:19|20)\d\d)([-_.]?)(\d\d)\2(\d\d)(?![0-9])")
_DAY_FIRST = re.compile(r"(?<![0-9])(\d\d)\.(\d\d)\.((?:19|20)\d\d)(?![0-9])")
_OF_PORTAL = re.compile(
    r"(?:clinical|biospecimen|followup|gdc_sample_sheet|metadata|gdc_download|clinical_data)[._]", re.I
)


def is_later(one: str | None, other: str | None) -> bool:
    """Whether `one` is certainly later than `other`. False where one of them has no date, or they cannot be compared."""
    if one is None or other is None:
        return False
    parts, parts_of_other = _parts(one), _parts(other)
    if parts is None or parts_of_other is None or parts[0] != parts_of_other[0]:
        return False
    here, there = parts[1], parts_of_other[1]
    if parts[0] == "version":
        return here > there
    n = min(len(here), len(there))
    return here[:n] > there[:n]


def is_of_form(as_of: str | None) -> bool:
    """Whether it dates what was seen on one day, not a statement of all that is known."""
    return as_of is not None and as_of.startswith(FORM)


def of_form(text: str | None) -> str | None:
    """The date of a form or a visit, from a cell such as 2014-2-1; None where it holds no date."""
    found = _ISO.fullmatch((text or "").strip()[:10])
    day = None if found is None else _day(*found.groups())
    return None if day is None else FORM + day


def of_version(text: str | None) -> str | None:
    """The version of a form, from text such as `follow_up_v4.0_brca`; None where there is none."""
    found = re.search(r"_v(\d+(?:\.\d+)+)(?![0-9.])", text or "")
    return None if found is None else f"{FORM}v{found.group(1)}"


def in_name(path: Path) -> str | None:
    """The one date in a file's name, else in that of a folder that the GDC's portal named. None without, or with several."""
    return _date_in(path.name) or (_date_in(path.parent.name) if _OF_PORTAL.match(path.parent.name) else None)


def said(text: str) -> str:
    """A date as a user says it: 2025-06-01, 2025-06 or 2025. Raises UsageError."""
    found = _ISO.fullmatch(text.strip())
    day = None if found is None else _day(*found.groups())
    if day is None or not EARLIEST <= int(day[:4]) <= LATEST:
        raise UsageError(
            f"'{text}' is no date", where="--as-of", repair="Write the year first: 2025-06-01, 2025-06 or 2025"
        )
    return day


def _date_in(name: str) -> str | None:
    days = {_day(year, month, day) for year, _, month, day in _YEAR_FIRST.findall(name)}
    days |= {_day(year, month, day) for day, month, year in _DAY_FIRST.findall(name)}
    days.discard(None)
    return days.pop() if len(days) == 1 else None


def _day(year: str, month: str | None, day: str | None) -> str | None:
    """ISO 8601, as far as it is known; None for what is in no calendar."""
    try:
        date(int(year), int(month or 1), int(day or 1))
    except ValueError:
        return None
    return "-".join((year, *(f"{int(part):02d}" for part in (month, day) if part is not None)))


def _parts(as_of: str) -> tuple[str, tuple[int, ...]] | None:
    text = as_of.removeprefix(FORM)
    found = _VERSION.fullmatch(text)
    if found is not None:
        return "version", tuple(int(n) for n in found.group(1).split("."))
    if _ISO.fullmatch(text):
        return "day", tuple(int(n) for n in text.split("-"))
    return None
