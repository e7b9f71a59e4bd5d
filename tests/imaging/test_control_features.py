"""Altered images: what they keep of a region and what they take from it, and features of them beside those of the patient."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from analyses import ANALYSES
from analyses.imaging.control_features import ControlFeatureParameters, control_features
from analyses.imaging.images.controls import CONTROLS, NOISE, SHUFFLED, altered
from analyses.imaging.images.prepare import rounded
from tests.imaging.test_image_regions import ball, image
from tests.support.ladder_images import PHASES
from tests.support.simulated import changed, five_examinations
from tshdb.engine.analysis import Made, Need
from tshdb.schema import ControlFeature

pytestmark = pytest.mark.xdist_group("control_features")  # one simulated study for all
SPACING = (0.8, 0.8, 2.0)
TEXTURES = ("glcm", "glrlm", "glszm", "gldm", "ngtdm")
LEVELS = ("GrayLevelNonUniformity", "GrayLevelVariance", "HighGrayLevelEmphasis", "LowGrayLevelEmphasis")
OF_LEVELS = {f"gldm.{name}" for name in LEVELS}  # textures that are of the histogram all the same


def phases(seed: int = 4) -> tuple[dict[str, sitk.Image], sitk.Image]:
    """Three phases that go together, with smooth structure, and a ball in them; some voxels without signal."""
    luck = np.random.default_rng(seed)
    before = luck.uniform(80, 160, (10, 30, 30))
    rise = 60 + 40 * np.sin(np.arange(30) / 2)[None, :, None] * np.ones((10, 1, 30))
    made = {"S0": before, "intermediate": before + rise, "last": before + 0.6 * rise + luck.normal(0, 4, before.shape)}
    for values in made.values():
        values[4:6, 10:12, 14] = 0
    return {name: rounded(image(v.astype(np.float32), SPACING)) for name, v in made.items()}, image(
        ball((10, 30, 30), SPACING, 7.0, (5, 14, 15)), SPACING
    )


def inside(made: dict[str, sitk.Image], mask: sitk.Image, is_inside: bool = True) -> np.ndarray:
    """(voxels, phases) within the mask, or without."""
    chosen = (sitk.GetArrayFromImage(mask) > 0) == is_inside
    return np.stack([sitk.GetArrayFromImage(made[name])[chosen] for name in PHASES], axis=1)


# ------------------------------------------------------------------------------------------------- images


def test_shuffled_voxels_change_places_and_keep_their_curves():
    given, mask = phases()
    made = altered(given, mask, SHUFFLED, np.random.default_rng(1))
    was, now = inside(given, mask), inside(made, mask)
    assert sorted(map(tuple, was)) == sorted(map(tuple, now)), "whole voxels, all phases of one together"
    assert (was != now).any(axis=1).mean() > 0.95
    assert (inside(given, mask, False) == inside(made, mask, False)).all()
    assert all(made[name].GetSpacing() == SPACING for name in PHASES)
    again, other = (altered(given, mask, SHUFFLED, np.random.default_rng(seed)) for seed in (1, 2))
    assert (inside(again, mask) == now).all() and (inside(other, mask) != now).any()


def test_a_shuffled_neighbour_says_nothing():
    """Moran's I of the rise, by hand: near 1 along the columns of what was made, about 0 once it is shuffled."""
    given, mask = phases()

    def neighbours(made) -> float:
        rise = sitk.GetArrayFromImage(made["intermediate"]) - sitk.GetArrayFromImage(made["S0"])
        region = sitk.GetArrayFromImage(mask) > 0
        both = region[:, :, 1:] & region[:, :, :-1]
        return float(np.corrcoef(rise[:, :, 1:][both], rise[:, :, :-1][both])[0, 1])

    assert neighbours(given) > 0.9
    assert abs(neighbours(altered(given, mask, SHUFFLED, np.random.default_rng(1)))) < 0.1


def test_noise_has_the_means_spreads_and_correlations_of_the_region():
    """By SimpleITK's label statistics, of each phase and of differences of phases; within five standard errors."""
    given, mask = phases()
    made = altered(given, mask, NOISE, np.random.default_rng(3))
    assert (inside(given, mask, False) == inside(made, mask, False)).all()
    was, now = inside(given, mask).astype(float), inside(made, mask).astype(float)
    n = len(was)

    def moments(of: dict[str, sitk.Image], first: str, second: str | None) -> tuple[float, float]:
        measured = of[first] if second is None else of[first] - of[second]
        statistics = sitk.LabelStatisticsImageFilter()
        statistics.Execute(measured, mask)
        return statistics.GetMean(1), statistics.GetSigma(1)

    for first, second in (("S0", None), ("intermediate", None), ("last", None), ("intermediate", "S0"), ("last", "S0")):
        (mean, sd), (noise_mean, noise_sd) = moments(given, first, second), moments(made, first, second)
        assert noise_mean == pytest.approx(mean, abs=5 * sd / np.sqrt(n))
        assert noise_sd == pytest.approx(sd, rel=5 / np.sqrt(2 * n))
    assert np.abs(np.corrcoef(now.T) - np.corrcoef(was.T)).max() < 5 / np.sqrt(n)
    skew = ((now - now.mean(axis=0)) ** 3).mean(axis=0) / now.std(axis=0) ** 3
    assert np.abs(skew).max() < 5 * np.sqrt(6 / n), "normal, whatever the region's histogram"
    kept_bits = inside({name: rounded(made[name]) for name in PHASES}, mask)
    assert (kept_bits == now).all(), "12 significant bits, as images are kept"


@pytest.mark.parametrize("control", CONTROLS)
def test_a_region_that_is_flat_or_one_voxel_stays_so(control):
    flat = {name: image(np.full((2, 3, 3), value, np.float32)) for name, value in zip(PHASES, (8, 16, 12), strict=True)}
    for n in (1, 18):
        mask = np.zeros(18, np.uint8)
        mask[:n] = 1
        made = altered(flat, image(mask.reshape(2, 3, 3)), control, np.random.default_rng(1))
        assert (inside(made, image(mask.reshape(2, 3, 3))) == (8, 16, 12)).all()


# ------------------------------------------------------------------------------------------------- features


def frames(tmp_path, given: dict[str, sitk.Image], mask: sitk.Image | None, **band) -> dict[str, pd.DataFrame]:
    paths = {name: str(tmp_path / f"{name}.nrrd") for name in (*PHASES, "tumor")}
    for name, one in {**given, "tumor": mask}.items():
        if one is not None:
            sitk.WriteImage(one, paths[name])
    shared = {"study_uid": "1.2", "reason": None}
    drawn = {"object_path": None, "reason": "nobody drew it"} if mask is None else {"object_path": paths["tumor"]}
    stroma = {"object_path": None, "reason": "no breast: none", "parenchyma_s0": 100.0}
    return {
        "images": pd.DataFrame([shared | {"image": name, "object_path": paths[name]} for name in PHASES]),
        "tumors": pd.DataFrame([shared | {"qc_flags": None} | drawn]),
        "bands": pd.DataFrame([shared | stroma | band]),
    }


@pytest.mark.parametrize("filters", [("original",), ("original", "square")])
def test_features_are_those_of_the_altered_image(tmp_path, filters):
    """By numpy, of the images that the same seed gives; with filters that see the whole image they are the same."""
    given, mask = phases()
    params = ControlFeatureParameters(controls=CONTROLS, filters=filters)
    rows = control_features.function(**frames(tmp_path, given, mask), seeds={"1.2": 77}, params=params)
    for number, control in enumerate(CONTROLS):
        made = altered(given, mask, control, np.random.default_rng([77, number, 0]))
        s0, early, last = inside(made, mask).astype(float).T / 100.0
        values = rows[rows["control"] == control].set_index("feature")["value"]
        for name, region in (("S0", s0), ("SI", early - s0), ("SL", last - s0)):
            assert values[f"tumor.{name}.firstorder.Mean"] == pytest.approx(region.mean(), rel=1e-6)
            assert values[f"tumor.{name}.firstorder.Variance"] == pytest.approx(region.var(), rel=1e-6)
            assert values[f"tumor.{name}.firstorder.90Percentile"] == pytest.approx(np.percentile(region, 90), rel=1e-6)


def test_what_cannot_be_measured_has_the_reason_of_the_features(tmp_path):
    given, mask = phases()
    params = ControlFeatureParameters(controls=(SHUFFLED,))
    rows = control_features.function(**frames(tmp_path, given, mask), seeds={"1.2": 1}, params=params)
    assert len(rows) == 14 + 3 * 93 + 3
    assert rows[rows["region"] == "stroma"].set_index("feature")["reason"].to_dict() == {
        f"stroma.{name}": "no mask: no breast: none" for name in ("S0", "SI", "SL")
    }
    rows = control_features.function(**frames(tmp_path, given, None), seeds={"1.2": 1}, params=params)
    assert set(rows["reason"]) == {"no mask: nobody drew it", "no mask: no breast: none"} and rows["value"].isna().all()
    without = frames(tmp_path, given, mask, parenchyma_s0=None, reason="no breast: none")
    rows = control_features.function(**without, seeds={"1.2": 1}, params=params)
    assert set(rows.loc[rows["map"] != "shape", "reason"]) >= {"no mean of the parenchyma: no breast: none"}
    assert rows.loc[rows["map"] == "shape", "value"].notna().all()


def test_an_examinations_controls_hang_on_its_own_seed_alone(tmp_path):
    """In a batch or alone, with one control or both."""
    given, mask = phases()
    (tmp_path / "other").mkdir()
    mine, other = frames(tmp_path, given, mask), frames(tmp_path / "other", *phases(9))
    both = {name: pd.concat([mine[name], other[name].assign(study_uid="1.1")]) for name in mine}
    params = ControlFeatureParameters(controls=CONTROLS)
    together = control_features.function(**both, seeds={"1.2": 5, "1.1": 6}, params=params)
    alone = control_features.function(**mine, seeds={"1.2": 5}, params=params.model_copy(update={"controls": (NOISE,)}))
    again = together[(together["study_uid"] == "1.2") & (together["control"] == NOISE)]
    pd.testing.assert_frame_equal(again.reset_index(drop=True), alone)


# ------------------------------------------------------------------------------------------------- a study


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    root = tmp_path_factory.mktemp("controls")
    five_examinations(root)
    return root


def rows_of(quick, study, sql: str) -> pd.DataFrame:
    return pd.DataFrame(json.loads(quick("sql", sql, "--format", "json", cwd=study).stdout))


def asked(study, *names: str) -> None:
    settings = study / "study.toml"
    settings.write_text(changed(settings.read_text(), ("controls = []", f"controls = {json.dumps(names)}")))


def test_five_examinations_lose_their_texture_and_keep_the_rest(simulated, quick):
    study = simulated / "study"
    plan = {row["analysis"]: row for row in json.loads(quick("plan", "--json", cwd=study).stdout)["analyses"]}
    assert not plan["control_features"]["reasons"] and not plan["control_features"]["units"], (
        "nothing while nobody asks"
    )
    asked(study, *CONTROLS)
    run = json.loads(quick("rebuild", "control_features", "--json", cwd=study).stdout)
    assert {name: n for name, n in run["computed"].items() if n} == {"control_features": 5}
    both = rows_of(
        quick, study,
        "SELECT c.control, c.study_uid, c.feature, c.feature_class, c.value, c.reason, c.n_voxels, c.n_levels, f.value AS was, "
        "f.n_voxels AS n_was, f.n_levels AS levels_was FROM control_features c JOIN radiomic_features f "
        "USING (study_uid, feature)",
    )  # fmt: skip
    assert both.groupby(["control", "study_uid"]).size().tolist() == [572] * 10 and both["value"].notna().all()
    assert (both["n_voxels"] == both["n_was"]).all()
    shape = both[both["feature_class"] == "shape"]
    assert (shape["value"] == shape["was"]).all(), "bit for bit"
    shuffled, noise = (both[both["control"] == control] for control in CONTROLS)
    histogram = shuffled[shuffled["feature_class"] == "firstorder"]
    apart = ((histogram["value"] - histogram["was"]).abs() / histogram["was"].abs().clip(lower=1e-9)).max()
    assert apart < 1e-10, "the same values, added in another order"
    assert (shuffled["n_levels"].dropna() == shuffled["levels_was"].dropna()).all()
    textures = shuffled[shuffled["feature_class"].isin(TEXTURES)]
    moved = (textures["value"] - textures["was"]).abs() > 1e-6 * textures["was"].abs()
    still = textures.loc[~moved].groupby("feature").size()
    alike = {".".join(name.split(".")[2:]) for name in still[still == 5].index}
    assert alike == OF_LEVELS, "each voxel counts once in a GLDM: these four know its level alone"
    moments = {
        name: noise[noise["feature"].str.endswith(f"firstorder.{name}")]
        .sort_values(["study_uid", "feature"])
        .reset_index()
        for name in ("Mean", "Variance")
    }
    standard_errors = (moments["Variance"]["was"] / moments["Variance"]["n_voxels"]) ** 0.5
    assert ((moments["Mean"]["value"] - moments["Mean"]["was"]).abs() < 5 * standard_errors).all()
    ratio = moments["Variance"]["value"] / moments["Variance"]["was"] - 1
    assert (ratio.abs() < 5 * (2 / moments["Variance"]["n_voxels"]) ** 0.5).all()
    # the contrast of neighbours that know nothing of each other is twice the variance of the levels; a scan is smoother
    contrast = textures[textures["feature"] == "tumor.SI.glcm.Contrast"].set_index("study_uid")
    levels = textures[textures["feature"] == "tumor.SI.gldm.GrayLevelVariance"].set_index("study_uid")["value"]
    assert (contrast["value"] > contrast["was"]).all()
    assert (contrast["value"] / (2 * levels) - 1).abs().max() < 0.1


def test_controls_are_nobodys_features(simulated, quick):
    """No other analysis reads them, and what a study shows as features are the patients'."""
    readers = {a.name for a in ANALYSES for need in a.needs.values() if _reads(need)}
    assert readers == {"signature_ladder"}
    study = simulated / "study"
    wide = rows_of(quick, study, "SELECT * FROM radiomic_features_wide")
    assert len(wide) == 5
    n = rows_of(quick, study, "SELECT count(*) AS n FROM radiomic_features")["n"][0]
    assert n == 5 * 572
    quick("rebuild", "feature_sets", cwd=study)
    assert set(rows_of(quick, study, "SELECT source FROM feature_sets")["source"]) == {"computed"}


def _reads(need) -> bool:
    return (
        isinstance(need, Need) and need.table is ControlFeature or isinstance(need, Made) and need.of is ControlFeature
    )


def test_other_settings_than_the_features_are_refused(simulated, quick):
    study = simulated / "study"
    text = (study / "study.toml").read_text()
    try:
        (study / "study.toml").write_text(text.replace("[control_features]\n", "[control_features]\nbin_width = 0.1\n"))
        said = quick("plan", cwd=study, code=7).stderr
        assert (
            "[control_features] bin_width: found 0.1, but [radiomic_features] has 0.05, and both must be the same"
            in said
        )
    finally:
        (study / "study.toml").write_text(text)


def test_one_patient_costs_one_patients_work_and_workers_give_the_same(simulated, quick, tmp_path):
    study = tmp_path / "study"
    shutil.copytree(simulated / "study", study)

    def dump() -> pd.DataFrame:
        return rows_of(
            quick, study, "SELECT * EXCLUDE (unit_id) FROM control_features ORDER BY study_uid, control, feature"
        )

    once = dump()
    settings = study / "study.toml"
    text = settings.read_text()
    settings.write_text(changed(text, ("bin_width = 0.05", "bin_width = 0.2")))
    quick("rebuild", "control_features", cwd=study)
    assert not dump().equals(once), "the features' own setting holds"
    settings.write_text(text)
    quick("rebuild", "control_features", "--jobs", "2", cwd=study)
    pd.testing.assert_frame_equal(dump(), once)
    outline = simulated / "sim/ispy1/outlines/ISPY1/ISPY1_9001.nii.gz"
    before = outline.read_bytes()
    mask = sitk.ReadImage(str(outline))
    sitk.WriteImage(sitk.BinaryErode(mask, (1, 1, 0)), str(outline), useCompression=True)
    try:
        quick("ingest", "ispy1", "--from", simulated / "sim/ispy1", "--only", "segmentation", cwd=study)
        run = json.loads(quick("rebuild", "control_features", "--json", cwd=study).stdout)
        assert run["computed"]["control_features"] == 1
    finally:
        outline.write_bytes(before)
