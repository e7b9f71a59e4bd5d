"""Which format a file of an archive has: by its first lines, never by its name alone."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from ingest.clinical import biotab, cdr
from ingest.gdc import annotations as gdc_annotations
from ingest.gdc import clinical as gdc_clinical
from ingest.gdc import follow_up as gdc_follow_up
from ingest.gdc.columns import positions
from ingest.gdc.expression import STAR_SUFFIX, htseq_unit
from ingest.gdc.sheets import MANIFEST, SHEET
from tshdb.errors import InvalidInput, TshdbError
from tshdb.reading import Reading
from tshdb.text import open_text

HEAD_CHARACTERS = 1 << 16


class Format(StrEnum):
    """What a file is. The value names the reader of a clinical format, as sources and precedence know it."""

    EXPRESSION = "star-counts"
    MANIFEST = "manifest"
    SAMPLE_SHEET = "sample-sheet"
    FILES = "files"
    STATUS = "status"
    ANNOTATIONS = "annotations"
    CASES = "gdc-cases"
    CLINICAL = "clinical"
    FOLLOW_UP = "gdc-follow-up"
    FAMILY_HISTORY = "family-history"
    OTHER_TABLE = "gdc-table"
    BIOTAB = "biotab"
    CDR = "cdr"
    IMAGE = "image"
    EMPTY = "empty"
    UNKNOWN = "unknown"


CLINICAL_FORMATS = (
    Format.CASES, Format.CLINICAL, Format.FOLLOW_UP, Format.FAMILY_HISTORY, Format.BIOTAB, Format.CDR,
    Format.OTHER_TABLE,
)  # fmt: skip


IMAGE_SUFFIXES = (".dcm", ".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd", ".les")
DICOM_MARK = slice(128, 132), b"DICM"


def _is_image(path: Path) -> bool:
    """Whether a file is of the images beside the GDC's files, which other readers take.

    The suffix decides; only a file without one is opened.
    """
    return path.name.lower().endswith(IMAGE_SUFFIXES) if path.suffix else is_dicom(path)


def is_dicom(path: Path) -> bool:
    """Whether a file is DICOM: by its suffix, or without one by its mark. One that cannot be read is none."""
    if path.suffix:
        return path.suffix.lower() == ".dcm"
    where, mark = DICOM_MARK
    try:
        with path.open("rb") as file:
            return file.read(where.stop)[where] == mark
    except OSError:
        return False


def format_of(path: Path) -> Format:
    """The format of a file. A file that cannot be read as text is unknown."""
    if _is_image(path):
        return Format.IMAGE
    if path.name.endswith(STAR_SUFFIX) or htseq_unit(path):
        return Format.EXPRESSION
    try:
        with open_text(path) as file:
            head = file.read(HEAD_CHARACTERS)
    except (TshdbError, OSError):
        return Format.UNKNOWN
    if head[:1] in ("[", "{"):
        return _json_format(path)
    if head.startswith("# gene-model:"):
        return Format.EXPRESSION
    rows = list(csv.reader(head.splitlines()[:3], delimiter="\t", quoting=csv.QUOTE_NONE))
    return _table_format([[f.strip() for f in row] for row in rows])


def _table_format(rows: list[list[str]]) -> Format:
    if not rows:
        return Format.UNKNOWN
    header = rows[0]
    if set(MANIFEST) <= set(header):
        return Format.MANIFEST
    if biotab.is_biotab(rows):
        return Format.BIOTAB
    if set(cdr.REQUIRED) <= set(header):
        return Format.CDR
    at = positions(header, (*SHEET, *gdc_clinical.REQUIRED, "days_to_follow_up", "relative_with_cancer_history"))
    if set(SHEET) <= at.keys():
        return Format.SAMPLE_SHEET
    if gdc_annotations.is_table(header):
        return Format.ANNOTATIONS
    if {"patient_id", "vital_status"} <= at.keys():
        return Format.CLINICAL
    if {"patient_id", "relative_with_cancer_history"} <= at.keys():
        return Format.FAMILY_HISTORY
    if {"patient_id", "days_to_follow_up"} <= at.keys():
        return Format.FOLLOW_UP
    if "cases.submitter_id" in header:
        return Format.OTHER_TABLE
    return Format.UNKNOWN


def _json_format(path: Path) -> Format:
    try:
        answer = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        return Format.UNKNOWN
    if isinstance(answer, dict) and {"version", "status"} <= answer.keys():
        return Format.STATUS
    try:
        hits = gdc_clinical.hits_of(path)
    except InvalidInput:
        return Format.UNKNOWN
    if not hits:
        return Format.EMPTY
    keys = {key for hit in hits[:50] for key in hit}
    if {"entity_type", "category"} <= keys:
        return Format.ANNOTATIONS
    if "file_name" in keys:
        return Format.FILES
    if "submitter_id" in keys and keys & {"diagnoses", "demographic", "follow_ups"}:
        return Format.CASES
    return Format.UNKNOWN


def clinical_reader(format_: Format, collection: str, her2_rule: str) -> Callable[[Path], Reading]:
    """The reader of a clinical format."""
    return {
        Format.CASES: lambda path: _both(path, collection, her2_rule),
        Format.CLINICAL: lambda path: gdc_clinical.read(path, collection),
        Format.FOLLOW_UP: lambda path: gdc_follow_up.read(path, collection, her2_rule),
        Format.FAMILY_HISTORY: lambda path: gdc_follow_up.read(path, collection, her2_rule),
        Format.OTHER_TABLE: lambda path: gdc_follow_up.read(path, collection, her2_rule),
        Format.BIOTAB: lambda path: biotab.read(path, collection, her2_rule),
        Format.CDR: lambda path: cdr.read(path, collection),
    }[format_]


def _both(path: Path, collection: str, her2_rule: str) -> Reading:
    """Cases of the API hold their follow-ups: receptors and menopause are added to each patient."""
    reading = gdc_clinical.read(path, collection)
    added = gdc_follow_up.read(path, collection, her2_rule)
    more = {r.values["patient_id"]: r.values for r in added.records if r.table.__tablename__ == "patients"}
    for record in reading.records:
        if record.table.__tablename__ == "patients":
            for name, value in more.get(record.values["patient_id"], {}).items():
                record.values.setdefault(name, value)
    return reading
