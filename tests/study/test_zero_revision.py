"""Revision 0022: series get a column that older programs did not read, and nobody seems to have edited them."""

from __future__ import annotations

import sqlite3

import migrations
from ingest.simulate.dce_layouts import ge_pre_and_post
from tests.study.test_frames_revision import SEEN, UNITS, with_images
from tests.support import tiny
from tests.support.program import run_quick
from tshdb.actions.imaging import dicom
from tshdb.study import Study

BEFORE = "0021"
STARTS = "SELECT contrast_start_s FROM imaging_series ORDER BY series_number"
ANALYSES = ("series_roles", "dce_sets", "dce_slices", "dce_phases")


def test_units_say_of_their_rows_what_these_are_now(tmp_path):
    study = with_images(tmp_path, ge_pre_and_post)
    tiny.rebuild(study, names=ANALYSES)
    now, seen = study.sql(UNITS), study.sql(SEEN)
    migrations.downgrade(study.engine, BEFORE)
    study.engine.dispose()
    with sqlite3.connect(study.root / "study.db") as database:
        older = database.execute("SELECT fingerprint FROM units WHERE analysis = 'ingest.imaging_series'").fetchone()
        assert "contrast_start_s" not in {row[1] for row in database.execute("PRAGMA table_info(imaging_series)")}
    database.close()
    run_quick("migrate", cwd=study.root)
    study = Study(study.root)
    assert older[0] not in set(study.sql(UNITS)["fingerprint"])
    assert study.sql(UNITS).equals(now) and study.sql(SEEN).equals(seen)
    said = run_quick("check", cwd=study.root, code=None).stdout
    assert "edited" not in said and "damaged" not in said
    plan = run_quick("plan", cwd=study.root).stdout
    assert not [name for name in ANALYSES if name in plan]
    study.engine.dispose()


def test_series_with_contrast_are_read_again(tmp_path):
    study = with_images(tmp_path, ge_pre_and_post, extra={"ContrastBolusStartTime": "100030"})
    assert study.sql(STARTS)["contrast_start_s"].tolist() == [36_030.0, 36_030.0]
    migrations.downgrade(study.engine, BEFORE)
    study.engine.dispose()
    run_quick("migrate", cwd=study.root)
    study = Study(study.root)
    assert study.sql(STARTS)["contrast_start_s"].isna().all()
    dicom(study, tmp_path / "images", "sim", jobs=1)
    assert study.sql(STARTS)["contrast_start_s"].fillna(0).tolist() == [0, 36_030.0]
    study.engine.dispose()


def test_rows_that_another_hand_changed_stay_so(tmp_path):
    study = with_images(tmp_path, ge_pre_and_post)
    migrations.downgrade(study.engine, BEFORE)
    study.engine.dispose()
    with sqlite3.connect(study.root / "study.db") as database:
        database.execute("UPDATE imaging_series SET model = 'another' WHERE series_number = 7")
    database.close()
    run_quick("migrate", cwd=study.root)
    assert "was edited" in run_quick("check", cwd=study.root, code=None).stdout
