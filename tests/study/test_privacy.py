"""`tshdb check --privacy`: where somebody is named it is said, and nothing of it is shown."""

from __future__ import annotations

import json
import sqlite3

import pytest

from tests.support import tiny
from tshdb.identity import Identity, in_path, in_text, masked
from tshdb.privacy import hints

PLANTED = {
    "name": "Jane Doeringer",
    "mail": "jane.doeringer@example.org",
    "phone": "+49 761 555 0199",
    "birth": "born 1950-01-02",
    "address": "Lindenstrasse 14",
    "number": "MRN 4711081",
}


def test_a_clean_study_has_no_hints(quick, study):
    assert hints(study) == []
    assert json.loads(quick("check", "--privacy", "--json", cwd=study.root).stdout) == []


def test_every_place_is_looked_at_and_no_value_is_shown(quick, core):
    root = core.root
    (root / "notes.md").write_text(f"Call {PLANTED['phone']} or write to {PLANTED['mail']}; {PLANTED['birth']}.\n")
    (root / "raw" / "Doeringer_Jane" / "visit").mkdir(parents=True)
    (root / "raw" / "Doeringer_Jane" / "visit" / "a.txt").write_text("nothing")
    rows = "".join(
        f"P{i},{name},{year}-03-04\n" for i, (name, year) in enumerate([("Ann Bell", 1949), ("Bo Cole", 1951)])
    )
    (root / "raw" / "more.csv").write_text(f"patient_id,patient_name,dob\n{rows}")
    head = b"\0" * 128 + b"DICM" + b"\x10\x00\x10\x00PN\x0e\x00DOERINGER^JANE"
    (root / "raw" / "a.dcm").write_bytes(head)
    with sqlite3.connect(root / "study.db") as database:
        database.execute("CREATE TABLE strangers (patient_name TEXT, contact TEXT)")
        database.executemany(
            "INSERT INTO strangers VALUES (?, ?)", [(PLANTED["name"], PLANTED["address"]), ("Bo Cole", "")]
        )
        database.execute("UPDATE source_files SET path = '/data/Doeringer^Jane/1950-01-02/clinical.tsv'")
        database.execute("UPDATE ingest_runs SET command = ?", (PLANTED["number"],))
    database.close()
    found = {(hint.where, hint.what): hint for hint in hints(core)}
    for place, what in (
        ("notes.md", Identity.PHONE),
        ("notes.md", Identity.MAIL),
        ("notes.md", Identity.BIRTH),
        ("raw/D…_J…/visit/a.txt (its path)", Identity.NAME),
        ("raw/more.csv: patient_name", Identity.NAME),
        ("raw/more.csv: dob", Identity.BIRTH),
        ("raw/a.dcm", Identity.NAME),
        ("strangers.patient_name", Identity.NAME),
        ("strangers.contact", Identity.ADDRESS),
        ("source_files.path", Identity.NAME),
        ("source_files.path", Identity.BIRTH),
        ("ingest_runs.command", Identity.NUMBER),
    ):
        assert (place, str(what)) in found, place
    n = int(core.sql("SELECT count(*) AS n FROM source_files")["n"][0])
    assert found["source_files.path", "names"].n == n and found["raw/more.csv: dob", "birth dates"].n == 2
    said = (
        quick("check", "--privacy", cwd=root, code=3).stdout
        + quick("check", "--privacy", "--json", cwd=root, code=3).stdout
    )
    for value in (*PLANTED.values(), "Doeringer", "DOERINGER", "Ann Bell", "1949-03-04", "4711081", "1950"):
        assert value not in said, value


def test_clinical_values_are_looked_at_field_by_field(core):
    tiny.ingest(core, tiny.TinyArchive.make(10), images=False)
    with sqlite3.connect(core.root / "study.db") as database:
        columns = [row[1] for row in database.execute("PRAGMA table_info(clinical_values)")]
        assert {"patient_id", "field", "value"} <= set(columns)
        database.execute(
            "UPDATE clinical_values SET field = 'phone_' || field, value = '+49 761 555 01' || abs(random() % 90 + 10)"
        )
    database.close()
    assert any(h.where.startswith("clinical_values.value: phone_") for h in hints(core)) or not _n_values(core)
    assert _n_values(core) > 0


def _n_values(study) -> int:
    return int(study.sql("SELECT count(*) AS n FROM clinical_values")["n"][0])


@pytest.mark.parametrize(
    "text",
    ["TCGA-A7-A0CE-01A-11R-A00Z-07", "1.3.6.1.4.1.14519.5.2.1.2001", "2026-11-30T16:00:00Z", "0.1234567 12.5", "a" * 64,
     "ENSG00000141510.17", "Infiltrating duct carcinoma, NOS", "days_to_birth: -21000", "AXIAL T1 POST 2MIN"],
)  # fmt: skip
def test_what_is_nobody(text):
    assert in_text(text) == []


@pytest.mark.parametrize(
    "path", ["/data/Breast_Cancer/Raw_Data/clinical.tsv", "TCGA-A7-A0CE/2001-01-02/1-001.dcm", "Follow_Up/a_b.csv"]
)
def test_folders_that_are_nobody(path):
    assert in_path(path) == []


def test_a_shape_says_nothing_of_the_value():
    assert masked("Jane Doe, 0761 555") == "J… D…, ···· ···"
