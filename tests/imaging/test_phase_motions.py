"""Motion between phases: planted shifts are found again, who lay still is not flagged, and a phase can be put back."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from analyses.imaging.images.grids import array_of, nrrd
from analyses.imaging.images.motion import measured
from analyses.imaging.images.prepare import resample
from analyses.imaging.phase_motions import PhaseMotionParameters, phase_motions
from tests.support.motions import image_of, trials

VOXEL, SLICE = 2.2, 4.0


@pytest.fixture(scope="module")
def tried():
    return list(trials(5, 3, (VOXEL,), SLICE))


def test_planted_shifts_are_found_and_still_phases_are_not_flagged(tried):
    for trial in tried:
        assert (trial.motion.in_plane_voxels > 1) is (trial.planted > 0), trial
        assert trial.motion.in_plane_voxels == pytest.approx(trial.planted, abs=0.5)


def test_the_same_motion_again_to_the_last_digit(tried):
    again = next(iter(trials(5, 1, (VOXEL,), SLICE)))
    assert again.motion[1:] == tried[0].motion[1:]


@pytest.fixture
def body():
    """A body with structure, and the same shifted by 3 mm to the left, by 2 mm down and turned by 2 degrees."""
    z, y, x = np.mgrid[:30, :80, :90]
    values = 100 + 40 * np.sin(x / 6) * np.cos(y / 8) + 30 * np.sin(z / 4)
    values[((x - 45) / 38) ** 2 + ((y - 40) / 33) ** 2 + ((z - 15) / 14) ** 2 > 1] = 0
    before = sitk.GetImageFromArray(values.astype(np.float32))
    before.SetSpacing((1.5, 1.5, 3.0))
    turn = sitk.Euler3DTransform()
    turn.SetCenter(before.TransformContinuousIndexToPhysicalPoint((45, 40, 15)))
    turn.SetRotation(0, 0, np.radians(2))
    turn.SetTranslation((3, 0, -2))
    return before, sitk.Resample(before, before, turn, sitk.sitkLinear, 0.0)


def test_shift_and_turn_are_those_that_were_planted(body):
    before, after = body  # a place p of the new image shows what was at turn(p): the registration finds the way back
    motion = measured(before, after)
    assert motion.angle_deg == pytest.approx(2, abs=0.2)
    assert np.linalg.norm(motion.shift_mm) == pytest.approx(np.linalg.norm((3, 0, 2)), abs=0.4)


def test_a_phase_that_is_put_back_lies_on_the_first(body):
    before, after = body
    spacing = before.GetSpacing()
    back = resample(after, spacing, moved=measured(before, after).transform)
    inside = array_of(before) > 0
    off = np.abs(array_of(after) - array_of(before))[inside].mean()
    assert np.abs(array_of(back) - array_of(before))[inside].mean() < 0.35 * off


def test_rows_of_the_analysis(tmp_path, body):
    before, after = body
    paths = {}
    for name, image in (("S0", before), ("intermediate", after)):
        paths[name] = tmp_path / f"{name}.nrrd"
        paths[name].write_bytes(nrrd(image))
    images = pd.DataFrame([
        {"study_uid": "1.2", "image": kind, "phase_index": phase, "object_path": str(paths[name])}
        for kind, phase, name in (("S0", 0, "S0"), ("intermediate", 1, "intermediate"), ("last", 1, "intermediate"))
    ])  # fmt: skip
    rows = phase_motions(images, PhaseMotionParameters())
    assert rows["image"].tolist() == ["intermediate", "last"] and rows["is_moved"].tolist() == [True, True]
    assert rows["x_mm"].iloc[0] == rows["x_mm"].iloc[1]
    flat = tmp_path / "flat.nrrd"
    flat.write_bytes(nrrd(before * 0))
    images.loc[images["image"] == "S0", "object_path"] = str(flat)
    rows = phase_motions(images, PhaseMotionParameters())
    assert (
        rows["reason"].tolist() == ["no body in the image: all voxels are alike"] * 2 and rows["is_moved"].isna().all()
    )


def test_a_helper_of_the_tests_places_images_as_the_simulator_does():
    from ingest.simulate.breast import Scan, scanned
    from ingest.simulate.subjects import SimulationSettings, stream

    made = scanned(
        Scan(True, "both", [-60.0, 100.0], 4.0, 8.0), 0.5, 25.0, 1.0, stream(SimulationSettings(seed=1), "x")
    )
    image = image_of(made.geometry, made.volumes[0])
    assert image.GetOrigin() == pytest.approx(made.geometry.origin_mm)
