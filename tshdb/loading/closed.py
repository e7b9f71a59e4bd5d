"""Closed columns at the door, whichever reader it was: the study's words for a source's, before anything is compared.

A word that nobody knows is a finding, the column is empty, and the word stays where it was found (`clinical_values`); of a
receptor it is the reason too.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from tshdb.file_content import FileContent, Record
from tshdb.schema import FollowUp, Patient
from tshdb.words import CLOSED, OPEN, Vocabulary, keys

COLUMNS: dict[type, tuple[str, ...]] = {Patient: CLOSED, FollowUp: ("time_origin",)}


def close_columns(content: FileContent, vocabulary: Vocabulary) -> None:
    """Bring the words of a file's records to the study's, in place, with findings of those that are not known."""
    by_word: dict[tuple[type, str, str], list[Record]] = defaultdict(list)
    for record in content.records:
        for column in COLUMNS.get(record.table, ()):
            text = record.values.get(column)
            if isinstance(text, str) and text:
                by_word[record.table, column, text].append(record)
    beside: dict[str, set[str]] = defaultdict(set)
    for _, column, text in by_word:
        beside[column] |= keys([text])
    for (_, column, text), records in by_word.items():
        word = vocabulary.understood(column, text, beside[column])
        if word.value != text:
            for record in records:
                _settle(record.values, column, word.value, word.reason or text)
        if not word.is_known or word.note:
            field = _field(content, records[0], column, text)
            message = word.note or f"not known: expected {vocabulary.expected(column)}"
            message += "; it is kept as it stands" if word.value else "; left empty"
            message += f" ({len(records)} rows)" if len(records) > 1 else ""
            rule = "word.other-staging" if word.note else "word.unfamiliar" if column in OPEN else "word.unknown"
            content.warn(records[0].line, field, text, rule, f"{column}: {message}")


def _settle(values: dict[str, Any], column: str, word: str | None, reason: str) -> None:
    values[column] = word
    beside = f"{column}_reason"
    if beside in Patient.__table__.columns:
        values[beside] = None if word else values.get(beside) or reason


def _field(content: FileContent, record: Record, column: str, text: str) -> str:
    """The column of the file that says it, where its values were kept; else the study's column."""
    patient = record.values.get("patient_id")
    said = (
        v.field
        for v in content.raw_values
        if v.patient_id == patient and v.value and v.value.casefold() == text.casefold()
    )
    return next(said, column)
