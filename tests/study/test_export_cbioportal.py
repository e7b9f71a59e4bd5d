"""The folder for cBioPortal says what the study says, by the rules of its formats."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest

from tests.support import tiny
from tshdb.errors import InvalidInput
from tshdb.exports.cbioportal import MONTH
from tshdb.exports.writing import export
from tshdb.study import Study

ID = re.compile(r"[A-Za-z0-9._-]+")
OF_META = {  # what a meta file must have, by the kind of data (cBioPortal's documentation, File Formats)
    "CLINICAL": {"cancer_study_identifier", "datatype", "data_filename"},
    "MRNA_EXPRESSION": {"cancer_study_identifier", "datatype", "stable_id", "show_profile_in_analysis_tab", "profile_name",
                        "profile_description", "data_filename"},
    "GENERIC_ASSAY": {"cancer_study_identifier", "generic_assay_type", "datatype", "stable_id", "profile_name",
                      "profile_description", "data_filename", "show_profile_in_analysis_tab", "generic_entity_meta_properties"},
}  # fmt: skip


@pytest.fixture
def folder(study, tmp_path) -> Path:
    export(study, "cbioportal", tmp_path / "out")
    return tmp_path / "out"


def meta(path: Path) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in path.read_text().splitlines())


def table(path: Path, key: str, comment: str | None = None) -> pd.DataFrame:
    found = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, na_values=["NA"], comment=comment)
    return found.set_index(key, drop=False)


def test_every_data_file_has_a_meta_file_with_all_that_it_must_have(folder):
    study = meta(folder / "meta_study.txt")
    assert set(study) == {"cancer_study_identifier", "type_of_cancer", "name", "description"}
    assert re.fullmatch(r"[a-z0-9_]+", study["cancer_study_identifier"]) and study["type_of_cancer"] == "brca"
    described = {"meta_study.txt"}
    for path in folder.glob("meta_*.txt"):
        facts = meta(path)
        assert facts["cancer_study_identifier"] == study["cancer_study_identifier"]
        if path.name not in described:
            assert OF_META[facts["genetic_alteration_type"]] <= set(facts), path.name
            assert (folder / facts["data_filename"]).is_file()
            described.add(facts["data_filename"])
    assert {p.name for p in folder.glob("data_*.txt")} == described - {"meta_study.txt"}
    samples = table(folder / "data_clinical_sample.txt", "SAMPLE_ID", "#")
    for path in (folder / "case_lists").iterdir():
        facts = meta(path)
        assert facts["stable_id"].startswith(study["cancer_study_identifier"] + "_")
        assert set(facts["case_list_ids"].split("\t")) <= set(samples.index)
    assert meta(folder / "case_lists/cases_all.txt")["case_list_ids"].split("\t") == list(samples.index)


def test_clinical_files_have_the_patients_and_their_outcomes(study, folder):
    head = [line.split("\t") for line in (folder / "data_clinical_patient.txt").read_text().splitlines()[:5]]
    assert len({len(line) for line in head}) == 1 and all(line[0].startswith("#") for line in head[:4])
    assert set(head[2]) <= {"#STRING", "STRING", "NUMBER"} and all(
        re.fullmatch(r"[A-Z0-9_]+", name) for name in head[4]
    )
    patients = table(folder / "data_clinical_patient.txt", "PATIENT_ID", "#")
    wide = study.sql("SELECT * FROM patients_wide").set_index("patient_id").loc[patients.index]
    assert len(patients) == 10 and all(map(ID.fullmatch, patients.index))
    for row, stored in zip(patients.itertuples(), wide.itertuples(), strict=True):
        assert float(row.AGE) == stored.age_years and row.SEX == stored.sex.capitalize()
        assert row.OS_STATUS == ("1:DECEASED" if stored.os_event else "0:LIVING")
        assert float(row.OS_MONTHS) * MONTH == pytest.approx(stored.os_days, rel=1e-15)
        assert row.TSH_RATIO_PROGNOSIS == stored.tsh_ratio_prognosis and float(row.TSH_SCORE) == stored.tsh_score
    samples = table(folder / "data_clinical_sample.txt", "SAMPLE_ID", "#")
    assert set(samples["PATIENT_ID"]) == set(patients.index) and all(map(ID.fullmatch, samples.index))


def test_values_are_the_study_s(study, folder):
    expression = table(folder / "data_expression_rsem_linear.txt", "Hugo_Symbol").iloc[:, 2:].astype(float)
    stored = study.sql(
        "SELECT e.sample_id, e.gene, e.value FROM expression e JOIN samples s USING (sample_id) "
        "WHERE s.compartment = 'tumor' AND e.is_selected"
    )
    assert expression.size == len(stored) == 10 * len(tiny.GENES)
    assert all(expression.at[g, s] == v for s, g, v in stored.itertuples(index=False))
    for name, query in (
        ("abundance_tumor_rsem", "SELECT population, sample_id, abundance FROM cell_abundances JOIN expression_profiles "
         "USING (profile_id) JOIN samples USING (sample_id) WHERE compartment = 'tumor'"),
        ("abundance_stroma_rsem", "SELECT population, patient_id, abundance FROM cell_abundances JOIN expression_profiles "
         "USING (profile_id) JOIN samples USING (sample_id) WHERE compartment = 'stroma'"),
        ("tsh_ratio_rsem", "SELECT population, patient_id, value FROM tsh_ratios"),
        ("radiomics", "SELECT feature, patient_id, value FROM radiomic_features JOIN imaging_studies USING (study_uid) "
         "WHERE feature_class IS NOT NULL"),
    ):  # fmt: skip
        written = table(folder / f"data_{name}.txt", "NAME").iloc[:, 3:].astype(float)
        rows = study.sql(query)
        assert written.size >= len(rows) > 0
        for entity, of_whom, value in rows.itertuples(index=False):
            assert written.at[entity, of_whom] == value or (pd.isna(value) and pd.isna(written.at[entity, of_whom])), (
                name
            )
    assert meta(folder / "meta_tsh_ratio_rsem.txt")["patient_level"] == "true"
    assert "patient_level" not in meta(folder / "meta_abundance_tumor_rsem.txt")


def test_the_first_examination_stands_for_a_patient(study, folder):
    written = table(folder / "data_imported_features.txt", "NAME").iloc[:, 3:]
    assert list(written) == sorted(study.sql("SELECT DISTINCT patient_id FROM imported_features")["patient_id"])


def test_names_that_it_refuses_are_replaced_and_texts_stay_in_their_cells(core, tmp_path):
    """A patient whose name has a blank, one with the sign that would stand for it, and words with a tab."""
    with closing(sqlite3.connect(core.sqlite_path)) as raw:
        for name in ("A 1", "A_1"):
            raw.execute("INSERT INTO patients (patient_id, collection, race) VALUES (?, 'sim', ?)", (name, "a\tb\nc"))
        raw.commit()
    export(Study(core.root), "cbioportal", tmp_path / "out")
    patients = table(tmp_path / "out/data_clinical_patient.txt", "PATIENT_ID", "#")
    assert {"A_1", "A_1_2"} <= set(patients.index) and len(patients) == 12
    assert {
        len(line.split("\t")) for line in (tmp_path / "out/data_clinical_patient.txt").read_text().splitlines()[4:]
    } == {patients.shape[1]}
    assert "Of 1 patients the name has signs" in (tmp_path / "out/README.md").read_text()
    assert patients.at["A_1", "RACE"] == "a␉b␊c"
    samples = table(tmp_path / "out/data_clinical_sample.txt", "SAMPLE_ID", "#")
    assert samples.at["A_1", "HAS_RNA"] == "no"


@pytest.mark.parametrize("line, code", [('cancer = "luad"', "luad"), ("", "mixed")])
def test_the_cancer_is_what_the_settings_say(study, tmp_path, line, code):
    settings = study.root / "study.toml"
    settings.write_text(settings.read_text().replace('cancer = "brca"', line))
    export(Study(study.root), "cbioportal", tmp_path / "out")
    assert meta(tmp_path / "out" / "meta_study.txt")["type_of_cancer"] == code
    said = (tmp_path / "out" / "README.md").read_text().replace("\\", "")
    assert ("type_of_cancer is mixed, since study.toml has no cancer" in said) == (code == "mixed")


def test_a_cancer_that_no_code_is_is_refused(study):
    settings = study.root / "study.toml"
    settings.write_text(settings.read_text().replace('cancer = "brca"', 'cancer = "Breast: x"'))
    with pytest.raises(InvalidInput, match="cancer"):
        _ = Study(study.root).settings
