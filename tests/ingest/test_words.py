"""Words of closed columns at every door: what loads, what is a finding, and where the word stays."""

from __future__ import annotations

import json

import pytest

MAP = """
[patient_id]
column = "id"
[patients.sex]
column = "sex"
[patients.er_status]
column = "er"
[patients.laterality]
column = "side"
[patients.t_stage]
column = "pT"
[patients.race]
column = "race"
"""
TABLE = """id,sex,er,side,pT,race
P-1,Female,+,Left,pT2,Caucasian
P-2,F,Positve,bilateral,cT3,Han
P-3,w,-,re,T1c,Han
P-4,X,equivocal,,,
"""


def ingest(quick, study, folder, map_text=MAP, table=TABLE, code=0):
    (folder / "t.csv").write_text(table)
    (folder / "m.toml").write_text(map_text)
    words = ["ingest", "clinical", folder / "t.csv", "--collection", "mine", "--map", folder / "m.toml"]
    answer = quick(*words, "--json", "--study", study.root, code=code)
    return json.loads(answer.stdout) if code == 0 else answer.stderr


def test_words_of_a_map_become_the_studys_and_unknown_ones_are_findings(quick, empty_study, tmp_path):
    _ = empty_study.engine
    said = ingest(quick, empty_study, tmp_path)
    columns = "sex, er_status, er_status_reason, laterality, t_stage, race"
    rows = empty_study.sql(f"SELECT {columns} FROM patients ORDER BY patient_id")
    assert [tuple(None if v != v else v for v in row) for row in rows.itertuples(index=False)] == [
        ("female", "positive", None, "left", "T2", "white"),
        ("female", None, "Positve", None, "T3", "Han"),
        ("female", "negative", None, "right", "T1c", "Han"),
        (None, None, "equivocal", None, None, None),
    ]
    told = {(f["rule"], f["line"], f["column"], f["value"]) for f in said["findings"]}
    assert told == {
        ("word.unknown", 5, "sex", "X"),
        ("word.unknown", 3, "er", "Positve"),
        ("word.unknown", 3, "side", "bilateral"),
        ("word.other-staging", 3, "pT", "cT3"),
        ("word.unfamiliar", 3, "race", "Han"),
    }
    assert "expected female, male" in next(f["message"] for f in said["findings"] if f["value"] == "X")
    kept = empty_study.sql("SELECT value FROM clinical_values WHERE field = 'side' ORDER BY line")
    assert list(kept["value"])[:3] == ["Left", "bilateral", "re"], "the word stays as it was found"


def test_a_study_that_adds_words_reads_the_same_file_again(quick, empty_study, tmp_path):
    _ = empty_study.engine
    ingest(quick, empty_study, tmp_path)
    assert ingest(quick, empty_study, tmp_path)["same_bytes"]
    toml = empty_study.root / "study.toml"
    toml.write_text(toml.read_text() + '\n[vocabulary.sex]\nX = ""\n[vocabulary.er_status]\nPositve = "positive"\n')
    said = ingest(quick, empty_study, tmp_path)
    assert not {"X", "Positve"} & {f["value"] for f in said["findings"]}
    assert empty_study.sql("SELECT er_status FROM patients WHERE patient_id = 'P-2'")["er_status"][0] == "positive"


@pytest.mark.parametrize(
    ("codes", "said"),
    [('"1" = "banana"', "'banana' is no value of er_status"), ('"1" = "equivocal"', 'reasons = { "1" = "equivocal" }')],
)
def test_codes_that_lead_to_no_word_are_refused(quick, empty_study, tmp_path, codes, said):
    _ = empty_study.engine
    text = MAP.replace('column = "er"', f'column = "er"\ncodes = {{ {codes}, "0" = "negative" }}')
    assert said in ingest(quick, empty_study, tmp_path, text, code=7)


def test_codes_may_lead_to_synonyms(quick, empty_study, tmp_path):
    _ = empty_study.engine
    text = MAP.replace('column = "er"', 'column = "er"\ncodes = { "1" = "pos", "0" = "Neg" }')
    table = "id,sex,er,side,pT,race\nP-1,F,1,L,T1,\nP-2,F,0,L,T1,\n"
    ingest(quick, empty_study, tmp_path, text, table)
    assert list(empty_study.sql("SELECT er_status FROM patients ORDER BY 1")["er_status"]) == ["negative", "positive"]


def test_the_gdc_and_the_biotab_are_doors_as_well(quick, empty_study, tmp_path):
    _ = empty_study.engine
    header = "case_submitter_id\tvital_status\tdays_to_death\tdays_to_last_follow_up\tgender\tajcc_pathologic_t\n"
    (tmp_path / "clinical.tsv").write_text(
        header + "TCGA-Z1-Q001\tAlive\t'--\t400\tF\tpT2\nTCGA-Z1-Q002\tAlive\t'--\t9\tunspecified\tT2\n"
    )
    names = ["bcr_patient_barcode", "vital_status", "death_days_to", "last_contact_days_to", "gender", "menopause_status",
             "er_status_by_ihc"]  # fmt: skip
    rows = [names, names, [f"CDE_ID:{i}" for i in range(len(names))],
            ["TCGA-Z1-Q003", "Alive", "[Not Available]", "400", "FEMALE", "Post (prior bilateral ovariectomy)", "Pos"],
            ["TCGA-Z1-Q004", "Alive", "[Not Available]", "400", "FEMALE", "Never", "Equivocal"]]  # fmt: skip
    biotab = tmp_path / "nationwidechildrens.org_clinical_patient_brca.txt"
    biotab.write_text("".join("\t".join(row) + "\n" for row in rows))
    told = []
    for path in (tmp_path / "clinical.tsv", biotab):
        words = ["ingest", "clinical", path, "--collection", "tcga-brca", "--json", "--study", empty_study.root]
        told += [(f["rule"], f["column"], f["value"]) for f in json.loads(quick(*words).stdout)["findings"]]
    rows = empty_study.sql(
        "SELECT sex, t_stage, menopausal_status, er_status, er_status_reason FROM patients ORDER BY patient_id"
    )
    assert [tuple(None if v != v else v for v in row) for row in rows.itertuples(index=False)] == [
        ("female", "T2", None, None, None), (None, "T2", None, None, None),
        ("female", None, "post", "positive", None), ("female", None, None, None, "equivocal"),
    ]  # fmt: skip
    assert ("word.unknown", "gender", "unspecified") in told and ("word.unknown", "menopause_status", "never") in told


def test_schema_shows_the_words(quick, tmp_path):
    said = quick("schema", "patients", cwd=tmp_path).stdout
    assert "weiblich" in said and "Stage 0, I to IV" in said
    columns = json.loads(quick("schema", "patients", "--json", cwd=tmp_path).stdout)["columns"]
    assert "weiblich" in next(c for c in columns if c["name"] == "sex")["words"]["female"]
