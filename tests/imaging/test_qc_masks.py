"""Pictures show all masks of an examination, in the colours and under the names that their legends say."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest
import SimpleITK as sitk
from matplotlib.colors import to_hex

from ingest.simulate.dce_layouts import LAYOUTS, SimulatedExamination, write_examination
from ingest.simulate.dicom_files import AXIAL, Geometry
from tests.imaging.test_segmentations import image_of
from tests.support import tiny
from tshdb.figures.examination_drawings import outline, picture
from tshdb.figures.examinations import Examinations, LaidMask, mask_lines
from tshdb.figures.palette import ELSEWHERE, OTHERS, REGIONS, lines_of
from tshdb.figures.region_drawings import Regions, Rows
from tshdb.figures.region_drawings import picture as picture_of_regions
from tshdb.geometry import Grid
from tshdb.study import Study

ANALYSES = (
    "series_roles", "dce_sets", "dce_slices", "dce_phases", "masks", "prepared_images", "breast_masks", "lesions", "tumor_masks",
    "stroma_bands",
)  # fmt: skip
SHAPE, STEP, FIRST = (14, 40, 48), (4.0, 1.6, 1.6), (-38.0, -32.0, -26.0)
GRID = Grid(SHAPE, STEP, FIRST, (1, 0, 0), (0, 1, 0), (0, 0, 1))
PLACES = {"large": ((10.0, 0.0, -6.0), 8.0), "small": ((-18.0, 4.0, 14.0), 5.0), "least": ((-16.0, -8.0, -14.0), 4.0)}


def ball(name: str) -> np.ndarray:
    middle, radius = PLACES[name]
    z, y, x = np.indices(SHAPE)
    places = [FIRST[0] + STEP[2] * x, FIRST[1] + STEP[1] * y, FIRST[2] + STEP[0] * z]
    return sum((p - m) ** 2 for p, m in zip(places, middle, strict=True)) <= radius**2


@pytest.fixture(scope="module")
def masked(tmp_path_factory) -> Study:
    """SIM-0001 has a breast and three outlined lesions in different slices, SIM-0002 no outline: its tumour is grown."""
    from tshdb.actions.imaging import MaskOptions, dicom, masks
    from tshdb.vocabulary import MaskKind, MaskRegion

    root = tmp_path_factory.mktemp("qc-masks")
    breast = np.zeros(SHAPE, bool)
    breast[2:-2, 3:-3, 3:-3] = True
    bright = sum(ball(name) for name in PLACES)
    noise = np.random.default_rng(3).integers(0, 8, SHAPE)
    volumes = [(100 * breast + 120 * bright * (p > 0) + noise + 6 * p).astype(np.uint16) for p in range(3)]
    for folder in ("lesions", "breasts"):
        (root / folder).mkdir()
    for patient in ("SIM-0001", "SIM-0002"):
        e = SimulatedExamination(patient, "T0", volumes, Geometry((1.6, 1.6, 4.0), FIRST, AXIAL))
        write_examination(e, LAYOUTS["ge multiphase"][0], root / "images")
        sitk.WriteImage(image_of(breast.astype(np.uint8), GRID), str(root / f"breasts/{patient}_breast.nrrd"))
    for name in PLACES:
        sitk.WriteImage(image_of(ball(name).astype(np.uint8), GRID), str(root / f"lesions/SIM-0001_{name}.nrrd"))
    study = tiny.new_study(root / "study")
    dicom(study, root / "images", "sim", jobs=1)
    masks(study, root / "lesions", "sim", MaskOptions(kind=MaskKind.EXPERT))
    masks(study, root / "breasts", "sim", MaskOptions(kind=MaskKind.EXPERT, region=MaskRegion.BREAST))
    tiny.rebuild(study, names=ANALYSES)
    yield study
    study.engine.dispose()


def contours(axis) -> list[tuple[str, str]]:
    """(colour, style) of the lines that are drawn on an axis."""
    return [(to_hex(c.get_edgecolor()[0]), ":" if c.get_linestyle()[0][1] == DOTTED else "-") for c in axis.collections]


def dotted():
    from matplotlib.figure import Figure

    axis = Figure().subplots()
    return axis.contour(np.eye(4), levels=[0.5], linestyles=[":"], linewidths=1.2).get_linestyle()[0][1]


DOTTED = dotted()


def named(figure) -> dict[str, str]:
    """words of the legend -> colour of their line."""
    (legend,) = figure.legends
    handles = legend.get_lines()
    return {t.get_text(): to_hex(h.get_color()) for t, h in zip(legend.get_texts(), handles, strict=True)}


def test_every_mask_is_drawn_once_in_the_colour_that_the_legend_names(masked):
    examinations = Examinations(masked)
    figure = picture(examinations.load(examinations.uid_of("SIM-0001", None)))
    legend = named(figure)
    drawn = contours(figure.axes[3])
    assert Counter(color for color, _ in drawn) == Counter(c for words, c in legend.items() if words != ELSEWHERE.name)
    assert len(set(drawn)) == 4, "four masks, four colours"
    assert [w.partition(",")[0] for w in legend] == [
        "breast (expert)",
        *(f"lesion {i} (expert)" for i in (1, 3, 2)),
    ] + [ELSEWHERE.name]
    assert dict(drawn)[legend[next(w for w in legend if w.startswith("lesion 1"))]] == "-"
    elsewhere = [w for w in legend if dict(drawn).get(legend[w]) == ":"]
    assert [w[:8] for w in elsewhere] == ["lesion 3", "lesion 2"], "dotted, since the slice is that of the largest one"
    assert to_hex(figure.axes[5].lines[0].get_color()) == REGIONS["tumor"].color, "the curve is of the tumour"


def test_thirty_masks_are_all_drawn(masked):
    examinations = Examinations(masked)
    e = examinations.load(examinations.uid_of("SIM-0001", None))
    lines = lines_of([("other", f"mask {i}") for i in range(30)])
    e.masks = [LaidMask(line, False, np.roll(ball("large"), i, axis=0)) for i, line in enumerate(lines)]
    figure = picture(e)
    assert len(figure.axes[3].collections) == 30
    assert len(set(lines)) == 30 and len({(line.color, line.style) for line in lines}) == len(OTHERS)


def test_regions_show_the_other_lesions_too_and_the_tumour_above_the_band(masked):
    examinations = Examinations(masked)
    uid = examinations.uid_of("SIM-0001", None)
    figure = picture_of_regions(Regions(masked, uid), "SIM-0001")
    legend = named(figure)
    assert list(legend) == [
        "breast",
        "tumour",
        REGIONS["stroma"].name,
        "lesion 2 (expert)",
        "lesion 3 (expert)",
        ELSEWHERE.name,
    ]
    for axis in figure.axes[:5]:
        drawn = [color for color, _ in contours(axis)]
        assert sorted(drawn) == sorted(c for words, c in legend.items() if words != ELSEWHERE.name)
        assert drawn[-1] == REGIONS["tumor"].color, "nothing hides the tumour's line"
    of_images = {line.name.partition(",")[0]: line.color for line in mask_lines(masked, uid).values()}
    assert of_images["lesion 1 (expert)"] == REGIONS["tumor"].color
    for name in ("lesion 2 (expert)", "lesion 3 (expert)"):
        assert of_images[name] == legend[name], "one lesion has one colour in both pictures"


def test_an_outline_lies_where_its_mask_does():
    from matplotlib.figure import Figure

    axis = Figure().subplots()
    axis.imshow(np.zeros((8, 9)))
    inside = np.zeros((3, 8, 9), bool)
    inside[1, 2:5, 0:4] = True
    assert outline(axis, REGIONS["tumor"], inside, 0, 1) and not outline(axis, REGIONS["tumor"], inside, 0, 2)
    for contour in axis.collections:
        places = np.concatenate([p.vertices for p in contour.get_paths()])
        assert places.min(axis=0).tolist() == [-0.5, 1.5] and places.max(axis=0).tolist() == [3.5, 4.5]
    assert axis.get_xlim() == (-0.5, 8.5) and axis.get_ylim() == (7.5, -0.5), "nothing beyond the image is shown"


def test_a_lesion_keeps_its_line_whatever_else_is_there():
    alone = lines_of([(3, "lesion 3")])[0]
    among = lines_of([("tumor", "t"), (2, "lesion 2"), (3, "lesion 3"), ("other", "o"), ("tumor", "u")])
    assert among[2] == alone and among[0].color == REGIONS["tumor"].color
    assert len({(line.color, line.style) for line in among}) == 5, "no two share a line"


def test_the_page_shows_both_pictures_with_their_legends(masked, quick, tmp_path, monkeypatch):
    quick("qc", "page", "--out", tmp_path, cwd=masked.root)
    text = (tmp_path / "index.html").read_text()
    assert text.count("<img") == 4 == len(list(tmp_path.glob("*.png")))
    uid = Examinations(masked).uid_of("SIM-0001", None)
    images, regions = (text.split(f'src="{uid}{end}.png"')[1].split("</figure>")[0] for end in ("", "-regions"))
    item = re.compile(r'stroke="(#[0-9a-f]{6})"[^>]*/></svg> ([^<]*)</li>')
    lines = mask_lines(masked, uid).values()
    assert item.findall(images) == [(line.color, line.name) for line in lines] and len(lines) == 4
    named_there = dict((name, color) for color, name in item.findall(regions))
    assert named_there.items() >= {line.name: line.color for line in REGIONS.values()}.items() and len(named_there) == 5
    drawn = tmp_path / f"{uid}-regions.png"
    before = drawn.read_bytes()
    monkeypatch.setitem(REGIONS, "tumor", REGIONS["tumor"]._replace(color="#123456"))
    quick("qc", "page", "--out", tmp_path, cwd=masked.root)
    assert drawn.read_bytes() != before, "a picture has the colours that the legend beside it has now"


FORM = re.compile(
    r'<fieldset data-reader="([^"]*)" data-outline="([^"]*)" data-lesion="([^"]*)" data-seen="([^"]*)" class="([^"]*)">'
)


def test_verdicts_are_given_per_lesion_and_reach_the_masks(masked, quick, tmp_path):
    """From the page's form to the tumour: the largest lesion is rejected, the others are the tumour, each with a band."""
    study = tiny.copy_study(masked, tmp_path / "study")
    folder = tmp_path / "page"
    quick("qc", "page", "--out", folder, cwd=study.root)
    forms = FORM.findall((folder / "index.html").read_text())
    assert [lesion for _, _, lesion, _, _ in forms] == [
        "", "lesion 1 (expert), the tumour", "lesion 2 (expert)", "lesion 3 (expert)", "", "the tumour, grown",
    ]  # fmt: skip
    first, second = (Examinations(study).uid_of(p, None) for p in ("SIM-0001", "SIM-0002"))
    rows = [
        (first, forms[1], "fail", "no_tumor"),
        (first, forms[2], "pass", ""),
        (second, forms[5], "fail", "no_tumor"),
    ]
    lines = [
        f"{uid},{outline},{verdict},{cause},A. Reader,{seen}" for uid, (_, outline, _, seen, _), verdict, cause in rows
    ]
    file = tmp_path / "verdicts.csv"
    file.write_text("study_uid,outline,verdict,cause,read_by,seen\n" + "\n".join(lines) + "\n")
    quick("qc", "import", file, "--collection", "sim", cwd=study.root)
    settings = study.root / "study.toml"
    assert settings.read_text().count('lesions = "largest"') == 1
    settings.write_text(settings.read_text().replace('lesions = "largest"', 'lesions = "each"'))
    study = Study(study.root)
    tiny.rebuild(study, names=(*ANALYSES, "lesion_bands"))
    tumors = study.sql("SELECT segmentation_id, reason FROM tumor_masks ORDER BY study_uid = $uid DESC", {"uid": first})
    assert tumors["segmentation_id"][0].endswith("SIM-0001_small.nrrd#1")
    assert tumors["reason"][1].startswith("grown was rejected: fail (no_tumor), A. Reader")
    bands = study.sql("SELECT study_uid FROM stroma_bands WHERE object_id IS NOT NULL")["study_uid"].tolist()
    assert bands == [first], "what rests on the tumour that was rejected is gone"
    quick("qc", "page", "--out", folder, cwd=study.root)
    text = (folder / "index.html").read_text()
    judged = {lesion: (reader, verdict) for reader, _, lesion, _, verdict in FORM.findall(text) if verdict}
    assert judged == {
        "lesion 1 (expert)": ("A. Reader", "pass"),
        "lesion 3 (expert)": ("A. Reader", "fail"),
        "a grown tumour, judged before": ("A. Reader", "fail"),
    }
    assert "SIM-0001_large.nrrd#1 was rejected: fail (no_tumor), A. Reader" in text
    lines = Rows(study, first).lines
    for number in (1, 2):
        lesion, stroma = lines[f"lesion {number} (expert)"], lines[f"stroma of lesion {number}"]
        assert (stroma.color, stroma.style) == (lesion.color, "--")
    drawn = picture_of_regions(Regions(study, first), "SIM-0001").axes[0].collections
    assert len(drawn) == len(lines) == 7, "breast, tumour, its band, two lesions with a band each"
    study.engine.dispose()
