"""Radiomic features: PyRadiomics' published values, IBSI's phantom, plain PyRadiomics, and the way from DICOM to 572."""

from __future__ import annotations

import csv
import json
import logging
from functools import cache

import numpy as np
import pytest
import SimpleITK as sitk

from analyses.imaging.feature_stability import icc
from analyses.imaging.images import features, prepare, stroma
from analyses.imaging.images.features import Settings
from ingest.simulate import subjects
from ingest.simulate.breast import Scan, scanned
from tests.imaging.test_image_regions import ball, image, on
from tests.support.simulated import changed, five_examinations
from tshdb.images.feature_names import CLASSES, NAMES, all_names

pytestmark = pytest.mark.xdist_group("radiomics")  # one simulated study for all
NAMES_OF = {"firstorder": 18, "glcm": 24, "glrlm": 16, "glszm": 16, "gldm": 14, "ngtdm": 5, "shape": 14}


def by_name(found: list[features.Value]) -> dict[str, float | None]:
    return {v.feature: v.value for v in found}


# ------------------------------------------------------------------------------------------------- published values


@pytest.mark.parametrize("case", ["breast1", "brain1"])
def test_the_published_baselines_of_pyradiomics(shared, case):
    """Bin width 25, voxelArrayShift 2000: baseline_*.csv of the package. Four of brain1's shapes are off by up to 1e-3 in every
    build that we have seen (TECH.md)."""
    folder = shared / "radiomics/pyradiomics"
    image_, mask = (sitk.ReadImage(str(folder / f"{case}_{what}.nrrd")) for what in ("image", "label"))
    mask = sitk.Cast(mask == 1, sitk.sitkUInt8)
    mask.CopyInformation(image_)
    found = features.of_map(image_, mask, "tumor", "S0", Settings(bin_width=25, voxel_array_shift=2000))
    values = by_name(found + features.of_shape(mask))
    n, off = 0, []
    for class_ in NAMES_OF:
        with (folder / f"baseline/baseline_{class_}.csv").open() as file:
            rows = {row["featureName"]: row[case] for row in csv.DictReader(file)}
        for key, text in rows.items():
            if not key.startswith("original_"):
                continue
            name = key.removeprefix(f"original_{class_}_")
            own = f"tumor.shape.{name}" if class_ == "shape" else f"tumor.S0.{class_}.{name}"
            if own not in values:
                continue  # deprecated
            n += 1
            if values[own] != pytest.approx(float(text), rel=1e-6, abs=1e-9):
                off.append(name)
                assert values[own] == pytest.approx(float(text), rel=1e-3)
    assert n >= 105
    known = {"Sphericity", "SurfaceArea", "MeshVolume", "SurfaceVolumeRatio"} if case == "brain1" else set()
    assert set(off) <= known


def test_the_digital_phantom_of_ibsi(shared):
    """Every value that PyRadiomics' mapping names in 3-D, to the printed digits or IBSI's tolerance. What differs is known:
    kurtosis is not in excess (3 more), and two axes are 0.7 % short."""
    folder = shared / "radiomics/ibsi"
    phantom = sitk.ReadImage(str(folder / "ibsi_1_digital_phantom/nifti/image/phantom.nii.gz"))
    mask = sitk.ReadImage(str(folder / "ibsi_1_digital_phantom/nifti/mask/mask.nii.gz"))
    values = by_name(features.of_map(phantom, mask, "tumor", "S0", Settings(bin_width=1.0)) + features.of_shape(mask))
    with (folder / "ibsi_1_dig_phantom.csv").open() as file:
        published = {r["tag"]: r for r in csv.DictReader(file, delimiter=";")}
    with (folder / "pyradiomics_ibsi_mapping/mapping_phantom.csv").open() as file:
        mapping = {r["tag"]: r["pyradiomics_feature"] for r in csv.DictReader(file)}
    n, off = 0, {}
    for tag, key in mapping.items():
        if not key.startswith("3D_original_") or not published.get(tag, {}).get("reference value"):
            continue
        _, _, class_, name = key.split("_")
        own = f"tumor.shape.{name}" if class_ == "shape" else f"tumor.S0.{class_}.{name}"
        if own not in values:
            continue  # deprecated: a function of others
        want, tolerance = float(published[tag]["reference value"]), float(published[tag]["tolerance"] or 0)
        n += 1
        if abs(values[own] - want) > tolerance and float(f"{values[own]:.3g}") != want:
            off[tag] = values[own] - want
    assert n == 105
    assert set(off) == {"stat_kurt", "morph_pca_min_axis", "morph_pca_least_axis"}
    assert off["stat_kurt"] == pytest.approx(3, abs=1e-3) and all(
        abs(v) < 0.07 for k, v in off.items() if k != "stat_kurt"
    )


# ------------------------------------------------------------------------------------------------- as plain PyRadiomics


@cache
def case() -> tuple[dict[str, sitk.Image], sitk.Image, sitk.Image]:
    """(S0, SI, SL; tumour; stroma) in a volume much larger than they are."""
    shape = (30, 90, 90)
    random = np.random.default_rng(12)
    lesion = ball(shape, (0.8, 0.8, 2.0), 8.0, (14, 40, 45))
    maps = {
        "S0": 1 + 0.2 * random.standard_normal(shape),
        "SI": 0.2 + 0.9 * lesion + 0.15 * random.standard_normal(shape),
        "SL": 0.2 + 0.7 * lesion + 0.15 * random.standard_normal(shape),
    }
    tumor_ = image(lesion)
    everywhere = image(np.ones(shape, np.uint8))
    return {k: image(v) for k, v in maps.items()}, tumor_, stroma.band(tumor_, everywhere, 6.0).mask


@pytest.mark.parametrize("settings", [Settings(), Settings(bin_count=16), Settings(force_2d=True, distances=(1, 2))])
def test_values_are_those_of_plain_pyradiomics(settings):
    from radiomics import featureextractor

    maps, tumor_, band = case()
    found = features.whole_set(maps, tumor_, band, settings)
    assert [v.feature for v in found] == all_names() and len(found) == 572
    logging.getLogger("radiomics").setLevel(logging.CRITICAL)
    options = settings.of_pyradiomics()
    plain = featureextractor.RadiomicsFeatureExtractor(**options)
    values = by_name(found)
    plain.disableAllFeatures()
    for class_ in CLASSES:
        plain.enableFeatureClassByName(class_)
    n = 0
    for region, mask, map_name in (("tumor", tumor_, "SI"), ("stroma", band, "S0")):
        for key, value in plain.execute(maps[map_name], mask).items():
            if key.startswith("original_"):
                _, class_, name = key.split("_")
                assert values[f"{region}.{map_name}.{class_}.{name}"] == pytest.approx(
                    float(value), rel=1e-9, abs=1e-12
                )
                n += 1
    plain.disableAllFeatures()
    plain.enableFeatureClassByName("shape")
    for key, value in plain.execute(maps["S0"], tumor_).items():
        if key.startswith("original_"):
            assert values[f"tumor.shape.{key.split('_')[2]}"] == pytest.approx(float(value), rel=1e-9)
            n += 1
    assert n == 2 * 93 + 14


def test_the_set_has_572_names_and_shape_once():
    names = all_names()
    assert len(names) == len(set(names)) == 572 and sum(".shape." in n for n in names) == 14
    assert {c: len(names) for c, names in NAMES.items()} == NAMES_OF
    assert "tumor.SI.glcm.Idmn" in names and "stroma.S0.glszm.GrayLevelNonUniformity" in names


def test_filters_have_names_of_their_own():
    maps, tumor_, _ = case()
    settings = Settings(filters=("original", "wavelet", "log-sigma-3"), classes=("firstorder",))
    found = by_name(features.of_map(maps["SI"], tumor_, "tumor", "SI", settings))
    assert len(found) == 18 * (1 + 8 + 1)
    assert {
        "tumor.SI.firstorder.Mean",
        "tumor.SI.wavelet-LLH.firstorder.Mean",
        "tumor.SI.log-sigma-3.firstorder.Mean",
    } <= set(found)
    with pytest.raises(ValueError, match="no filter 'gabor'"):
        features.of_map(maps["SI"], tumor_, "tumor", "SI", Settings(filters=("gabor",)))


def test_too_few_grey_levels_are_flagged_and_too_many_refused():
    maps, tumor_, _ = case()
    coarse = features.of_map(maps["S0"], tumor_, "tumor", "S0", Settings(bin_width=25))
    idmn = next(v for v in coarse if v.feature.endswith("Idmn"))
    assert idmn.value == pytest.approx(1.0) and "only 1 grey levels" in idmn.reason  # the paper's are .949 to .966
    fine = features.of_map(maps["S0"], tumor_, "tumor", "S0", Settings(bin_width=0.001))
    refused = [v for v in fine if v.value is None]
    assert {v.feature_class for v in refused} == {"glcm", "glrlm", "glszm", "gldm", "ngtdm"} and len(refused) == 75
    assert all("at most 256" in v.reason for v in refused)
    good = by_name(features.of_map(maps["S0"], tumor_, "tumor", "S0"))
    assert 0.9 < good["tumor.S0.glcm.Idmn"] < 1


def test_a_region_of_a_few_voxels_has_reasons_for_textures():
    maps, _, _ = case()
    dot = np.zeros((30, 90, 90), np.uint8)
    dot[14, 40, 45:48] = 1
    found = features.of_map(maps["S0"], image(dot), "tumor", "S0")
    assert all("3 voxels are no texture" in v.reason for v in found if v.feature_class != "firstorder")
    assert all(v.value is not None for v in found if v.feature_class == "firstorder")
    with pytest.raises(ValueError, match="empty"):
        features.of_shape(image(np.zeros((30, 90, 90), np.uint8)))


def test_planted_differences_are_recovered_in_order():
    """Fifteen simulated breasts: what u moves (see ingest.simulate.breast) is found in the features, in its order."""
    u = np.linspace(-2.2, 2.2, 15)
    settings = subjects.SimulationSettings(seed=21)
    found: dict[str, list[float]] = {}
    for i, planted in enumerate(u):
        scan = Scan(False, "left", [-60.0, 100.0, 300.0], 1.6, 3.0)
        made = scanned(scan, float(planted), 34.0, 1.0, subjects.stream(settings, "order", i))
        s0, early, late = (prepare.resample(on(made.geometry, v)) for v in made.volumes)
        tumor_, inside = (
            prepare.resample_mask(on(made.geometry, m.astype(np.uint8)), s0) for m in (made.tumor, made.breast)
        )
        mean, _ = prepare.parenchyma_mean(s0, inside, tumor_)
        phases = {"S0": s0, "intermediate": early, "last": late}
        maps = prepare.normalised_maps(phases, dict.fromkeys(phases, mean))
        values = by_name(features.of_map(maps["SI"], tumor_, "tumor", "SI") + features.of_shape(tumor_))
        values["spread"] = values["tumor.SI.firstorder.Variance"] ** 0.5 / values["tumor.SI.firstorder.Mean"]
        for name, value in values.items():
            found.setdefault(name, []).append(value)

    def rank_correlation(name: str) -> float:
        ranks = np.argsort(np.argsort(found[name]))
        return float(np.corrcoef(ranks, np.arange(len(u)))[0, 1])

    assert rank_correlation("tumor.shape.Flatness") > 0.7
    assert rank_correlation("spread") < -0.7
    assert rank_correlation("tumor.SI.glcm.Idmn") > 0.4
    assert rank_correlation("tumor.shape.Sphericity") > 0.4


# ------------------------------------------------------------------------------------------------- as commands


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """Simulated patients of three collections, ingested; features computed."""
    root = tmp_path_factory.mktemp("radiomics")
    five_examinations(root)
    return root


def rows_of(quick, simulated, sql: str) -> list[dict]:
    return json.loads(quick("sql", sql, "--format", "json", cwd=simulated / "study").stdout)


def test_from_archives_to_572_features(simulated, quick):
    counts = rows_of(quick, simulated, "SELECT study_uid, count(value) AS n, count(DISTINCT feature) AS names FROM "
                     "radiomic_features GROUP BY 1")  # fmt: skip
    assert len(counts) == 5 and all((c["n"], c["names"]) == (572, 572) for c in counts)
    truth = {p["patient_id"]: p for p in json.loads((simulated / "sim/truth.json").read_text())["patients"]}
    tumors = rows_of(quick, simulated, "SELECT patient_id, status, kind, side, volume_ml FROM tumor_masks JOIN "
                     "imaging_studies USING (study_uid)")  # fmt: skip
    assert {(t["status"], t["kind"]) for t in tumors} == {("given", "expert"), ("given", "les")}
    for t in tumors:
        planted = truth[t["patient_id"]]
        assert t["side"] == planted["clinical"]["side"]
        assert t["volume_ml"] == pytest.approx(planted["images"][0]["tumor_ml"], rel=0.15)
    bands = rows_of(quick, simulated, "SELECT * FROM stroma_bands")
    assert all(b["reason"] is None and 0 <= b["cut_off"] < 0.7 and b["volume_ml"] > 10 for b in bands)
    idmn = rows_of(quick, simulated, "SELECT value FROM radiomic_features WHERE feature = 'tumor.SI.glcm.Idmn'")
    assert all(0.9 < row["value"] < 1 for row in idmn)
    assert not rows_of(quick, simulated, "SELECT * FROM radiomic_features WHERE reason IS NOT NULL")


def test_4_a_redrawn_outline_makes_that_patients_units_due(simulated, quick):
    outline = simulated / "sim/ispy1/outlines/ISPY1/ISPY1_9001.nii.gz"
    before = outline.read_bytes()
    mask = sitk.ReadImage(str(outline))
    sitk.WriteImage(sitk.BinaryErode(mask, (1, 1, 0)), str(outline), useCompression=True)
    try:
        quick("ingest", "ispy1", "--from", simulated / "sim/ispy1", "--only", "segmentation", cwd=simulated / "study")
        run = json.loads(quick("rebuild", "radiomic_features", "--json", cwd=simulated / "study").stdout)
        done = {name: n for name, n in run["computed"].items() if n}
        regions = {"masks": 1, "breast_masks": 1, "lesions": 1, "tumor_masks": 1, "stroma_bands": 1}
        assert done == regions | {"radiomic_features": 7, "lesion_features": 1} or done == regions | {
            "radiomic_features": 7
        }
        assert run["unchanged"].get("breast_masks") == 1  # drawn anew, the same: nothing rests on it
    finally:
        outline.write_bytes(before)
        quick("ingest", "ispy1", "--from", simulated / "sim/ispy1", "--only", "segmentation", cwd=simulated / "study")
        quick("rebuild", "radiomic_features", cwd=simulated / "study")


def test_6_another_bin_width_is_all_features_and_nothing_else(simulated, quick):
    settings = simulated / "study/study.toml"
    text = settings.read_text()
    try:
        settings.write_text(changed(text, ("bin_width = 0.05", "bin_width = 0.1")))
        run = json.loads(quick("rebuild", "radiomic_features", "--json", cwd=simulated / "study").stdout)
        assert {name: n for name, n in run["computed"].items() if n} == {"radiomic_features": 35}
        assert run["unchanged"].get("radiomic_features") == 5  # shape has no grey levels
    finally:
        settings.write_text(text)
        quick("rebuild", "radiomic_features", cwd=simulated / "study")


def test_people_say_where_a_tumour_is_and_it_grows_from_there(simulated, quick):
    """A seed for one, a box for another, nothing for the third; a seed in the air is a failure with its reason."""
    study = simulated / "study"
    settings = study / "study.toml"
    text = settings.read_text()
    given = {r["patient_id"]: r for r in rows_of(quick, simulated, "SELECT patient_id, study_uid, x_mm, y_mm, z_mm, volume_ml "
             "FROM tumor_masks JOIN imaging_studies USING (study_uid)")}  # fmt: skip
    one, two, three, four = (given[p] for p in ("ISPY1_9001", "ISPY1_9002", "ISPY1_9003", "UCSF-BR-9001"))
    seed = ",".join(f"{one[a]:.2f}" for a in ("x_mm", "y_mm", "z_mm"))
    box = ",".join(f"{two[a] + d:.2f}" for d in (-15, 15) for a in ("x_mm", "y_mm", "z_mm"))
    lines = ["study_uid,series_uid,decision,decided_by,reason"]
    lines += [f'{s["study_uid"]},tumor,"{what}",A. Reader,seen' for s, what in
              ((one, f"seed={seed}"), (two, f"box={box}"), (four, "seed=900,0,0"))]  # fmt: skip
    table = simulated / "seeds.csv"
    table.write_text("\n".join(lines) + "\n")
    try:
        settings.write_text(changed(text, ('prefer = ["manual", "expert", "les"]', "prefer = []")))
        quick("ingest", "decisions", table, "--collection", "ispy1", cwd=study)
        quick("rebuild", "tumor_masks", cwd=study)
        grown = {r["study_uid"]: r for r in rows_of(quick, simulated, "SELECT * FROM tumor_masks")}
        rules = [grown[s["study_uid"]]["seed_rule"] for s in (one, two, three)]
        assert rules == ["seed of A. Reader", "peak in the box of A. Reader", "peak"]
        assert all(grown[s["study_uid"]]["kind"] == "fcm" for s in (one, two, three))
        assert "is that the tumour?" in grown[three["study_uid"]]["qc_flags"]
        for s in (one, two):
            assert grown[s["study_uid"]]["volume_ml"] == pytest.approx(s["volume_ml"], rel=0.35)
        failed = grown[four["study_uid"]]
        assert failed["status"] == "failed" and "outside of the breast" in failed["reason"]
        table.write_text(lines[0] + f"\n{one['study_uid']},tumor,seed=1,A. Reader,seen\n")
        said = quick("ingest", "decisions", table, "--collection", "other", cwd=study, code=7).stderr
        assert "expected seed=X,Y,Z or box=" in said
    finally:
        settings.write_text(text)
        table.write_text(lines[0] + "\n")
        quick("ingest", "decisions", table, "--collection", "ispy1", "--complete", cwd=study)
        quick("rebuild", "radiomic_features", cwd=study)


def test_a_feature_says_what_it_rests_on_once(simulated, quick):
    """An examination's inputs reach a feature by many ways; each is told once, with SimpleITK's version."""
    (row,) = rows_of(quick, simulated, "SELECT study_uid FROM imaging_studies WHERE patient_id = 'ISPY1_9001'")
    said = quick("why", f"radiomic_features/{row['study_uid']}|tumor|SI", cwd=simulated / "study").stdout
    tree = said.partition("  inputs\n")[2].splitlines()
    assert len(tree) < 60 and "SimpleITK" in said
    told = [line for line in tree if "series_roles/" in line and "above" not in line]
    assert len(told) == 1


def test_regions_and_features_can_be_looked_at(simulated, quick, tmp_path):
    study = simulated / "study"
    picture = tmp_path / "regions.png"
    quick("qc", "regions", "ISPY1_9001", "--out", picture, cwd=study)
    assert picture.stat().st_size > 50_000
    rows = json.loads(quick("table", "s1", "--json", cwd=study).stdout)
    assert len(rows) == 572 and {r["n"] for r in rows} == {5}
    wide = rows_of(quick, simulated, 'SELECT patient_id, "tumor.SI.glcm.Idmn" AS idmn FROM radiomic_features_wide')
    assert len(wide) == 5 and all(0.9 < r["idmn"] < 1 for r in wide)
    assert "no patient has both" in quick("figure", "features", cwd=study, code=8).stderr


def test_the_agreement_of_a_feature_with_itself_is_that_of_the_textbook():
    """Shrout and Fleiss 1979, table 2 and 4: six targets, four judges, ICC(2,1) = .29; the same twice is 1."""
    measured = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float)
    assert icc(measured) == pytest.approx(0.29, abs=0.005)
    assert icc(measured[:, [0, 0]]) == pytest.approx(1.0)
    assert icc(np.ones((6, 2))) is None


def test_a_mask_that_is_moved_leaves_the_image_and_does_not_come_back():
    from analyses.imaging.retest_features import _beside

    mask = np.zeros((1, 3, 4), np.uint8)
    mask[0, 0, 1] = mask[0, 2, 3] = mask[0, 1, 3] = 1
    assert np.argwhere(_beside(mask)).tolist() == [[0, 1, 2]]


@pytest.mark.parametrize("name", ["S0", "SI", "SL"])
def test_noise_below_what_images_are_kept_with_changes_no_feature(name):
    """Half of the voxels do not enhance: their difference is 0, on the edge of a bin. A billionth is no noise, 5 % is."""
    from functools import partial

    from analyses.imaging.region_images import cropped_map
    from analyses.imaging.retest_features import _noisy

    luck = np.random.default_rng(3)
    before = luck.uniform(50, 300, (8, 9, 10)).astype(np.float32)
    before[2, :3] = 0  # no signal at all
    after = np.where(luck.random(before.shape) < 0.5, before, 1.7 * before)
    spacing = (0.8, 0.8, 2.0)
    phases = {
        n: prepare.rounded(image(v, spacing)) for n, v in (("S0", before), ("intermediate", after), ("last", after))
    }
    inside = image(np.ones(before.shape, np.uint8), spacing)
    means = dict.fromkeys(phases, 120.0)
    plain, _ = cropped_map(phases, inside, name, means)
    for noise, is_same in ((1e-9, True), (0.05, False)):
        map_, _ = cropped_map(phases, inside, name, means, noisy=partial(_noisy, means=means, noise=noise, seed=4))
        added = sitk.GetArrayFromImage(map_) - sitk.GetArrayFromImage(plain)
        assert (not added.any()) == is_same
        assert is_same or added[before > 0].std() == pytest.approx(noise, rel=0.1)
        assert not added[2, :3].any() or name != "S0"


def test_unstable_features_are_known_and_can_be_left_out(simulated, quick):
    """Noise and a mask a voxel beside: the tumour's volume stays, and textures of the noise do not."""
    study = simulated / "study"
    settings = study / "study.toml"
    text = settings.read_text()
    cohort = simulated / "all.sql"
    cohort.write_text("SELECT DISTINCT patient_id FROM imaging_studies\n")
    again = 'perturbations = ["noise", "shift"]\nnoise = 0.2'
    settings.write_text(changed(text, ("perturbations = []", again), ("cohorts = []", 'cohorts = ["all_images"]')))
    try:
        quick("cohort", "define", "all_images", cohort, cwd=study)
        quick("rebuild", "feature_stability", cwd=study)
        found = {
            (r["feature"], r["perturbation"]): r for r in rows_of(quick, simulated, "SELECT * FROM feature_stability")
        }
        assert len(found) == 2 * 572 and all(r["n"] == 5 for r in found.values())
        assert found["tumor.shape.MeshVolume", "shift"]["icc"] == pytest.approx(1.0)
        assert found["tumor.SI.firstorder.Mean", "noise"]["icc"] > 0.99
        unstable = {f for (f, p), r in found.items() if r["is_stable"] is False}
        assert unstable and "tumor.shape.Flatness" not in unstable
        assert any(".glszm." in f or ".ngtdm." in f for f in unstable)
        again = json.loads(quick("rebuild", "feature_stability", "--json", cwd=study).stdout)
        assert not again["computed"]
    finally:
        settings.write_text(text)


def test_a_kernel_that_is_wrong_stops_the_rebuild(simulated, quick, monkeypatch):
    """With both values in one line; what it would have computed is not stored."""
    from analyses.imaging.images import court
    from tests.support.faults import make_faulty

    study = simulated / "study"
    settings = study / "study.toml"
    text = settings.read_text()
    try:
        settings.write_text(changed(text, ("bin_width = 0.05", "bin_width = 0.07")))
        make_faulty(monkeypatch, "excess kurtosis")
        court.canary.cache_clear()
        said = quick("rebuild", "radiomic_features", cwd=study, code=5).stderr
        assert "canary: firstorder.Kurtosis is " in said and " by PyRadiomics 3.0.1. Nothing more is computed." in said
        assert "Traceback" not in said and len(said.strip().splitlines()) == 1
        (row,) = rows_of(quick, simulated, "SELECT count(DISTINCT value) AS n FROM radiomic_features WHERE feature = "
                         "'tumor.SI.firstorder.Kurtosis' AND value < 0")  # fmt: skip
        assert row["n"] == 0
    finally:
        monkeypatch.undo()
        court.canary.cache_clear()
        settings.write_text(text)
        quick("rebuild", "radiomic_features", cwd=study)


def test_a_region_in_fifty_is_computed_twice(simulated, quick, monkeypatch):
    """Where the canary passes, a region that is heard still stops the rebuild."""
    from analyses.imaging.images import court
    from tests.support.faults import make_faulty

    study = simulated / "study"
    settings = study / "study.toml"
    text = settings.read_text()
    try:
        settings.write_text(changed(text, ("bin_width = 0.05", "bin_width = 0.07")))
        make_faulty(monkeypatch, "excess kurtosis")
        monkeypatch.setattr(court, "canary", lambda: None)
        monkeypatch.setattr(court, "is_heard", lambda name: name.endswith("|stroma|SL"))
        said = quick("rebuild", "radiomic_features", cwd=study, code=5).stderr
        assert "|stroma|SL: firstorder.Kurtosis is " in said
    finally:
        monkeypatch.undo()
        settings.write_text(text)
        quick("rebuild", "radiomic_features", cwd=study)


def test_any_number_of_workers_gives_the_same_values(simulated, quick, tmp_path):
    import shutil

    def dump(folder) -> list[dict]:
        sql = "SELECT * EXCLUDE (unit_id) FROM radiomic_features ORDER BY study_uid, feature"
        return json.loads(quick("sql", sql, "--format", "json", cwd=folder).stdout)

    once = dump(simulated / "study")
    copy = tmp_path / "study"
    shutil.copytree(simulated / "study", copy)
    settings = copy / "study.toml"
    text = settings.read_text()
    settings.write_text(changed(text, ("bin_width = 0.05", "bin_width = 0.2")))
    quick("rebuild", "radiomic_features", cwd=copy)
    settings.write_text(text)
    quick("rebuild", "radiomic_features", "--jobs", "2", cwd=copy)
    assert dump(copy) == once
