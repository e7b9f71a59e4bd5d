"""--keep-going: good rows load, a bad row is withheld with all that hangs on it, whichever reader it is of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support import tiny
from tshdb import loading
from tshdb.file_content import FileContent, RawValue, Record
from tshdb.schema import Annotation, ExpressionProfile, FollowUp, Patient, Sample
from tshdb.study import Study

MAP = """
[patient_id]
column = "id"
[patients.age_years]
column = "age"
[follow_ups.OS]
time_origin = "diagnosis"
event = { column = "status", codes = { "0" = false, "1" = true } }
duration = { column = "days", unit = "days" }
"""
IDS = ("TCGA-Z1-Q001", "TCGA-Z1-Q002", "TCGA-Z1-Q003")


def by_map(folder: Path) -> list:
    (folder / "table.csv").write_text(
        f"id,age,status,days\n{IDS[0]},50,0,400\n{IDS[1]},sixty,1,800\n{IDS[2]},61,1,900\n"
    )
    (folder / "map.toml").write_text(MAP)
    return ["clinical", folder / "table.csv", "--map", folder / "map.toml"]


def workbook(folder: Path) -> list:
    """Two sheets of one workbook, of which the second has the bad cell."""
    import openpyxl

    book = openpyxl.Workbook()
    book.active.title = "people"
    for row in (("id", "age"), *zip(IDS, (50, 60, 61), strict=True)):
        book.active.append(row)
    sheet = book.create_sheet("outcome")
    for row in (("id", "status", "days"), (IDS[0], 0, 400), (IDS[1], 7, 800), (IDS[2], 1, 900)):
        sheet.append(row)
    book.save(folder / "table.xlsx")
    (folder / "map.toml").write_text(MAP)
    return ["clinical", folder / "table.xlsx", "--map", folder / "map.toml"]


def gdc(folder: Path) -> list:
    header = "case_submitter_id\tvital_status\tdays_to_death\tdays_to_last_follow_up\tage_at_index\n"
    rows = (f"{IDS[0]}\tAlive\t'--\t400\t50\n", f"{IDS[1]}\tAlive\t'--\t800\t700\n", f"{IDS[2]}\tDead\t900\t'--\t60\n")
    (folder / "clinical.tsv").write_text(header + "".join(rows))
    return ["clinical", folder / "clinical.tsv"]


def gdc_cases(folder: Path) -> list:
    said = zip(IDS, ("Alive", "Undead", "Dead"), ({}, {}, {"days_to_death": 900}), strict=True)
    cases = [
        {"submitter_id": i, "demographic": {"vital_status": status} | days,
         "diagnoses": [{"diagnosis_id": i, "days_to_last_follow_up": 400}]}
        for i, status, days in said
    ]  # fmt: skip
    (folder / "cases.json").write_text(json.dumps(cases))
    return ["clinical", folder / "cases.json"]


def cdr(folder: Path) -> list:
    """The bad patient is redacted as well: the notice goes along."""
    rows = zip(IDS, ("0", "x", "1"), ("400", "800", "900"), ("", "Redacted", ""), strict=True)
    text = "".join(f"{i}-01\t{i}\t{event}\t{days}\t{redaction}\n" for i, event, days, redaction in rows)
    (folder / "cdr.tsv").write_text("sample\t_PATIENT\tOS\tOS.time\tRedaction\n" + text)
    return ["clinical", folder / "cdr.tsv"]


def _biotab(folder: Path, name: str, with_gender: bool) -> list:
    names = ["bcr_patient_barcode", "vital_status", "death_days_to", "last_contact_days_to"]
    none = "[Not Available]"
    rows = [[IDS[0], "Alive", none, "400"], [IDS[1], "Dead", "soon", none], [IDS[2], "Dead", "900", none]]
    if with_gender:
        names.append("gender")
        rows = [[*row, "FEMALE"] for row in rows]
    top = [names, names, [f"CDE_ID:{i}" for i in range(len(names))]]
    path = folder / f"nationwidechildrens.org_clinical_{name}_brca.txt"
    path.write_text("".join("\t".join(fields) + "\n" for fields in top + rows))
    return ["clinical", path]


def biotab(folder: Path) -> list:
    return _biotab(folder, "patient", True)


def biotab_follow_up(folder: Path) -> list:
    return _biotab(folder, "follow_up_v4.0", False)


READERS = (by_map, workbook, gdc, gdc_cases, cdr, biotab, biotab_follow_up)


def loaded(study: Study) -> dict[str, dict]:
    """patient -> outcome; and that nobody else is anywhere."""
    rows = study.sql("SELECT patient_id, event, duration_days FROM follow_ups ORDER BY 1")
    for table in ("patients", "clinical_values"):
        assert set(study.sql(f"SELECT patient_id FROM {table}")["patient_id"]) == set(rows["patient_id"]), table
    assert study.sql("SELECT 1 FROM annotations").empty
    return {r.patient_id: (bool(r.event), r.duration_days) for r in rows.itertuples()}


GOOD = {IDS[0]: (False, 400.0), IDS[2]: (True, 900.0)}


@pytest.mark.parametrize("make", READERS, ids=lambda f: f.__name__)
def test_a_bad_row_goes_with_all_that_hangs_on_it(quick, empty_study, tmp_path, make):
    _ = empty_study.engine
    words = ["ingest", *make(tmp_path), "--collection", "mine", "--json", "--study", empty_study.root]
    assert json.loads(quick(*words, code=7).stdout)["refused"], "without the flag nothing is loaded"
    said = json.loads(quick(*words, "--keep-going", code=3).stdout)
    assert said["withheld"] == 1 and said["tables"]["patients"]["inserted"] == 2
    assert loaded(empty_study) == GOOD
    issues = empty_study.sql("SELECT DISTINCT path, line FROM ingest_issues WHERE severity = 'error'")
    assert len(issues) == 1


def test_a_patient_whose_row_is_bad_now_stays_as_she_was(quick, empty_study, tmp_path):
    """Her earlier row and values stand, also where the file is said to be complete: she is in it."""
    _ = empty_study.engine
    words = ["ingest", *by_map(tmp_path), "--collection", "mine", "--study", empty_study.root]
    path = tmp_path / "table.csv"
    bad = path.read_text()
    path.write_text(bad.replace("sixty", "60"))
    quick(*words)
    before = empty_study.sql("SELECT field, value FROM clinical_values WHERE patient_id = 'TCGA-Z1-Q002' ORDER BY 1")
    for flags in (["--keep-going"], ["--keep-going", "--complete"]):
        path.write_text(bad.replace("900", "901") + "\n" * len(flags))
        quick(*words, *flags, code=3)
        assert loaded(empty_study) == GOOD | {IDS[1]: (True, 800.0), IDS[2]: (True, 901.0)}
        now = empty_study.sql("SELECT field, value FROM clinical_values WHERE patient_id = 'TCGA-Z1-Q002' ORDER BY 1")
        assert now.equals(before)


def test_features(quick, empty_study, tmp_path):
    _ = empty_study.engine
    path = tmp_path / "features.csv"
    path.write_text("patient_id,tumor.S0.glcm.Idmn\nP00001,0.9\nP00002,much\nP00003,0.8\n")
    words = ["ingest", "features", path, "--collection", "mine", "--study", empty_study.root]
    quick(*words, code=7)
    quick(*words, "--keep-going", code=3)
    found = empty_study.sql("SELECT patient_id FROM imported_features ORDER BY 1")["patient_id"].tolist()
    assert found == empty_study.sql("SELECT patient_id FROM patients ORDER BY 1")["patient_id"].tolist()
    assert found == ["P00001", "P00003"]


@pytest.mark.parametrize("layout", ["wide", "transposed", "long"])
def test_a_matrix(quick, empty_study, tmp_path, layout):
    _ = empty_study.engine
    samples = [f"{i}-01A" for i in IDS]
    texts = {
        "wide": "gene," + ",".join(samples) + "\nCD3D,1,2,3\nDCN,1,much,3\nGNLY,4,5,6\n",
        "transposed": "sample,CD3D,DCN,GNLY\n" + "".join(
            f"{s},1,{v},3\n" for s, v in zip(samples, ("2", "much", "4"), strict=True)),
        "long": "sample,gene,value\n" + "".join(
            f"{s},CD3D,{v}\n" for s, v in zip(samples, ("2", "much", "4"), strict=True)),
    }  # fmt: skip
    path = tmp_path / "rna.csv"
    path.write_text(texts[layout])
    words = ["ingest", "rna", path, "--collection", "mine", "--unit", "rsem", "--scale", "linear"]
    if layout == "transposed":
        said = '[expression]\nunit = "rsem"\nscale = "linear"\norientation = "samples_in_rows"\n'
        (tmp_path / "map.toml").write_text(said)
        words = [*words[:5], "--map", tmp_path / "map.toml"]
    quick(*words, "--study", empty_study.root, code=7)
    quick(*words, "--study", empty_study.root, "--keep-going", code=3)
    n = len(empty_study.sql("SELECT DISTINCT profile_id FROM expression"))
    assert n == (3 if layout == "wide" else 2) == len(empty_study.sql("SELECT 1 FROM expression_profiles"))


# ------------------------------------------------------------------------------------------------ the mechanism


def test_what_hangs_on_a_row_that_nobody_has_is_named_and_left_out(empty_study, tmp_path):
    """By the tables' own references: a profile of a sample of a patient, and values as found; whichever reader says so."""
    tiny.ingest(empty_study, tiny.TinyArchive.make(2))
    settings = empty_study.root / "study.toml"
    settings.write_text(settings.read_text() + '\n[collections]\nsame_patients = ["tcga-tn", "mine"]\n')
    empty_study = Study(empty_study.root)
    patient = {"patient_id": "P00001", "collection": "mine"}
    lonely = {"sample_id": "S9", "patient_id": "P00009", "sample_type_code": "01", "compartment": "tumor"}
    profile = {
        "profile_id": "S9:tpm", "sample_id": "S9", "aliquot_id": "S9", "unit": "tpm", "workflow": "x", "gene_model": None,
    }  # fmt: skip
    outcome = {
        "endpoint": "OS", "event": True, "duration_days": 5.0, "time_origin": "diagnosis", "reason": None, "rule": "x",
    }  # fmt: skip
    content = FileContent()
    content.records = [
        Record(ExpressionProfile, profile, 4), Record(Sample, lonely, 3), Record(Patient, patient, 1),
        Record(FollowUp, {"patient_id": "P00001", **outcome}, 1), Record(FollowUp, {"patient_id": "P00008", **outcome}, 2),
        Record(FollowUp, {"patient_id": "TCGA-TN-0001", **outcome}, 5),
    ]  # fmt: skip
    path = tmp_path / "x.csv"
    path.write_text("x")
    source = loading.Source("mine", "clinical", "x.csv")

    records = content.records

    def load(**options):
        content.records, content.findings = list(records), []
        return loading.load(empty_study, [loading.item_of(empty_study, source, path, {}, lambda: content)],
                            command="test", **options)  # fmt: skip

    refused = load(dry_run=True)
    assert refused.is_refused
    assert [(f.line, f.value, f.rule) for f in refused.errors] == [
        (2, "P00008", "id.unknown-owner"), (3, "P00009", "id.unknown-owner"), (4, "S9", "id.unknown-owner"),
    ]  # fmt: skip
    assert all(f.path == str(path) for f in refused.errors)
    assert load(keep_going=True).n_withheld == 3


def test_values_of_a_patient_without_a_row_take_along_what_the_file_says_of_her():
    from tshdb.loading.hanging import take_out_withheld

    content = FileContent()
    sample = {"sample_id": "S2", "patient_id": "P2"}
    content.records = [
        Record(ExpressionProfile, {"profile_id": "S2:tpm", "sample_id": "S2"}, 2), Record(Sample, sample, 2),
        Record(Patient, {"patient_id": "P1"}, 1), Record(FollowUp, {"patient_id": "P1"}, 1),
        Record(FollowUp, {"patient_id": "P2"}, 2), Record(Annotation, {"annotation_id": "a", "patient_id": "P2"}, 2),
    ]  # fmt: skip
    content.raw_values = [RawValue("P1", 1, "age", "50", None), RawValue("P2", 2, "age", "x", None)]
    take_out_withheld(content)
    assert {r.values.get("patient_id") for r in content.records} == {"P1"}
    assert [v.patient_id for v in content.raw_values] == ["P1"]
