"""Notices of the GDC about patients, samples and aliquots: what was redacted, doubled, or must not be used.

Files    JSON of the API's /annotations; tables (tab-separated) with category, classification, entity_type and the like, as
         the portal exports them; annotations.txt, which the GDC client leaves beside a file.
Makes    Annotation, with its effect.
Rule     an-1: a notice that was not rescinded excludes when its classification is Redaction, or its category is one of
         EXCLUDING; every other notice is a note.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from ingest.gdc.columns import missing_reason
from ingest.gdc.hits import hits_of, keys_of
from tshdb.barcode import Barcode
from tshdb.errors import InvalidInput
from tshdb.file_content import FileContent, Record
from tshdb.head import Head
from tshdb.readers import Part, Reader
from tshdb.schema import Annotation
from tshdb.text_files import open_table, open_text
from tshdb.vocabulary import Effect

RULE = "an-1"
EXCLUDING = {
    "item flagged dnu",
    "item does not meet study protocol",
    "duplicate case",
    "duplicate item",
    "sample compromised",
    "subject withdrew consent",
    "genotype mismatch",
    "subject identity unknown",
    "tumor type incorrect",
    "tumor tissue origin incorrect",
}
NAMES = {
    "annotation_id": ("annotation_id", "id", "ID", "UUID"),
    "entity_type": ("entity_type", "Entity Type"),
    "entity_id": ("entity_submitter_id", "Entity ID", "entity_id"),
    "entity_uuid": ("entity_id", "Entity UUID"),
    "case": ("case_submitter_id", "Case ID"),
    "case_uuid": ("case_id", "Case UUID"),
    "category": ("category", "Category"),
    "classification": ("classification", "Classification"),
    "status": ("status", "Status"),
    "notes": ("notes", "Notes"),
}
REQUIRED = ("annotation_id", "entity_type", "category")


def is_table(header: list[str]) -> bool:
    """Whether a header is that of a table of annotations."""
    return all(any(n in header for n in NAMES[field]) for field in REQUIRED) and "category" in map(str.lower, header)


def read(path: Path, collection: str, barcodes: Mapping[str, str]) -> FileContent:
    """The notices. barcodes: uuid of a case, sample or aliquot -> its barcode, as far as known."""
    content = FileContent()
    for line, row in _rows(path, content):
        values = {field: next((row[n] for n in names if row.get(n)), None) for field, names in NAMES.items()}
        values = {f: None if v is None or missing_reason(v) else v.strip() for f, v in values.items()}
        if any(values[f] is None for f in REQUIRED):
            content.withhold(
                line, None, values["annotation_id"], "annotation.incomplete", f"expected {', '.join(REQUIRED)}"
            )
            continue
        entity = values["entity_id"] or values["entity_uuid"] or ""
        entity = barcodes.get(entity, entity)
        patient = values["case"] or barcodes.get(values["case_uuid"] or "")
        if patient is None and Barcode.is_one(entity):
            patient = Barcode.parse(entity).patient_id
        if patient is None:
            content.warn(line, "entity_id", entity, "annotation.unknown-entity",
                         "no case or sample of this folder; the notice is left out")  # fmt: skip
            continue
        content.records.append(Record(Annotation, _notice(values, collection, patient, entity), line))
    return content


def _notice(values: dict, collection: str, patient: str, entity: str) -> dict:
    is_live = (values["status"] or "").lower() != "rescinded"
    excludes = (values["classification"] or "").lower() == "redaction" or values["category"].lower() in EXCLUDING
    return {
        "annotation_id": values["annotation_id"],
        "collection": collection,
        "patient_id": patient,
        "entity_type": values["entity_type"].lower(),
        "entity_id": entity,
        "category": values["category"],
        "classification": values["classification"],
        "status": values["status"],
        "notes": values["notes"],
        "effect": Effect.EXCLUDE if is_live and excludes else Effect.NOTE,
        "rule": RULE,
    }


def _rows(path: Path, content: FileContent) -> Iterator[tuple[int, dict[str, str]]]:
    with open_text(path) as file:
        is_json = file.read(1) in ("[", "{")
    if is_json:
        for i, hit in enumerate(hits_of(path), 1):
            yield i, {k: str(v) for k, v in hit.items() if isinstance(v, str | int | float)}
        return
    with open_table(path, content, "annotation.field-count") as table:
        if not is_table(table.header):
            raise InvalidInput("no table of annotations", where=f"{path}:1", repair=f"Expected {', '.join(REQUIRED)}")
        for line, fields in table.rows:
            yield line, dict(zip(table.header, fields, strict=True))


def _recognises(head: Head) -> bool:
    return {"entity_type", "category"} <= keys_of(head) or is_table(head.header)


READER = Reader(
    name="annotations",
    about="notices of the GDC (annotation_id, entity_type, category)",
    part=Part.NOTICES,
    precedence=90,
    recognises=_recognises,
)
