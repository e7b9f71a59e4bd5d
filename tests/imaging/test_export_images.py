"""Images that leave (NIfTI, DICOM SEG) are read back by other programs, voxel for voxel and place for place."""

from __future__ import annotations

import csv
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from ingest.imaging.dicom_seg import read as read_seg
from ingest.imaging.meaning import named
from ingest.simulate.dce_layouts import LAYOUTS, SimulatedExamination, write_examination
from ingest.simulate.enhanced_layouts import ENHANCED
from tests.imaging.test_segmentations import GEOMETRY, GRID, SHAPE, blob, image_of
from tests.support import tiny
from tests.support.program import run_quick
from tshdb.actions import withdrawing
from tshdb.actions.imaging import MaskOptions, dicom, masks
from tshdb.errors import NotFound, ResourceError
from tshdb.exports.writing import export
from tshdb.geometry import Grid, differences, placed
from tshdb.images.prepared import grid_of, read
from tshdb.objects import VOXELS, sha256_of
from tshdb.study import Study
from tshdb.vocabulary import MaskKind, MaskRegion, WithdrawalScope

ANALYSES = ("series_roles", "dce_sets", "dce_slices", "dce_phases", "masks")
WHO = "SIM-0001"


def scan(root: Path, layout="ge content time", kinds=(MaskKind.EXPERT,)) -> tuple[Study, list[np.ndarray]]:
    """(a study of one patient with phases and outlines, the phases' voxels)."""
    body = np.zeros(SHAPE, int)
    body[:, 2:-2, 2:-2] = 100
    volumes = [(body + 60 * blob() * p + 5 * p * (body > 0)).astype(np.uint16) for p in range(3)]
    known = LAYOUTS[layout][0] if layout in LAYOUTS else ENHANCED[layout][0]
    write_examination(SimulatedExamination(WHO, "T0", volumes, GEOMETRY), known, root / "images")
    study = tiny.new_study(root / "study")
    dicom(study, root / "images", "sim", jobs=1)
    for i, kind in enumerate(kinds):
        path = root / f"{WHO}_{kind}.nii.gz"
        sitk.WriteImage(image_of(np.roll(blob(), i, axis=2), GRID), str(path))
        masks(study, path, "sim", MaskOptions(kind=kind))
    tiny.rebuild(study, names=ANALYSES)
    return study, volumes


def listed(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def nifti(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """(voxels as (slices, rows, columns), the affine from (column, row, slice) to LPS), by nibabel."""
    nibabel = pytest.importorskip("nibabel", reason="nibabel is not installed")
    image = nibabel.load(path)
    return np.asarray(image.dataobj).transpose(2, 1, 0), np.diag([-1, -1, 1, 1]) @ image.affine


def affine_of(grid: Grid) -> np.ndarray:
    slices, rows, columns = grid.spacing_mm
    axes = (np.multiply(grid.row, columns), np.multiply(grid.column, rows), np.multiply(grid.normal, slices))
    return np.vstack([np.column_stack([*axes, grid.origin_mm]), [0, 0, 0, 1]])


def test_phases_and_segmentations_are_the_scanner_s_voxels_in_their_places(tmp_path):
    study, volumes = scan(tmp_path)
    done = export(study, "nifti", tmp_path / "out")
    rows = listed(tmp_path / "out/images.csv")
    assert [row["what"] for row in rows] == ["phase"] * 3 + ["segmentation"] and done.written.missing == []
    for row in rows:
        wanted = volumes[int(row["phase_index"])] if row["what"] == "phase" else blob()
        values, affine = nifti(tmp_path / "out" / row["file"])
        assert np.array_equal(values, wanted) and np.allclose(affine, affine_of(GRID), rtol=0, atol=1e-5)
        image = sitk.ReadImage(str(tmp_path / "out" / row["file"]))
        assert np.array_equal(sitk.GetArrayFromImage(image), wanted)
        assert grid_of(image).shape == GRID.shape and differences(grid_of(image), GRID) == []
        assert np.allclose(grid_of(image).origin_mm, GRID.origin_mm, rtol=0, atol=1e-5)
    assert [row["t_seconds"] for row in rows[:3]] == [
        str(t) for t in study.sql("FROM dce_phases ORDER BY 2")["t_seconds"]
    ]
    first = pydicom.dcmread(min((tmp_path / "images").rglob("*.dcm")))
    _, affine = nifti(tmp_path / "out" / rows[0]["file"])
    assert np.allclose(affine[:3, 0] / first.PixelSpacing[1], first.ImageOrientationPatient[:3], atol=1e-6)
    assert (tmp_path / "out" / rows[0]["file"]).relative_to(tmp_path / "out").as_posix() == f"{WHO}/T0/phase-00.nii.gz"


def test_prepared_images_and_regions_are_the_study_s_objects(study, tmp_path):
    export(study, "nifti", tmp_path / "out")
    rows = listed(tmp_path / "out/images.csv")
    objects = study.sql(
        "SELECT study_uid, image AS name, 'prepared' AS what, object_id FROM prepared_images UNION ALL "
        "SELECT study_uid, 'tumor', 'region', object_id FROM tumor_masks WHERE object_id IS NOT NULL"
    )
    of = {(row["study_uid"], row["what"], row["name"]): row["file"] for row in rows}
    assert len(objects) == 12
    for row in objects.itertuples():
        image = read(study.objects.verified(row.object_id, VOXELS))
        wanted = sitk.GetArrayFromImage(image)
        values, affine = nifti(tmp_path / "out" / of[row.study_uid, row.what, row.name])
        assert np.array_equal(values, wanted > 0 if row.what == "region" else wanted)
        assert np.allclose(affine, affine_of(grid_of(image)), rtol=0, atol=1e-4)
    assert len({row["patient_id"] for row in rows}) == 3


@pytest.mark.parametrize("kind", ["nifti", "dicom-seg"])
def test_images_that_are_gone_are_named_with_the_reason(study, tmp_path, kind):
    (path, *_) = study.sql(
        "SELECT i.path FROM imaging_instances i JOIN dce_slices USING (sop_uid, frame_number) "
        "JOIN imaging_studies s ON s.study_uid = i.study_uid WHERE patient_id = 'TCGA-TN-0003' ORDER BY phase_index, 1"
    )["path"]
    study.paths.at(path).unlink()
    said = run_quick("export", kind, tmp_path / "out", cwd=study.root, code=3)
    assert "missing: TCGA-TN-0003 T0:" in said.stderr and "ingest the images again" in said.stderr
    rows = listed(tmp_path / "out" / ("images.csv" if kind == "nifti" else "segments.csv"))
    assert {row["patient_id"] for row in rows} >= {"TCGA-TN-0000", "TCGA-TN-0007"}
    readme = (tmp_path / "out/README.md").read_text()
    assert "TCGA-TN-0003 T0" in readme and str(study.root) not in readme


def test_the_folder_of_a_patient_who_is_gone_goes_and_yours_stays(study, tmp_path):
    export(study, "nifti", tmp_path / "out")
    (tmp_path / "out/TCGA-TN-0000/mine.txt").write_text("kept")
    for who in ("TCGA-TN-0000", "TCGA-TN-0003"):
        withdrawing.withdraw(Study(study.root), who, "consent", WithdrawalScope.KEEP)
    export(Study(study.root), "nifti", tmp_path / "out")
    there = {p.relative_to(tmp_path / "out").parts[0] for p in (tmp_path / "out").rglob("*") if p.is_file()}
    assert there == {"TCGA-TN-0000", "TCGA-TN-0007", "images.csv", "README.md", ".tshdb-export-nifti.json"}
    assert [p.name for p in (tmp_path / "out/TCGA-TN-0000").rglob("*")] == ["mine.txt"]
    assert not (tmp_path / "out/TCGA-TN-0003").exists()


@pytest.mark.parametrize("kind", ["nifti", "dicom-seg"])
def test_a_study_without_images_has_nothing_to_write(core, tmp_path, kind):
    with pytest.raises(NotFound, match="nothing to write"):
        export(core, kind, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_segmentation_is_read_by_highdicom_and_by_ourselves(tmp_path):
    highdicom = pytest.importorskip("highdicom", reason="highdicom is not installed")
    study, _ = scan(tmp_path, kinds=(MaskKind.EXPERT, MaskKind.FCM))
    export(study, "dicom-seg", tmp_path / "out")
    rows = listed(tmp_path / "out/segments.csv")
    path = tmp_path / "out" / WHO / "T0/segmentation.dcm"
    assert [(row["segment"], row["kind"]) for row in rows] == [("1", "expert"), ("2", "fcm")]
    drawn = [blob(), np.roll(blob(), 1, axis=2)]
    made = highdicom.seg.segread(path)
    slices = study.sql("SELECT sop_uid FROM dce_slices WHERE phase_index = 0 ORDER BY slice_index")["sop_uid"]
    values = made.get_pixels_by_source_instance(list(slices), combine_segments=False)
    for number, wanted in enumerate(drawn, 1):
        assert np.array_equal(values[..., number - 1], wanted) and int(rows[number - 1]["n_voxels"]) == wanted.sum()
    segments = read_seg(path)
    for segment, wanted in zip(segments, drawn, strict=True):
        assert differences(segment.grid, GRID) == [] and np.array_equal(
            placed(segment.values, segment.grid, GRID), wanted
        )
    meant = named(None, segments[0].label, segments[0].codes, segments[0].algorithm, is_alone=False)
    assert (meant.region, meant.kind) == (MaskRegion.TUMOR, MaskKind.MANUAL)
    assert [segment.algorithm for segment in segments] == ["MANUAL", "AUTOMATIC"]
    source = pydicom.dcmread(next((tmp_path / "images").rglob("*.dcm")))
    assert (made.StudyInstanceUID, made.FrameOfReferenceUID) == (source.StudyInstanceUID, source.FrameOfReferenceUID)
    assert made.SeriesInstanceUID != source.SeriesInstanceUID and made.PatientID == WHO
    assert source.PatientName and not made.PatientName and not made.PatientBirthDate
    assert (made.ContentDate, made.ContentTime) == (source.StudyDate, source.StudyTime)


def test_nothing_of_a_person_is_taken_from_the_images(tmp_path):
    """Headers that name somebody (which the study was told to accept) leave nothing in the object."""
    study, _ = scan(tmp_path)
    for path in study.sql("SELECT DISTINCT path FROM imaging_instances")["path"]:
        place = study.paths.at(path)
        dataset = pydicom.dcmread(place)
        dataset.PatientName, dataset.PatientComments, dataset.OtherPatientIDs = (
            "Doe^Jane",
            "calls herself Jane",
            "MRN-7",
        )
        dataset.ReferringPhysicianName, dataset.AccessionNumber, dataset.PatientAddress = (
            "Roe^Rick",
            "ACC-9",
            "1 Main St",
        )
        dataset.save_as(place)
    with closing(sqlite3.connect(study.sqlite_path)) as raw:
        for (path,) in raw.execute("SELECT DISTINCT path FROM imaging_instances").fetchall():
            raw.execute(
                "UPDATE imaging_instances SET sha256 = ? WHERE path = ?", (sha256_of(study.paths.at(path)), path)
            )
        raw.commit()
    export(study, "dicom-seg", tmp_path / "out")
    data = (tmp_path / "out" / WHO / "T0/segmentation.dcm").read_bytes()
    assert not [text for text in (b"Jane", b"Doe", b"MRN-7", b"Roe", b"ACC-9", b"Main St") if text in data]


@pytest.mark.parametrize("layout", ENHANCED)
def test_frames_of_enhanced_objects_are_referred_to_or_named(tmp_path, layout):
    study, _ = scan(tmp_path, layout)
    assert list(study.sql("SELECT status FROM masks")["status"]) == ["fits"]
    done = export(study, "dicom-seg", tmp_path / "out")
    (segment,) = read_seg(tmp_path / "out" / WHO / "T0/segmentation.dcm")
    assert np.array_equal(placed(segment.values, segment.grid, GRID), blob()) and done.written.missing == []
    made = pydicom.dcmread(tmp_path / "out" / WHO / "T0/segmentation.dcm")
    source = {d.SOPInstanceUID: d.SOPClassUID for d in map(pydicom.dcmread, (tmp_path / "images").rglob("*.dcm"))}
    (series,) = made.ReferencedSeriesSequence
    for item in series.ReferencedInstanceSequence:
        assert source[item.ReferencedSOPInstanceUID] == item.ReferencedSOPClassUID


def test_an_image_that_is_cut_is_no_image(study, tmp_path, monkeypatch):
    """What writes NIfTI says nothing of a full disk: a file that it leaves short is found."""
    whole = sitk.WriteImage

    def cut(image, path, **how):
        whole(image, path, **how)
        Path(path).write_bytes(Path(path).read_bytes()[:-20])

    monkeypatch.setattr(sitk, "WriteImage", cut)
    with pytest.raises(ResourceError, match="was not written whole. Free some disk space"):
        export(study, "nifti", tmp_path / "out")
    assert list(tmp_path.iterdir()) == [study.root]
