"""The collections that can be ingested by name, and what each is."""

from __future__ import annotations

from typing import NamedTuple


class Collection(NamedTuple):
    """project: of the GDC, None where the collection is a workbook; idc_id, tcia_name: of its images."""

    name: str
    title: str
    project: str | None
    map_name: str | None
    idc_id: str
    tcia_name: str


COLLECTIONS = {
    c.name: c
    for c in (
        Collection(
            "tcga-brca", "TCGA-BRCA: RNA, clinical data and notices of the GDC; images of TCIA", "TCGA-BRCA", None,
            "tcga_brca", "TCGA-BRCA",
        ),
        Collection(
            "ispy1", "I-SPY 1 (ACRIN 6657): TCIA's clinical and outcome workbook, and images", None, "ispy1",
            "ispy1", "ISPY1",
        ),
        Collection(
            "breast-mri-nact-pilot", "Breast-MRI-NACT-Pilot: TCIA's clinical and DFS workbook, and images", None,
            "breast-mri-nact-pilot", "breast_mri_nact_pilot", "Breast-MRI-NACT-Pilot",
        ),
    )
}  # fmt: skip
