"""RTSTRUCT: contours become voxels by a rule that is said, and what cannot become some is told."""

from __future__ import annotations

import numpy as np
import pytest

from ingest.imaging import rtstruct
from ingest.imaging.contours import filled
from ingest.imaging.unreadable import Unreadable
from ingest.simulate.structures import contours_of, in_mm, region, structure_set
from tests.imaging.test_segmentations import GRID, WHO, blob, masks_of, scanned  # noqa: F401, a fixture
from tshdb.geometry import Grid

FINE = Grid((4, 60, 60), (2.0, 0.5, 0.5), (-10.0, 4.0, 7.0), (1, 0, 0), (0, 1, 0), (0, 0, 1))


def circle(radius_mm: float, n: int = 360, middle=(29.3, 30.1)) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
    return np.array(middle) + radius_mm / 0.5 * np.stack([np.sin(angle), np.cos(angle)], -1)


def area(*loops: np.ndarray, k: int = 2) -> tuple[float, list[str]]:
    """(square mm that are filled in one slice, flags)."""
    made = filled([in_mm(loop, k, FINE) for loop in loops], FINE)
    assert made.values.sum() == made.values[k].sum()
    return float(made.values.sum()) * 0.25, made.flags


def test_a_circle_has_its_area():
    """pi r^2; 1 % is the rasterisation of 0.5 mm voxels."""
    assert area(circle(10.0))[0] == pytest.approx(np.pi * 100, rel=0.01)


def test_a_contour_within_another_is_a_hole_in_either_direction():
    outer, inner = circle(10.0), circle(4.0)
    for hole in (inner, inner[::-1]):
        found, flags = area(outer, hole)
        assert found == pytest.approx(np.pi * 84, rel=0.02) and not flags


def test_the_keyhole_technique_is_a_hole():
    """One contour that goes in by a line, around the hole, and out by the same line."""
    outer, inner = circle(10.0), circle(4.0)[::-1]
    found, flags = area(np.concatenate([outer, outer[:1], inner[-1:], inner, outer[:1]]))
    assert found == pytest.approx(np.pi * 84, rel=0.02) and not flags


def test_an_island_in_a_hole_is_inside():
    assert area(circle(12.0), circle(8.0), circle(4.0))[0] == pytest.approx(np.pi * (144 - 64 + 16), rel=0.02)


def test_two_contours_side_by_side_are_both_and_an_overlap_is_told():
    left, right = circle(4.0, middle=(20.0, 20.0)), circle(4.0, middle=(40.0, 40.0))
    assert area(left, right) == (pytest.approx(2 * np.pi * 16, rel=0.03), [])
    assert "overlap in part in 1 slices" in area(left, circle(4.0, middle=(20.0, 26.0)))[1][0]


def test_a_contour_through_the_middles_of_voxels_holds_these():
    """A square of 5 x 5 voxels whose border runs through the middles of the outer ones."""
    square = np.array([(10, 10), (10, 14), (14, 14), (14, 10)], float)
    assert area(square) == (25 * 0.25, [])
    assert area(square, np.array([(11, 11), (11, 13), (13, 13), (13, 11)], float))[0] == 24 * 0.25


def test_a_contour_smaller_than_a_voxel_is_told_and_harms_no_other():
    small = np.array([(5.3, 5.3), (5.3, 5.4), (5.4, 5.4)])
    found, flags = area(circle(5.0), small)
    assert found == pytest.approx(np.pi * 25, rel=0.02) and "1 contours are too small" in flags[0]


def test_slices_between_contours_stay_empty():
    made = filled([in_mm(circle(5.0), k, FINE) for k in (0, 3)], FINE)
    assert [bool(plane.any()) for plane in made.values] == [True, False, False, True]
    assert made.flags == ["no contour in 2 slices between the first and the last: these are empty"]


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        (lambda p: p + [0, 0, 1.0], "rtstruct.between"),
        (lambda p: p + [0, 0, 100.0], "rtstruct.outside"),
        (lambda p: p + [100.0, 0, 0], "rtstruct.outside"),
        (lambda p: p[:, [2, 1, 0]] + [0, 0, 3], "rtstruct.other-plane"),
    ],
)
def test_contours_beside_the_slices_are_refused(spoil, rule):
    with pytest.raises(Unreadable) as raised:
        filled([spoil(in_mm(circle(5.0), 2, FINE))], FINE)
    assert raised.value.rule == rule


# ------------------------------------------------------------------------------------------------ structure sets


@pytest.mark.parametrize(
    ("name", "algorithm", "interpreted", "is_outline"),
    [("GTV breast", "MANUAL", "GTV", True), ("Region 1", "SEMIAUTOMATIC", "GTV", True), ("tumour", "MANUAL", "", True),
     ("GTV breast", "AUTOMATIC", "GTV", False), ("GTV breast", None, "GTV", False), ("GTVn", "MANUAL", "GTV", False),
     ("PTV", "MANUAL", "PTV", False), ("BODY", "MANUAL", "EXTERNAL", False)],
)  # fmt: skip
def test_a_region_is_an_outline_by_its_kind_and_by_who_drew_it(tmp_path, name, algorithm, interpreted, is_outline):
    parts = [region(1, name, [in_mm(circle(5.0), 1, FINE)], algorithm=algorithm, interpreted=interpreted)]
    structure_set(WHO, "1.2", "1.3", "1.4", parts).save_as(tmp_path / "rt.dcm")
    (found,) = rtstruct.read(tmp_path / "rt.dcm")
    assert found.what.is_outline is is_outline and (found.what.unused() is None) is is_outline
    again = rtstruct.Structure.of_spooled(*found.spooled())
    assert again.what == found.what and np.array_equal(again.contours[0], found.contours[0])


@pytest.mark.parametrize("cut", [200, 900, 1500])
def test_a_damaged_structure_set_is_one_error(tmp_path, cut):
    path = tmp_path / "rt.dcm"
    structure_set(WHO, "1.2", "1.3", "1.4", [region(1, "GTV", contours_of(blob(), GRID))]).save_as(path)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(Unreadable):
        rtstruct.read(path)


def write_set(study, folder, regions, series: str | None = "", who=WHO, own_study: str | None = None) -> None:
    uids = study.sql("SELECT study_uid, series_uid, frame_of_reference_uid AS frame FROM imaging_series").iloc[0]
    named = uids["series_uid"] if series == "" else series
    folder.mkdir(exist_ok=True)
    structure_set(who, own_study or uids["study_uid"], named, uids["frame"], regions).save_as(folder / "rt.dcm")


def test_regions_of_a_structure_set_are_masks_and_the_others_are_told(scanned, quick, tmp_path):  # noqa: F811
    """The images are in the study already; the structure set comes alone."""
    parts = [
        region(1, "GTV", contours_of(blob(), GRID), interpreted="GTV"),
        region(2, "marker", [], kind="POINT"),
        region(3, "isocentre", [np.array([[0.0, 0.0, 0.0]])], kind="POINT"),
        region(4, "Heart", contours_of(blob(), GRID)),
        region(5, "GTV other slices", [c + [0.7, 0, 0] for c in contours_of(blob(), GRID)]),
    ]
    write_set(scanned, tmp_path / "rt", parts)
    said = quick("ingest", "dicom", tmp_path / "rt", "--collection", "sim", cwd=scanned.root).stderr
    assert "marker: no closed contour" in said and "isocentre: no closed contour" in said
    assert "'Heart' is kept and not used as an outline" in said and "0.70 mm beside the slices" in said
    rows = scanned.sql("SELECT * FROM segmentations ORDER BY segment")
    assert rows[["segment", "label", "kind", "is_outline"]].values.tolist() == [
        [1, "GTV", "manual", True], [4, "Heart", "manual", False],
    ]  # fmt: skip
    assert rows["n_voxels"].tolist() == [int(blob().sum())] * 2 and "XOR" in rows["decode_rule"][0]
    assert masks_of(scanned, quick)["rtstruct"]["status"] == "fits"


@pytest.mark.parametrize("series", ["2.25.4711", None])
def test_a_structure_set_waits_for_the_images_it_was_drawn_on(scanned, quick, tmp_path, series):  # noqa: F811
    parts = [region(1, "GTV", contours_of(blob(), GRID), interpreted="GTV")]
    write_set(scanned, tmp_path / "rt", parts, series)
    said = quick("ingest", "dicom", tmp_path / "rt", "--collection", "sim", cwd=scanned.root).stderr
    assert "rtstruct.no-images" in said and "it waits" in said
    assert not len(scanned.sql("SELECT * FROM segmentations"))
    write_set(scanned, tmp_path / "rt", parts)
    quick("ingest", "dicom", tmp_path / "rt", "--collection", "sim", cwd=scanned.root)
    assert len(scanned.sql("SELECT * FROM segmentations")) == 1


def test_a_structure_set_in_a_study_of_its_own_is_of_the_images_it_was_drawn_on(scanned, quick, tmp_path):  # noqa: F811
    parts = [region(1, "GTV", contours_of(blob(), GRID), interpreted="GTV")]
    write_set(scanned, tmp_path / "rt", parts, own_study="2.25.815")
    quick("ingest", "dicom", tmp_path / "rt", "--collection", "sim", cwd=scanned.root)
    rows = scanned.sql(
        "SELECT study_uid FROM segmentations s JOIN imaging_studies USING (study_uid) WHERE time_point = 'T0'"
    )
    assert len(rows) == 1 and rows["study_uid"][0] != "2.25.815"
    assert masks_of(scanned, quick)["rtstruct"]["status"] == "fits"


def test_a_structure_set_of_one_patient_on_images_of_another_is_not_taken(scanned, quick, tmp_path):  # noqa: F811
    parts = [region(1, "GTV", contours_of(blob(), GRID), interpreted="GTV")]
    write_set(scanned, tmp_path / "rt", parts, who="SIM-0777", own_study="2.25.815")
    said = quick("ingest", "dicom", tmp_path / "rt", "--collection", "sim", cwd=scanned.root).stderr
    assert "rtstruct.other-patient" in said and not len(scanned.sql("SELECT * FROM segmentations"))


def test_a_structure_set_that_waited_is_read_with_its_images(tmp_path, quick, scanned):  # noqa: F811
    """The same file, unchanged, once the images are there; and again it is the same bytes."""
    from tests.support import tiny

    later = tiny.new_study(tmp_path / "later")
    parts = [region(1, "GTV", contours_of(blob(), GRID), interpreted="GTV")]
    write_set(scanned, tmp_path / "rt", parts)
    for folder, n in (("rt", 0), ("images", 0), ("rt", 1), ("rt", 1)):
        quick("ingest", "dicom", tmp_path / folder, "--collection", "sim", cwd=later.root)
        assert len(later.sql("SELECT * FROM segmentations")) == n
    quick("check", cwd=later.root)
    later.engine.dispose()
