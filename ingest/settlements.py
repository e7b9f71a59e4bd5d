"""What people decide of values on which sources disagree.

File     csv or tsv with the columns table, row, column, value, decided_by, reason: table, row and column as `conflicts` names
         them (patients, TCGA-A7-A0CE, age_years; follow_ups, TCGA-A7-A0CE|OS, event; expression_profiles, its profile_id,
         is_selected). An empty value says that it is not known.
Makes    the word of a person on that one column: it holds before the words of all sources, and bears name and reason.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Boolean, Double, Float, Integer

from ingest.tables.maps import PATIENT_COLUMNS
from tshdb.errors import InvalidInput
from tshdb.file_content import FileContent, Record
from tshdb.head import Head
from tshdb.loading.believed import DECIDED
from tshdb.near import did_you_mean
from tshdb.readers import SETTLING, Described, Part, Reader, Request
from tshdb.schema import Base, ExpressionProfile, FollowUp, Patient, Sample
from tshdb.text_files import number, open_table
from tshdb.vocabulary import Endpoint
from tshdb.words import CLOSED, Vocabulary

if TYPE_CHECKING:
    from tshdb.config import Settings

COLUMNS = ("table", "row", "column", "value", "decided_by", "reason")
SELECTION = "is_selected"  # the one column of profiles that a person decides
DECIDED_OF: dict[str, tuple[type[Base], tuple[str, ...]]] = {
    "patients": (Patient, tuple(c for c in PATIENT_COLUMNS if c not in ("tumor_size_source", "her2_rule"))),
    "follow_ups": (FollowUp, ("event", "duration_days")),
    "samples": (Sample, ("sample_type_code", "compartment", "preservation_method")),
    "expression_profiles": (ExpressionProfile, (SELECTION,)),
}
BOUNDS = {"age_years": (0.0, 120.0), "tumor_size_mm": (0.0, 1000.0), "duration_days": (0.0, 36_525.0)}
YES_NO = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def read(path: Path, vocabulary: Vocabulary) -> FileContent:
    """The decisions. vocabulary: the study's words. Raises NotFound, or InvalidInput where the columns are not these."""
    content = FileContent()
    by_row: dict[tuple[str, str], tuple[int, dict[str, Any]]] = {}
    with open_table(path, content, "decision.field-count") as table:
        missing = [c for c in COLUMNS if c not in table.header]
        more = [c for c in table.header if c not in COLUMNS]
        if missing or more:
            what = (
                f"no column {', '.join(missing)}" if missing else f"columns that mean nothing here: {', '.join(more)}"
            )
            raise InvalidInput(what, where=f"{path}:{table.line}", repair=f"Expected {', '.join(COLUMNS)}")
        for line, fields in table.rows:
            row = dict(zip(table.header, map(str.strip, fields), strict=True))
            with content.row() as is_bad:
                columns = _columns(line, row, by_row, vocabulary, content)
            if not is_bad():
                first, values = by_row.setdefault((row["table"], row["row"]), (line, {}))
                values |= columns
                values.setdefault(DECIDED, {})[row["column"]] = [row["decided_by"], row["reason"]]
    for (name, _), (line, values) in by_row.items():
        content.records.append(Record(DECIDED_OF[name][0], values, line))
    return content


def _columns(
    line: int, row: dict[str, str], by_row: dict, vocabulary: Vocabulary, content: FileContent
) -> dict[str, Any]:
    """The values of one decision; nothing after an error."""
    if row["table"] not in DECIDED_OF:
        content.error(line, "table", row["table"], "settlement.place", f"expected one of {', '.join(DECIDED_OF)}")
        return {}
    table, columns = DECIDED_OF[row["table"]]
    keys = [c.name for c in table.__table__.primary_key]
    parts = row["row"].rsplit("|", len(keys) - 1) if len(keys) > 1 else [row["row"]]
    if len(parts) != len(keys) or not all(parts) or (table is FollowUp and parts[1] not in set(Endpoint)):
        content.error(line, "row", None, "settlement.place", f"expected {'|'.join(keys)}, as conflicts name it")
        return {}
    if row["column"] not in columns:
        known = did_you_mean(row["column"], columns, f"Decided are {', '.join(columns)}")
        content.error(line, "column", row["column"], "settlement.place", f"no column that is decided. {known}")
        return {}
    if empty := next((c for c in ("decided_by", "reason") if not row[c]), None):
        content.error(line, empty, None, "settlement.incomplete", "a decision has a person and a reason")
        return {}
    value, expected = _typed(table, row["column"], row["value"], vocabulary)
    if expected:
        content.error(line, "value", row["value"], "settlement.value", f"expected {expected}")
        return {}
    if row["column"] in by_row.get((row["table"], row["row"]), (0, {}))[1]:
        content.error(line, "column", row["column"], "settlement.twice", "it is decided above already")
        return {}
    return dict(zip(keys, parts, strict=True)) | {row["column"]: value}


def _typed(table: type[Base], column: str, text: str, vocabulary: Vocabulary) -> tuple[Any, str]:
    """(value, nothing), or what was expected."""
    of = table.__table__.columns[column]
    if not text:
        return None, "" if of.nullable else "a value: the column cannot be empty"
    if isinstance(of.type, Boolean):
        return YES_NO.get(text.lower()), "" if text.lower() in YES_NO else "true or false"
    if isinstance(of.type, Double | Float | Integer):
        value, (low, high) = number(text), BOUNDS[column]
        fits = value is not None and low <= value <= high
        return value, "" if fits else f"a number from {low:g} to {high:g}"
    if table is Patient and column in CLOSED:
        word = vocabulary.understood(column, text)
        return word.value, "" if word.value is not None and word.is_known else vocabulary.expected(column)
    allowed = getattr(of.type, "enums", None)
    return text, "" if not allowed or text in allowed else f"one of {', '.join(allowed)}"


def is_one(head: Head) -> bool:
    """Whether a table has the columns of such decisions."""
    return set(COLUMNS) <= set(head.header)


def _recorded(request: Request, settings: Settings) -> dict[str, Any]:
    """With the words that the study adds, by which values are understood."""
    words = settings.vocabulary.added
    return {**request.options, **({"words": words} if words else {})}


READER = Reader(
    name="settlements",
    about=f"decisions on values ({', '.join(COLUMNS)})",
    part=Part.CLINICAL,
    precedence=SETTLING,
    read=lambda path, request: read(path, Vocabulary(request.options.get("words") or {})),
    recorded=_recorded,
    reads_again=lambda options: True,
    command="ingest decisions",
    describes=lambda head: Described("decisions on values", is_certain=True) if is_one(head) else None,
)
