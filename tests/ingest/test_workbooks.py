"""The workbooks of I-SPY 1 and the NACT pilot, and any other table by a map, as commands."""

from __future__ import annotations

import gzip
import json
import shutil
import tomllib

import pytest

from ingest.clinical.receptors import HER2_RULES
from ingest.tables import guess, maps
from tests.ingest.test_zoo import write_nact
from tshdb.config import IngestSettings
from tshdb.errors import InvalidInput

WORKBOOK = "I-SPY_1_All_Patient_Clinical_and_Outcome_Data.xlsx"


def counts(study, endpoint: str) -> tuple[int, int]:
    """(outcomes, events)"""
    row = study.sql(f"SELECT count(*) AS n, sum(event::int) AS e FROM follow_ups WHERE endpoint = '{endpoint}'").iloc[0]
    return int(row.n), int(row.e)


def test_ispy1_as_published(shared, quick, empty_study, tmp_path):
    """221 patients, 40 dead, 5 lost, 63 events of RFS, 17 with RFS beyond survival: data/README.md."""
    shutil.copy(shared / "clinical" / WORKBOOK, tmp_path)
    said = json.loads(quick("ingest", "ispy1", "--from", tmp_path, "--json", cwd=empty_study.root).stdout)
    assert said["tables"]["patients"]["inserted"] == 221 and not said["refused"]
    assert [(r["rule"], r["n"]) for r in said["rules"]] == [("follow-up.beyond-survival", 17)]
    assert counts(empty_study, "OS") == (221, 40) and counts(empty_study, "RFS") == (221, 63)
    lost = empty_study.sql("SELECT event FROM follow_ups WHERE reason = 'lost'")
    assert lost["event"].tolist() == [False] * 5
    row = empty_study.sql("SELECT * FROM patients WHERE patient_id = 'ISPY1_1001'").iloc[0]
    assert (row.age_years, row.er_status, row.pr_status, row.laterality) == (38.73, "positive", "negative", "left")
    assert (row.tumor_size_mm, row.tumor_size_source) == (88.0, "MRI longest diameter, baseline")
    formula = empty_study.sql("SELECT count(*) AS n FROM clinical_values WHERE field = 'predictors: HR_HER2_STATUS'")
    assert formula["n"].tolist() == [221]  # a column of formulas, by its saved values
    again = quick("ingest", "ispy1", "--from", tmp_path, cwd=empty_study.root).stderr
    assert "nothing to load" in again


def test_nact_pilot(quick, empty_study, tmp_path):
    """censor 0 is the event, weeks become days, cm become mm, the clock begins at surgery."""
    write_nact(tmp_path / "SharedClinicalAndRFS.xls")
    quick("ingest", "breast-mri-nact-pilot", "--from", tmp_path, cwd=empty_study.root)
    assert counts(empty_study, "DFS") == (64, 23)
    row = empty_study.sql("SELECT * FROM follow_ups WHERE patient_id = 'UCSF-BR-01'").iloc[0]
    assert (row.duration_days, row.time_origin, bool(row.event)) == (280.0, "surgery", True)
    size = empty_study.sql(
        "SELECT tumor_size_mm, her2_status_reason FROM patients WHERE patient_id = 'UCSF-BR-04'"
    ).iloc[0]
    assert size.tumor_size_mm == pytest.approx(28.0) and size.her2_status_reason == "not performed"


def test_nact_pilot_the_other_way_round_stops(quick, empty_study, tmp_path):
    write_nact(tmp_path / "n.xls", event_code=1)
    said = quick("ingest", "breast-mri-nact-pilot", "--from", tmp_path, cwd=empty_study.root, code=7).stderr
    assert "the code seems to run the other way" in said and "Nothing was loaded" in said
    assert empty_study.sql("SELECT count(*) AS n FROM patients")["n"].tolist() == [0]


def test_a_workbook_is_found_by_content_or_asked_for(quick, empty_study, tmp_path):
    assert "--from" in quick("ingest", "ispy1", cwd=empty_study.root, code=2).stderr
    assert "no workbook" in quick("ingest", "ispy1", "--from", tmp_path, cwd=empty_study.root, code=8).stderr
    write_nact(tmp_path / "a.xls")
    assert "no workbook" in quick("ingest", "ispy1", "--from", tmp_path, cwd=empty_study.root, code=8).stderr
    write_nact(tmp_path / "b.xls")
    said = quick("ingest", "breast-mri-nact-pilot", "--from", tmp_path, cwd=empty_study.root, code=7).stderr
    assert "2 workbooks" in said


def test_a_map_of_ones_own(quick, empty_study, tmp_path):
    table = tmp_path / "own.csv"
    table.write_text(
        "Patient ID,Age,ER,Size (cm),Death,Survival months\n"
        "P1,50,pos,2.5,1,12\nP2,61,neg,1.0,0,24\nP3,NA,see chart,,0,6\n"
    )
    quick("ingest", "clinical", table, "--collection", "own", "--guess", cwd=empty_study.root)
    text = (tmp_path / "own.map.toml").read_text()
    assert '"see chart" = "?"' in text and 'unit = "months"' in text and "factor = 10" in text
    command = ("ingest", "clinical", table, "--collection", "own", "--map", tmp_path / "own.map.toml")
    assert "a ? stands for what nobody has decided yet" in quick(*command, cwd=empty_study.root, code=7).stderr
    text = text.replace(', "see chart" = "?"', "").replace('"see chart" = "?", ', "")
    text = text.replace('"pos" = "positive" }', '"pos" = "positive" }\nreasons = { "see chart" = "not done" }')
    (tmp_path / "own.map.toml").write_text(text)
    quick(*command, cwd=empty_study.root)
    rows = empty_study.sql(
        "SELECT patient_id, age_years, er_status, er_status_reason, tumor_size_mm FROM patients ORDER BY 1"
    )
    assert rows.astype(object).where(rows.notna(), None).values.tolist() == [
        ["P1", 50.0, "positive", None, 25.0], ["P2", 61.0, "negative", None, 10.0], ["P3", None, None, "not done", None],
    ]  # fmt: skip
    days = empty_study.sql("SELECT duration_days, event FROM follow_ups ORDER BY patient_id")
    assert days["duration_days"].tolist() == pytest.approx([365.25, 730.5, 182.625])
    assert days["event"].tolist() == [True, False, False]
    table.write_text(table.read_text().replace("P2,61", "P2,62"))
    said = quick(*command, cwd=empty_study.root).stderr
    assert "1 updated" in said and "2 unchanged" in said


def test_a_matrix_of_ones_own(quick, empty_study, tmp_path):
    table = tmp_path / "own.csv"
    table.write_text("name,CD3D,GNLY,TP53\nP1_T,1.5,2,300\nP1_N,2,3,4\nP2_T,0,4,1\n")
    quick("ingest", "rna", table, "--collection", "own", "--guess", cwd=empty_study.root)
    path = tmp_path / "own.map.toml"
    assert 'orientation = "samples_in_rows"' in path.read_text()
    command = ("ingest", "rna", table, "--collection", "own", "--map", path)
    assert "a ? stands for what nobody has decided yet" in quick(*command, cwd=empty_study.root, code=7).stderr
    path.write_text(path.read_text().replace('unit = "?"', 'unit = "tpm"'))
    quick(*command, cwd=empty_study.root)
    rows = empty_study.sql("SELECT sample_id, value FROM expression WHERE gene = 'GNLY' ORDER BY 1")
    assert rows.values.tolist() == [["P1_N", 3.0], ["P1_T", 2.0], ["P2_T", 4.0]]
    where = empty_study.sql("SELECT line FROM source_records WHERE table_name = 'expression_profiles' ORDER BY row_key")
    assert where["line"].tolist() == [3, 2, 4]
    assert "the same bytes" in quick("ingest", "rna", table, "--collection", "own", cwd=empty_study.root).stderr, "kept"
    said = quick("ingest", "rna", table, "--collection", "other", cwd=empty_study.root, code=2).stderr
    assert "--unit" in said and "--map" in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[patient_id]\n", "patient_id.column"),
        ('[patient_id]\ncolumn = "a"\n[patients.weight]\ncolumn = "b"\n', "patients.weight is no column"),
        ('[patient_id]\ncolumn = "a"\n[follow_ups.PFS]\n', "follow_ups"),
        ('[patient_id\ncolumn = "a"', "not TOML"),
        ('[patient_id]\ncolumn = "a"\nhere = 1\n', "patient_id.here"),
    ],
)
def test_bad_maps_say_where(text, words):
    with pytest.raises(InvalidInput, match=words):
        maps.parse_map(text, "m.toml")


def test_the_bundled_maps_are_sound():
    for name in maps.BUNDLED:
        assert maps.bundled_map(name).follow_ups


def test_a_guess_is_toml_and_says_what_it_does_not_know(shared):
    text = guess.guess(shared / "clinical" / WORKBOOK)
    found = tomllib.loads(text)
    assert found["patient_id"]["column"] == "SUBJECTID"
    assert found["follow_ups"]["OS"]["event"]["codes"] == {"7": "?", "8": "?", "9": "?"}
    assert found["follow_ups"]["RFS"]["event"] == {"column": "rfs_ind", "codes": {"0": False, "1": True}}


def test_the_settings_know_the_receptor_rules():
    import typing

    assert set(typing.get_args(IngestSettings.model_fields["her2_rule"].annotation)) == set(HER2_RULES)


def test_a_later_release_of_the_real_table_changes_three_patients(shared, quick, empty_study, tmp_path):
    with gzip.open(shared / "gdc" / "clinical.2023-11.TCGA-BRCA.tsv.gz", "rt") as file:
        lines = file.read().splitlines()
    path = tmp_path / "clinical.tsv"
    path.write_text("\n".join(lines) + "\n")
    command = ("ingest", "clinical", path, "--collection", "tcga-brca", "--json")
    first = json.loads(quick(*command, cwd=empty_study.root).stdout)
    assert first["tables"]["follow_ups"]["inserted"] == 1095
    header = lines[0].split("\t")
    at, status = header.index("days_to_last_follow_up"), header.index("vital_status")
    later = []
    for i, line in enumerate(lines):
        cells = line.split("\t")
        if cells[status] == "Alive" and (cells[1] in later or len(later) < 3):
            later = [*later, cells[1]] if cells[1] not in later else later
            cells[at] = str(int(cells[at]) + 365)
            lines[i] = "\t".join(cells)
    path.write_text("\n".join(lines) + "\n")
    second = json.loads(quick(*command, cwd=empty_study.root).stdout)
    assert second["tables"]["follow_ups"] == {"inserted": 0, "updated": 3, "deleted": 0, "unchanged": 1092}
    assert second["tables"]["patients"]["unchanged"] == 1095
    changed = empty_study.sql("SELECT entity_key, changes FROM change_log WHERE ingest_run_id = 2 ORDER BY 1")
    assert changed["entity_key"].tolist() == sorted(later)
    assert all(set(json.loads(c)) == {"duration_days"} for c in changed["changes"])
