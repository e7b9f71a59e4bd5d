"""A refused geometry is drawn as it is: the same words, the true distance, to scale, and for every kind of refusal."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from analyses.imaging.dce_rule import phases_of
from analyses.imaging.phase_split import Unsplit
from ingest.simulate.dce_layouts import GE, LAYOUTS, SimulatedExamination, clock, write_slices
from ingest.simulate.dicom_files import SAGITTAL, Geometry
from tests.imaging.test_dce_layouts import frames_of
from tests.imaging.test_segmentations import GRID, blob, image_of
from tests.support import tiny
from tshdb.figures.palette import GRIDS
from tshdb.figures.refusal_drawings import PLANES, picture
from tshdb.figures.refusals import refusals
from tshdb.geometry import Grid, differences
from tshdb.images.phase_refusals import of_phases
from tshdb.images.refusals import HOLDS, MISSING, REFUSED, apart
from tshdb.study import Study

PLACE = Geometry((1.2, 1.2, 3.0), (-60.0, -80.0, -60.0), SAGITTAL)
ROW, COLUMN = np.array(SAGITTAL[:3], float), np.array(SAGITTAL[3:], float)
NORMAL = np.cross(ROW, COLUMN)
SHAPE = (20, 12, 10)  # slices, rows, columns
MOST_LEFT_OUT = 0.1


def examination(patient: str = "SIM-0001", shape: tuple[int, int, int] = SHAPE) -> SimulatedExamination:
    volumes = [(np.arange(np.prod(shape)).reshape(shape) % 50 + 100 + 40 * p).astype(np.uint16) for p in range(3)]
    return SimulatedExamination(patient, "T0", volumes, PLACE)


def one_series(e: SimulatedExamination, leave_out=(), own=lambda index: {}):
    """All phases in one series, without some slices, with other attributes of some."""
    for series, instance, index, pixels, attributes in LAYOUTS["ge content time"][0](e):
        if index not in leave_out:
            yield series, instance, index, pixels, attributes | own(index)


def series_a_phase(
    e: SimulatedExamination,
    shift: np.ndarray,
    cut: tuple[int, int] = (0, 0),
    orientation=SAGITTAL,
    n_slices: int = SHAPE[0],
):
    """A series a phase; the later ones moved by `shift` mm, turned, with `cut` rows and columns less, and fewer slices."""
    for p, start in enumerate(e.starts()):
        origin = tuple(np.array(PLACE.origin_mm) + (shift if p else 0))
        place = replace(PLACE, origin_mm=origin, orientation=orientation if p else SAGITTAL)
        series = e.series(3 + p, "Sagittal-IR_3DFGRE", start, geometry=place, **GE | {"SequenceName": "3dfgre"})
        times = {"AcquisitionTime": clock(start), "ContentTime": clock(start)}
        for index, pixels in enumerate(e.volumes[p][: n_slices if p else None]):
            rows, columns = (n - c * bool(p) for n, c in zip(pixels.shape, cut, strict=True))
            yield series, index + 1, index, pixels[:rows, :columns], times


def moved_image(at: int, shift: np.ndarray):
    return lambda index: (
        {"ImagePositionPatient": [float(v) for v in np.array(PLACE.position(index)) + shift]} if index == at else {}
    )


@pytest.fixture
def refused(tmp_path):
    """A function: slices -> (the words of the refusal, the refusal as it is drawn)."""

    def refuse(slices):
        write_slices(examination(), slices, tmp_path / "images")
        series, instances = frames_of(tmp_path / "images")
        nothing = pd.DataFrame({"study_uid": [], "series_uid": [], "decision": []})
        options = {"merge_s": 2.0, "most_left_out": MOST_LEFT_OUT}
        with pytest.raises(Unsplit) as told:
            phases_of(series["study_uid"].iloc[0], series, series, instances, nothing, **options)
        return str(told.value), of_phases(str(told.value), instances, series, MOST_LEFT_OUT)

    return refuse


UNTIL = 3 * (SHAPE[0] - 1)  # mm from the first slice to the last
TILTED = (*ROW, *(np.cos(np.radians(2)) * COLUMN + np.sin(np.radians(2)) * NORMAL).tolist())  # about the rows
TURNED = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
SPREAD = 1.2 * np.hypot(SHAPE[1] - 1, SHAPE[2] - 1)  # mm from the first pixel to the last


@pytest.mark.parametrize(
    ("slices", "words", "mm"),
    [
        (lambda e: series_a_phase(e, 8 * 1.2 * COLUMN), "9.60 mm off at the furthest corner", 9.6),
        (lambda e: series_a_phase(e, 0.5 * ROW - 1.2 * COLUMN), "1.30 mm off", 1.3),
        (lambda e: series_a_phase(e, 4 * 3.0 * NORMAL), "16 of 20 positions are common", 12.0),
        (lambda e: series_a_phase(e, 0 * ROW, n_slices=12), "12 of 20 positions are common", 8 * 3.0),
        (lambda e: series_a_phase(e, 0 * ROW, orientation=TILTED), "0.46 mm off", 11 * 1.2 * np.sin(np.radians(2))),
        (lambda e: series_a_phase(e, 0 * ROW, (2, 3)), "12 x 10", 1.2 * np.hypot(2, 3)),
        (lambda e: one_series(e, {7, 8}), "gap: 2 slices are missing", 9.0),
        (lambda e: one_series(e, own=moved_image(5, 4 * ROW + 3 * COLUMN)), "3 of 60 images lie beside", 5.0),
        (lambda e: one_series(e, own=moved_image(5, 0.9 * NORMAL)), "uneven slices: steps of 2.1 to 3.9", 0.9),
        (lambda e: one_series(e, own=lambda i: {"ImageOrientationPatient": TURNED} if i == 5 else {}),
         "several orientations", None),
    ],
)  # fmt: skip
def test_a_refusal_of_phases_has_the_words_of_the_analysis_and_the_true_distance(refused, slices, words, mm):
    """Distances by hand, from what was moved."""
    said, drawn = refused(slices(examination()))
    assert words in said and drawn.measured == said and drawn.said == said
    assert {o.meaning for o in drawn.outlines} >= {HOLDS}
    slices = (drawn.mark.start - np.array(PLACE.origin_mm)) @ NORMAL / 3.0
    assert slices == pytest.approx(round(slices), abs=1e-6), "where it would fit is in the plane of a slice"
    if mm is not None:
        assert drawn.mark.mm == pytest.approx(mm, abs=0.005)
        assert f"{mm:.2f} mm: " in drawn.mark.text
    else:  # the furthest corner of a slice whose directions were turned: of two squares at right angles, by hand
        own = np.array([9 * 1.2 * np.array(TURNED[:3]), 11 * 1.2 * np.array(TURNED[3:])])
        would = np.array([9 * 1.2 * ROW, 11 * 1.2 * COLUMN])
        corners = [own[0] - would[0], own[1] - would[1], own.sum(axis=0) - would.sum(axis=0)]
        assert drawn.mark.mm == pytest.approx(max(np.linalg.norm(c) for c in corners), abs=0.005)


def test_ragged_positions_are_drawn_apart_and_what_is_no_matter_of_place_is_not_drawn(refused, tmp_path):
    def some(e):
        return (s for s in one_series(e) if not (s[2] in (3, 4, 5) and s[1] > 2 * SHAPE[0]))

    said, drawn = refused(some(examination()))
    assert said == "ragged: 3 of 20 positions do not have 3 images" == drawn.measured and drawn.mark is None
    kept, left_out = drawn.outlines
    assert (len(kept.slices), len(left_out.slices)) == (17, 3)
    series, instances = frames_of(tmp_path / "images")
    one_phase = instances.drop_duplicates(["x_mm", "y_mm", "z_mm"])
    assert of_phases("one phase: a dynamic scan has one before", one_phase, series, MOST_LEFT_OUT) is None
    assert (
        of_phases("images without position or orientation", instances.assign(x_mm=np.nan), series, MOST_LEFT_OUT)
        is None
    )


def test_missing_slices_stand_where_they_would_be(refused):
    _, drawn = refused(one_series(examination(), {7, 8}))
    (missing,) = [o for o in drawn.outlines if o.meaning == MISSING]
    wanted = [PLACE.position(i) for i in (7, 8)]
    assert missing.slices[:, 0] == pytest.approx(np.array(wanted), abs=1e-6)


BASE = Grid(SHAPE, (3.0, 1.2, 1.2), (-60.0, -80.0, -60.0), tuple(ROW), tuple(COLUMN), tuple(NORMAL))


def turned(degrees: float) -> Grid:
    """About the normal, through the first voxel."""
    t = np.radians(degrees)
    row, column = np.cos(t) * ROW + np.sin(t) * COLUMN, -np.sin(t) * ROW + np.cos(t) * COLUMN
    return replace(BASE, row=tuple(row), column=tuple(column))


def shifted(by: np.ndarray, **other) -> Grid:
    return replace(BASE, origin_mm=tuple(np.array(BASE.origin_mm) + by), **other)


@pytest.mark.parametrize(
    ("mask", "mm"),
    [
        (turned(2.4), 2 * np.sin(np.radians(1.2)) * SPREAD),
        (shifted(0.6 * ROW), 0.6),
        (replace(BASE, spacing_mm=(3.0, 1.23, 1.2)), 0.03 * (SHAPE[1] - 1)),
        (replace(BASE, spacing_mm=(3.2, 1.2, 1.2)), 0.2 * (SHAPE[0] - 1)),
        (shifted(6 * 1.2 * ROW), 6 * 1.2),  # as large as the images, and beside them
        (shifted(15 * 1.2 * ROW, shape=(4, 6, 5)), (15 + 4 - (SHAPE[2] - 1)) * 1.2),  # outside of the images
    ],
)
def test_a_mask_that_does_not_fit_is_marked_at_its_furthest_corner(mask, mm):
    """By hand. What the marks say is what `differences` says."""
    words, mark = apart(mask, BASE)
    assert mark.mm == pytest.approx(mm, abs=0.005)
    for said in differences(mask, BASE):
        assert said in words and (f"{mm:.2f} mm" in said or said == "outside of the image")
    if mask.shape == BASE.shape and not differences(mask, BASE):
        assert words == f"as large as the images, and {mm:.2f} mm beside them"


def test_what_fits_has_no_mark():
    part = shifted(2 * 1.2 * ROW + 3.0 * NORMAL, shape=(4, 6, 5))
    for mask in (BASE, part, part.with_axes((2, 0, 1)), shifted(0.1 * ROW, shape=(4, 6, 5))):
        assert apart(mask, BASE) == ("", None)


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Study:
    """SIM-0001: a mask that fits, one half a voxel beside. SIM-0002: a moved field of view. SIM-0003: nothing wrong."""
    from tshdb.actions.imaging import MaskOptions, dicom, masks
    from tshdb.vocabulary import MaskKind

    root = tmp_path_factory.mktemp("refusals")
    for patient in ("SIM-0001", "SIM-0003"):
        e = SimulatedExamination(patient, "T0", [100 + 60 * blob() * p for p in range(3)], geometry_of(GRID))
        write_slices(e, LAYOUTS["ge content time"][0](e), root / "images")
    write_slices(examination("SIM-0002"), series_a_phase(examination("SIM-0002"), 9.6 * COLUMN), root / "images")
    beside = replace(GRID, origin_mm=tuple(np.array(GRID.origin_mm) + 0.4 * np.array(GRID.row)))
    for name, grid in (("good", GRID), ("beside", beside)):
        (root / "masks").mkdir(exist_ok=True)
        sitk.WriteImage(image_of(blob(), grid), str(root / f"masks/SIM-0001_{name}.nrrd"))
    opened = tiny.new_study(root / "study")
    dicom(opened, root / "images", "sim", jobs=1)
    masks(opened, root / "masks", "sim", MaskOptions(kind=MaskKind.EXPERT))
    tiny.rebuild(opened, names=("series_roles", "dce_sets", "dce_slices", "dce_phases", "masks"))
    yield opened
    opened.engine.dispose()


def geometry_of(grid: Grid) -> Geometry:
    between, rows, columns = grid.spacing_mm
    return Geometry((rows, columns, between), grid.origin_mm, (*grid.row, *grid.column))


def uid_of(study: Study, patient: str) -> str:
    found = study.sql("SELECT study_uid FROM imaging_studies WHERE patient_id = $p", {"p": patient})
    return found["study_uid"].iloc[0]


def test_the_picture_is_to_scale_and_says_the_reason(study):
    (refusal,) = refusals(study, uid_of(study, "SIM-0001"))
    figure = picture(refusal, "SIM-0001")
    said = " ".join(t.get_text() for t in figure.texts)
    reason = study.sql("SELECT differences, repair FROM masks WHERE status = 'resample'").iloc[0]
    assert f"Refused: {reason['differences']}" in said and reason["repair"] in said and "0.40 mm" in said
    widths = set()
    for axis, (across, up, _) in zip(figure.axes[:3], PLANES, strict=True):
        assert axis.get_aspect() == 1
        (x0, x1), (y0, y1) = axis.get_xlim(), axis.get_ylim()
        widths |= {round(abs(x1 - x0), 6), round(abs(y1 - y0), 6)}
        images, mask = (np.concatenate(c.get_segments()) for c in axis.collections)
        size = {0: 23 * 0.8, 1: 19 * 0.8, 2: 5 * 2.0}
        assert np.ptp(images, axis=0) == pytest.approx([size[across], size[up]])
        assert (mask - images).mean(axis=0) == pytest.approx([0.4 if across == 0 else 0, 0], abs=1e-9)
    assert len(widths) == 1, "one scale for all planes"
    marked = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 2]
    assert [np.ptp(line.get_xdata()) for line in marked] == pytest.approx([0.4])
    enlarged = figure.axes[3]
    assert np.ptp(enlarged.get_xlim()) < 10 and "0.40 mm" in [t.get_text() for t in enlarged.texts]


def test_lines_have_the_colours_and_names_of_the_palette(study):
    from matplotlib.colors import to_hex

    (refusal,) = refusals(study, uid_of(study, "SIM-0002"))
    figure = picture(refusal, "SIM-0002")
    drawn = [to_hex(c.get_colors()[0]) for c in figure.axes[1].collections]
    assert drawn == [GRIDS[HOLDS].color, GRIDS[REFUSED].color]
    beside = {to_hex(t.get_color()) for t in figure.axes[4].texts if GRIDS[REFUSED].name in t.get_text()}
    assert beside == {GRIDS[REFUSED].color}


def test_commands_draw_what_was_refused_and_say_where_nothing_was(study, quick, tmp_path):
    done = quick("qc", "geometry", "SIM-0001", "--out", tmp_path, cwd=study.root)
    assert done.stdout.split() == [str(tmp_path / "SIM-0001-T0-geometry-1.png")]
    assert "0.40 mm off at the furthest corner" in done.stderr
    assert (tmp_path / "SIM-0001-T0-geometry-1.png").read_bytes()[:4] == b"\x89PNG"
    nothing = quick("qc", "geometry", "SIM-0003", "--out", tmp_path, cwd=study.root)
    assert nothing.stdout == "" and "no geometry of SIM-0003 is refused" in nothing.stderr
    shown = tmp_path / "one.svg"
    quick("qc", "SIM-0002", "--out", shown, cwd=study.root)
    assert "9.60 mm off" in shown.read_text()


def test_the_page_shows_each_refusal_beside_its_words(study, quick, tmp_path):
    quick("qc", "page", "--out", tmp_path, cwd=study.root)
    text = (tmp_path / "index.html").read_text()
    assert text.count("<figcaption>") == 2
    for patient, reason in (("SIM-0001", "0.40 mm off"), ("SIM-0002", "9.60 mm off")):
        name = f"{uid_of(study, patient)}-geometry-1.png"
        assert f'<img src="{name}"' in text and (tmp_path / name).is_file()
        assert reason in text.split(f'href="{name}"')[1].split("</figure>")[0].split("<figcaption>")[1]
    (tmp_path / name).write_bytes(b"as it was")
    quick("qc", "page", "--out", tmp_path, cwd=study.root)
    assert (tmp_path / name).read_bytes() == b"as it was", "nothing is drawn twice"
