"""Revision 0017: images of older studies are frame 1 of their file, nobody seems to have edited them, objects are read again."""

from __future__ import annotations

import sqlite3

import numpy as np

import migrations
from ingest.simulate.dce_layouts import SimulatedExamination, ge_content_time, write_examination
from ingest.simulate.dicom_files import SAGITTAL, Geometry
from ingest.simulate.enhanced_layouts import ENHANCED
from tests.support import tiny
from tests.support.program import run_quick
from tshdb.actions.imaging import dicom
from tshdb.study import Study

BEFORE = "0016"
ANALYSES = ("series_roles", "dce_sets", "dce_slices", "dce_phases")
UNITS = "SELECT analysis, key, fingerprint, rows_digest FROM units ORDER BY 1, 2"
SEEN = "SELECT unit_id, role, seen_fingerprint FROM unit_inputs ORDER BY 1, 2, 3"


def with_images(tmp_path, layout, **facts) -> Study:
    study = tiny.new_study(tmp_path / "study")
    volumes = [np.full((4, 6, 6), 100 + 50 * p, np.uint16) + np.arange(6, dtype=np.uint16) for p in range(3)]
    e = SimulatedExamination("SIM-0001", "T0", volumes, Geometry(orientation=SAGITTAL), **facts)
    write_examination(e, layout, tmp_path / "images")
    dicom(study, tmp_path / "images", "sim", jobs=1)
    return study


def test_units_say_of_their_rows_what_these_are_now(tmp_path):
    study = with_images(tmp_path, ge_content_time)
    tiny.rebuild(study, names=ANALYSES)
    now, seen = study.sql(UNITS), study.sql(SEEN)
    migrations.downgrade(study.engine, BEFORE)
    study.engine.dispose()
    with sqlite3.connect(study.root / "study.db") as database:
        older = database.execute("SELECT fingerprint FROM units WHERE analysis = 'ingest.imaging_instances'").fetchone()
        assert "frame_number" not in {row[1] for row in database.execute("PRAGMA table_info(dce_slices)")}
    database.close()
    run_quick("migrate", cwd=study.root)
    study = Study(study.root)
    after = study.sql(UNITS)
    assert older[0] not in set(after["fingerprint"])
    is_of_images = after["analysis"] == "ingest.imaging_instances"
    assert after[~is_of_images].equals(
        now[~is_of_images]
    )  # the images' new facts are not known until they are read again
    assert study.sql(SEEN)["seen_fingerprint"].nunique() == seen["seen_fingerprint"].nunique()
    assert study.sql("SELECT DISTINCT frame_number FROM imaging_instances")["frame_number"].tolist() == [1]
    said = run_quick("check", cwd=study.root, code=None).stdout
    assert "edited" not in said and "damaged" not in said
    plan = run_quick("plan", cwd=study.root).stdout
    assert not [name for name in ANALYSES if name in plan]
    study.engine.dispose()


def test_rows_that_another_hand_changed_stay_so(tmp_path):
    study = with_images(tmp_path, ge_content_time)
    migrations.downgrade(study.engine, BEFORE)
    study.engine.dispose()
    with sqlite3.connect(study.root / "study.db") as database:
        database.execute("UPDATE imaging_instances SET x_mm = x_mm + 1 WHERE instance_number = 1")
    database.close()
    run_quick("migrate", cwd=study.root)
    assert "was edited" in run_quick("check", cwd=study.root, code=None).stdout


def test_objects_of_many_frames_are_read_again(tmp_path):
    study = with_images(tmp_path, ENHANCED["enhanced philips"][0])
    migrations.downgrade(study.engine, BEFORE)
    study.engine.dispose()
    run_quick("migrate", cwd=study.root)
    study = Study(study.root)
    assert len(study.sql("SELECT 1 FROM imaging_instances")) == 1
    dicom(study, tmp_path / "images", "sim", jobs=1)
    assert len(study.sql("SELECT 1 FROM imaging_instances")) == 12
    tiny.rebuild(study, names=ANALYSES)
    assert study.sql("SELECT n_phases FROM dce_sets")["n_phases"].tolist() == [3]
    study.engine.dispose()
