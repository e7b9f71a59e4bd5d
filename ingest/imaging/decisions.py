"""A person's decisions on examinations: which series are the dynamic ones, which key tells phases apart.

File     csv or tsv with the columns study_uid, series_uid (or all), decision, decided_by, reason:
         dynamic, not-dynamic (of a series), key=NAME (of the whole examination; NAME as in dce_sets.key_used)
Makes    ImagingDecision; every row leads to its line.
"""

from __future__ import annotations

from pathlib import Path

from ingest.text import delimiter_of, open_text, rows_of
from tshdb.errors import InvalidInput
from tshdb.reading import Found, Reading
from tshdb.schema import ImagingDecision

COLUMNS = ("study_uid", "series_uid", "decision", "decided_by", "reason")
KEYS = (
    "temporal_position", "trigger_time", "acquisition_time", "content_time", "acquisition_number", "instance_blocks",
    "instance_interleaved",
)  # fmt: skip
ALL = "all"


def read(path: Path, known: set[tuple[str, str]]) -> Reading:
    """The decisions. known: (study, series) that there are. Raises NotFound, or InvalidInput for a table without the columns."""
    reading = Reading()
    with open_text(path) as file:
        delimiter = delimiter_of(file.readline())
    with open_text(path) as file:
        rows = rows_of(file, delimiter)
        _, header = next(rows, (1, []))
        missing = [c for c in COLUMNS if c not in header]
        if missing:
            raise InvalidInput(
                f"no column {', '.join(missing)}", where=f"{path}:1", repair=f"Expected {', '.join(COLUMNS)}"
            )
        known = known | {(study_uid, ALL) for study_uid, _ in known}
        seen: dict[tuple[str, str], int] = {}
        for line, fields in rows:
            if len(fields) != len(header):
                reading.error(line, None, None, "decision.field-count", f"{len(fields)} fields, not {len(header)}")
            else:
                _take(line, dict(zip(header, map(str.strip, fields), strict=True)), known, seen, reading)
    reading.n_withheld = len(reading.errors)
    return reading


def _take(line: int, row: dict[str, str], known: set, seen: dict[tuple[str, str], int], reading: Reading) -> None:
    key = (row["study_uid"], row["series_uid"])
    what = row["decision"]
    if empty := next((c for c in COLUMNS if not row[c]), None):
        reading.error(
            line, empty, None, "decision.incomplete", "a decision has a study, a series, a person and a reason"
        )
    elif key not in known:
        reading.error(
            line, "series_uid", key[1], "decision.unknown-series", "the study has no such series of this study_uid"
        )
    elif key in seen:
        reading.error(line, "series_uid", key[1], "decision.twice", f"decided in line {seen[key]} already")
    elif what in ("dynamic", "not-dynamic") and row["series_uid"] == ALL:
        reading.error(line, "series_uid", ALL, "decision.unknown", f"{what} is said of one series, not of all")
    elif what not in ("dynamic", "not-dynamic") and what.removeprefix("key=") not in KEYS:
        reading.error(
            line, "decision", what, "decision.unknown", f"expected dynamic, not-dynamic or key= {', '.join(KEYS)}"
        )
    else:
        seen[key] = line
        reading.records.append(Found(ImagingDecision, {c: row[c] for c in COLUMNS}, line))
