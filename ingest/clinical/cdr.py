"""Overall survival as the TCGA Pan-Cancer Clinical Data Resource curated it.

File     tab-separated or a workbook, one row a sample: sample, _PATIENT (or bcr_patient_barcode), OS (1 dead, 0 alive),
         OS.time (days), Redaction; type, where it is of several. Liu et al. 2018, Cell 173:400, doi:10.1016/j.cell.2018.02.052.
Makes    Patient, FollowUp (endpoint OS, time origin diagnosis), Annotation (of redacted patients), every field as found.
"""

from __future__ import annotations

from pathlib import Path

from ingest.clinical import receptors
from ingest.clinical.plausibility import check_outcomes
from ingest.gdc.clinical import keep_raw
from ingest.gdc.columns import missing_reason
from ingest.gdc.projects import project_of
from ingest.identifiers import checked_patient
from ingest.tables.workbook import headers_of, read_sheets
from tshdb.barcode import Barcode
from tshdb.errors import InvalidInput
from tshdb.file_content import FileContent, Record
from tshdb.readers import Part, Reader
from tshdb.schema import Annotation, FollowUp, Patient
from tshdb.text_files import number
from tshdb.vocabulary import Effect, Endpoint

RULE = "cdr-1"
PATIENT_NAMES = ("_PATIENT", "bcr_patient_barcode", "patient")
REQUIRED = ("OS", "OS.time")
TYPE_NAMES = ("type", "cancer type abbreviation")


def read(path: Path, collection: str) -> FileContent:
    """Everything in the table. Raises InvalidInput for another file."""
    content = FileContent()
    by_patient: dict[str, list[tuple[int, dict[str, str]]]] = {}
    sheets = read_sheets(path, content)
    sheet = next((s for s in sheets if set(REQUIRED) <= set(s.header)), sheets[0])
    header = sheet.unique_header
    key = next((n for n in PATIENT_NAMES if n in header), None)
    missing = [c for c in REQUIRED if sheet.column([c]) is None] + ([] if key else [PATIENT_NAMES[0]])
    if missing:
        raise InvalidInput(
            f"no column {', '.join(missing)}", where=f"{path}:{sheet.header_line}", repair="Expected the TCGA-CDR table"
        )
    n_others, project = 0, project_of(collection)
    types = next((i for i, name in enumerate(header) if name.lower() in TYPE_NAMES), None)
    for line, fields in sheet.rows:
        if project is not None and types is not None and fields[types] and project != f"TCGA-{fields[types].upper()}":
            n_others += 1
            continue
        with content.row():
            patient_id = checked_patient(fields[header.index(key)], line, key, content)
        if patient_id is None:
            continue
        values = dict(zip(header, (f.strip() for f in fields), strict=True))
        sample = values.get("sample", values.get("sampleID", ""))
        if Barcode.is_one(sample) and Barcode.is_one(patient_id) and Barcode.parse(sample).patient_id != patient_id:
            content.withhold(
                line, key, patient_id, "clinical.other-patient", f"the row's sample {sample} is of another patient"
            )
            continue
        by_patient.setdefault(patient_id, []).append((line, values))
    if n_others:
        content.warn(
            None, header[types], None, "clinical.other-types",
            f"{n_others:,} rows of other types of cancer are left out; the collection {collection} is of {project}",
        )  # fmt: skip
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
    event = {1.0: True, 0.0: False}.get(
        number(row["OS"]) if row["OS"] else None
    )  # pandas writes 1.0 beside empty cells
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
    recognises=lambda head: any(set(REQUIRED) <= set(header) for header in headers_of(head)),
    read=lambda path, request: read(path, request.collection),
    recorded=receptors.recorded,
    reads_again=receptors.reads_again,
)
