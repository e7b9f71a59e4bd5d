"""Parametric maps: each voxel by hand and by SimpleITK, as `kinetics` says it of regions; features as PyRadiomics' own."""

from __future__ import annotations

import logging
import re
from typing import get_args

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from analyses.imaging.images.kinetic_maps import KINDS, Times, maps_of, why_not
from analyses.imaging.images.kinetics import Bands, curve
from analyses.imaging.map_features import MapFeatureParameters, map_features
from analyses.imaging.map_regions import Name
from ingest.simulate.dce_layouts import LAYOUTS, SimulatedExamination, write_examination
from ingest.simulate.dicom_files import AXIAL, Geometry, clock, uid
from tests.imaging.test_image_regions import image
from tests.support import tiny
from tests.support.simulated import changed
from tshdb.images.feature_names import CLASSES
from tshdb.study import Study

pytestmark = pytest.mark.xdist_group("kinetic_maps")  # one study for most
COLUMN = {name: "time_to_peak_s" if name == "time_to_peak" else name for name in KINDS}  # of kinetics
STARTS = [0.0, 90.0, 150.0, 270.0, 400.0]


def signals() -> list[np.ndarray]:
    """400 voxels in five phases: rising, falling, without signal before contrast, with peaks that come twice."""
    random = np.random.default_rng(11)
    phases = [random.integers(40, 200, 400)]
    phases += [np.clip(phases[0] + random.integers(-30, 300, 400), 0, None) for _ in STARTS[1:]]
    phases[0][:10] = 0
    phases[2][10:30] = phases[4][10:30] = np.maximum(phases[1], phases[3])[10:30] + 5  # the first of two peaks counts
    return [phase.reshape(4, 10, 10) for phase in phases]


# ------------------------------------------------------------------------------------------------- voxels


@pytest.mark.parametrize("injection", [None, 20.0, 120.0])
def test_each_voxel_is_the_curve_of_its_signal(injection):
    phases = signals()
    made = maps_of(phases, Times(2, 4, STARTS, injection), list(KINDS))
    n = dict.fromkeys(KINDS, 0)
    for at in np.ndindex(phases[0].shape):
        means = [float(phase[at]) for phase in phases]
        if means[0] == 0:
            assert all(np.isnan(made[name][at]) for name in KINDS)
            continue
        found = curve(means, STARTS, 2, 4, Bands(), injection)
        for name, kind in KINDS.items():
            value = getattr(found, COLUMN[name])
            if value is None:
                assert np.isnan(made[name][at])
            else:
                assert made[name][at] == pytest.approx(np.clip(value, -kind.most, kind.most), rel=1e-6)
                n[name] += 1
    assert min(n.values()) > 100


def test_values_by_hand_and_their_limits():
    """Signals of three phases at 0, 60 and 120 s: 100, 250, 200; 100, 150, 200; 1, 200, 2 (noise)."""
    phases = [np.array([[[100, 100, 1]]]), np.array([[[250, 150, 200]]]), np.array([[[200, 200, 2]]])]
    made = maps_of(phases, Times(1, 2, [0, 60, 120], None), list(KINDS))
    assert {name: values.ravel().tolist() for name, values in made.items() if name not in ("wash_out", "ser")} == {
        "pe_early": [150, 50, 1000], "pe_late": [100, 100, 100], "peak_pe": [150, 100, 1000],
        "time_to_peak": [0, 60, 0], "wash_in": [150, 50, 1000],
    }  # fmt: skip
    assert made["ser"].ravel().tolist() == [1.5, 0.5, 3]
    assert made["wash_out"].ravel()[[0, 2]].tolist() == [-50, -200] and np.isnan(made["wash_out"].ravel()[1])
    assert maps_of(phases, Times(1, 2, [0, 60, 120], 30.0), ["time_to_peak"])["time_to_peak"].tolist() == [
        [[30, 90, 30]]
    ]


def test_what_there_cannot_be_has_its_reason():
    assert maps_of(signals()[:2], Times(1, None, None, None), list(KINDS)).keys() == {"pe_early", "peak_pe"}
    assert why_not("ser", Times(1, None, STARTS, None), 2) == "no phase is later than the early one"
    assert why_not("wash_in", Times(1, 2, None, None), 3) == "no clock rises from phase to phase"
    assert "nothing can wash out" in why_not("wash_out", Times(1, None, STARTS[:2], None), 2)
    with pytest.raises(ValueError, match="one phase"):
        maps_of(signals()[:1], Times(1, None, None, None), ["peak_pe"])


def test_the_maps_that_can_be_asked_for_are_those_that_are_made():
    assert get_args(Name) == tuple(KINDS)


# ------------------------------------------------------------------------------------------------- features


def rows_of(values: np.ndarray, mask: np.ndarray, tmp_path, name="ser", **params) -> pd.DataFrame:
    """The features of a map in a tumour; the stroma has no mask."""
    paths = [tmp_path / f"{name}-{what}-{id(values)}.nrrd" for what in ("map", "mask")]
    sitk.WriteImage(image(values.astype(np.float32)), str(paths[0]))
    sitk.WriteImage(image(mask.astype(np.uint8)), str(paths[1]))
    shared = {"study_uid": "1.2", "reason": None, "qc_flags": None}
    maps = pd.DataFrame([shared | {"map": name, "unit": KINDS[name].unit, "object_path": str(paths[0])}])
    tumors = pd.DataFrame([shared | {"object_path": str(paths[1])}])
    bands = pd.DataFrame([shared | {"object_path": None, "reason": "no breast: none"}])
    return map_features(maps, tumors, bands, MapFeatureParameters(**params))


@pytest.fixture
def noisy() -> tuple[np.ndarray, np.ndarray]:
    """A map of SER in 12 x 30 x 30 voxels, and a ball of 1,000 of them."""
    random = np.random.default_rng(5)
    z, y, x = np.mgrid[:12, :30, :30]
    return random.normal(1.1, 0.4, (12, 30, 30)).clip(0, 3), (z - 6) ** 2 * 4 + (y - 15) ** 2 + (x - 14) ** 2 < 81


@pytest.mark.parametrize(
    ("params", "options"),
    [
        ({}, {"binWidth": 0.1}),
        ({"map_bin_widths": {"ser": 0.25}}, {"binWidth": 0.25}),
        ({"map_bin_widths": {"pe_early": 3.0}, "map_bin_counts": {"ser": 16}}, {"binCount": 16}),
        ({"distances": (1, 2), "force_2d": True}, {"binWidth": 0.1, "distances": [1, 2], "force2D": True}),
    ],
)
def test_features_are_those_of_pyradiomics_on_the_same_map(noisy, tmp_path, params, options):
    from radiomics import featureextractor

    values, mask = noisy
    found = rows_of(values, mask, tmp_path, **params)
    of_tumor = found[found["region"] == "tumor"].set_index("feature")
    logging.getLogger("radiomics").setLevel(logging.CRITICAL)
    plain = featureextractor.RadiomicsFeatureExtractor(**options, force2Ddimension=0, label=1)
    plain.disableAllFeatures()
    for class_ in CLASSES:
        plain.enableFeatureClassByName(class_)
    n = 0
    for key, value in plain.execute(image(values.astype(np.float32)), image(mask.astype(np.uint8))).items():
        if key.startswith("original_"):
            _, class_, name = key.split("_")
            assert of_tumor.loc[f"tumor.ser.{class_}.{name}", "value"] == pytest.approx(
                float(value), rel=1e-9, abs=1e-12
            )
            n += 1
    assert n == len(of_tumor) == 93 and of_tumor["reason"].isna().all() and set(of_tumor["unit"]) == {"ratio"}
    (stroma,) = found[found["region"] == "stroma"].to_dict("records")
    assert (stroma["feature"], stroma["reason"]) == ("stroma.ser", "no mask: no breast: none")


def test_voxels_without_a_value_are_left_out_and_said(noisy, tmp_path):
    values, mask = noisy
    hole = mask & (np.arange(30) > 18)
    holed = rows_of(np.where(hole, np.nan, values), mask, tmp_path)
    without = rows_of(values, mask & ~hole, tmp_path)
    assert holed["value"].dropna().tolist() == without["value"].dropna().tolist()
    said = f"{hole.sum()} of {mask.sum()} voxels have no value in the map"
    of_tumor = holed[holed["region"] == "tumor"]
    assert of_tumor["reason"].eq(said).all() and of_tumor["n_voxels"].eq(int((mask & ~hole).sum())).all()
    nothing = rows_of(np.where(mask, np.nan, values), mask, tmp_path)
    assert nothing["feature"].tolist() == ["tumor.ser", "stroma.ser"]
    assert nothing["reason"][0] == f"none of {mask.sum()} voxels has a value in the map"


def test_voxels_at_the_limit_are_said(noisy, tmp_path):
    values, mask = noisy
    values[6, 15, 10:14] = 3
    n = int((values[mask] == 3).sum())
    assert rows_of(values, mask, tmp_path)["reason"][0] == f"{n} are at its limit of 3"


@pytest.mark.parametrize(
    "wrong", [{"map_bin_widths": {"PE": 1.0}}, {"map_bin_widths": {"ser": 0.0}}, {"map_bin_counts": {"ser": 1}}]
)
def test_a_width_is_of_a_map_and_more_than_nothing(wrong):
    with pytest.raises(ValueError, match="1 validation error"):
        MapFeatureParameters(**wrong)


# ------------------------------------------------------------------------------------------------- from files to rows

SHAPE = (12, 40, 60)
GEOMETRY = Geometry((0.8, 0.8, 2.0), (-23.6, -20.0, -10.0), AXIAL)  # that of prepared images: voxel lies on voxel
TUMOR = (slice(4, 8), slice(10, 18), slice(40, 50))
EVEN = (100, 250, 240, 190)  # the signal of the whole tumour, at 0, 90, 180, 270 s
PATIENTS = ("even", "noisy", "two")


def scene(patient: str) -> list[np.ndarray]:
    """Two breasts of fat (60) with gland of 200 on the right, which rises by 5 % a phase; the tumour on the left."""
    random = np.random.default_rng(7)
    volumes = []
    for phase in range(2 if patient == "two" else 4):
        volume = np.full(SHAPE, 10, np.uint16)
        volume[2:10, 6:30, 6:26] = volume[2:10, 6:30, 34:54] = 60
        volume[2:10, 8:24, 8:20] = 200 + 10 * phase
        volume[TUMOR] = EVEN[phase]
        if patient == "noisy":
            volume += random.integers(0, 40, SHAPE).astype(np.uint16)
            volume[5, 12:14, 42:45] = 0 if phase == 0 else 90
        volumes.append(volume)
    return volumes


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """A study that asks for all maps."""
    from analyses.imaging.images.grids import image_on
    from tests.imaging.test_kinetics import GRID
    from tshdb.actions.imaging import MaskOptions, dicom
    from tshdb.actions.imaging import masks as load_masks

    folder = tmp_path_factory.mktemp("maps")
    study = tiny.new_study(folder / "study")
    write_maps(study, list(KINDS))
    masks = folder / "masks"
    masks.mkdir()
    sheet = ["file,patient_id,region,kind"]
    regions = {name: np.zeros(SHAPE, np.uint8) for name in ("breast", "tumor")}
    regions["tumor"][TUMOR] = regions["breast"][2:10, 6:30, 6:26] = regions["breast"][2:10, 6:30, 34:54] = 1
    for patient in PATIENTS:
        extra = {"ContrastBolusStartTime": clock(36_030)} if patient == "noisy" else {}
        examination = SimulatedExamination(patient, "T0", scene(patient), GEOMETRY, extra=extra)
        write_examination(examination, LAYOUTS["ge content time"][0], folder / "images")
        for region, values in regions.items():
            sitk.WriteImage(image_on(values, GRID), str(masks / f"{patient}-{region}.nrrd"))
            sheet.append(f"{patient}-{region}.nrrd,{patient},{region},manual")
    (folder / "sheet.csv").write_text("\n".join(sheet) + "\n")
    dicom(study, folder / "images", "sim", jobs=1)
    load_masks(study, masks, "sim", MaskOptions(sheet=folder / "sheet.csv"))
    assert not tiny.rebuild(study, names=["map_features"]).failed
    yield study
    study.engine.dispose()


def write_maps(study: Study, maps: list[str], more: str = "") -> None:
    settings = study.root / "study.toml"
    text = re.sub(r"(?m)^map_bin.*\n", "", settings.read_text())
    was = re.search(r"(?m)^maps = .*$", text)[0]
    listed = ", ".join(f'"{name}"' for name in maps)
    settings.write_text(changed(text, (was, f"maps = [{listed}]\n{more}".rstrip())))


def maps(study: Study, patient: str) -> dict[str, np.ndarray]:
    table = study.sql(f"SELECT map, object_id FROM kinetic_maps WHERE study_uid = '{uid(patient, 'T0')}'")
    found = {}
    for row in table.itertuples():
        if isinstance(row.object_id, str):
            (path,) = (study.root / "objects").rglob(f"{row.object_id}*")
            found[row.map] = sitk.GetArrayFromImage(sitk.ReadImage(str(path), imageIO="NrrdImageIO"))
    return found


def region(study: Study, patient: str, name: str) -> dict:
    table = study.sql(f"SELECT * FROM kinetics WHERE study_uid = '{uid(patient, 'T0')}' AND region = '{name}'")
    return table.iloc[0].to_dict()


def test_the_maps_on_disk_are_those_of_simpleitk(asked):
    """Of the volumes as they were written, by SimpleITK's own arithmetic; early is phase 2, late phase 3, injection at 30 s."""
    made = maps(asked, "noisy")
    before, first, early, late = (sitk.Cast(sitk.GetImageFromArray(v), sitk.sitkFloat64) for v in scene("noisy"))
    peak = sitk.Maximum(sitk.Maximum(first, early), late)
    has_signal = sitk.GetArrayFromImage(before) > 0

    def percent(after):
        return sitk.GetArrayFromImage((after - before) / before * 100)

    with np.errstate(invalid="ignore"):
        for name, values in (("pe_early", percent(early)), ("pe_late", percent(late)), ("peak_pe", percent(peak))):
            assert np.allclose(made[name][has_signal], values.clip(-1000, 1000)[has_signal], rtol=1e-6)
            assert np.isnan(made[name][~has_signal]).all() and (~has_signal).sum() >= 6
        rises = has_signal & (percent(early) > 0) & (percent(late) > 0)
        ratio = sitk.GetArrayFromImage((early - before) / (late - before))
    assert np.allclose(made["ser"][rises], ratio.clip(0, 3)[rises], rtol=1e-6) and np.isnan(made["ser"][~rises]).all()
    number = np.argmax([sitk.GetArrayFromImage(v) for v in (first, early, late)], axis=0)
    assert np.array_equal(made["time_to_peak"][has_signal], np.array([60, 150, 240])[number][has_signal])


def test_where_a_region_is_even_the_features_are_the_row_of_kinetics(asked):
    row = region(asked, "even", "tumor")
    features = asked.sql(f"SELECT * FROM map_features WHERE study_uid = '{uid('even', 'T0')}'").set_index("feature")
    for name, column in COLUMN.items():
        mean = features.loc[f"tumor.{name}.firstorder.Mean"]
        assert mean["value"] == pytest.approx(row[column], rel=1e-6)
        assert (mean["n_voxels"], mean["unit"], mean["region"], mean["map"]) == (320, KINDS[name].unit, "tumor", name)
    assert len(features) == 2 * 7 * 93


def test_features_of_maps_can_be_wide(asked):
    wide = asked.results("map_features", wide=True).set_index("patient_id")
    assert set(wide.index) == set(PATIENTS)
    row = region(asked, "even", "tumor")
    assert wide.loc["even", "tumor.peak_pe.firstorder.Mean"] == pytest.approx(row["peak_pe"], rel=1e-6)
    assert np.isnan(wide.loc["two", "tumor.ser.firstorder.Mean"])


def test_the_mean_of_the_map_in_the_gland_is_the_background_s_enhancement(asked):
    row = region(asked, "even", "background")
    assert row["bpe"] == pytest.approx(float(maps(asked, "even")["pe_early"][2:10, 8:24, 8:20].mean(dtype=float)))
    assert row["bpe"] == pytest.approx(10)


def test_of_two_phases_there_are_maps_of_one_phase_alone(asked):
    table = asked.sql(f"SELECT map, reason FROM kinetic_maps WHERE study_uid = '{uid('two', 'T0')}'").set_index("map")
    assert set(table.index[table["reason"].isna()]) == {"pe_early", "peak_pe", "time_to_peak", "wash_in"}
    said = asked.sql(
        f"SELECT reason FROM map_features WHERE study_uid = '{uid('two', 'T0')}' AND feature = 'tumor.ser'"
    )
    assert said["reason"].tolist() == ["no map: no phase is later than the early one"]


@pytest.mark.parametrize(
    ("line", "repair"),
    [
        ('maps = ["PE1"]', "[radiomic_features] maps"),
        ('mapz = ["ser"]', "maps"),
        ("map_bin_widths = {ser = -1}", "map_bin_widths"),
    ],
)
def test_a_setting_that_is_none_is_refused(tmp_path, quick, line, repair):
    study = tiny.new_study(tmp_path / "study")
    settings = study.root / "study.toml"
    settings.write_text(changed(settings.read_text(), ('maps = ["ser"]', line)))
    said = quick("plan", cwd=study.root, code=7).stderr
    assert "study.toml:" in said and repair in said
    study.engine.dispose()


def test_nothing_is_due_in_a_study_that_does_not_ask(asked, quick):
    """The same study with other maps, other widths, and none: what is due, and why."""
    study = Study(asked.root)
    try:
        due = {name: len(plan.due) for name, plan in tiny.plan(study).items() if plan.due and name in MINE}
        assert due == {}
        write_maps(study, ["ser", "peak_pe"], "map_bin_widths = {ser = 0.2}")
        study = Study(asked.root)
        assert {n: len(p.due) for n, p in tiny.plan(study).items() if n in MINE} == {
            "kinetic_maps": 3,
            "map_features": 3,
        }
        assert not tiny.rebuild(study, names=["map_features"]).failed
        found = study.sql("SELECT DISTINCT map FROM map_features ORDER BY 1")["map"].tolist()
        assert found == ["peak_pe", "ser"]
        write_maps(study, ["ser", "peak_pe"], "map_bin_widths = {ser = 0.3}")
        study = Study(asked.root)
        assert {n: len(p.due) for n, p in tiny.plan(study).items() if n in MINE} == {
            "kinetic_maps": 0,
            "map_features": 3,
        }
        write_maps(study, [])
        study = Study(asked.root)
        plans = tiny.plan(study)
        assert {n: (len(p.desired), len(p.due), len(p.gone)) for n, p in plans.items() if n in MINE} == {
            "kinetic_maps": (0, 0, 3), "map_features": (0, 0, 3),
        }  # fmt: skip
        said = quick("plan", cwd=study.root).stdout
        assert '[radiomic_features] maps: ["ser","peak_pe"] -> []' in said
        tiny.rebuild(study, names=["map_features"])
        assert len(study.sql("SELECT 1 FROM kinetic_maps")) == len(study.sql("SELECT 1 FROM map_features")) == 0
        assert not any(p.due or p.gone for n, p in tiny.plan(Study(asked.root)).items() if n in MINE)
        write_maps(study, ["ser"])
        assert '[radiomic_features] maps: [] -> ["ser"]' in quick("plan", cwd=study.root).stdout
        said = quick("why", f"map_features/{uid('even', 'T0')}", cwd=study.root).stdout
        assert '[radiomic_features] maps: [] -> ["ser"]' in said
    finally:
        study.engine.dispose()


MINE = ("kinetic_maps", "map_features")
