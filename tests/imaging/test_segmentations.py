"""Masks of every format are the voxels that were drawn, at the place where they were drawn; what differs is said."""

from __future__ import annotations

import gzip
import shutil
import sqlite3
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from ingest.imaging import les
from ingest.imaging.dicom_seg import read as read_seg
from ingest.imaging.mask_files import Examination, MaskFileOptions, files_of
from ingest.imaging.mask_files import read as read_mask_file
from ingest.imaging.meaning import named
from ingest.imaging.unreadable import Unreadable
from ingest.simulate.dce_layouts import LAYOUTS, SimulatedExamination, write_examination
from ingest.simulate.dicom_files import SAGITTAL, Geometry, write
from ingest.simulate.mask_writers import les_box, segmentation
from tests.support import tiny
from tshdb.geometry import Grid, differences, placed
from tshdb.study import Study
from tshdb.vocabulary import MaskKind, MaskRegion

WHO = "SIM-0001"
SHAPE = (6, 20, 24)  # slices, rows, columns
GEOMETRY = Geometry((0.8, 0.8, 2.0), (-60.0, -60.0, -30.0), SAGITTAL)
GRID = Grid(SHAPE, (2.0, 0.8, 0.8), (-60.0, -60.0, -30.0), (0, 1, 0), (0, 0, -1), (-1, 0, 0))


def blob(shape: tuple[int, int, int] = SHAPE) -> np.ndarray:
    """A compact region that touches no side."""
    z, y, x = np.indices(shape)
    c = [(n - 1) / 2 for n in shape]
    return ((((z - c[0]) / 2) ** 2 + ((y - c[1]) / 5) ** 2 + ((x - c[2] + 1) / 6) ** 2) <= 1).astype(np.uint8)


def image_of(values: np.ndarray, grid: Grid) -> sitk.Image:
    image = sitk.GetImageFromArray(values)
    image.SetSpacing((grid.spacing_mm[2], grid.spacing_mm[1], grid.spacing_mm[0]))
    image.SetOrigin(grid.origin_mm)
    image.SetDirection(np.column_stack([grid.row, grid.column, grid.normal]).astype(float).ravel().tolist())
    return image


def write_les(
    path: Path, values: np.ndarray, start: tuple[int, int, int], order: str = "F", header: str = "starts"
) -> None:
    """values: (slices, rows, columns) of the box; start: its first slice, row, column, counted from 1."""
    path.write_bytes(les_box(values, list(start), order, header))


# ------------------------------------------------------------------------------------------------ DICOM SEG


@pytest.mark.parametrize(
    ("seg", "truth", "segment"),
    [
        ("liver.dcm", "liver_seg.nrrd", 1),
        ("partial_overlaps.dcm", "partial_overlaps-1.nrrd", None),
        ("partial_overlaps.dcm", "partial_overlaps-2.nrrd", None),
        ("partial_overlaps.dcm", "partial_overlaps-3.nrrd", None),
        ("24x38x3/seg/label.seg", "24x38x3/nrrd/label.nrrd", 1),
    ],
)
def test_a_dicom_segmentation_is_its_published_truth(shared, seg, truth, segment):
    """Placed by position on the truth's grid. A truth may hold several segments, by their numbers."""
    folder = shared / "dicom/seg/dcmqi"
    image = sitk.ReadImage(str(folder / truth))
    wanted = sitk.GetArrayFromImage(image)
    direction = np.array(image.GetDirection()).reshape(3, 3)
    columns, rows, slices = image.GetSpacing()
    grid = Grid(wanted.shape, (slices, rows, columns), image.GetOrigin(), *(tuple(direction[:, i]) for i in range(3)))
    found = {s.number: s for s in read_seg(folder / seg)}
    numbers = [segment] if segment else sorted(set(np.unique(wanted)) - {0})
    assert numbers
    for number in numbers:
        mine = found[int(number)]
        one_slice = mine.values.shape[0] == 1
        assert [d for d in differences(mine.grid, grid) if not one_slice] == []
        assert np.array_equal(placed(mine.values, mine.grid, grid) > 0, wanted == number)


@pytest.mark.parametrize(
    "name", ["binary", "binary_overlap", "binary_fractional", "binary_single_frame", "true_fractional"]
)
def test_other_segmentations_are_read_as_pydicom_reads_their_frames(shared, name):
    """highdicom's samples: every frame at its position, values as they stand."""
    import pydicom

    path = shared / f"dicom/seg/highdicom/seg_image_ct_{name}.dcm"
    dataset = pydicom.dcmread(path)
    frames = dataset.pixel_array.reshape(-1, dataset.Rows, dataset.Columns)
    found = read_seg(path)
    assert sum(int((s.values > 0).sum()) for s in found) == int((frames > 0).sum())
    for s in found:
        assert set(np.unique(s.values)) <= set(np.unique(frames)) | {0}
    if name == "true_fractional":
        assert len(found[0].histogram) > 2 or max(found[0].histogram) not in (1, 255)


def test_a_sparse_label_map_leaves_the_slices_between_its_frames_empty(shared):
    (found,) = read_seg(shared / "dicom/seg/dcmqi/sparse-labelmap-noppv.dcm")  # the background is no segment
    assert found.kind == "LABELMAP" and [int(s.sum()) for s in found.values] == [315, 0, 315]


def test_a_damaged_segmentation_is_one_error(shared, tmp_path):
    data = (shared / "dicom/seg/dcmqi/liver.dcm").read_bytes()
    path = tmp_path / "x.dcm"
    for cut in (200, 900, 2_000, len(data) - 5_000):
        path.write_bytes(data[:cut])
        with pytest.raises(Unreadable):
            read_seg(path)


@pytest.mark.parametrize(
    ("texts", "region", "kind"),
    [
        (("Sagittal-IR_3DFGRE: VOI PE Segmentation thresh=70",), MaskRegion.ENHANCEMENT, MaskKind.FTV),
        (("VOI Breast Tissue Segmentation", "Breast"), MaskRegion.BREAST, MaskKind.TISSUE),
        (("reader 1", "Lesion"), MaskRegion.TUMOR, MaskKind.OTHER),
        (("x", None), MaskRegion.OTHER, MaskKind.OTHER),
    ],
)
def test_enhancement_and_tissue_masks_never_pass_for_an_outline(texts, region, kind):
    found = named(*texts)
    assert (found.region, found.kind, found.is_outline) == (region, kind, False)


# ------------------------------------------------------------------------------------------------ .les


@pytest.mark.parametrize("header", ["starts", "pairs"])
@pytest.mark.parametrize("order", ["F", "C"])
def test_a_lesion_file_is_read_in_whatever_order_it_was_written(tmp_path, order, header):
    path = tmp_path / "TCGA-AR-A1AN-S2-1.les"
    write_les(path, blob((7, 12, 16)), (5, 30, 40), order, header)
    found = les.read(path)
    assert np.array_equal(found.values, blob((7, 12, 16)))
    assert (found.voxel_order, found.start) == (order, (4, 29, 39))
    assert found.header_order == ("starts then ends" if header == "starts" else "start and end by axis")
    assert not found.flags


def test_a_lesion_that_hangs_together_either_way_is_flagged(tmp_path):
    path = tmp_path / "x.les"
    write_les(path, np.ones((4, 4, 4), np.uint8), (1, 1, 1))
    assert any("both orders" in flag for flag in les.read(path).flags)


@pytest.mark.parametrize("spoil", [lambda d: d[:-3], lambda d: d + b"\0", lambda d: d[:-1] + b"\x07", lambda d: d[:10]])
def test_a_lesion_file_that_is_not_its_box_is_refused(tmp_path, spoil):
    path = tmp_path / "x.les"
    write_les(path, blob((7, 12, 16)), (5, 30, 40))
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(Unreadable):
        les.read(path)


# ------------------------------------------------------------------------------------------------ other files


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".mha"])
def test_a_mask_file_gives_its_voxels_and_place(tmp_path, suffix):
    path = tmp_path / f"{WHO}{suffix}"
    sitk.WriteImage(image_of(blob() * 255, GRID), str(path))
    content = read_mask_file(path, [Examination("1.2", WHO, "T0")], MaskFileOptions("sim", MaskKind.EXPERT))
    (record,) = content.records
    assert not content.findings
    row = record.values
    assert (row["study_uid"], row["n_voxels"], row["is_outline"]) == ("1.2", int(blob().sum()), True)
    assert differences(Grid.of_text(row["grid"]), GRID) == []
    assert row["volume_ml"] == pytest.approx(blob().sum() * 2.0 * 0.8 * 0.8 / 1000, rel=1e-5)


def test_one_label_of_several_is_taken(tmp_path):
    values = blob()
    values[0, 0, :5] = 2
    path = tmp_path / f"{WHO}.nrrd"
    sitk.WriteImage(image_of(values, GRID), str(path))
    content = read_mask_file(path, [Examination("1.2", WHO, "T0")], MaskFileOptions("sim", label="2"))
    assert content.records[0].values["n_voxels"] == 5


def cut_gzip(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-30])


def cut_inside(path: Path) -> None:
    """A whole gzip of a NIfTI file that is too short: readers fill it up in silence."""
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:-500]))


def fractions(path: Path) -> None:
    sitk.WriteImage(image_of(blob().astype(np.float32) / 3, GRID), str(path))


def other_patient(path: Path) -> None:
    shutil.move(path, path.with_name("SIM-0777.nii.gz"))


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [(cut_gzip, "mask.unreadable"), (cut_inside, "mask.unreadable"), (fractions, "mask.values"),
     (other_patient, "mask.no-patient")],
)  # fmt: skip
def test_a_bad_mask_is_named(tmp_path, spoil, rule):
    path = tmp_path / f"{WHO}.nii.gz"
    sitk.WriteImage(image_of(blob(), GRID), str(path))
    spoil(path)
    (path,) = files_of(tmp_path)
    content = read_mask_file(path, [Examination("1.2", WHO, "T0")], MaskFileOptions("sim"))
    assert [f.rule for f in content.errors] == [rule] and not content.records


def test_a_mask_of_a_patient_with_several_examinations_is_of_the_one_that_is_said(tmp_path):
    """Nothing decides: it is refused, and both are named. The sheet, the grid, or a date in the path does."""
    path = tmp_path / f"{WHO}.nrrd"
    sitk.WriteImage(image_of(blob(), GRID), str(path))
    both = [Examination("1.2", WHO, "T0", "1991-08-20"), Examination("1.3", WHO, "T1", "1991-11-20")]
    moved = Grid(SHAPE, GRID.spacing_mm, tuple(GRID.at(0, 5, 0)), GRID.row, GRID.column, GRID.normal)

    def study(grids=lambda uid: [], rows=(), name=""):
        content = read_mask_file(path, both, MaskFileOptions("sim", rows=rows, name=name), grids)
        return content.records[0].values["study_uid"] if content.records else content.errors[0]

    refused = study()
    assert refused.rule == "mask.which-examination" and "T0 of 1991-08-20, T1 of 1991-11-20" in refused.message
    assert study(lambda uid: [GRID if uid == "1.3" else moved]) == "1.3"
    assert study(lambda uid: [GRID]).rule == "mask.which-examination"
    sheet = ({"file": path.name, "patient_id": WHO, "time_point": "T1", "kind": "manual"},)
    assert study(rows=sheet) == "1.3"
    assert study(name=f"1991-11-20/{WHO}.nrrd") == "1.3"
    content = read_mask_file(
        path, both, MaskFileOptions("sim", rows=sheet), lambda uid: [GRID if uid == "1.2" else moved]
    )
    assert "has the grid of T0, and not of T1" in content.records[0].values["flags"]
    assert [f.rule for f in content.findings] == ["mask.examination"]


# ------------------------------------------------------------------------------------------------ against the images


def test_geometry_says_what_differs_and_by_how_much():
    assert differences(GRID, GRID) == []
    wide = Grid(SHAPE, (2.0, 1.0, 0.8), GRID.origin_mm, GRID.row, GRID.column, GRID.normal)
    assert differences(wide, GRID) == [  # 19 steps of 0.2 mm
        "3.80 mm off at the furthest corner (row spacing 1 mm, the image's is 0.8 mm)"
    ]
    off = Grid(SHAPE, GRID.spacing_mm, (-60.0, -59.7, -30.0), GRID.row, GRID.column, GRID.normal)
    assert differences(off, GRID) == [
        "0.30 mm off at the furthest corner (voxels lie between the image's: slice, row, column 0.00, 0.00, 0.30 mm off)"
    ]
    far = Grid(SHAPE, GRID.spacing_mm, (-60.0, 500.0, -30.0), GRID.row, GRID.column, GRID.normal)
    assert differences(far, GRID) == ["outside of the image"]
    slanted = Grid(SHAPE, GRID.spacing_mm, GRID.origin_mm, (0, 0.966, -0.259), (0, -0.259, -0.966), GRID.normal)
    assert "turned by 15 degrees" in differences(slanted, GRID)[0]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_axes_in_another_order_are_the_same_voxels(order):
    values = blob()
    mask = GRID.with_axes(order)
    assert differences(mask, GRID) == []
    assert np.array_equal(placed(values.transpose(order), mask, GRID), values)


@pytest.mark.parametrize("share", [0.01, 0.02, 0.05, 0.09, 0.0995, 0.1005, 0.11, 0.2, 0.3, 0.49])
def test_a_tenth_of_a_voxel_at_the_furthest_corner_is_the_tolerance(share):
    """Shifts along each axis, spacings and turns that move the furthest corner by a share of a voxel: 70 sizes in all."""
    fits = share < 0.1
    for axis in range(3):
        places = [0.0, 0.0, 0.0]
        places[axis] = share
        shifted = Grid(SHAPE, GRID.spacing_mm, tuple(GRID.at(*places)), GRID.row, GRID.column, GRID.normal)
        assert (differences(shifted, GRID) == []) is fits
        spacing = list(GRID.spacing_mm)
        spacing[axis] *= 1 + share / (SHAPE[axis] - 1)
        scaled = Grid(SHAPE, tuple(spacing), GRID.origin_mm, GRID.row, GRID.column, GRID.normal)
        assert (differences(scaled, GRID) == []) is fits
    angle = share / (
        SHAPE[1] - 1
    )  # in the plane, of equal spacing: the far corner of a row moves by `share` of a pixel
    row = np.array(GRID.row) * np.cos(angle) + np.array(GRID.column) * np.sin(angle)
    column = np.array(GRID.column) * np.cos(angle) - np.array(GRID.row) * np.sin(angle)
    turned = Grid(
        (SHAPE[0], SHAPE[1], SHAPE[1]), GRID.spacing_mm, GRID.origin_mm, tuple(row), tuple(column), GRID.normal
    )
    assert (differences(turned, GRID) == []) is fits


def test_a_cropped_or_turned_mask_is_placed_voxel_by_voxel():
    whole = blob()
    part = whole[1:5, 3:18, 2:22]
    grid = Grid(part.shape, GRID.spacing_mm, tuple(GRID.at(1, 3, 2)), GRID.row, GRID.column, GRID.normal)
    assert np.array_equal(placed(part, grid, GRID), whole)
    last = tuple(GRID.at(SHAPE[0] - 1, SHAPE[1] - 1, 0))
    back = Grid(SHAPE, GRID.spacing_mm, last, GRID.row, (0, 0, 1), (1, 0, 0))
    assert differences(back, GRID) == []
    assert np.array_equal(placed(whole[::-1, ::-1], back, GRID), whole)


@pytest.fixture
def scanned(tmp_path, quick) -> Study:
    """One examination whose phases brighten inside of the blob; its slices run along the normal."""
    body = np.zeros(SHAPE, int)
    body[:, 2:-2, 2:-2] = 100
    volumes = [(body + 20 * blob() * p + 5 * p * (body > 0)).astype(np.uint16) for p in range(3)]
    folder = tmp_path / "images"
    write_examination(SimulatedExamination(WHO, "T0", volumes, GEOMETRY), LAYOUTS["ge content time"][0], folder)
    study = tiny.new_study(tmp_path / "study")
    quick("ingest", "dicom", folder, "--collection", "sim", cwd=study.root)
    yield study
    study.engine.dispose()


def masks_of(study: Study, quick) -> dict:
    quick("rebuild", "series_roles", "dce_sets", "dce_slices", "dce_phases", "masks", cwd=study.root)
    rows = study.sql("SELECT m.*, s.format FROM masks m JOIN segmentations s USING (segmentation_id)").to_dict(
        "records"
    )
    return {row["format"]: row for row in rows}


def test_masks_are_held_against_the_images(scanned, quick, tmp_path):
    folder = tmp_path / "masks"
    folder.mkdir()
    sitk.WriteImage(image_of(blob(), GRID), str(folder / f"{WHO}.nii.gz"))
    wide = Grid(SHAPE, (2.0, 1.0, 1.0), GRID.origin_mm, GRID.row, GRID.column, GRID.normal)
    sitk.WriteImage(image_of(blob(), wide), str(folder / f"{WHO}.mha"))
    box = blob()[1:5, 4:16, 4:20]
    write_les(folder / f"{WHO}-S2-1.les", box, (2, 5, 5))
    quick("ingest", "segmentation", folder, "--collection", "sim", "--kind", "expert", cwd=scanned.root)
    found = masks_of(scanned, quick)
    n = int(blob().sum())
    assert (found["nifti"]["status"], found["nifti"]["n_voxels"]) == ("fits", n)
    assert found["nifti"]["mean_rise"] > 2
    assert found["metaimage"]["status"] == "resample"
    assert (
        "row spacing 1 mm, the image's is 0.8 mm" in found["metaimage"]["differences"] and found["metaimage"]["repair"]
    )
    assert (found["les"]["status"], found["les"]["n_voxels"]) == ("fits", int(box.sum()))
    assert found["les"]["mean_rise"] > 2


@pytest.mark.parametrize(
    ("of_mask", "flag"),
    [({}, None), ({"FrameOfReferenceUID": "2.25.777"}, "another frame of reference"), ("series", "does not have")],
)
def test_a_segmentation_of_another_patient_is_named(scanned, quick, tmp_path, of_mask, flag):
    """It says this examination's UID, and was drawn in another frame of reference, or on a series of another one."""
    said = of_mask if isinstance(of_mask, dict) else {}
    dynamic = scanned.sql("SELECT series_uid FROM imaging_series")["series_uid"].tolist()[0]
    series = SimulatedExamination(WHO, "T0", [blob()], GEOMETRY).series(99, "lesion", 0.0, **said)
    named = "2.25.888" if of_mask == "series" else dynamic
    write(segmentation(series, blob() > 0, "Lesion", named, is_fractional=False), tmp_path / "images/seg/1-1.dcm")
    quick("ingest", "dicom", tmp_path / "images", "--collection", "sim", cwd=scanned.root)
    row = masks_of(scanned, quick)["dicom-seg"]
    assert row["n_voxels"] == blob().sum()
    assert row["status"] == ("unclear" if of_mask and of_mask != "series" else "fits")
    assert flag in row["qc_flags"] if flag else row["qc_flags"] is None


def test_a_mask_with_a_flipped_direction_is_named(scanned, quick, tmp_path):
    """Beyond the image, or, where it cannot be seen so, on tissue that does not enhance."""
    folder = tmp_path / "masks"
    folder.mkdir()
    turned = Grid(SHAPE, GRID.spacing_mm, GRID.origin_mm, GRID.row, tuple(-c for c in GRID.column), GRID.normal)
    sitk.WriteImage(image_of(blob(), turned), str(folder / f"{WHO}.mha"))
    corner = np.zeros(SHAPE, np.uint8)
    corner[:, 0:3, 0:6] = 1  # what is drawn lies beside the lesion, as a mirror puts it
    sitk.WriteImage(image_of(corner, GRID), str(folder / f"{WHO}.nii.gz"))
    quick("ingest", "segmentation", folder, "--collection", "sim", "--kind", "expert", cwd=scanned.root)
    found = masks_of(scanned, quick)
    assert (found["metaimage"]["status"], found["metaimage"]["repair"]) == ("unclear", "look at it: tshdb qc PATIENT")
    assert "outside" in found["metaimage"]["differences"]
    assert "is it where the tumour is" in found["nifti"]["qc_flags"]


def test_4_a_redrawn_mask_is_due_with_what_rests_on_it_and_nothing_else(scanned, quick, tmp_path):
    path = tmp_path / f"{WHO}.nii.gz"
    sitk.WriteImage(image_of(blob(), GRID), str(path))
    ingest = ("ingest", "segmentation", path, "--collection", "sim", "--kind", "expert")
    quick(*ingest, cwd=scanned.root)
    masks_of(scanned, quick)
    assert "the same bytes" in quick(*ingest, cwd=scanned.root).stderr
    smaller = blob()
    smaller[2] = 0
    sitk.WriteImage(image_of(smaller, GRID), str(path))
    assert "1 updated" in quick(*ingest, cwd=scanned.root).stderr
    due = {name: len(keys) for name, keys in tiny.due(scanned, certain_only=True).items()}
    assert due["masks"] == 1 and not {"dce_phases", "dce_slices", "series_roles"} & set(due)
    assert masks_of(scanned, quick)["nifti"]["n_voxels"] == int(smaller.sum())
    with sqlite3.connect(scanned.sqlite_path) as connection:
        (changes,) = connection.execute(
            "SELECT changes FROM change_log WHERE table_name = 'segmentations' AND action = 'update'"
        ).fetchone()
    assert "object_id" in changes and "n_voxels" in changes


def test_a_mask_without_images_is_told(tmp_path, quick):
    study = tiny.new_study(tmp_path / "study")
    path = tmp_path / f"{WHO}.nrrd"
    sitk.WriteImage(image_of(blob(), GRID), str(path))
    done = quick("ingest", "segmentation", path, "--collection", "sim", cwd=study.root, code=7)
    assert "mask.no-patient" in done.stderr
    study.engine.dispose()


def test_an_examination_with_masks_does_not_go_before_them(scanned, quick, tmp_path):
    """Nothing is lost silently: its masks go first."""
    path = tmp_path / f"{WHO}.nrrd"
    sitk.WriteImage(image_of(blob(), GRID), str(path))
    quick("ingest", "segmentation", path, "--collection", "sim", cwd=scanned.root)
    images = tmp_path / "images"
    shutil.rmtree(images / WHO)
    scan = SimulatedExamination("SIM-0002", "T0", [np.full(SHAPE, 50 + 30 * p, np.uint16) for p in range(3)], GEOMETRY)
    write_examination(scan, LAYOUTS["ge content time"][0], images)
    done = quick("ingest", "dicom", images, "--collection", "sim", "--complete", cwd=scanned.root, code=7)
    assert "study.still-named" in done.stderr and f"/{WHO}.nrrd#1" in done.stderr
    assert len(scanned.sql("SELECT * FROM segmentations")) == 1
