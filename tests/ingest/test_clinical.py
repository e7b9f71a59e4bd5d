"""The GDC's clinical.tsv of 2023: two rows a patient, '-- everywhere."""

from __future__ import annotations

import pytest

from ingest.gdc import clinical as gdc_clinical
from tests.support import tiny
from tshdb.errors import InvalidInput
from tshdb.schema import FollowUp, Patient


@pytest.fixture
def clinical(tmp_path):
    archive = tiny.TinyArchive.make(3)
    _, path = archive.write(tmp_path)
    return path


def edit(path, old, new, count=-1):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, count))


def outcomes(content):
    return {r.values["patient_id"]: r.values for r in content.records if r.table is FollowUp}


def test_one_patient_and_one_outcome_per_case(clinical):
    content = gdc_clinical.read(clinical, "tcga-tn")
    assert [r.table for r in content.records] == [Patient, FollowUp] * 3
    assert [r.line for r in content.records] == [2, 2, 4, 4, 6, 6]
    patient = content.records[0].values
    assert patient["age_years"] == 60.0 and patient["sex"] == "female" and patient["race"] is None
    assert not content.errors


def test_raw_values_are_kept_with_their_reason(clinical):
    lines = clinical.read_text().splitlines()
    at = lines[0].split("\t").index("ajcc_pathologic_stage")
    for i in (1, 2):
        cells = lines[i].split("\t")
        cells[at] = "not reported"
        lines[i] = "\t".join(cells)
    clinical.write_text("\n".join(lines) + "\n")
    raw = gdc_clinical.read(clinical, "tcga-tn").raw_values
    mine = [v for v in raw if v.patient_id == "TCGA-TN-0000"]
    assert [(v.line, v.value) for v in mine if v.field == "treatment_type"] == [
        (2, "Radiation Therapy, NOS"), (3, "Pharmaceutical Therapy, NOS"),
    ]  # fmt: skip
    assert [(v.value, v.missing_reason) for v in mine if v.field == "ajcc_pathologic_stage"] == [(None, "not reported")]
    assert not [v for v in mine if v.field == "race"], "a column that nobody filled makes no rows"


def with_outcome(path, status, death, last):
    header, *rows = path.read_text().splitlines()
    names = header.split("\t")
    for i in (0, 1):
        fields = rows[i].split("\t")
        for name, value in (("vital_status", status), ("days_to_death", death), ("days_to_last_follow_up", last)):
            fields[names.index(name)] = value
        rows[i] = "\t".join(fields)
    path.write_text("\n".join([header, *rows]) + "\n")
    return outcomes(gdc_clinical.read(path, "c")).get("TCGA-TN-0000")


@pytest.mark.parametrize(
    ("status", "death", "last", "expected"),
    [
        ("Dead", "100", "'--", (True, 100.0, None)),
        ("Dead", "100", "50", (True, 100.0, None)),
        ("Alive", "'--", "75", (False, 75.0, None)),
        ("Alive", "'--", "0", (False, 0.0, None)),
        ("Dead", "'--", "75", (True, None, "days_to_death empty in the source")),
        ("Alive", "'--", "'--", (False, None, "days_to_last_follow_up empty in the source")),
        ("Not Reported", "'--", "9", (None, None, "vital status not reported")),
        ("Alive", "'--", "-3", (False, None, "days_to_last_follow_up is negative")),
    ],
)
def test_overall_survival(clinical, status, death, last, expected):
    row = with_outcome(clinical, status, death, last)
    assert (row["event"], row["duration_days"], row["reason"]) == expected
    assert row["rule"] == "os-1" and row["time_origin"] == "diagnosis"


@pytest.mark.parametrize(
    ("status", "last", "rule"),
    [("Lost", "5", "clinical.vital-status"), ("Alive", "soon", "clinical.not-a-number")],
)
def test_values_that_mean_nothing_withhold_the_patient(clinical, status, last, rule):
    assert with_outcome(clinical, status, "'--", last) is None
    content = gdc_clinical.read(clinical, "c")
    assert [(f.rule, f.line) for f in content.errors] == [(rule, 2)] and content.n_withheld == 1


def test_rows_of_a_patient_must_agree(clinical):
    text = clinical.read_text().splitlines()
    text[2] = text[2].replace("female", "male")
    clinical.write_text("\n".join(text) + "\n")
    (finding,) = gdc_clinical.read(clinical, "c").errors
    assert (finding.rule, finding.line, finding.column) == ("clinical.rows-disagree", 3, "gender")


def test_half_rows_and_bad_ages(clinical):
    text = clinical.read_text().splitlines()
    text[1] = "\t".join(text[1].split("\t")[:5])
    text[3] = text[3].replace("\t60\t", "\t600\t")
    text[4] = text[4].replace("\t60\t", "\t600\t")
    clinical.write_text("\n".join(text) + "\n")
    found = {(f.rule, f.line) for f in gdc_clinical.read(clinical, "c").errors}
    assert found == {("clinical.field-count", 2), ("clinical.age", 4)}


def test_another_file_is_refused(tmp_path):
    path = tmp_path / "x.tsv"
    path.write_text("a\tb\n1\t2\n")
    with pytest.raises(InvalidInput, match=r"x\.tsv:1: no column case_submitter_id, vital_status"):
        gdc_clinical.read(path, "c")


def test_the_real_export(shared):
    """1,095 cases of TCGA-BRCA; 152 of them Dead (counted with awk over distinct cases)."""
    content = gdc_clinical.read(shared / "gdc/clinical.2023-11.TCGA-BRCA.tsv.gz", "tcga-brca")
    assert sum(r.table is Patient for r in content.records) == 1095 and not content.errors
    found = outcomes(content)
    assert sum(bool(r["event"]) for r in found.values()) == 152
    assert found["TCGA-AC-A23H"]["duration_days"] == 0.0
