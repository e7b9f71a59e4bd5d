"""Kinetics of tumour and background: planted curves by hand, from DICOM files to the rows; voxels of the functional volume."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from analyses.imaging.images.grids import image_on
from analyses.imaging.images.kinetics import (
    Bands,
    curve,
    enhancement_ratio,
    functional_volume,
    parting,
    percent_enhancement,
)
from analyses.imaging.kinetic_rows import Timing, _is_of_side, measure
from analyses.imaging.kinetics import COLUMNS, KineticParameters, _chosen, _flags
from analyses.imaging.phase_volumes import volumes as phase_volumes
from analyses.imaging.time_zero import FIRST, time_zero
from ingest.imaging.decisions import read as read_decisions
from ingest.simulate.dce_layouts import LAYOUTS, SimulatedExamination, write_examination
from ingest.simulate.dicom_files import AXIAL, Geometry, clock, uid
from tests.support import tiny
from tests.support.simulated import changed
from tshdb.geometry import Grid
from tshdb.images.mask_volumes import File
from tshdb.images.pixels import Image

pytestmark = pytest.mark.xdist_group("kinetics")  # one study for most
BANDS = Bands()

# ------------------------------------------------------------------------------------------------- curves, by hand


def test_a_curve_that_washes_out():
    """100, 250, 200, 150 at 0, 90, 150, 270 s: the peak of 150 % 1.5 minutes after phase 0, then 100 % less in 3 minutes."""
    found = curve([100, 250, 200, 150], [0, 90, 150, 270], 1, 3, BANDS)
    assert (found.peak_pe, found.peak_phase, found.time_to_peak_s) == (150, 1, 0)
    assert found.wash_in == pytest.approx(100) and found.wash_out == pytest.approx(-100 / 3)
    assert (found.pe_early, found.pe_late, found.ser, found.kind) == (150, 50, 3, "washout")
    assert found.missing == ()


@pytest.mark.parametrize(
    ("means", "ser", "kind"),
    [
        ([50, 95, 100, 100], 0.9, "plateau"),
        ([50, 90, 98, 100], 0.8, "gradual"),
        ([50, 115, 110, 100], 1.3, "plateau"),
        ([50, 116, 110, 100], 1.32, "washout"),
    ],
)
def test_kinds_of_curves_and_their_borders(means, ser, kind):
    found = curve(means, None, 1, 3, BANDS)
    assert found.ser == pytest.approx(ser) and found.kind == kind


def test_the_first_of_two_peaks_counts_and_a_rise_to_the_end_has_no_wash_out():
    assert curve([100, 180, 180, 120], [0, 60, 120, 180], 1, 3, BANDS).peak_phase == 1
    found = curve([100, 120, 140], [0, 60, 120], 1, 2, BANDS)
    assert (found.wash_in, found.wash_out, found.peak_phase) == (20, None, 2)
    assert found.missing == ("no wash-out: the peak is the last phase",)


def test_time_to_peak_counts_from_the_injection_or_from_the_first_phase_after_contrast():
    """100, 120, 250, 150 at 0, 90, 150, 270 s: the peak of 150 % at 150 s."""
    means, starts = [100, 120, 250, 150], [0, 90, 150, 270]
    unknown = curve(means, starts, 1, 3, BANDS)
    assert unknown.time_to_peak_s == 60 and unknown.wash_in == pytest.approx(150 / 2.5)
    known = curve(means, starts, 1, 3, BANDS, injection=30)
    assert known.time_to_peak_s == 120 and known.wash_in == pytest.approx(150 / 2)
    assert known.wash_out == unknown.wash_out == pytest.approx(-100 / 2)
    late = curve(means, starts, 1, 3, BANDS, injection=150)
    assert (late.time_to_peak_s, late.wash_in, late.wash_out) == (None, None, known.wash_out)
    assert "the peak's phase began before the injection" in late.missing[0]
    assert curve(means, starts, 1, 3, BANDS, injection=0).wash_in == pytest.approx(150 / 2.5)


def zero(
    starts=(0, 90, 180), clock="acquisition_time", written=None, at=36_000.0, decided=None, protocol=None, mixed=None
):
    images = pd.DataFrame({"acquisition_s": [at, (at + 60) % 86_400], "trigger_ms": [0.0, 1.0]})
    series = pd.DataFrame({"contrast_start_s": pd.Series(written or [None], dtype=float), "mixed": mixed})
    decisions = pd.DataFrame([("contrast", decided), ("all", "key=content_time")], columns=["series_uid", "decision"])
    found = decisions[1:] if decided is None else decisions
    return time_zero(starts, clock, images, series, found, protocol)


def test_a_decision_goes_before_the_header_and_this_before_the_protocol():
    assert zero()[:2] == (90, FIRST) and not zero().is_injection
    assert zero(protocol=20.0)[:2] == (20, "injection, injection_s")
    assert zero(written=[36_030.0, 36_030.0], protocol=20.0)[:2] == (30, "injection, header")
    told = zero(written=[36_030.0], decided="injection=45.5", protocol=20.0)
    assert told == (45.5, "injection, decision", ()) and told.is_injection
    assert zero(starts=None, written=[36_030.0]) == (None, None, ())


@pytest.mark.parametrize(
    ("at", "written", "after"), [(86_390.0, 20.0, 30), (86_330.0, 86_350.0, 20), (10.0, 86_395.0, None)]
)
def test_an_injection_past_midnight(at, written, after):
    found = zero(at=at, written=[written])
    assert found.seconds == (90 if after is None else after)
    assert bool(found.flags) == (after is None)


@pytest.mark.parametrize(
    ("more", "flag"),
    [
        ({"written": [35_990.0]}, "injection at -10 s by the header is not used: the phases begin from 0 to 180 s"),
        ({"written": [36_180.0]}, "injection at 180 s by the header is not used"),
        ({"written": [36_030.0, 36_031.0]}, "the headers have several times of injection"),
        ({"written": [36_030.0], "mixed": "te_ms,contrast_start_s"}, "the headers have several times of injection"),
        ({"written": [36_030.0], "clock": "trigger_time"}, "the phases' clock is not one of the day"),
    ],
)  # fmt: skip
def test_what_cannot_be_the_injection_is_not_used_and_said(more, flag):
    found = zero(**more)
    assert found[:2] == (90, FIRST) and len(found.flags) == 1 and flag in found.flags[0]
    assert zero(**more, protocol=15.0)[:2] == (15, "injection, injection_s")


@pytest.mark.parametrize(
    ("series", "decision", "is_taken"),
    [
        ("contrast", "injection=45.5", True), ("contrast", "injection=0", True), ("contrast", "injection=-3", False),
        ("contrast", "injection=10:00:30", False), ("contrast", "key=content_time", False), ("all", "injection=45", False),
        ("contrast", "dynamic", False), ("tumor", "injection=45", False),
    ],
)  # fmt: skip
def test_a_decision_on_the_contrast_is_a_time(tmp_path, series, decision, is_taken):
    file = tmp_path / "decisions.csv"
    file.write_text(f"study_uid,series_uid,decision,decided_by,reason\n1.2,{series},{decision},Dr X,said so\n")
    content = read_decisions(file, {("1.2", "1.2.3")})
    assert bool(content.records) is is_taken and bool(content.findings) is not is_taken


def test_what_cannot_be_said_has_its_reason():
    no_clock = curve([100, 180, 120], None, 1, 2, BANDS)
    assert (no_clock.peak_pe, no_clock.time_to_peak_s, no_clock.wash_in, no_clock.wash_out) == (80, None, None, None)
    assert no_clock.missing == ("no time to peak and no slopes: no clock rises from phase to phase",)
    two = curve([100, 180], [0, 60], 1, None, BANDS)
    assert (two.pe_early, two.pe_late, two.ser, two.kind) == (80, None, None, None)
    assert "no SER: no phase is later than the early one" in two.missing
    sinking = curve([100, 90, 80], [0, 60, 120], 1, 2, BANDS)
    assert sinking.ser is None and "no SER: the region does not rise" in sinking.missing
    with pytest.raises(ValueError, match="the mean signal before contrast is 0"):
        curve([0, 10, 20], None, 1, 2, BANDS)


# ------------------------------------------------------------------------------------------------- voxels, by hand


def test_voxels_without_signal_have_no_enhancement_and_ratios_have_signs():
    before, early, late = np.array([0, 100, 50, 50]), np.array([9, 170, 40, 80]), np.array([9, 150, 70, 50])
    assert percent_enhancement(before, early)[1:].tolist() == [70, -20, 60]
    assert np.isnan(percent_enhancement(before, early)[0])
    assert enhancement_ratio(before, early, late)[1:].tolist() == [1.4, -0.5, np.inf]


def phantom() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A box of 6 x 8 x 10 voxels: a block of 4 x 4 x 4 that enhances, in tissue of 100 that does not."""
    before = np.full((6, 8, 10), 100.0, np.float32)
    early, late = before.copy(), before.copy()
    early[1:5, 2:6, 3:7], late[1:5, 2:6, 3:7] = 180, 190
    return before, early, late


def test_the_functional_volume_is_the_voxels_that_were_planted():
    before, early, late = phantom()
    late[1:5, 2:6, 3] = 150  # SER 80 / 50
    late[1:5, 2:6, 4] = 180  # SER 1
    everywhere = np.ones(before.shape, bool)
    found = functional_volume(before, early, late, everywhere)
    assert found.threshold == pytest.approx(60) and found.inside.sum() == 64
    assert (found.n_washout, found.n_plateau, found.n_gradual) == (16, 16, 32)  # the rest has SER 80 / 90 = 0.889
    assert found.inside[1:5, 2:6, 3:7].all()


def test_each_rule_of_the_functional_volume_leaves_voxels_out():
    before, early, late = phantom()
    everywhere = np.ones(before.shape, bool)
    early[2, 3, 4] = 169.9  # 69.9 %
    before[3, 3, 4] = 59  # darker than 0.6 x 100
    late[2, 4, 5] = 90  # all gone and more: SER -8
    early[0, 0, 0] = 180  # alone
    found = functional_volume(before, early, late, everywhere)
    assert found.inside.sum() == 64 - 3
    assert not any(found.inside[at] for at in ((2, 3, 4), (3, 3, 4), (2, 4, 5), (0, 0, 0)))
    assert functional_volume(before, early, late, everywhere, neighbours=0).inside.sum() == 64 - 3 + 1
    assert functional_volume(before, early, late, everywhere, least_pe=69).inside[2, 3, 4]
    early[2, 3, 4] = 170
    assert functional_volume(before, early, late, everywhere).inside[2, 3, 4]  # 70 % is enough
    half = everywhere.copy()
    half[:, :, 5:] = False
    assert functional_volume(before, early, late, half).inside.sum() == 32 - 1
    with pytest.raises(ValueError, match="no voxel"):
        functional_volume(before, early, late, ~everywhere)


def test_four_neighbours_are_needed_and_may_lie_outside_of_what_is_counted():
    before = np.full((3, 3, 3), 100.0)
    early, late, middle = before.copy(), np.full((3, 3, 3), 200.0), np.zeros((3, 3, 3), bool)
    middle[1, 1, 1] = True
    for n, at in enumerate(((1, 1, 1), (0, 0, 0), (2, 2, 2), (0, 2, 1), (1, 0, 2))):
        early[at] = 200
        assert functional_volume(before, early, late, middle).inside.sum() == (n == 4)


def test_two_classes_are_parted_as_simpleitk_parts_them():
    random = np.random.default_rng(3)
    values = np.concatenate([random.normal(60, 12, 4000), random.normal(150, 25, 1500)]).round()
    threshold = parting(values)
    make = sitk.OtsuThresholdImageFilter()
    make.SetNumberOfHistogramBins(int(values.max() - values.min()) + 1)
    make.Execute(sitk.GetImageFromArray(values[None]))
    assert abs(threshold - make.GetThreshold()) <= 1.5  # a bin of the histogram
    assert parting(np.array([1, 1, 2, 9, 10])) == 2
    with pytest.raises(ValueError, match="alike before contrast"):
        parting(np.full(5, 7.0))


# ------------------------------------------------------------------------------------------------- phases and flags


def phases(times, n_early=1, flags=None) -> pd.DataFrame:
    return pd.DataFrame({
        "phase_index": range(len(times)), "t_seconds": times, "qc_flags": flags,
        "is_intermediate": [i == n_early for i in range(len(times))],
    })  # fmt: skip


def test_the_late_phase_is_the_last_one_or_the_one_nearest_to_a_time():
    """Phases of 100 s from 60 s on; 450 s after the first after contrast is 510 s, in the middle of the phase at 460 s."""
    table = phases([0, 60, 160, 260, 360, 460, 560], 2)
    assert _chosen(table, KineticParameters()) == (2, 6)
    assert _chosen(table, KineticParameters(late="nearest")) == (2, 5)
    assert _chosen(table, KineticParameters(late="nearest", late_s=20)) == (2, 3)  # later than the early one
    assert _chosen(phases([0, 60]), KineticParameters()) == (1, None)
    assert _chosen(phases([None] * 4, 2), KineticParameters(late="nearest")) == (2, 3)


def test_flags_of_phases_and_motion_are_borne_on():
    motions = pd.DataFrame([
        {"phase_index": 1, "is_moved": True, "in_plane_voxels": 2.34, "reason": None},
        {"phase_index": 1, "is_moved": True, "in_plane_voxels": 2.34, "reason": None},
        {"phase_index": 2, "is_moved": False, "in_plane_voxels": 0.2, "reason": None},
        {"phase_index": 3, "is_moved": None, "in_plane_voxels": None, "reason": "no body"},
    ])  # fmt: skip
    dark = "phase 0 is not the darkest: phase 2 is no brighter"
    assert _flags(phases([0, 60], flags=dark), motions) == [
        dark, "phase 1 has moved by 2.3 voxels", "motion of phase 3 unknown: no body",
    ]  # fmt: skip
    assert _flags(phases([0, 60]), motions[2:3]) == []


def test_sides_are_those_of_the_patient_in_a_turned_stack():
    """Sagittal: slices run to the right, so that x falls with their number."""
    grid = Grid((4, 2, 3), (10.0, 1.0, 1.0), (15.0, 0.0, 0.0), (0, 1, 0), (0, 0, -1), (-1, 0, 0))
    mask = np.ones(grid.shape, bool)
    image = image_on(mask.astype(np.uint8), grid)
    places = [image.TransformIndexToPhysicalPoint([int(i) for i in reversed(at)])[0] for at in np.argwhere(mask)]
    assert _is_of_side("right", mask, grid).tolist() == [x < 0 for x in places]
    assert _is_of_side("left", mask, grid).sum() == 12


def test_phases_are_put_back_on_the_first_where_the_prepared_images_were(monkeypatch):
    z, y, x = np.mgrid[:20, :60, :70]
    still = 100 + 40 * np.sin(x / 6) * np.cos(y / 8) + 30 * np.sin(z / 4)
    still[((x - 35) / 30) ** 2 + ((y - 30) / 25) ** 2 + ((z - 10) / 9) ** 2 > 1] = 0
    still = still.astype(np.float32)
    read = [still, np.roll(still, 3, axis=2)]  # 4.5 mm to the left
    grid = Grid(still.shape, (3.0, 1.5, 1.5), (0.0, 0.0, 0.0), (1, 0, 0), (0, 1, 0), (0, 0, 1))
    monkeypatch.setattr("analyses.imaging.phase_volumes.read_volume", lambda files: read[int(files[0].path)])
    files = [[File("", Image(str(i), "", 1), 0)] for i in range(2)]
    as_they_are = list(phase_volumes(files, grid, False))
    assert np.array_equal(as_they_are[1], read[1])
    first, back = phase_volumes(files, grid, True)
    assert np.array_equal(first, still)
    inside = still > 0
    assert np.abs(back - still)[inside].mean() < 0.2 * np.abs(read[1] - still)[inside].mean()


def test_a_curve_that_stays_as_it_was_is_a_plateau_whatever_the_borders():
    for wrong in ({"plateau_ser": 1.5}, {"washout_ser": 0.8}):
        with pytest.raises(ValueError, match="1 validation error"):
            KineticParameters(**wrong)


# ------------------------------------------------------------------------------------------------- from files to rows

SHAPE = (12, 40, 60)
GEOMETRY = Geometry((0.8, 0.8, 2.0), (-23.6, -20.0, -10.0), AXIAL)  # x from -23.6 on: half of the columns is right
GRID = Grid(SHAPE, (2.0, 0.8, 0.8), (-23.6, -20.0, -10.0), (1, 0, 0), (0, 1, 0), (0, 0, 1))
TUMOR = (slice(4, 8), slice(10, 18))  # slices, rows; its columns:
PARTS = {  # columns -> signals in four phases, 90 s from each other
    (40, 43): (100, 250, 240, 190), (43, 46): (100, 180, 200, 200), (46, 48): (100, 140, 180, 220),
    (48, 49): (100, 110, 120, 130), (49, 50): (20, 100, 100, 100),
}  # fmt: skip
PATIENTS = ("whole", "two", "one", "none", "edge", "line", "others", "told", "decided")
OTHER = (slice(3, 6), slice(10, 14), slice(10, 16))  # in the gland of the right breast
RIGHT, LEFT = (slice(2, 10), slice(6, 30), slice(6, 26)), (slice(2, 10), slice(6, 30), slice(34, 54))


def scene(n_phases: int = 4) -> list[np.ndarray]:
    """Two breasts of fat (60) with gland of 200, half of which rises by 15 % and half by 5 %; the tumour on the left."""
    volumes = []
    for phase in range(n_phases):
        volume = np.full(SHAPE, 10, np.uint16)
        for breast in (RIGHT, LEFT):
            volume[breast] = 60
        for rows, rise in ((slice(8, 16), 15), (slice(16, 24), 5)):
            volume[2:10, rows, 8:20] = 200 + (0, rise, 2 * rise, 3 * rise)[phase]
        for (first, end), signals in PARTS.items():
            volume[(*TUMOR, slice(first, end))] = signals[phase]
        volumes.append(volume)
    return volumes


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """patient -> region -> row.

    whole: as it is; two: of two phases; one: the left breast alone; none: no outline; edge: a vessel beyond the breast, with a
    voxel of the outline in it; line: an outline of three voxels in what washes out; others: another outlined lesion in the
    other breast; told: the header says when contrast was injected; decided: a person does, too.
    """
    from tshdb.actions import ingest
    from tshdb.actions.imaging import MaskOptions, dicom
    from tshdb.actions.imaging import masks as load_masks

    folder = tmp_path_factory.mktemp("kinetics")
    study = tiny.new_study(folder / "study")
    settings = study.root / "study.toml"
    settings.write_text(changed(settings.read_text(), ("grow = true", "grow = false")))
    outline, edge, line, both, left = (np.zeros(SHAPE, np.uint8) for _ in range(5))
    outline[(*TUMOR, slice(40, 50))] = edge[(*TUMOR, slice(40, 50))] = edge[0, 10, 40] = 1
    line[5, 13, 40:43] = 1
    both[RIGHT] = both[LEFT] = left[LEFT] = 1
    masks = folder / "masks"
    masks.mkdir()
    sheet = ["file,patient_id,region,kind"]
    for patient in PATIENTS:
        volumes = scene(2 if patient == "two" else 4)
        if patient == "edge":
            for volume, signal in zip(volumes, (100, 250, 240, 190), strict=True):
                volume[0:2, 10:18, 40:50] = signal
        other = np.zeros(SHAPE, np.uint8)
        if patient == "others":
            other[OTHER] = 1
            for volume, signal in zip(volumes, (150, 900, 950, 980), strict=True):
                volume[OTHER] = signal
        extra = {"ContrastBolusStartTime": clock(36_030)} if patient in ("told", "decided") else {}
        breast = left if patient == "one" else both
        tumor = {"edge": edge, "line": line}.get(patient, outline)
        examination = SimulatedExamination(patient, "T0", volumes, GEOMETRY, extra=extra)
        write_examination(examination, LAYOUTS["ge content time"][0], folder / "images")
        for number, (region, values) in enumerate((("breast", breast), ("tumor", tumor), ("tumor", other))):
            if (patient, region) != ("none", "tumor") and values.any():
                sitk.WriteImage(image_on(values, GRID), str(masks / f"{patient}-{number}.nrrd"))
                sheet.append(f"{patient}-{number}.nrrd,{patient},{region},manual")
    (folder / "sheet.csv").write_text("\n".join(sheet) + "\n")
    dicom(study, folder / "images", "sim", jobs=1)
    load_masks(study, masks, "sim", MaskOptions(sheet=folder / "sheet.csv"))
    decided = folder / "decisions.csv"
    decided.write_text(
        "study_uid,series_uid,decision,decided_by,reason\n"
        f"{uid('decided', 'T0')},contrast,injection=60,Dr X,the injector's protocol\n"
    )
    ingest.decisions(study, decided, "sim")
    report = tiny.rebuild(study, names=["kinetics"])
    assert not report.failed
    table = study.sql("SELECT * FROM kinetics")
    flags = study.sql("SELECT study_uid, qc_flags FROM tumor_masks").set_index("study_uid")["qc_flags"]
    yield {
        patient: {
            r["region"]: r for r in table[table["study_uid"] == uid(patient, "T0")].to_dict("records")
        } | {"flags": flags[uid(patient, "T0")]}
        for patient in PATIENTS
    }  # fmt: skip
    study.engine.dispose()


def test_the_tumours_row_is_that_of_the_planted_curves(measured):
    """320 voxels; their means are 92, 178, 190, 184 by hand; early is phase 2 (150 s after phase 1), late phase 3."""
    row = measured["whole"]["tumor"]
    assert (row["n_voxels"], row["side"], row["early_phase"], row["late_phase"]) == (320, "left", 2, 3)
    assert row["volume_ml"] == pytest.approx(320 * 0.00128) and row["s0_mean"] == 92
    assert (row["early_s"], row["late_s"], row["peak_phase"], row["time_to_peak_s"]) == (180, 270, 2, 90)
    assert (row["time_zero"], row["zero_s"]) == ("first phase after contrast", 90)
    assert row["peak_pe"] == row["pe_early"] == pytest.approx(100 * 98 / 92) and row["pe_late"] == pytest.approx(100)
    assert row["wash_in"] == pytest.approx(100 * 98 / 92 / 3)
    assert row["wash_out"] == pytest.approx(-100 * 6 / 92 / 1.5)
    assert row["ser"] == pytest.approx(98 / 92) and row["curve"] == "plateau" and row["reason"] is None


def test_the_functional_volume_is_256_voxels_of_three_kinds(measured):
    row, voxel = measured["whole"]["tumor"], 0.00128
    assert row["ftv_threshold"] == pytest.approx(60)  # 0.6 of 100
    assert row["ftv_ml"] == pytest.approx(256 * voxel)
    assert row["ftv_washout_ml"] == pytest.approx(96 * voxel)  # 140 / 90
    assert row["ftv_plateau_ml"] == pytest.approx(96 * voxel)  # 100 / 100
    assert row["ftv_gradual_ml"] == pytest.approx(64 * voxel)  # 80 / 120


def test_of_the_box_what_is_outside_of_breast_and_outline_does_not_count(measured):
    """The box reaches over the vessel's 160 voxels, one of which belongs to the outline."""
    row = measured["edge"]["tumor"]
    assert row["n_voxels"] == 321 and row["ftv_ml"] == pytest.approx(257 * 0.00128)


def test_neighbours_of_a_thin_outline_lie_around_its_box(measured):
    row = measured["line"]["tumor"]
    assert row["n_voxels"] == 3 and row["ftv_ml"] == row["ftv_washout_ml"] == pytest.approx(3 * 0.00128)
    assert (row["peak_pe"], row["time_to_peak_s"], row["wash_out"]) == (150, 0, pytest.approx(-20))
    assert row["ser"] == pytest.approx(140 / 90) and row["curve"] == "washout"


def test_the_background_is_the_gland_of_the_other_breast(measured):
    """Half of it rises by 30 of 200 in the early phase, half by 10: 10 % in the mean; fat is left out."""
    row = measured["whole"]["background"]
    assert (row["side"], row["tissue"], row["tissue_threshold"]) == ("right", "brighter", 60)
    assert row["n_voxels"] == 8 * 16 * 12
    assert row["bpe"] == pytest.approx(10) and row["bpe_median"] == pytest.approx(10)
    assert row["pe_early"] == pytest.approx(10) and row["pe_late"] == pytest.approx(15) and row["curve"] == "gradual"
    assert row["ftv_ml"] is None or np.isnan(row["ftv_ml"])
    assert row["reason"] == "no wash-out: the peak is the last phase"


@pytest.mark.parametrize(
    ("params", "has_breast", "n_ftv", "bpe"),
    [
        ({}, True, 256, 10),
        ({"within": "outline"}, True, 256, 10),
        ({"margin_mm": 1.6}, True, 256 + 64, 10),  # two columns more
        ({"margin_mm": 1.6, "within": "outline"}, True, 256, 10),
        ({"tissue": "all"}, True, 256, 1536 * 10 / 3840),  # gland in the whole of the breast
        ({"margin_mm": 1.6}, False, 256 + 64, None),
    ],
)
def test_where_volume_and_background_are_looked_for(tmp_path, params, has_breast, n_ftv, bpe):
    """Beside the outline something enhances alike, 4 x 8 x 2 voxels."""
    volumes = [v.astype(np.float32) for v in scene()]
    for volume, signal in zip(volumes, (100, 250, 240, 190), strict=True):
        volume[(*TUMOR, slice(50, 52))] = signal
    outline, breasts = np.zeros(SHAPE, np.uint8), np.zeros(SHAPE, np.uint8)
    outline[(*TUMOR, slice(40, 50))] = breasts[RIGHT] = breasts[LEFT] = 1
    paths = [str(tmp_path / f"{name}.nrrd") for name in ("tumor", "breast")]
    for path, mask in zip(paths, (outline, breasts), strict=True):
        sitk.WriteImage(image_on(mask, GRID), path)
    rows = {name: dict.fromkeys(COLUMNS) for name in ("tumor", "background")}
    tumor, breast = {"object_path": paths[0], "side": "left"}, {"object_path": paths[1] if has_breast else None}
    timing, none = Timing(2, 3, [0, 90, 180, 270], None), pd.DataFrame({"object_path": []})
    measure(rows, iter(volumes), GRID, tumor, breast, none, timing, KineticParameters(**params))
    assert rows["tumor"]["ftv_ml"] == pytest.approx(n_ftv * 0.00128)
    assert rows["background"]["bpe"] == (bpe if bpe is None else pytest.approx(bpe))
    assert ("no breast to leave the rest out by" in (rows["tumor"]["qc_flags"] or "")) is not has_breast


def test_every_outlined_lesion_is_left_out_of_the_background(measured):
    """What is left of the gland is 1,536 voxels less 72, which rise by 15 %: 768 by 5 %, 696 by 15 %."""
    rows = measured["others"]
    assert rows["tumor"]["n_voxels"] == 320 and "the largest taken" in measured["others"]["flags"]
    assert rows["background"]["n_voxels"] == 1536 - 72
    assert rows["background"]["bpe"] == pytest.approx((768 * 5 + 696 * 15) / 1464)


def test_a_lesion_that_is_not_on_the_images_may_lie_in_the_background(tmp_path):
    outline, breasts = np.zeros(SHAPE, np.uint8), np.zeros(SHAPE, np.uint8)
    outline[(*TUMOR, slice(40, 50))] = breasts[RIGHT] = breasts[LEFT] = 1
    paths = [str(tmp_path / f"{name}.nrrd") for name in ("tumor", "breast")]
    for path, mask in zip(paths, (outline, breasts), strict=True):
        sitk.WriteImage(image_on(mask, GRID), path)
    rows = {name: dict.fromkeys(COLUMNS) for name in ("tumor", "background")}
    tumor, lost = {"object_path": paths[0], "side": "left"}, pd.DataFrame({"object_path": [paths[0], None]})
    timing = Timing(2, 3, [0, 90, 180, 270], None)
    measure(rows, iter(scene()), GRID, tumor, {"object_path": paths[1]}, lost, timing, KineticParameters())
    assert "1 outlined lesions have no outline that is taken" in rows["background"]["qc_flags"]
    assert rows["tumor"]["qc_flags"] is None and rows["background"]["bpe"] == pytest.approx(10)


def test_the_injection_is_that_of_the_header_or_a_persons(measured):
    """Injected 30 s after phase 0 by the header, 60 s by the person; the peak is at 180 s."""
    told, decided = measured["told"]["tumor"], measured["decided"]["tumor"]
    assert (told["time_zero"], told["zero_s"], told["time_to_peak_s"]) == ("injection, header", 30, 150)
    assert told["wash_in"] == pytest.approx(100 * 98 / 92 / 2.5)
    assert (decided["time_zero"], decided["zero_s"], decided["time_to_peak_s"]) == ("injection, decision", 60, 120)
    assert decided["wash_in"] == pytest.approx(100 * 98 / 92 / 2)
    assert told["wash_out"] == decided["wash_out"] == measured["whole"]["tumor"]["wash_out"]


def test_of_two_phases_there_is_no_ratio_and_no_functional_volume(measured):
    row = measured["two"]["tumor"]
    assert row["pe_early"] == pytest.approx(100 * 86 / 92) and np.isnan(row["ser"]) and np.isnan(row["ftv_ml"])
    for reason in ("no SER: no phase is later", "no functional volume without SER", "no wash-out"):
        assert reason in row["reason"]
    assert "one phase after contrast" in row["qc_flags"]
    assert measured["two"]["background"]["bpe"] == pytest.approx(5)  # 15 and 5 of 200


def test_where_one_breast_is_in_view_the_background_is_that_of_the_tumour_and_says_so(measured):
    row = measured["one"]["background"]
    assert row["side"] == "left" and "the tumour's own breast" in row["qc_flags"]
    assert row["reason"].startswith("no background: all of the breast is alike")  # it is fat


def test_without_an_outline_both_rows_say_why(measured):
    rows = measured["none"]
    assert rows["tumor"]["reason"] == "no mask: no outline of a tumour, and grow = false"
    assert rows["background"]["reason"].startswith("no tumour to leave out of the background")
    assert np.isnan(rows["background"]["bpe"])
