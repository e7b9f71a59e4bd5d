"""Simulated clinical tables in the archives' own formats: the GDC's clinical.tsv, the BCR's Biotab, the two workbooks.

clinical.tsv   as the portal writes it since 2025: cases.*, demographic.*, diagnoses.*, `'--` for nothing, two rows a case.
Biotab         receptors and menopause, with three header rows.
ISPY1          .xlsx with the sheets of TCIA's workbook; OS and RFS in days, LD in mm.
NACT-Pilot     .xls; DFS in weeks from surgery, censor 0 = event, LD in cm.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from ingest.simulate.files import write_bytes
from ingest.simulate.subjects import Subject

NOTHING = "'--"
CLINICAL = (
    "project.project_id", "cases.case_id", "cases.submitter_id", "cases.primary_site", "demographic.age_at_index",
    "demographic.gender", "demographic.race", "demographic.ethnicity", "demographic.vital_status",
    "demographic.days_to_death", "diagnoses.diagnosis_id", "diagnoses.classification_of_tumor",
    "diagnoses.ajcc_pathologic_t", "diagnoses.ajcc_pathologic_n", "diagnoses.ajcc_pathologic_m",
    "diagnoses.ajcc_pathologic_stage", "diagnoses.days_to_last_follow_up", "diagnoses.laterality",
    "diagnoses.morphology", "diagnoses.primary_diagnosis", "treatments.treatment_type",
)  # fmt: skip
BIOTAB = (
    ("bcr_patient_uuid", "bcr_patient_uuid", "CDE_ID:"),
    ("bcr_patient_barcode", "bcr_patient_barcode", "CDE_ID:2003301"),
    ("gender", "gender", "CDE_ID:2200604"),
    ("menopause_status", "menopause_status", "CDE_ID:2957270"),
    ("race", "race", "CDE_ID:2192199"),
    ("er_status_by_ihc", "breast_carcinoma_estrogen_receptor_status", "CDE_ID:2957359"),
    ("pr_status_by_ihc", "breast_carcinoma_progesterone_receptor_status", "CDE_ID:2957357"),
    ("her2_status_by_ihc", "lab_proc_her2_neu_immunohistochemistry_receptor_status", "CDE_ID:2957563"),
    ("her2_fish_status", "lab_procedure_her2_neu_in_situ_hybrid_outcome_type", "CDE_ID:2854089"),
)
STAGES = ((20.0, "T1"), (50.0, "T2"))  # up to so many mm


def clinical_rows(subjects: Iterable[Subject]) -> Iterator[str]:
    """Lines of clinical.tsv: one a case and treatment."""
    yield "\t".join(CLINICAL)
    for s in subjects:
        dead, days, c = s.outcome["os_event"], str(s.outcome["os_days"]), s.clinical
        t_stage = next((name for limit, name in STAGES if c["size_mm"] <= limit), "T3")
        fixed = {
            "project.project_id": "TCGA-BRCA",
            "cases.case_id": f"simulated-{s.patient_id}",
            "cases.submitter_id": s.patient_id,
            "cases.primary_site": "Breast",
            "demographic.age_at_index": str(c["age_years"]),
            "demographic.gender": "female",
            "demographic.race": c["race"],
            "demographic.ethnicity": "not hispanic or latino",
            "demographic.vital_status": "Dead" if dead else "Alive",
            "demographic.days_to_death": days if dead else NOTHING,
            "diagnoses.diagnosis_id": f"diagnosis-{s.patient_id}",
            "diagnoses.classification_of_tumor": "primary",
            "diagnoses.ajcc_pathologic_t": t_stage,
            "diagnoses.ajcc_pathologic_n": f"N{c['n_stage']}",
            "diagnoses.ajcc_pathologic_m": "M0",
            "diagnoses.ajcc_pathologic_stage": "Stage II" if c["n_stage"] < 2 else "Stage III",
            "diagnoses.days_to_last_follow_up": NOTHING if dead else days,
            "diagnoses.laterality": c["side"].title(),
            "diagnoses.morphology": "8500/3",
            "diagnoses.primary_diagnosis": "Infiltrating duct carcinoma, NOS",
        }
        for treatment in ("Radiation Therapy, NOS", "Pharmaceutical Therapy, NOS"):
            row = fixed | {"treatments.treatment_type": treatment}
            yield "\t".join(row[name] for name in CLINICAL)


def biotab_rows(subjects: Iterable[Subject]) -> Iterator[str]:
    """Lines of the BCR's table of patients."""
    for header in zip(*BIOTAB, strict=True):
        yield "\t".join(header)
    for s in subjects:
        c = s.clinical
        her2 = "[Not Available]" if c["her2"] is None else _verdict(c["her2"])
        menopause = f"{c['menopause']} (simulated)"
        yield "\t".join(
            (f"simulated-{s.patient_id}", s.patient_id, "FEMALE", menopause, c["race"].upper(), _verdict(c["er"]),
             _verdict(c["pr"]), her2, "[Not Evaluated]")
        )  # fmt: skip


def _verdict(value: bool) -> str:
    return "Positive" if value else "Negative"


# ------------------------------------------------------------------------------------------------- workbooks

PREDICTORS = (
    "SUBJECTID", "DataExtractDt", "age", "race_id", "ERpos", "PgRpos", "HR Pos", "Her2MostPos", "HR_HER2_CATEGORY",
    "HR_HER2_STATUS", "BilateralCa", "Laterality", "MRI LD Baseline",
)  # fmt: skip
OUTCOMES = ("SUBJECTID", "DataExtractDt", "sstat", "survDtD2 (tx)", "RFS", "rfs_ind", "PCR", "RCBClass")
RACES = {"white": (1, "Caucasian"), "black or african american": (3, "African American"), "asian": (4, "Asian")}
EXTRACTED = datetime(2009, 9, 3)
NACT = (
    "Patient ID", "AGE at MRI1 (yrs)", "Race", "ER positive", "PR Positive", "HER2 Positive", "breast laterality",
    "LD 1", "censor", "DFS time (weeks)",
)  # fmt: skip
SIMULATED_WORDS = "Simulated by tshdb: no row is a person."


def write_ispy1(path: Path, subjects: Sequence[Subject]) -> None:
    """The workbook of I-SPY 1; the same subjects give the same bytes."""
    import openpyxl

    book = openpyxl.Workbook()
    dictionary = book.active
    dictionary.title = "Clinical Data Dictionary"
    dictionary.append((SIMULATED_WORDS,))
    predictors, outcomes = book.create_sheet("predictors"), book.create_sheet("outcomes")
    predictors.append(PREDICTORS)
    outcomes.append(OUTCOMES)
    for s in subjects:
        c, o, number = s.clinical, s.outcome, int(s.patient_id.removeprefix("ISPY1_"))
        receptor = c["er"] or c["pr"]
        class_ = None if c["her2"] is None else 2 if c["her2"] else 1 if receptor else 3
        name = {None: None, 1: "HRposHER2neg", 2: "HER2pos", 3: "TripleNeg"}[class_]
        predictors.append(
            (number, EXTRACTED, c["age_years"], RACES[c["race"]][0], int(c["er"]), int(c["pr"]), int(receptor),
             None if c["her2"] is None else int(c["her2"]), class_, name, 0, 1 if c["side"] == "left" else 2,
             round(c["size_mm"]))
        )  # fmt: skip
        status = 8 if o["os_event"] else 9 if o["is_lost"] else 7
        outcomes.append((number, EXTRACTED, status, o["os_days"], o["rfs_days"], int(o["rfs_event"]), None, None))
    buffer = io.BytesIO()
    book.save(buffer)
    write_bytes(path, _timeless(buffer.getvalue()))


def _timeless(workbook: bytes) -> bytes:
    """The same workbook without the time of its writing, which openpyxl puts in."""
    buffer = io.BytesIO()
    moment = EXTRACTED.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    with zipfile.ZipFile(io.BytesIO(workbook)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in sorted(old.namelist()):
            data = (
                re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", moment, old.read(name))
                if "core.xml" in name
                else old.read(name)
            )
            new.writestr(zipfile.ZipInfo(name, (2009, 9, 3, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def write_nact(path: Path, subjects: Sequence[Subject]) -> None:
    """The workbook of the NACT pilot, in the old format, as TCIA has it."""
    import xlwt

    book = xlwt.Workbook()
    book.add_sheet("Data Dictionary").write(0, 0, f"{SIMULATED_WORDS} censor: 0 = event; DFS in weeks from surgery")
    sheet = book.add_sheet("Clinical and DFS Data")
    rows: list[Sequence[Any]] = [NACT]
    for s in subjects:
        c, o = s.clinical, s.outcome
        rows.append(
            (s.patient_id, c["age_years"], RACES[c["race"]][1], int(c["er"]), int(c["pr"]),
             "NP" if c["her2"] is None else int(c["her2"]), "L" if c["side"] == "left" else "R",
             round(c["size_mm"] / 10, 1), int(not o["rfs_event"]), round(o["rfs_days"] / 7, 1))
        )  # fmt: skip
    for r, row in enumerate(rows):
        for col, value in enumerate(row):
            sheet.write(r, col, value)
    buffer = io.BytesIO()
    book.save(buffer)
    write_bytes(path, buffer.getvalue())
