"""Enhanced MR: frames are read as single files are, voxel for voxel, whoever wrote the object, and in whatever order."""

from __future__ import annotations

import copy
import hashlib
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import RLELossless

from ingest.imaging.headers import digest_and_header
from ingest.imaging.unreadable import Unreadable
from ingest.simulate.dce_layouts import LAYOUTS, SimulatedExamination, write_examination
from ingest.simulate.dicom_files import SAGITTAL, Geometry
from ingest.simulate.enhanced_layouts import ENHANCED
from tests.imaging.test_dce_layouts import examination
from tests.support import containers, tiny
from tshdb.actions.imaging import dicom
from tshdb.images import pixels
from tshdb.images.known_bytes import PixelsGone
from tshdb.images.pixels import read_slice, read_volume
from tshdb.study import Study

ANALYSES = ("series_roles", "dce_sets", "dce_slices", "dce_phases")
SLICES = (
    "SELECT phase_index, slice_index, path, sha256, frame_number, x_mm, y_mm, z_mm FROM dce_slices "
    "JOIN imaging_instances USING (sop_uid, frame_number) ORDER BY 1, 2"
)


def phases_of(study: Study) -> tuple[list[np.ndarray], np.ndarray]:
    """(the volume of each phase, the place of every slice) as a study finds them."""
    table = study.sql(SLICES)
    volumes = [
        read_volume(list(zip(of["path"], of["sha256"], of["frame_number"], strict=True)))
        for _, of in table.groupby("phase_index")
    ]
    return volumes, table[["x_mm", "y_mm", "z_mm"]].to_numpy()


def read_in(root: Path, images: Path) -> Study:
    study = tiny.new_study(root)
    dicom(study, images, "sim", jobs=1)
    tiny.rebuild(study, names=ANALYSES)
    return study


@pytest.mark.parametrize("name", ENHANCED)
def test_the_voxels_of_every_dialect_are_those_that_were_scanned(tmp_path, name):
    layout, orientation, _ = ENHANCED[name]
    e = examination(orientation)
    write_examination(e, layout, tmp_path / "images")
    study = read_in(tmp_path / "study", tmp_path / "images")
    volumes, _ = phases_of(study)
    assert len(volumes) == len(e.volumes)
    for found, scanned in zip(volumes, e.volumes, strict=True):
        assert np.array_equal(found, scanned) or np.array_equal(found, scanned[::-1])
    assert study.sql("SELECT DISTINCT role FROM series_roles")["role"].tolist() == ["dynamic"]
    study.engine.dispose()


@pytest.fixture(scope="module")
def published(shared):
    """A part of UCSF-BR-06 of Breast-MRI-NACT-Pilot: 3 phases of 8 slices of 48 x 48 pixels, as single files."""
    folder = shared / "dicom/nact-pilot/UCSF-BR-06/image_dce_3dfgre_orig"
    datasets = [pydicom.dcmread(f) for f in sorted(folder.glob("*.dcm"))]
    for d in datasets:
        d.remove_private_tags()
    chosen = [d for phase in containers.phases_of(datasets) for d in phase[26:34]]
    return [containers.cropped(d, slice(90, 138), slice(90, 138)) for d in chosen]


@pytest.fixture(scope="module")
def as_single_files(published, tmp_path_factory):
    root = tmp_path_factory.mktemp("single")
    study = read_in(root / "study", containers.save(copy.deepcopy(published), root / "images"))
    yield phases_of(study), facts_of(study)
    study.engine.dispose()


def facts_of(study: Study) -> list[tuple]:
    """What dce_phases says but for how it knows the time; and the series' sequence and grid."""
    table = study.sql(
        "SELECT phase_index, role, is_intermediate, is_last, t_seconds, n_slices, mean_intensity FROM dce_phases"
    )
    series = study.sql(
        "SELECT modality, acquisition_type, tr_ms, te_ms, flip_angle_deg, row_spacing_mm, orientation, "
        "column_spacing_mm, slice_thickness_mm, field_strength_t, frame_of_reference_uid FROM imaging_series"
    )
    return [
        *table.sort_values("phase_index").itertuples(index=False, name=None),
        *series.itertuples(index=False, name=None),
    ]


@pytest.mark.parametrize("name", containers.CONTAINERS)
def test_a_published_examination_is_the_same_in_every_container(published, as_single_files, tmp_path, name):
    written = containers.CONTAINERS[name](copy.deepcopy(published))
    study = read_in(tmp_path / "study", containers.save(written, tmp_path / "images"))
    (volumes, places), facts = as_single_files
    found, where = phases_of(study)
    assert len(found) == 3 and all(np.array_equal(a, b) for a, b in zip(found, volumes, strict=True))
    assert np.array_equal(where, places)
    own = facts_of(study)
    assert own[:-1] == facts[:-1]
    known = [i for i, value in enumerate(own[-1]) if value is not None and value == value]
    assert [own[-1][i] for i in known] == [facts[-1][i] for i in known] and len(known) >= 7
    n_files, n_images = study.sql("SELECT count(DISTINCT sop_uid), count(*) FROM imaging_instances").iloc[0]
    assert n_images == 24 and n_files == len(written)
    assert study.sql("SELECT n_instances FROM imaging_series")["n_instances"].tolist() == [len(written)]
    study.engine.dispose()


@pytest.mark.parametrize("name", containers.SYNTAXES)
def test_a_published_examination_is_the_same_in_every_transfer_syntax(published, as_single_files, tmp_path, name):
    study = read_in(tmp_path / "study", containers.encoded(published, name, tmp_path / "images"))
    (volumes, places), facts = as_single_files
    found, where = phases_of(study)
    assert len(found) == 3 and all(np.array_equal(a, b) for a, b in zip(found, volumes, strict=True))
    assert np.array_equal(where, places) and facts_of(study) == facts
    study.engine.dispose()


def enhanced(tmp_path, name: str = "enhanced philips") -> pydicom.Dataset:
    layout, orientation, _ = ENHANCED[name]
    write_examination(examination(orientation, 2), layout, tmp_path / "images")
    (path,) = (tmp_path / "images").rglob("*.dcm")
    dataset = pydicom.dcmread(path)
    dataset.filename = str(path)
    return dataset


def test_an_object_says_in_its_own_place_when_contrast_was_injected(tmp_path):
    layout, orientation, _ = ENHANCED["enhanced philips"]
    e = replace(examination(orientation), extra={"ContrastBolusAgent": "x", "ContrastBolusStartTime": "100030.5"})
    write_examination(e, layout, tmp_path / "images")
    (file,) = (tmp_path / "images").rglob("*.dcm")
    assert "ContrastBolusStartTime" not in pydicom.dcmread(file)
    assert digest_and_header(file, False)[1].series["contrast_start_s"] == 36_030.5


def test_an_object_that_does_not_describe_all_its_frames_is_refused(tmp_path):
    dataset = enhanced(tmp_path)
    del dataset.PerFrameFunctionalGroupsSequence[3]
    dataset.save_as(dataset.filename)
    with pytest.raises(Unreadable, match="10 frames, and 9 are described"):
        digest_and_header(Path(dataset.filename), False)


def test_a_name_in_what_a_converter_left_over_is_seen(tmp_path):
    dataset = enhanced(tmp_path, "enhanced converted")
    left = dataset.PerFrameFunctionalGroupsSequence[4].UnassignedPerFrameConvertedAttributesSequence[0]
    left.OperatorsName = "Mustermann^Eva"
    dataset.save_as(dataset.filename)
    with pytest.raises(Unreadable, match="OperatorsName") as error:
        digest_and_header(Path(dataset.filename), False)
    assert error.value.rule == "dicom.identified" and "Mustermann" not in str(error.value)


def test_frames_of_two_echoes_are_no_time_points(tmp_path):
    """Ten frames, two a place, of one temporal index and one time: nothing says which came first."""
    dataset = enhanced(tmp_path)
    for i, group in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        content = group.FrameContentSequence[0]
        content.TemporalPositionIndex, content.DimensionIndexValues = 1, [1, content.InStackPositionNumber, 1]
        content.FrameAcquisitionDateTime = content.FrameReferenceDateTime = "20010115100000.000000"
        echo = pydicom.Dataset()
        echo.EffectiveEchoTime = 2.3 + 2.3 * (i % 2)
        group.MREchoSequence = pydicom.Sequence([echo])
    dataset.save_as(dataset.filename)
    study = read_in(tmp_path / "study", tmp_path / "images")
    (row,) = study.sql("SELECT status, reason FROM dce_sets").to_dict("records")
    assert row["status"] != "found"
    assert study.sql("SELECT DISTINCT echo_time_ms FROM imaging_instances ORDER BY 1")["echo_time_ms"].tolist() == [
        2.3,
        4.6,
    ]
    assert "te_ms" in study.sql("SELECT mixed FROM imaging_series")["mixed"][0]
    study.engine.dispose()


def test_frames_that_are_gone_from_a_corrected_object_are_gone_from_the_study(tmp_path):
    dataset = enhanced(tmp_path)
    study = read_in(tmp_path / "study", tmp_path / "images")
    assert len(study.sql("SELECT 1 FROM imaging_instances")) == 10
    n = dataset.Rows * dataset.Columns * 2
    dataset.NumberOfFrames, dataset.PixelData = 8, dataset.PixelData[: 8 * n]
    del dataset.PerFrameFunctionalGroupsSequence[8:]
    dataset.save_as(dataset.filename)
    loaded = dicom(study, tmp_path / "images", "sim", jobs=1)
    assert loaded.by_table["imaging_instances"]["deleted"] == 2
    assert study.sql("SELECT max(frame_number), max(n_frames) FROM imaging_instances").values.tolist() == [[8, 8]]
    assert "was edited" not in str(loaded.findings)
    again = dicom(study, tmp_path / "images", "sim", jobs=1)
    assert again.is_same_bytes and not again.findings
    study.engine.dispose()


def test_a_frame_must_be_named_and_bytes_must_be_the_known_ones(tmp_path, monkeypatch):
    dataset = enhanced(tmp_path)
    path = Path(dataset.filename)
    sha256, _ = digest_and_header(path, False)
    with pytest.raises(ValueError, match="10 frames, and none"):
        read_slice(str(path), sha256)
    whole = read_slice(str(path), sha256, 3)
    monkeypatch.setattr(pixels, "WHOLE", 100)  # the way of large files
    assert np.array_equal(read_slice(str(path), sha256, 3), whole)
    assert np.array_equal(read_volume([(str(path), sha256, n) for n in (3, 1)])[0], whole)
    path.write_bytes(path.read_bytes()[:-2] + b"\1\1")
    with pytest.raises(PixelsGone, match="other bytes"):
        read_slice(str(path), sha256, 3)


def test_a_secondary_capture_of_many_frames_stays_one_row(tmp_path):
    e = SimulatedExamination("SIM-0001", "T0", examination(SAGITTAL, 2).volumes, Geometry(orientation=SAGITTAL))
    write_examination(e, LAYOUTS["ge content time"][0], tmp_path / "images")
    path = next((tmp_path / "images").rglob("*.dcm"))
    dataset = pydicom.dcmread(path)
    dataset.NumberOfFrames, dataset.PixelData = 3, dataset.PixelData * 3
    dataset.save_as(path)
    _, header = digest_and_header(path, False)
    assert header.instance["n_frames"] == 3 and header.frames == []


def _fragments_of(dataset: pydicom.Dataset, per_frame: int, has_table: bool) -> list[bytes]:
    """Give an object fragments that stand for compressed frames; what each frame is in the file, with the heads of its items."""
    n = int(dataset.NumberOfFrames)
    parts = [[bytes([i + 1, k]) * (10 + 2 * i) for k in range(per_frame)] for i in range(n)]
    whole = [b"".join(struct.pack("<HHL", 0xFFFE, 0xE000, len(f)) + f for f in of_frame) for of_frame in parts]
    offsets = [sum(map(len, whole[:i])) for i in range(n)] if has_table else []
    table = struct.pack(f"<{len(offsets)}L", *offsets)
    head = struct.pack("<HHL", 0xFFFE, 0xE000, len(table)) + table
    dataset.PixelData = head + b"".join(whole) + struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
    dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
    dataset.file_meta.TransferSyntaxUID = RLELossless
    return whole


@pytest.mark.parametrize(
    ("per_frame", "has_table", "can_tell"),
    [(0, False, True), (1, False, True), (1, True, True), (2, True, True), (2, False, False)],
)
def test_a_digest_of_each_frame_is_of_its_own_bytes(tmp_path, per_frame, has_table, can_tell):
    """0: as they are; else fragments a frame, told by their number or by the table of offsets."""
    dataset = enhanced(tmp_path)
    frames = list(dataset.pixel_array.astype("<u2"))
    bytes_of = _fragments_of(dataset, per_frame, has_table) if per_frame else [f.tobytes() for f in frames]
    dataset.save_as(dataset.filename)
    _, header = digest_and_header(Path(dataset.filename), False)
    wanted = [hashlib.sha256(b).hexdigest()[:32] if can_tell else None for b in bytes_of]
    assert [frame["pixel_digest"] for frame in header.frames] == wanted and len(wanted) == 10


@pytest.mark.parametrize("name", ["enhanced-per-phase", "enhanced philips"])
def test_a_simulated_study_in_a_dialect_is_found_again(quick, empty_study, tmp_path, name):
    options = ("--cohorts", "ispy1=1", "--layout", name, "--voxel-mm", "4", "--genes", "200", "--jobs", "1")
    quick("simulate", tmp_path / "sim", *options, cwd=tmp_path)
    dicom(empty_study, tmp_path / "sim/ispy1", "ispy1", jobs=1)
    tiny.rebuild(empty_study, names=ANALYSES)
    (row,) = empty_study.sql("SELECT status, n_phases, qc_flags FROM dce_sets").to_dict("records")
    assert (row["status"], row["n_phases"]) == ("found", 3) and not row["qc_flags"]
    (dynamic,) = empty_study.sql("SELECT candidate_hints FROM series_roles WHERE is_dynamic")["candidate_hints"]
    assert "is a map of it +100" in dynamic


def test_a_dialect_that_is_none_is_answered_with_all(quick, tmp_path):
    done = quick("simulate", tmp_path / "sim", "--layout", "enhanced", cwd=tmp_path, code=2)
    assert "no layout 'enhanced'" in done.stderr and "enhanced-converted" in done.stderr
    assert not (tmp_path / "sim").exists()
