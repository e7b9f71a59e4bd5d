"""Overall survival as the TCGA Pan-Cancer Clinical Data Resource curated it.

File     tab-separated, one row a sample: sample, _PATIENT (or bcr_patient_barcode), OS (1 dead, 0 alive), OS.time (days),
         Redaction. Liu et al. 2018, Cell 173:400, doi:10.1016/j.cell.2018.02.052.
Makes    Patient, FollowUp (endpoint OS, time origin diagnosis), Annotation (of redacted patients), every field as found.
"""

from __future__ import annotations

from pathlib import Path

from ingest.clinical import receptors
from ingest.clinical.plausibility import check_outcomes
from ingest.gdc.clinical import keep_raw
from ingest.gdc.columns import missing_reason
from ingest.identifiers import checked_patient
from tshdb.errors import InvalidInput
from tshdb.file_content import FileContent, Record
from tshdb.readers import Part, Reader
from tshdb.schema import Annotation, FollowUp, Patient
from tshdb.text_files import number, open_table
from tshdb.vocabulary import Effect, Endpoint

RULE = "cdr-1"
PATIENT_NAMES = ("_PATIENT", "bcr_patient_barcode", "patient")
REQUIRED = ("OS", "OS.time")


def read(path: Path, collection: str) -> FileContent:
    """Everything in the table. Raises InvalidInput for another file."""
    content = FileContent()
    by_patient: dict[str, list[tuple[int, dict[str, str]]]] = {}
    with open_table(path, content, "clinical.field-count") as table:
        header = table.header
        key = next((n for n in PATIENT_NAMES if n in header), None)
        missing = [c for c in REQUIRED if c not in header] + ([] if key else [PATIENT_NAMES[0]])
        if missing:
            raise InvalidInput(
                f"no column {', '.join(missing)}", where=f"{path}:1", repair="Expected the TCGA-CDR table"
            )
        for line, fields in table.rows:
            with content.row():
                patient_id = checked_patient(fields[header.index(key)], line, key, content)
            if patient_id is None:
                continue
            values = dict(zip(header, (f.strip() for f in fields), strict=True))
            by_patient.setdefault(patient_id, []).append((line, values))
    for patient_id, lines in by_patient.items():
        with content.row():
            _read_patient(patient_id, lines, collection, content)
    check_outcomes(content)
    keep_raw(by_patient, content)
    return content


def _read_patient(
    patient_id: str, lines: list[tuple[int, dict[str, str]]], collection: str, content: FileContent
) -> None:
    line, row = lines[0]
    for other_line, other in lines[1:]:
        for field in REQUIRED:
            if other[field] != row[field]:
                content.error(
                    other_line, field, other[field], "clinical.rows-disagree", f"line {line} says '{row[field]}'"
                )
                return
    event = {"1": True, "0": False}.get(row["OS"])
    days = None if missing_reason(row["OS.time"]) else number(row["OS.time"])
    bad = event is None and not _is_missing(row["OS"]), days is None and not _is_missing(row["OS.time"])
    for field, is_bad, expected in zip(REQUIRED, bad, ("expected 0 or 1", "expected days"), strict=True):
        if is_bad:
            content.error(line, field, row[field], "clinical.not-a-number", expected)
            return
    if days is not None and days < 0:
        content.warn(line, "OS.time", row["OS.time"], "clinical.negative-days", "before diagnosis; it stays empty")
        days = None
    outcome = {
        "patient_id": patient_id,
        "endpoint": Endpoint.OS,
        "event": event,
        "duration_days": days,
        "time_origin": "diagnosis",
        "reason": None if event is not None and days is not None else "OS or OS.time empty in the source",
        "rule": RULE,
    }
    content.records += [
        Record(Patient, {"patient_id": patient_id, "collection": collection}, line),
        Record(FollowUp, outcome, line),
    ]
    redaction = row.get("Redaction", "")
    if not _is_missing(redaction):
        notice = {
            "annotation_id": f"cdr:{patient_id}",
            "collection": collection,
            "patient_id": patient_id,
            "entity_type": "case",
            "entity_id": patient_id,
            "category": redaction,
            "classification": "Redaction",
            "status": None,
            "notes": None,
            "effect": Effect.EXCLUDE,
            "rule": RULE,
        }
        content.records.append(Record(Annotation, notice, line))


def _is_missing(text: str) -> bool:
    return missing_reason(text) is not None or text in ("NA", "#N/A")


READER = Reader(
    name="cdr",
    about="the TCGA-CDR (OS, OS.time)",
    part=Part.CLINICAL,
    precedence=70,
    recognises=lambda head: set(REQUIRED) <= set(head.header),
    read=lambda path, request: read(path, request.collection),
    recorded=receptors.recorded,
    reads_again=receptors.reads_again,
)
