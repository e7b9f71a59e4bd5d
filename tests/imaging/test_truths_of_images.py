"""Truths of images, from files to verdicts: volumes that are known from what was drawn, and maps that came with the images."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest

from analyses import ANALYSES
from tests.support import tiny
from tests.support.program import run_quick
from tshdb.study import Study

MASKS = tuple(
    a for a in ANALYSES if a.name in ("series_hints", "series_roles", "dce_sets", "dce_phases", "dce_slices", "masks")
)
VOLUME = """
[drawn]
relation = "same"
at_least = 0.9
[drawn.derived]
table = "masks"
column = "volume_ml"
[drawn.measured]
file = "drawn.csv"
patient = "ID"
column = "mm3"
factor = 0.001
unit = "ml"
"""


def checked(study: Study, code: int) -> dict:
    (facts,) = json.loads(run_quick("truth", "check", "--json", cwd=study.root, code=code).stdout)
    return facts


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> Iterator[tuple[Study, tiny.TinyArchive]]:
    """Twelve patients, whose masks are of 2, 4 and 6 voxels; drawn.csv has their volumes, by hand."""
    study = tiny.new_study(tmp_path_factory.mktemp("drawn") / "study", analyses=MASKS)
    archive = tiny.TinyArchive.make(12)
    for i, name in enumerate(archive.patients):
        archive.change(name, images=1, mask=i % 3)
    tiny.ingest(study, archive)
    tiny.rebuild(study, MASKS)
    voxel = float(np.prod(tiny.Geometry(orientation=tiny.SAGITTAL).spacing_mm))
    lines = [f"{name},{2 * (patient.mask + 1) * voxel}" for name, patient in archive.patients.items()]
    (study.root / "drawn.csv").write_text("\n".join(["ID,mm3", *lines]) + "\n")
    (study.root / "truths.toml").write_text(VOLUME)
    yield study, archive
    study.engine.dispose()


def test_the_volume_of_a_mask_is_what_was_drawn(drawn):
    facts = checked(drawn[0], 0)
    assert (facts["n_shared"], facts["state"]) == (12, "agrees") and facts["value"] == pytest.approx(1.0)
    assert abs(facts["limits"]["lower"]) < 1e-6 > abs(facts["limits"]["upper"])


def test_masks_of_two_patients_that_were_exchanged_are_named(drawn):
    """The files are delivered again, of two patients under each other's name."""
    study, archive = drawn
    one, other = "TCGA-TN-0000", "TCGA-TN-0005"
    sizes = archive.patients[one].mask, archive.patients[other].mask
    assert sizes == (0, 2)
    try:
        archive.change(one, mask=sizes[1])
        archive.change(other, mask=sizes[0])
        tiny.ingest_masks(study, archive)
        tiny.rebuild(study, MASKS)
        facts = checked(study, 5)
        assert facts["state"] == "disagrees" and facts["exchanged"] == [[one, other]]
    finally:
        archive.change(one, mask=sizes[0])
        archive.change(other, mask=sizes[1])
        tiny.ingest_masks(study, archive)
        tiny.rebuild(study, MASKS)
    assert checked(study, 0)["state"] == "agrees"


# ------------------------------------------------------------------------------------------------------ simulated


@pytest.fixture(scope="module")
def simulated(tmp_path_factory) -> Path:
    """Twelve simulated patients of ISPY1, coarse, with outlines and maps; kinetics of the tumour computed."""
    from ingest.simulate.star_counts import Marker
    from ingest.simulate.study import write_study
    from ingest.simulate.subjects import Role, SimulationSettings

    root = tmp_path_factory.mktemp("truths")
    settings = SimulationSettings(seed=31, n_genes=200, voxel_mm=4.0, slice_mm=6.0)
    write_study(root / "sim", {Role.ISPY1: 12}, settings, (Marker("T cells", "CD3D", "ENSG00000167286"),), jobs=1)
    run_quick("init", root / "study", "--preset", "fan2023", cwd=root)
    text = (root / "study/study.toml").read_text()
    for old, new in (("in_plane_mm = 0.8", "in_plane_mm = 4.0"), ("across_mm = 2.0", "across_mm = 6.0")):
        assert text.count(old) == 1
        text = text.replace(old, new)
    (root / "study/study.toml").write_text(text)
    run_quick("ingest", "ispy1", "--from", root / "sim/ispy1", cwd=root / "study")
    run_quick("rebuild", "kinetics", cwd=root / "study")
    planted = json.loads((root / "sim/truth.json").read_text())["patients"]
    lines = [f"{p['patient_id']},{p['images'][0]['tumor_ml']}" for p in planted]
    (root / "study/planted.csv").write_text("\n".join(["patient,ml", *lines]) + "\n")
    return root


def test_volumes_of_simulated_tumours_are_the_planted_ones(simulated):
    run_quick("truth", "add", "planted", "--relation", "same", "--at-least", "0.9", "--derived", "tumor_masks.volume_ml",
              "--file", "planted.csv", "--patient", "patient", "--column", "ml", cwd=simulated / "study")  # fmt: skip
    study = Study(simulated / "study")
    facts = checked(study, 0)
    assert facts["n_shared"] == 12 and facts["state"] == "agrees"
    path = study.root / "planted.csv"
    text = path.read_text()
    try:
        lines = text.splitlines()
        names = [line.partition(",")[0] for line in lines[1:]]
        values = [line.partition(",")[2] for line in lines[1:]]
        for moved, words in (
            (values[1:] + values[:1], "of the one before"),
            ([f"{float(v) * 1000}" for v in values], "mm3"),
        ):
            path.write_text("\n".join(["patient,ml", *map(",".join, zip(names, moved, strict=True))]) + "\n")
            facts = checked(study, 5)
            assert facts["state"] == "disagrees" and any(words in told for told in facts["explanations"]), facts
    finally:
        path.write_text(text)
        (study.root / "truths.toml").unlink()


MAPS = """
[map]
relation = "RELATION"
at_least = 0.5
per = "examination"
[map.derived]
table = "kinetics"
column = "COLUMN"
where = { region = "tumor" }
[map.measured]
series = "*: SERIES"
measure = "MEASURE"
region = "tumor"
factor = FACTOR
"""


def of_maps(study: Study, **words: str) -> None:
    text = MAPS
    for name, word in words.items():
        text = text.replace(name.upper(), word)
    (study.root / "truths.toml").write_text(text)


def test_maps_of_the_archive_agree_with_kinetics(simulated):
    """The archive's PE, of which ten are a percent, by its mean in the tumour mask; kinetics has that of the mean signal."""
    study = Study(simulated / "study")
    of_maps(study, relation="rank", column="pe_early", series="PE*", measure="mean", factor="0.1")
    facts = checked(study, 0)
    assert facts["n_shared"] == 12 and facts["state"] == "agrees", facts
    of_maps(study, relation="same", column="pe_early", series="PE*", measure="mean", factor="1.0")
    facts = checked(study, 5)
    assert any("measured is 10 times as large" in told for told in facts["explanations"]), facts


def test_the_volume_of_a_map_is_that_of_its_voxels(simulated, monkeypatch):
    """Counted here in the files themselves, as pydicom reads them."""
    study = Study(simulated / "study")
    of_maps(study, relation="same", column="volume_ml", series="SER", measure="volume_ml", factor="1.0")
    text = (study.root / "truths.toml").read_text().replace('region = "tumor"\nfactor', "factor")
    (study.root / "truths.toml").write_text(text)
    from tshdb.truths.declared import declared_truths
    from tshdb.truths.sides import read_side

    (declared,) = declared_truths(study.root)
    found = read_side(study, declared, "measured").values
    by_hand: dict[str, float] = {}
    for path in (simulated / "sim/ispy1").rglob("*.dcm"):
        image = pydicom.dcmread(path)
        if str(image.SeriesDescription).endswith(": SER"):
            ml = float(image.SliceThickness) * float(image.PixelSpacing[0]) * float(image.PixelSpacing[1]) / 1000
            uid = str(image.StudyInstanceUID)
            by_hand[uid] = by_hand.get(uid, 0.0) + int((image.pixel_array > 0).sum()) * ml
    assert len(by_hand) == 12 and found == pytest.approx(by_hand)


def test_two_maps_of_one_examination_and_none_at_all_are_refused(simulated):
    study = Study(simulated / "study")
    of_maps(study, relation="rank", column="pe_early", series="*E*", measure="mean", factor="1.0")
    assert "fit '*: *E*'" in checked(study, 7)["problem"]
    of_maps(study, relation="rank", column="pe_early", series="ADC", measure="mean", factor="1.0")
    assert "no series '*: ADC' with pixels" in checked(study, 7)["problem"]
