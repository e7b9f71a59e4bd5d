"""Ingested rows that another hand edited, deleted or added: named by `tshdb check`, and as before after what it advises.

A small part of what `make soak PART=lost` does to every column of every ingested table (soak/ingested.py).
"""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from random import Random

import pytest

from soak.ingested import Edit, edits, ingested, state, trouble
from soak.lost import advised
from tests.support import tiny
from tests.support.program import run_quick
from tshdb.study import Study

ONE_OF_EACH = (
    Edit("patients", "edit", "sex"), Edit("follow_ups", "delete"), Edit("samples", "edit", "patient_id"),
    Edit("expression_profiles", "delete"), Edit("clinical_values", "edit", "value"), Edit("segmentations", "add"),
    Edit("imaging_series", "edit", "series_uid"), Edit("imaging_instances", "add"), Edit("annotations", "delete"),
)  # fmt: skip
WHO = "TCGA-TN-0001"


@pytest.fixture(scope="module")
def pristine(tmp_path_factory) -> Study:
    return ingested(tmp_path_factory.mktemp("rows") / "study")


@pytest.fixture
def rows(pristine, tmp_path) -> Study:
    return tiny.copy_study(pristine, tmp_path / "study")


def by_hand(study: Study, *statements: str) -> None:
    with sqlite3.connect(study.sqlite_path) as connection:
        for statement in statements:
            assert connection.execute(statement).rowcount > 0, statement
    connection.close()


def test_every_ingested_table_has_rows(pristine):
    before = state(pristine)
    assert all(before.values()) and len(edits()) > 150 and set(ONE_OF_EACH) <= set(edits())


def test_rows_of_many_tables_come_back_together(rows):
    before = state(rows)
    for edit in ONE_OF_EACH:
        assert edit.apply(rows, Random(1)), edit
    named = " ".join(advised(rows)[0])
    assert all(f"{edit.table}/" in named for edit in ONE_OF_EACH)
    assert trouble(rows, before) is None
    assert advised(rows) == ([], [])
    changes = rows.sql("SELECT count(*) AS n FROM change_log JOIN ingest_runs USING (ingest_run_id) "
                       "WHERE command = 'tshdb check --repair'")["n"][0]  # fmt: skip
    assert changes >= 5, "the change log says what was put back"


def test_a_slice_of_the_sweep(rows):
    before, luck = state(rows), Random(20261130)
    for edit in luck.sample(edits(), 3):
        if edit.apply(rows, luck):
            assert trouble(rows, before) is None, edit


def test_a_file_that_was_given_another_series_is_read_again_where_it_lies(tmp_path):
    """Its time and size are as before, and the study says that it is of a series that nobody knows."""
    study = ingested(tmp_path / "study")
    before = state(study)
    by_hand(study, "UPDATE imaging_instances SET series_uid = '1.2.3' WHERE rowid = 4")
    assert trouble(study, before) is None


def test_what_another_hand_added_is_removed_and_named(rows):
    """A patient with a sample, which no source says; what they say of others stays."""
    before = state(rows)
    by_hand(
        rows,
        "INSERT INTO patients (patient_id, collection) VALUES ('TCGA-TN-9999', 'tcga-tn')",
        "INSERT INTO samples (sample_id, patient_id, compartment) VALUES ('TCGA-TN-9999-01A', 'TCGA-TN-9999', 'tumor')",
    )
    said = run_quick("check", "--repair", cwd=rows.root).stdout
    assert "patients/TCGA-TN-9999" in said and "samples/TCGA-TN-9999-01A" in said
    assert state(rows) == before and advised(rows) == ([], [])


def test_what_cannot_be_proven_is_read_again_from_its_source(rows):
    """A row and what its sources said of it, both edited: the file says what is right."""
    before = state(rows)
    by_hand(
        rows,
        f"UPDATE patients SET sex = 'male' WHERE patient_id = '{WHO}'",
        'UPDATE source_records SET row_values = replace(row_values, \'"sex":"female"\', \'"sex":"male"\') '
        f"WHERE table_name = 'patients' AND row_key = '{WHO}'",
    )
    assert trouble(rows, before) is None


def test_a_source_that_lies_elsewhere_is_read_by_the_command_that_is_named(rows, tmp_path):
    before = state(rows)
    by_hand(rows, f"DELETE FROM clinical_values WHERE patient_id = '{WHO}' AND field = 'vital_status'")
    raw = Path(rows.sql("SELECT path FROM source_files WHERE name = 'clinical.tsv'")["path"][0]).parent
    hidden = shutil.move(raw, tmp_path / "hidden")
    try:
        said = run_quick("check", "--repair", cwd=rows.root, code=None)
        assert f"clinical_values/{WHO}" in said.stdout
        assert f"tshdb ingest clinical {raw / 'clinical.tsv'} --collection tcga-tn" in said.stderr
    finally:
        shutil.move(hidden, raw)
    (command,) = [c for c in advised(rows)[1] if "ingest clinical" in c and "second" not in c and "cdr" not in c]
    run_quick(*command.split()[1:], cwd=rows.root)
    for other in (raw / "second" / "clinical.tsv", "second"), (raw / "cdr.tsv", "cdr.tsv"):
        run_quick("ingest", "clinical", other[0], "--collection", "tcga-tn", "--name", other[1], cwd=rows.root)
    assert state(rows) == before


def test_an_ingest_does_not_vouch_for_what_it_has_not_written(rows, tmp_path):
    """A patient's outcomes have one unit: a row beside the one that an ingest moves is not vouched for with it."""
    patient = rows.sql("SELECT min(patient_id) AS p FROM follow_ups WHERE event")["p"][0]
    raw = Path(rows.sql("SELECT path FROM source_files WHERE name = 'cdr.tsv'")["path"][0])
    by_hand(rows, "INSERT INTO follow_ups (patient_id, endpoint, event, duration_days, time_origin, rule) "
                  f"VALUES ('{patient}', 'RFS', 1, 5, 'diagnosis', 'by hand')")  # fmt: skip
    lines = [f"{patient}\t1\t4321\t" if line.startswith(patient) else line for line in raw.read_text().splitlines()]
    (tmp_path / "cdr.tsv").write_text("\n".join(lines) + "\n")
    run_quick("ingest", "clinical", tmp_path / "cdr.tsv", "--collection", "tcga-tn", cwd=rows.root)
    assert len(rows.sql("SELECT * FROM conflicts WHERE other_value LIKE '4321%'")) == 1
    assert not len(rows.sql("SELECT * FROM follow_ups WHERE rule = 'by hand'"))
    assert advised(rows) == ([], [])


def test_a_choice_that_another_hand_made_is_made_anew(rows):
    before = state(rows)
    by_hand(
        rows,
        "UPDATE expression_profiles SET is_selected = NOT is_selected WHERE sample_id = 'TCGA-TN-0002-01A'",
        "UPDATE imaging_studies SET time_point = 'T7' WHERE study_uid = (SELECT min(study_uid) FROM imaging_studies)",
    )
    assert trouble(rows, before) is None


def test_rows_whose_unit_is_gone_are_vouched_for_by_their_sources(rows):
    before = state(rows)
    by_hand(rows, f"DELETE FROM units WHERE analysis = 'ingest.patients' AND key = '{WHO}'")
    assert trouble(rows, before) is None
