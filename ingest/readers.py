"""All readers that come with the program, each with its record: a new one is a line here.

A file is recognised by the first that is sure of it: those that go by the file's name stand first, since they need not open
it. Where sources speak of one row, their readers' `precedence` says who is believed.
"""

from __future__ import annotations

from ingest import settlements
from ingest.clinical import biotab, cdr, outcomes
from ingest.expression import rna
from ingest.gdc import annotations, cases, clinical, expression, follow_up, sheets
from ingest.imaging import decisions, records
from ingest.tables import features, mapped
from tshdb.readers import Reader

READERS: tuple[Reader, ...] = (
    records.DICOM,
    records.SEGMENTATION,
    expression.READER,
    *sheets.SHEETS,
    biotab.READER,
    cdr.READER,
    annotations.READER,
    cases.READER,
    clinical.READER,
    follow_up.FAMILY_HISTORY,
    follow_up.FOLLOW_UP,
    follow_up.OTHER_TABLE,
    outcomes.READER,
    mapped.READER,
    rna.READER,
    features.READER,
    decisions.DECISIONS,
    settlements.READER,
    decisions.VERDICTS,
)
