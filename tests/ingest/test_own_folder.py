"""A folder of somebody's own in one command: what each file is, what is loaded, what is missing for the rest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.ingest.test_formats import PLAIN, REFUSED, SAMPLES

CLINIC = "PatID;Alter;Name\nTCGA-Z1-Q001;61,5;Jane Doe\nTCGA-Z1-Q002;50,1;Max Power\n"
MAP = '[table]\ndecimal_comma = true\n[patient_id]\ncolumn = "PatID"\n[patients.age_years]\ncolumn = "Alter"\n'
GDC = "case_submitter_id\tvital_status\tdays_to_death\tdays_to_last_follow_up\nTCGA-Z1-Q001\tAlive\t'--\t300\n"
FEATURES = "patient_id,tumor.SI.glcm.Idmn\nTCGA-Z1-Q001,0.5\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "hospital"
    (folder / "tables").mkdir(parents=True)
    (folder / "matrix.tsv").write_text(PLAIN)
    (folder / "tables" / "clinic.csv").write_text(CLINIC)
    (folder / "tables" / "clinical.tsv").write_text(GDC)
    (folder / "features.csv").write_text(FEATURES)
    (folder / "quant.sf").write_text(REFUSED["salmon"][0])
    (folder / "cells.h5ad").write_bytes(REFUSED["HDF5"][0])
    (folder / "README.md").write_text("# Read me\n")
    (folder / ".hidden").write_text("x")
    return folder


def test_every_file_is_named_and_nothing_is_loaded(quick, empty_study, folder):
    done = quick("ingest", folder, "--collection", "own", "--dry-run", "--json", cwd=empty_study.root)
    told = {f["files"][0]: f for f in json.loads(done.stdout)["files"]}
    assert set(told) == {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file() and p.name != ".hidden"}
    assert {name for name, f in told.items() if f["loads"]} == {"tables/clinical.tsv", "features.csv"}
    assert told["matrix.tsv"]["what"] == "an expression matrix, 4 samples" and "--unit" in told["matrix.tsv"]["command"]
    assert "PatID" in told["tables/clinic.csv"]["what"] and "--guess" in told["tables/clinic.csv"]["command"]
    assert "salmon" in told["quant.sf"]["what"] and "HDF5" in told["cells.h5ad"]["what"]
    assert empty_study.sql("SELECT count(*) AS n FROM patients")["n"].tolist() == [0]


def test_what_is_certain_is_loaded_and_a_map_makes_certain(quick, empty_study, folder):
    command = ("ingest", folder, "--collection", "own")
    said = quick(*command, cwd=empty_study.root, code=3)  # two files wait for a person's word
    assert "tables/clinic.csv" in said.stdout + said.stderr
    assert empty_study.sql("SELECT patient_id FROM patients")["patient_id"].tolist() == ["TCGA-Z1-Q001"]
    (folder / "tables" / "clinic.map.toml").write_text(MAP)
    (folder / "matrix.map.toml").write_text('[expression]\nunit = "tpm"\nscale = "linear"\n')
    quick(*command, cwd=empty_study.root)
    ages = empty_study.sql("SELECT age_years FROM patients ORDER BY patient_id")["age_years"].tolist()
    assert ages == [61.5, 50.1]
    assert len(empty_study.sql("SELECT DISTINCT sample_id FROM expression")) == len(SAMPLES)
    assert empty_study.sql("SELECT count(*) AS n FROM clinical_values WHERE value = 'Jane Doe'")["n"].tolist() == [0]
    for name in ("tables/clinic.map.toml", "matrix.map.toml"):
        (folder / name).unlink()
    (folder / "tables" / "clinic.csv").write_text(CLINIC.replace("61,5", "62,5"))
    quick("ingest", "folder", folder, "--collection", "own", cwd=empty_study.root)
    assert empty_study.sql("SELECT max(age_years) AS a FROM patients")["a"].tolist() == [62.5], (
        "the study keeps the map"
    )


def test_an_error_in_one_file_does_not_stop_the_others(quick, empty_study, folder):
    (folder / "features.csv").write_text(FEATURES.replace("0.5", "high"))
    said = quick("ingest", folder, "--collection", "own", cwd=empty_study.root, code=7)
    assert "features.no-number" in said.stdout + said.stderr
    assert empty_study.sql("SELECT count(*) AS n FROM patients")["n"].tolist() == [1]
    assert (
        "no such folder"
        in quick("ingest", "folder", folder / "absent", "--collection", "own", cwd=empty_study.root, code=8).stderr
    )
