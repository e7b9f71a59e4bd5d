"""The collections that can be ingested by name, and what each is."""

from __future__ import annotations

from typing import NamedTuple


class Collection(NamedTuple):
    """project: of the GDC, None where the collection is a workbook."""

    name: str
    title: str
    project: str | None
    map_name: str | None = None


COLLECTIONS = {
    c.name: c
    for c in (
        Collection("tcga-brca", "TCGA-BRCA: RNA, clinical data and notices of the GDC", "TCGA-BRCA"),
        Collection("ispy1", "I-SPY 1 (ACRIN 6657): TCIA's clinical and outcome workbook", None, "ispy1"),
        Collection(
            "breast-mri-nact-pilot", "Breast-MRI-NACT-Pilot: TCIA's clinical and DFS workbook", None,
            "breast-mri-nact-pilot",
        ),
    )
}  # fmt: skip
