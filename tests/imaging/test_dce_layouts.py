"""Every layout of a dynamic examination is written as DICOM, ingested, and found again: phases, order, times, key."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pydicom
import pytest

from analyses import dce_phases, dce_sets, dce_slices, series_roles
from analyses.imaging.series_hints import read as hints_of
from ingest.imaging.folder import DicomFolderOptions, read_folder
from ingest.imaging.folder_items import items as folder_items
from ingest.imaging.spool import Spool
from ingest.simulate.dce_layouts import (
    LAYOUTS,
    SimulatedExamination,
    ge_bound_halves,
    ge_pre_and_post,
    write_examination,
)
from ingest.simulate.deliveries import resent
from ingest.simulate.dicom_files import SAGITTAL, Geometry, uid
from ingest.simulate.enhanced_layouts import ALL
from tshdb.schema import ImagingSeries
from tshdb.vocabulary import Severity

N_SLICES = 5
WITHOUT_CLOCK = ("acquisition_number", "instance_blocks", "instance_interleaved")


def volumes(n_phases: int) -> list[np.ndarray]:
    """Phases whose every voxel says which phase and slice it is, brighter with contrast."""
    rows = np.arange(8)[:, None] * np.ones(8)
    return [
        np.stack([(100 + 40 * min(p, 3) + 10 * p + s + rows * 3).astype(np.uint16) for s in range(N_SLICES)])
        for p in range(n_phases)
    ]


def examination(orientation, n_phases: int = 4, **options) -> SimulatedExamination:
    return SimulatedExamination("SIM-0001", "T0", volumes(n_phases), Geometry(orientation=orientation), **options)


@pytest.fixture
def found(tmp_path):
    """A function: examination and layout -> (dce_sets row, dce_phases rows, phase and slice of every instance)."""

    def find(e: SimulatedExamination, layout, spoil=lambda folder: None, decided=()):
        write_examination(e, layout, tmp_path / "images")
        spoil(tmp_path / "images")
        series, instances = frames_of(tmp_path / "images")
        _, rows = hints_of("breast_dce_hints", tmp_path)
        columns = ["study_uid", "series_uid", "decision", "decided_by", "reason"]
        said = [(uid("SIM-0001", "T0"), series_uid, what, "A. Reader", "seen") for series_uid, what in decided]
        decisions = pd.DataFrame(said, columns=columns)
        roles = series_roles(series, instances, decisions, pd.DataFrame(rows), series_roles.params())
        params = dce_sets.params()
        sets = dce_sets(roles, series, instances, decisions, params)
        slices = dce_slices(sets, roles, series, instances, decisions, dce_slices.params())
        phases = dce_phases(sets, slices, instances, dce_phases.params())
        where = {(s.sop_uid, s.frame_number): (s.phase_index, s.slice_index) for s in slices.itertuples()}
        return sets.iloc[0].to_dict(), phases.to_dict("records"), where

    return find


def frames_of(folder) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of imaging_series and imaging_instances, as the reader of a folder makes them."""
    with Spool() as spool:
        contents = read_folder(folder, DicomFolderOptions("sim", jobs=1), spool, [])
        assert not [f for f in contents.findings if f.severity is Severity.ERROR]
        items = list(folder_items(contents, lambda series, here: []))
        series = [r.values for item in items for r in item.content.records if r.table is ImagingSeries]
        instances = [row for item in items for row in item.content.instances.rows()]
    return pd.DataFrame(series), pd.DataFrame(instances).astype({"acquisition_number": float})


def truth(e: SimulatedExamination, layout) -> dict[tuple[str, int], tuple[int, int]]:
    """(sop UID, frame) -> (phase, slice), from the voxels that were written."""
    known, n_frames = {}, Counter()
    for series, instance, index, pixels, _ in layout(e):
        n_frames[series.series_uid, instance] += 1
        if "DERIVED" not in series.extra.get("ImageType", ()):
            phase = next(p for p, v in enumerate(e.volumes) if np.array_equal(v[index], pixels))
            known[uid(series.series_uid, instance), n_frames[series.series_uid, instance]] = (phase, index)
    return known


@pytest.mark.parametrize("name", ALL)
def test_a_layout_is_found_again(found, name):
    layout, orientation, key = ALL[name]
    e = examination(orientation)
    row, phases, slices = found(e, layout)
    assert (row["status"], row["n_phases"], row["n_slices"], row["key_used"]) == ("found", 4, N_SLICES, key)
    assert not row["qc_flags"]
    wanted = truth(e, layout)
    order = 1 if slices[min(wanted)][1] == wanted[min(wanted)][1] else -1  # stacks may be counted from either end
    assert slices == {sop: (p, i if order == 1 else N_SLICES - 1 - i) for sop, (p, i) in wanted.items()}
    assert [p["role"] for p in phases] == ["pre", "post", "post", "post"]
    means = [p["mean_intensity"] for p in phases]
    assert means == sorted(means)
    if row["key_used"] not in WITHOUT_CLOCK and name != "enhanced dimensions":
        assert [p["t_seconds"] for p in phases] == pytest.approx([0, 90, 180, 270])
        assert [p["is_intermediate"] for p in phases] == [False, False, True, False]  # 180 + 45 s: nearest to 240
    assert [p["is_last"] for p in phases] == [False, False, False, True]


@pytest.mark.parametrize("name", ALL)
def test_a_layout_that_was_sent_twice_is_found_once(found, name):
    """Every image again under other identifiers: each place of each phase has one of the two."""
    layout, orientation, key = ALL[name]
    e = examination(orientation)
    row, phases, slices = found(e, resent(layout))
    assert (row["status"], row["n_phases"], row["n_slices"], row["key_used"]) == ("found", 4, N_SLICES, key), row[
        "reason"
    ]
    wanted = truth(e, resent(layout))
    at = {(p, i): wanted[sop] for sop, (p, i) in slices.items()}
    ends = ({(p, i): (p, i) for p, i in at}, {(p, i): (p, N_SLICES - 1 - i) for p, i in at})
    assert len(at) == len(slices) == 4 * N_SLICES and at in ends
    assert [p["is_last"] for p in phases] == [False, False, False, True]
    assert "copies of others" in row["qc_flags"]


@pytest.mark.parametrize("name", ALL)
def test_a_layout_that_is_split_over_folders_is_found_whole(found, tmp_path, name):
    layout, orientation, key = ALL[name]
    e = examination(orientation)
    whole = found(e, layout)
    shutil.rmtree(tmp_path / "images")
    assert found(replace(e, n_folders=3), layout) == whole
    assert not list((tmp_path / "images").rglob("*.dcm"))


@pytest.mark.parametrize(
    "name",
    ["ge content time", "ge pre and post", "siemens separate", "enhanced per phase", "enhanced reference time"],
)
def test_midnight_and_a_full_minute_break_nothing(found, name):
    layout, orientation, _ = ALL[name]
    e = examination(orientation, start_s=86_399.5 - 2 * 59.75, step_s=59.75)
    row, phases, _ = found(e, layout)
    assert row["status"] == "found" and not row["qc_flags"]
    assert [p["t_seconds"] for p in phases] == pytest.approx([0, 59.75, 119.5, 179.25])


def test_a_slice_that_is_missing_within_is_a_gap_and_refused(found):
    """What lies beyond a gap would be taken for a place nearer by: masks, volumes and bands would be wrong."""
    layout, orientation, _ = LAYOUTS["ge multiphase"]
    e = SimulatedExamination(
        "SIM-0001", "T0", [np.repeat(v, 4, axis=0) for v in volumes(3)], Geometry(orientation=orientation)
    )

    def spoil(folder):
        next(iter(sorted(folder.rglob("1-007.dcm")))).unlink()

    row, phases, _ = found(e, layout, spoil)
    assert row["status"] == "unsplit" and row["reason"].startswith("gap: 1 slice is missing between") and not phases


def test_too_many_missing_slices_are_no_set(found):
    layout, orientation, _ = LAYOUTS["ge multiphase"]
    row, phases, _ = found(
        examination(orientation), layout, lambda folder: [p.unlink() for p in folder.rglob("1-00[1-3].dcm")]
    )
    assert row["status"] == "unsplit" and row["reason"].startswith("ragged") and not phases


def test_without_a_scan_before_contrast_there_is_no_set(found):
    e = examination(LAYOUTS["ge pre and post"][1])

    def only_post(e):
        return (s for s in ge_pre_and_post(e) if "POST" in s[0].description)

    row, phases, _ = found(e, only_post)
    assert row["status"] == "none" and not phases


def test_a_set_whose_first_phase_is_bright_is_flagged(found):
    layout, orientation, _ = LAYOUTS["siemens separate"]
    bright = volumes(3)
    e = SimulatedExamination("SIM-0001", "T0", [bright[2], bright[0], bright[1]], Geometry(orientation=orientation))
    _, phases, _ = found(e, layout)
    assert all("phase 0 is not the darkest" in p["qc_flags"] for p in phases)


def test_a_phase_that_was_rescaled_twice_is_flagged(found):
    layout, orientation, _ = LAYOUTS["siemens separate"]
    scaled = [v if p < 2 else (v * 6).astype(np.uint16) for p, v in enumerate(volumes(3))]
    _, phases, _ = found(SimulatedExamination("SIM-0001", "T0", scaled, Geometry(orientation=orientation)), layout)
    assert all("phase 2 is" in p["qc_flags"] and "rescaled twice" in p["qc_flags"] for p in phases)
    assert all("phase 1 is" not in p["qc_flags"] for p in phases)


def test_images_without_their_rescale_slope_are_flagged(found):
    layout, orientation, _ = LAYOUTS["siemens separate"]

    def half(e):
        for n, (series, instance, index, pixels, own) in enumerate(layout(e)):
            yield (
                series,
                instance,
                index,
                pixels,
                own | ({"RescaleSlope": 2.0, "RescaleIntercept": 0.0} if n % 2 else {}),
            )

    _, phases, _ = found(examination(orientation, 3), half)
    assert all("RescaleSlope is missing in 8 of 15 images" in p["qc_flags"] for p in phases)


def test_two_equal_sets_are_left_to_a_person(found):
    layout, orientation, _ = LAYOUTS["ge multiphase"]
    e = examination(orientation)

    def both(e):
        yield from layout(e)
        for series, *rest in layout(e):
            other = replace(series, number=8, extra={**series.extra, "RepetitionTime": 9.0})
            yield other, *rest

    row, phases, _ = found(e, both)
    assert row["status"] == "ambiguous" and "decide" in row["reason"] and not phases


def test_halves_of_one_side_each_are_left_to_a_person_and_found_by_a_decision(found):
    """TCGA-BRCA, AO: left and right in series of their own."""
    pair = [np.repeat(v, 2, axis=0) for v in volumes(3)]
    e = SimulatedExamination("SIM-0001", "T0", pair, Geometry(orientation=SAGITTAL))
    row, phases, _ = found(e, ge_bound_halves)
    assert row["status"] != "found" and not phases
    left = sorted({s.series_uid for s, *_ in ge_bound_halves(e) if s.number % 2 == 0})
    row, phases, slices = found(e, ge_bound_halves, decided=[(series, "dynamic") for series in left])
    assert (row["status"], row["n_phases"], row["n_slices"]) == ("found", 3, N_SLICES)
    assert len(slices) == 3 * N_SLICES and [p["mean_intensity"] for p in phases] == sorted(
        p["mean_intensity"] for p in phases
    )


def _files(folder):
    return [(path, pydicom.dcmread(path)) for path in sorted(folder.rglob("*.dcm"))]


@pytest.mark.parametrize("layout", ["ge content time", "siemens separate"])
@pytest.mark.parametrize("what", ["all", "one phase", "a series of its own"])
def test_what_was_sent_again_is_no_phase(found, layout, what):
    """The same pixels, places and times under other identifiers: each image counts once, and it is said how many copies are."""
    e = examination(LAYOUTS[layout][1])

    def send_again(folder):
        for i, (path, file) in enumerate(_files(folder)):
            brightest = int(file.pixel_array.max())
            if what == "one phase" and brightest < 210:  # voxels say the phase: the last one alone
                continue
            file.SOPInstanceUID = file.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.9.{i}"
            file.InstanceNumber = 1000 + i
            if what == "a series of its own":
                file.SeriesInstanceUID = f"{file.SeriesInstanceUID}.9"
            file.save_as(path.with_name(f"again-{i}.dcm"))

    row, phases, _ = found(e, LAYOUTS[layout][0], send_again)
    assert (row["status"], row["n_phases"], row["n_slices"]) == ("found", 4, N_SLICES)
    assert "images are copies of others" in row["qc_flags"]
    assert [p["mean_intensity"] for p in phases] == sorted(p["mean_intensity"] for p in phases)


@pytest.mark.parametrize(
    ("kept", "other", "said"),
    [
        (["ORIGINAL", "PRIMARY", "M", "ND"], ["ORIGINAL", "PRIMARY", "P", "ND"], "phase images left out"),
        (["ORIGINAL", "PRIMARY", "DIXON", "WATER"], ["ORIGINAL", "PRIMARY", "DIXON", "FAT"], "fat images left out"),
    ],
)
def test_another_kind_of_image_is_no_phase(found, kept, other, said):
    layout, orientation, _ = LAYOUTS["ge content time"]

    def add_kind(folder):
        for i, (path, file) in enumerate(_files(folder)):
            file.ImageType = kept
            file.save_as(path)
            file.ImageType = other
            file.SOPInstanceUID = file.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.9.{i}"
            file.InstanceNumber = 1000 + i
            file.PixelData = (file.pixel_array[::-1] // 2).astype(np.uint16).tobytes()
            file.save_as(path.with_name(f"other-{i}.dcm"))

    row, phases, _ = found(examination(orientation), layout, add_kind)
    assert (row["status"], row["n_phases"]) == ("found", 4) and said in row["qc_flags"]
    assert phases[0]["mean_intensity"] > 100
