"""Which format a file has, by the readers' records: by its first lines, never by its name alone where that may lie."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from tshdb import installed
from tshdb.file_content import FileContent
from tshdb.head import Head
from tshdb.readers import Request, recognised

UNKNOWN = "unknown"


class Format(StrEnum):
    """The formats that are asked for by name; others' readers have names of their own."""

    EXPRESSION = "star-counts"
    MANIFEST = "manifest"
    SAMPLE_SHEET = "sample-sheet"
    FILES = "files"
    STATUS = "status"
    EMPTY = "empty"
    ANNOTATIONS = "annotations"
    CASES = "gdc-cases"
    CLINICAL = "clinical"
    FOLLOW_UP = "gdc-follow-up"
    FAMILY_HISTORY = "family-history"
    OTHER_TABLE = "gdc-table"
    BIOTAB = "biotab"
    CDR = "cdr"


def format_of(path: Path) -> str:
    """The name of the reader that recognises a file, or UNKNOWN."""
    reader = recognised(Head(path), installed.readers())
    return UNKNOWN if reader is None else reader.name


def clinical_reader(name: str, collection: str, her2_rule: str) -> Callable[[Path], FileContent]:
    """What reads a clinical format."""
    read = installed.reader(name).read
    return lambda path: read(path, Request(collection, path.name, {"her2_rule": her2_rule}))
