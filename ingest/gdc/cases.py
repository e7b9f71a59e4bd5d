"""Cases of the GDC's API with everything that they hold: patients, outcome, and what their follow-ups add.

File     JSON of the API's /cases with diagnoses, demographic, follow_ups expanded (`clinical`, `follow_up`).
Makes    Patient, FollowUp (endpoint OS, time origin diagnosis), and every field as found.
"""

from __future__ import annotations

from pathlib import Path

from ingest.clinical import receptors
from ingest.gdc import clinical, follow_up
from ingest.gdc.hits import keys_of
from tshdb.file_content import FileContent
from tshdb.head import Head
from tshdb.readers import Part, Reader
from tshdb.schema import Patient


def read(path: Path, collection: str, her2_rule: str) -> FileContent:
    """As `clinical.read`; receptors and menopause of the follow-ups are added to each patient."""
    content = clinical.read(path, collection)
    added = follow_up.read(path, collection, her2_rule)
    more = {r.values["patient_id"]: r.values for r in added.records if r.table is Patient}
    for record in content.records:
        if record.table is Patient:
            for name, value in more.get(record.values["patient_id"], {}).items():
                record.values.setdefault(name, value)
    return content


def _recognises(head: Head) -> bool:
    keys = keys_of(head)
    return "submitter_id" in keys and bool(keys & {"diagnoses", "demographic", "follow_ups"})


READER = Reader(
    name="gdc-cases",
    about="cases of the GDC's API (JSON)",
    part=Part.CLINICAL,
    precedence=20,
    recognises=_recognises,
    read=lambda path, request: read(path, request.collection, request.options["her2_rule"]),
    recorded=receptors.recorded,
    reads_again=receptors.reads_again,
)
