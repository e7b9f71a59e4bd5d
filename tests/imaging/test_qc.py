"""tshdb qc: pictures show what the tables say, the page holds every examination, and nothing is drawn twice."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from ingest.simulate.dce_layouts import LAYOUTS, SimulatedExamination, write_examination
from tests.imaging.test_segmentations import GEOMETRY, GRID, SHAPE, blob, image_of
from tests.support import tiny
from tshdb.errors import NotFound
from tshdb.figures.examination_drawings import letter_of, picture
from tshdb.figures.examinations import Examinations
from tshdb.study import Study

ANALYSES = ("series_roles", "dce_sets", "dce_slices", "dce_phases", "masks")


@pytest.fixture(scope="module")
def scanned(tmp_path_factory) -> Study:
    """Two patients: one with phases and an outline, one whose images are one phase."""
    from tshdb.actions.imaging import MaskOptions, dicom, masks
    from tshdb.vocabulary import MaskKind

    root = tmp_path_factory.mktemp("qc")
    body = np.zeros(SHAPE, int)
    body[:, 2:-2, 2:-2] = 100
    volumes = [(body + 60 * blob() * p + 5 * p * (body > 0)).astype(np.uint16) for p in range(4)]
    layout = LAYOUTS["ge content time"][0]
    write_examination(SimulatedExamination("SIM-0001", "T0", volumes, GEOMETRY), layout, root / "images")
    write_examination(SimulatedExamination("SIM-0002", "T0", volumes[:1], GEOMETRY), layout, root / "images")
    sitk.WriteImage(image_of(blob(), GRID), str(root / "SIM-0001.nii.gz"))
    study = tiny.new_study(root / "study")
    dicom(study, root / "images", "sim", jobs=1)
    masks(study, root / "SIM-0001.nii.gz", "sim", MaskOptions(kind=MaskKind.EXPERT))
    tiny.rebuild(study, names=ANALYSES)
    yield study
    study.engine.dispose()


def test_what_is_followed_in_time_is_the_outline(scanned):
    examinations = Examinations(scanned)
    found = examinations.load(examinations.uid_of("SIM-0001", None))
    line, inside = found.followed()
    assert line.name == "tumor (expert)" and inside.sum() == blob().sum()
    assert found.shown_slice() in (2, 3)
    assert found.intermediate == 2 and found.rise[inside].mean() == pytest.approx(2 * 65, rel=0.01)


def test_the_picture_says_whose_it_is_what_was_done_and_shows_four_volumes_and_a_curve(scanned):
    examinations = Examinations(scanned)
    figure = picture(examinations.load(examinations.uid_of("SIM-0001", "T0")))
    texts = [t.get_text() for t in figure.texts]
    assert texts[0].split() == ["SIM-0001", "T0", "2001-01-15", "sim"]
    assert texts[1] == "4 phases of 6 slices, told apart by content_time"
    titles = [axis.get_title() for axis in figure.axes]
    assert titles[0].startswith("phase 0, before contrast") and titles[2].startswith("phase 3, last, 4:30")
    assert sum(len(axis.images) for axis in figure.axes) == 5
    minutes, rise = figure.axes[-1].lines[0].get_data()
    assert list(minutes) == [0, 1.5, 3, 4.5]
    assert rise[0] == 0 and list(rise) == sorted(rise) and rise[-1] == pytest.approx(195, rel=0.02)
    (legend,) = figure.legends
    volume = blob().sum() * 0.8 * 0.8 * 2.0 / 1000
    assert [t.get_text() for t in legend.get_texts()] == [f"tumor (expert), {volume:.1f} ml"]


def test_letters_say_where_a_direction_points():
    assert [letter_of(np.array(d)) for d in ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 0, -1))] == list("LRPHF")
    assert letter_of(np.array((0.8, 0.6, 0))) == "LP"


def test_commands(scanned, quick, tmp_path):
    path = tmp_path / "one.svg"
    assert quick("qc", "SIM-0001", "--out", path, cwd=scanned.root).stdout.strip() == str(path)
    assert path.read_text().startswith("<?xml")
    refused = quick("qc", "SIM-0002", cwd=scanned.root, code=8).stderr
    assert "one phase: a dynamic scan has one before" in refused or "no series can be" in refused
    assert refused.count("\n") == 1
    with pytest.raises(NotFound):
        Examinations(scanned).uid_of("SIM-0001", "T7")


def test_the_page_has_everybody_and_draws_what_is_new_alone(scanned, quick, tmp_path):
    folder = tmp_path / "page"
    quick("qc", "page", "--out", folder, cwd=scanned.root)
    text = (folder / "index.html").read_text()
    assert text.count("<article") == 2 and text.count("<img") == 1
    (drawn,) = folder.glob("*.png")
    assert f'<a href="{drawn.name}"><img src="{drawn.name}"' in text
    assert drawn.read_bytes()[:4] == b"\x89PNG"
    drawn.write_bytes(b"as it was")
    quick("qc", "page", "--out", folder, cwd=scanned.root)
    assert drawn.read_bytes() == b"as it was"
    file = tmp_path / "verdicts.csv"
    uid = Examinations(scanned).uid_of("SIM-0001", None)
    file.write_text(
        f'study_uid,verdict,cause,read_by,comment\n{uid},fail,poor_quality,A. Reader,"<script>x</script>"\n'
    )
    quick("qc", "import", file, "--collection", "sim", cwd=scanned.root)
    quick("qc", "page", "--out", folder, cwd=scanned.root)
    assert drawn.read_bytes()[:4] == b"\x89PNG", "the picture says the verdict, and so is drawn again"
    text = (folder / "index.html").read_text()
    assert "&lt;script&gt;x&lt;/script&gt;" in text and "<script>x" not in text
    assert '<option value="fail" selected>' in text
