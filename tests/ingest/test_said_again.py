"""A file that is read again: what it says as before is the new file's, and only what moved is written."""

from __future__ import annotations

import sqlite3

import pytest

from tests.support import tiny

VALUES = (
    "SELECT v.patient_id, v.line, v.field, v.value, v.missing_reason, f.sha256, f.is_current FROM clinical_values v "
    "JOIN source_files f USING (source_file_id) ORDER BY 1, 2, 3, 6"
)
RECORDS = (
    "SELECT r.table_name, r.row_key, r.collection, r.reader, r.name, r.line, r.column_number, r.row_values, r.as_of, f.sha256 "
    "FROM source_records r JOIN source_files f USING (source_file_id) ORDER BY 1, 2, 3, 4, 5"
)


def archive(change: str) -> tiny.TinyArchive:
    made = tiny.TinyArchive.make(6)
    first = sorted(made.patients)[0]
    if change == "one more":
        made.add(50)
    elif change == "the first one gone":  # all lines move
        del made.patients[first]
    elif change == "one corrected":
        made.change(first, days=1234)
    return made


def rows(study, query: str) -> list[tuple]:
    study.engine.dispose()
    with sqlite3.connect(study.root / "study.db") as raw:
        found = raw.execute(query).fetchall()
    raw.close()
    return found


@pytest.mark.parametrize("change", ["one more", "the first one gone", "one corrected", "nothing"])
def test_a_second_release_leaves_what_a_first_would_have(tmp_path, change):
    again, once = (tiny.new_study(tmp_path / name, analyses=tiny.CORE) for name in ("again", "once"))
    tiny.ingest(again, archive(""), images=False)
    tiny.ingest(again, archive(change), images=False)
    tiny.ingest(once, archive(change), images=False)
    assert rows(again, VALUES) and rows(again, VALUES) == rows(once, VALUES)
    assert rows(again, RECORDS) == rows(once, RECORDS)


def test_what_stands_is_not_written_anew(tmp_path):
    study = tiny.new_study(tmp_path / "study", analyses=tiny.CORE)
    tiny.ingest(study, archive(""), images=False)
    with sqlite3.connect(study.root / "study.db") as raw:
        raw.executescript(
            "CREATE TABLE written (patient TEXT); CREATE TRIGGER noted AFTER INSERT ON clinical_values BEGIN "
            "INSERT INTO written VALUES (new.patient_id); END;"
        )
    raw.close()
    tiny.ingest(study, archive("one more"), images=False)
    new = set(archive("one more").patients) - set(archive("").patients)
    assert {patient for (patient,) in rows(study, "SELECT patient FROM written")} == new
