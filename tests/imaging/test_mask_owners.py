"""Masks in a study: one bad mask harms itself alone, the same voxels under two patients are told, older studies keep theirs."""

from __future__ import annotations

import json

import numpy as np
import pytest
import SimpleITK as sitk

import migrations
from ingest.simulate.dce_layouts import LAYOUTS, SimulatedExamination, write_examination
from ingest.simulate.slicer_files import write_slicer
from tests.imaging.test_segmentations import GEOMETRY, GRID, SHAPE, WHO, blob, image_of, masks_of, scanned  # noqa: F401
from tshdb.geometry import Grid
from tshdb.study import Study

OTHER = "SIM-0002"
INGEST = ("--collection", "sim", "--kind", "expert")


def put(path, values=None, grid=GRID):
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(image_of(blob() if values is None else values, grid), str(path))
    return path


def add_patient(study, quick, folder, who=OTHER, like=1) -> None:
    """Another patient whose images are the same, or (like=2) others."""
    body = np.zeros(SHAPE, int)
    body[:, 2:-2, 2:-2] = 100 * like
    volumes = [(body + 20 * blob() * p + 5 * p * (body > 0)).astype(np.uint16) for p in range(3)]
    write_examination(SimulatedExamination(who, "T0", volumes, GEOMETRY), LAYOUTS["ge content time"][0], folder)
    quick("ingest", "dicom", folder, "--collection", "sim", cwd=study.root)


def test_one_bad_mask_does_not_keep_the_others_of_its_examination(scanned, quick, tmp_path):  # noqa: F811
    """A layered file of 3D Slicer, one on another grid, one as large as the images and beside them, and a good one."""
    folder = tmp_path / "masks"
    put(folder / f"{WHO}_good.nrrd")
    layers = [blob(), np.roll(blob(), 1, 0)]
    names = [{"Name": "tumor", "Layer": 0, "LabelValue": 1}, {"Name": "rim", "Layer": 1, "LabelValue": 1}]
    write_slicer(folder / f"{WHO}_layers.seg.nrrd", layers, GRID, names)
    put(
        folder / f"{WHO}_wide.mha",
        grid=Grid(SHAPE, (2.0, 1.0, 1.0), GRID.origin_mm, GRID.row, GRID.column, GRID.normal),
    )
    beside = Grid(SHAPE, GRID.spacing_mm, tuple(GRID.at(0, 2, 0)), GRID.row, GRID.column, GRID.normal)
    put(folder / f"{WHO}_beside.nii.gz", grid=beside)
    quick("ingest", "segmentation", folder, *INGEST, cwd=scanned.root)
    masks_of(scanned, quick)
    rows = scanned.sql("SELECT segmentation_id AS id, status, n_voxels AS n, m.qc_flags FROM masks m").to_dict(
        "records"
    )
    found = {row["id"].rpartition("/")[2]: row for row in rows}
    n = int(blob().sum())
    assert {name: (row["status"], row["n"]) for name, row in found.items() if row["status"] == "fits"} == {
        f"{WHO}_good.nrrd#1": ("fits", n), f"{WHO}_layers.seg.nrrd#tumor": ("fits", n), f"{WHO}_layers.seg.nrrd#rim": ("fits", n),
    }  # fmt: skip
    assert found[f"{WHO}_wide.mha#1"]["status"] == "resample"
    moved = found[f"{WHO}_beside.nii.gz#1"]
    assert moved["status"] == "unclear"
    assert "as large as the images, and 1.60 mm beside them: drawn on another examination?" in moved["qc_flags"]


def test_an_outline_at_the_border_of_the_images_is_flagged(scanned, quick, tmp_path):  # noqa: F811
    values = np.zeros(SHAPE, np.uint8)
    values[0:3, 17:20, 5:9] = 1
    put(tmp_path / "masks" / f"{WHO}.nrrd", values)
    quick("ingest", "segmentation", tmp_path / "masks", *INGEST, cwd=scanned.root)
    assert (
        "cut by the view: it touches the first slice, last row, and may go on"
        in masks_of(scanned, quick)["nrrd"]["qc_flags"]
    )


def test_masks_of_one_name_in_two_runs_are_of_two_patients(scanned, quick, tmp_path):  # noqa: F811
    add_patient(scanned, quick, tmp_path / "more", like=2)
    for who in (WHO, OTHER):
        put(tmp_path / who / "mask.nii.gz", np.roll(blob(), who == OTHER, 2))
        quick("ingest", "segmentation", tmp_path / who, *INGEST, cwd=scanned.root)
    rows = scanned.sql("SELECT patient_id, path FROM segmentations JOIN imaging_studies USING (study_uid) ORDER BY 1")
    assert rows.values.tolist() == [[WHO, f"{WHO}/mask.nii.gz"], [OTHER, f"{OTHER}/mask.nii.gz"]]
    quick("check", cwd=scanned.root)
    again = quick("ingest", "segmentation", tmp_path / OTHER, *INGEST, cwd=scanned.root).stderr
    assert "the same bytes" in again


def test_the_same_voxels_and_the_same_pixels_under_two_patients_are_told(scanned, quick, tmp_path):  # noqa: F811
    add_patient(scanned, quick, tmp_path / "more")
    put(tmp_path / "masks" / WHO / "mask.nii.gz")
    quick("ingest", "segmentation", tmp_path / "masks", *INGEST, cwd=scanned.root)
    put(tmp_path / "masks" / OTHER / "mask.nii.gz")
    said = quick("ingest", "segmentation", tmp_path / "masks", *INGEST, cwd=scanned.root).stderr
    assert "mask.two-patients" in said and f"of {WHO}, {OTHER} are the same voxels" in " ".join(said.split())
    quick("rebuild", "prepared_images", cwd=scanned.root)
    said = " ".join(quick("check", cwd=scanned.root, code=None).stdout.split())
    assert f"{WHO}, {OTHER}: have images with the same pixels" in said
    assert f"{WHO}, {OTHER}: have masks with the same pixels" in said


def test_a_path_may_be_hidden(scanned, quick, tmp_path):  # noqa: F811
    settings = scanned.root / "study.toml"
    settings.write_text(settings.read_text().replace("[imaging]\n", "[imaging]\nhide_paths = true\n"))
    put(tmp_path / "masks" / WHO / "Mueller Anna.nrrd")
    quick("ingest", "segmentation", tmp_path / "masks", *INGEST, cwd=scanned.root)
    (row,) = scanned.sql("SELECT segmentation_id, path FROM segmentations").to_dict("records")
    names = scanned.sql("SELECT name FROM source_files WHERE reader = 'segmentation'")["name"].tolist()
    assert names == [row["path"]] and len(row["path"]) == 24 and "Mueller" not in json.dumps(row)
    again = quick("ingest", "segmentation", tmp_path / "masks", *INGEST, cwd=scanned.root).stderr
    assert "the same bytes" in again


@pytest.fixture
def older(scanned, quick, tmp_path):  # noqa: F811
    """A study of revision 0016 with a mask that it had under the bare name of its file."""
    path = put(tmp_path / "masks" / WHO / "mask.nii.gz")
    quick("ingest", "segmentation", path.parent.parent, *INGEST, cwd=scanned.root)
    masks_of(scanned, quick)
    migrations.downgrade(scanned.engine, "0016")
    scanned.engine.dispose()
    return scanned


def test_a_study_of_the_revision_before_keeps_its_masks(older, quick):
    quick("migrate", cwd=older.root)
    study = Study(older.root)
    (row,) = study.sql("SELECT n_voxels, path, evidence, lesion, drawn_on FROM segmentations").to_dict("records")
    assert row["n_voxels"] == blob().sum() and set(row.values()) == {row["n_voxels"], None}
    said = quick("check", cwd=study.root).stdout
    assert "was edited" not in said
    plan = json.loads(quick("plan", "masks", "--json", cwd=study.root).stdout)
    assert sum(sum(a["reasons"].values()) for a in plan["analyses"] if a["analysis"] == "masks") == 0
    study.engine.dispose()


def test_a_file_that_was_read_under_its_bare_name_stays_one_source(older, quick, tmp_path):
    import sqlite3

    with sqlite3.connect(older.sqlite_path) as database:
        for table in ("source_files", "source_records"):
            database.execute(f"UPDATE {table} SET name = 'mask.nii.gz' WHERE reader = 'segmentation'")
    quick("migrate", cwd=older.root)
    put(tmp_path / "masks" / WHO / "mask.nii.gz", np.roll(blob(), 1, 2))
    quick("ingest", "segmentation", tmp_path / "masks", *INGEST, cwd=older.root)
    study = Study(older.root)
    assert len(study.sql("SELECT * FROM segmentations")) == 1
    assert study.sql("SELECT DISTINCT name FROM source_files WHERE reader = 'segmentation'")["name"].tolist() == [
        "mask.nii.gz"
    ]
    study.engine.dispose()


def test_a_decision_says_who_drew_a_series(scanned, quick, tmp_path):  # noqa: F811
    uids = scanned.sql("SELECT study_uid, series_uid FROM imaging_series").iloc[0]
    sheet = tmp_path / "decisions.csv"
    head = "study_uid,series_uid,decision,decided_by,reason"
    wanted = (
        ("kind=expert", uids["series_uid"], 0), ("kind=nobody", uids["series_uid"], 7), ("kind=expert", "tumor", 7),
        ("outline=sim/x#1", "tumor", 0), ("outline=", "tumor", 7),
    )  # fmt: skip
    for what, series, code in wanted:
        sheet.write_text(f"{head}\n{uids['study_uid']},{series},{what},Dr X,seen\n")
        quick("ingest", "decisions", sheet, "--collection", "sim", cwd=scanned.root, code=code)
