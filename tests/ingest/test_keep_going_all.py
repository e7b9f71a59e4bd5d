"""--keep-going of every reader there is: the good loads, the bad is withheld with all that hangs on it, nothing dangles."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from ingest.simulate.dce_layouts import LAYOUTS, SimulatedExamination, write_examination
from ingest.simulate.dicom_files import SAGITTAL, Geometry
from tests.support.gdc_folder import GdcFolder
from tshdb import installed
from tshdb.study import Study

GOOD, BAD = "TCGA-Z1-Q001", "TCGA-Z1-Q'2"  # no identifier has a quotation mark
MAP = '[patient_id]\ncolumn = "id"\n[patients.age_years]\ncolumn = "age"\n'
STUDY, SERIES = "{study}", "{series}"


def lines(folder: Path, name: str, header: str, *rows: str) -> Path:
    path = folder / name
    path.write_text("".join(line.replace(",", "\t") + "\n" for line in (header, *rows)))
    return path


def clinical(folder: Path) -> list:
    header = "case_submitter_id,vital_status,days_to_death,days_to_last_follow_up"
    return ["clinical", lines(folder, "clinical.tsv", header, f"{GOOD},Alive,,400", f"{BAD},Alive,,400")]


def follow_up(folder: Path) -> list:
    return ["follow-up", clinical(folder)[1]]


def gdc_cases(folder: Path) -> list:
    """Several diagnoses, follow-ups, tests and files a case, as the API gives them."""
    cases = [
        {
            "submitter_id": name,
            "demographic": {"vital_status": "Alive"},
            "diagnoses": [{"diagnosis_id": f"{i}-{d}", "days_to_last_follow_up": 400 + d} for d in (1, 2)],
            "follow_ups": [
                {"follow_up_id": f"{i}-{f}", "molecular_tests": [
                    {"gene_symbol": gene, "test_result": "Positive"} for gene in ("ESR1", "PGR")]}
                for f in (1, 2)
            ],
            "files": [{"file_id": f} for f in "ab"],
        }
        for i, name in enumerate((GOOD, BAD))
    ]  # fmt: skip
    (folder / "cases.json").write_text(json.dumps({"data": {"hits": cases}}))
    return ["clinical", folder / "cases.json"]


def biotab(folder: Path) -> list:
    names = "bcr_patient_barcode,vital_status,death_days_to,last_contact_days_to,gender"
    path = lines(folder, "nationwidechildrens.org_clinical_patient_brca.txt", names, names, "CDE_ID:1,,,,",
                 f"{GOOD},Alive,,400,FEMALE", f"{BAD},Alive,,400,FEMALE")  # fmt: skip
    return ["clinical", path]


def cdr(folder: Path) -> list:
    header = "sample,_PATIENT,OS,OS.time,Redaction"
    return ["clinical", lines(folder, "cdr.tsv", header, f"{GOOD}-01,{GOOD},0,400,", f"{BAD}-01,{BAD},0,400,Redacted")]


def family_history(folder: Path) -> list:
    header = "case_submitter_id,relative_with_cancer_history"
    return ["clinical", lines(folder, "family_history.tsv", header, f"{GOOD},yes", f"{BAD},no")]


def gdc_follow_up(folder: Path) -> list:
    header = "case_submitter_id,days_to_follow_up"
    return ["clinical", lines(folder, "follow_up.tsv", header, f"{GOOD},400", f"{BAD},500")]


def gdc_table(folder: Path) -> list:
    header = "cases.submitter_id,exposures.alcohol_history"
    return ["clinical", lines(folder, "exposure.tsv", header, f"{GOOD},Yes", f"{BAD},No")]


def workbook(folder: Path) -> list:
    """I-SPY 1's: a woman of 700 years."""
    import openpyxl

    from ingest.simulate.clinical_tables import OUTCOMES, PREDICTORS

    book = openpyxl.Workbook()
    sheets = (
        ("predictors", PREDICTORS, [(1001, 1, 50, 1, 1, 1, 1, 0, 1, "HRposHER2neg", 0, 1, 30),
                                    (1002, 1, 700, 1, 1, 1, 1, 0, 1, "HRposHER2neg", 0, 1, 30)]),
        ("outcomes", OUTCOMES, [(1001, 1, 7, 900, 900, 0, None, None), (1002, 1, 7, 900, 900, 0, None, None)]),
    )  # fmt: skip
    for title, header, rows in sheets:
        sheet = book.create_sheet(title)
        for row in (header, *rows):
            sheet.append(row)
    book.save(folder / "ispy1.xlsx")
    return ["ispy1", "--from", folder]


def rna(folder: Path) -> list:
    header = f"gene,{GOOD}-01A,{BAD}-01A"
    path = lines(folder, "m.tsv", header, *(f"{g},{i}.5,{i}.25" for i, g in enumerate(("CD3D", "DCN", "GNLY"))))
    return ["rna", path, "--unit", "tpm", "--scale", "linear"]


def features(folder: Path) -> list:
    header = "patient_id,tumor_S0_original_glcm_Idm"
    return ["features", lines(folder, "f.tsv", header, f"{GOOD},0.5", f"{BAD},0.25")]


def star_counts(folder: Path) -> list:
    made = GdcFolder.make(2)
    made.write(folder)
    (folder / "gdc_manifest.txt").unlink()
    path = sorted(folder.rglob("*star_gene_counts.tsv"))[0]
    path.write_text(path.read_text().replace("\t", "\tmuch", 40))
    return ["tcga-brca", "--from", folder]


def annotations(folder: Path) -> list:
    made = GdcFolder.make(2)
    for patient in list(made.cases):
        made.notice(patient, "General")
    made.annotations[1]["category"] = ""
    made.write(folder)
    return ["tcga-brca", "--from", folder]


def examination(folder: Path, name: str) -> Path:
    volumes = [np.full((3, 6, 6), 100 + 50 * p, np.uint16) for p in range(3)]
    made = SimulatedExamination(name, "T0", volumes, Geometry(orientation=SAGITTAL))
    write_examination(made, LAYOUTS["ge content time"][0], folder)
    return folder


def dicom(folder: Path) -> list:
    examination(folder, "SIM-0001")
    path = sorted(examination(folder, "SIM-0002").rglob("*.dcm"))[-1]
    path.write_bytes(path.read_bytes()[:-20])
    return ["dicom", folder, "--jobs", "1"]


def decisions(folder: Path) -> list:
    header = "study_uid,series_uid,decision,decided_by,reason"
    rows = (f"{STUDY},{SERIES},dynamic,me,seen", f"{STUDY},1.2.3,dynamic,me,seen")
    return ["decisions", lines(folder, "decisions.csv", header, *rows)]


def settlements(folder: Path) -> list:
    header = "table,row,column,value,decided_by,reason"
    rows = ("patients,P-1,sex,female,me,chart", f"patients,{BAD},age_years,610,me,chart")
    return ["decisions", lines(folder, "settled.csv", header, *rows)]


def verdicts(folder: Path) -> list:
    return ["file", lines(folder, "qc.csv", "study_uid,verdict,read_by", f"{STUDY},pass,me", "1.2.3,pass,me"),
            "--reader", "qc"]  # fmt: skip


def segmentation(folder: Path) -> list:
    """One mask on the grid of the images, and one that is no mask."""
    import SimpleITK

    for name in ("SIM-0001.nrrd", "SIM-0001b.nrrd"):
        SimpleITK.WriteImage(SimpleITK.GetImageFromArray(np.ones((3, 6, 6), np.uint8)), str(folder / name))
    (folder / "SIM-0001b.nrrd").write_bytes((folder / "SIM-0001b.nrrd").read_bytes()[:-30])
    return ["segmentation", folder]


MAKERS = {
    "clinical": clinical, "follow-up": follow_up, "gdc-cases": gdc_cases, "biotab": biotab, "cdr": cdr,
    "family-history": family_history, "gdc-follow-up": gdc_follow_up, "gdc-table": gdc_table, "workbook": workbook,
    "rna": rna, "features": features, "star-counts": star_counts, "annotations": annotations, "dicom": dicom,
    "decisions": decisions, "settlements": settlements, "qc": verdicts, "segmentation": segmentation,
}  # fmt: skip
ON_IMAGES = {"decisions", "qc", "segmentation"}


def test_every_reader_that_makes_rows_is_tried():
    assert set(MAKERS) == {r.name for r in installed.readers() if r.precedence is not None}


def fill_in(folder: Path, study: Study) -> None:
    """The UIDs of the examination that the study has."""
    row = study.sql("SELECT study_uid, series_uid FROM imaging_series ORDER BY series_uid").iloc[0]
    for path in folder.glob("*.csv"):
        text = path.read_text().replace(STUDY, row["study_uid"]).replace(SERIES, row["series_uid"])
        path.write_text(text.replace("\t", ","))


@pytest.mark.parametrize("name", MAKERS)
def test_the_good_loads_and_the_bad_is_withheld(quick, empty_study, tmp_path, name):
    _ = empty_study.engine
    folder = tmp_path / "files"
    folder.mkdir()
    words = MAKERS[name](folder)
    named = [] if words[0] in ("tcga-brca", "ispy1") else ["--collection", "mine"]
    if name in ON_IMAGES:
        images = examination(tmp_path / "images", "SIM-0001")
        quick("ingest", "dicom", images, "--jobs", "1", "--collection", "mine", cwd=empty_study.root)
        fill_in(folder, empty_study)
    before = n_records(empty_study)
    refused = quick("ingest", *words, *named, cwd=empty_study.root, code=7)
    assert "Traceback" not in refused.stderr and n_records(empty_study) == before, "without the flag nothing is loaded"
    loaded = quick("ingest", *words, *named, "--keep-going", cwd=empty_study.root, code=3)
    assert "Traceback" not in loaded.stderr
    assert n_records(empty_study) > before
    assert not empty_study.sql("SELECT 1 FROM ingest_issues WHERE severity = 'error'").empty
    with sqlite3.connect(empty_study.sqlite_path) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        for table in ("source_records", "clinical_values", "patients"):
            assert BAD not in repr(connection.execute(f"SELECT * FROM {table}").fetchall()), table
    connection.close()
    assert "Traceback" not in quick("check", cwd=empty_study.root, code=None).stderr
    again = quick("ingest", *words, *named, "--keep-going", cwd=empty_study.root, code=None)
    assert "Traceback" not in again.stderr and again.returncode in (0, 3)


def n_records(study: Study) -> int:
    return study.sql("SELECT count(*) AS n FROM source_records")["n"][0]


def test_fields_of_several_diagnoses_of_one_case_stand_beside_each_other(quick, empty_study, tmp_path):
    _ = empty_study.engine
    _, path = gdc_cases(tmp_path)
    quick("ingest", "clinical", path, "--collection", "mine", "--keep-going", cwd=empty_study.root, code=3)
    rows = empty_study.sql("SELECT field, value FROM clinical_values WHERE field LIKE 'diagnoses%' ORDER BY 1")
    assert dict(zip(rows["field"], rows["value"], strict=True)) == {
        "diagnoses.diagnosis_id": "0-1", "diagnoses.days_to_last_follow_up": "401",
        "diagnoses.diagnosis_id (2)": "0-2", "diagnoses.days_to_last_follow_up (2)": "402",
    }  # fmt: skip
    outcome = empty_study.sql("SELECT duration_days FROM follow_ups")
    assert list(outcome["duration_days"]) == [402.0], "the last contact of all diagnoses"
