"""The linear greyscale before images are divided by the parenchyma's mean (A22), held against SimpleITK doing both in order.

The images have air of a few whole numbers (ties at the percentile), and an offset that the division alone leaves in place.
"""

from __future__ import annotations

import statistics
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from analyses.imaging.feature_settings import settings_of
from analyses.imaging.images import prepare
from analyses.imaging.images.features import of_map
from analyses.imaging.images.grids import array_of, image_of
from analyses.imaging.radiomic_features import RadiomicFeatureParameters
from analyses.imaging.region_features import features_of_region
from analyses.imaging.retest_features import RetestFeatureParameters, retest_features
from analyses.signature.how_made import settings_of_study
from tshdb.config import Settings
from tshdb.errors import InvalidInput

NAMES = ("S0", "intermediate", "last")
COLUMN = {"S0": "parenchyma_s0", "intermediate": "parenchyma_intermediate", "last": "parenchyma_last"}
KEY = "1.2|tumor|SI"
STUDY = '[study]\nname = "s"\ndatabase = "sqlite:///s.db"\nobjects = "o"\nseed = 1\n'


def scanned() -> dict[str, sitk.Image]:
    random = np.random.default_rng(4)
    body = random.uniform(60, 140, (8, 20, 20)).astype(np.float32)
    body[:, :, 14:] = 20 + random.integers(0, 3, (8, 20, 6))  # air
    rise = np.zeros_like(body)
    rise[2:6, 4:12, 4:12] = random.uniform(20, 160, (4, 8, 8))
    return {"S0": image_of(body, plain()), "intermediate": image_of(body + rise, plain()),
            "last": image_of(body * 2 + 30, plain())}  # fmt: skip


def plain() -> sitk.Image:
    image = sitk.Image(20, 20, 8, sitk.sitkFloat32)
    image.SetSpacing((0.8, 0.8, 2.0))
    return image


def by_simpleitk(phases: dict[str, sitk.Image], parenchyma: sitk.Image, per_phase: bool) -> dict[str, sitk.Image]:
    """Each phase from its 1st percentile to its 99th on 0 to 1, then divided by its parenchyma's mean there; then differences."""
    made = {}
    for name in NAMES:
        of = phases[name if per_phase else "S0"]
        cuts = statistics.quantiles(array_of(of).astype(float).ravel().tolist(), n=100, method="inclusive")
        low, high = cuts[0], cuts[-1]

        def greyscale(image: sitk.Image, low=low, high=high) -> sitk.Image:
            return sitk.ShiftScale(sitk.Cast(image, sitk.sitkFloat64), -low, 1 / (high - low))

        statistic = sitk.LabelStatisticsImageFilter()
        statistic.Execute(greyscale(of), parenchyma)
        made[name] = sitk.Divide(greyscale(phases[name]), statistic.GetMean(1))
    return {"S0": made["S0"], "SI": made["intermediate"] - made["S0"], "SL": made["last"] - made["S0"]}


@pytest.fixture
def examination(tmp_path) -> SimpleNamespace:
    phases = scanned()
    inside = np.zeros((8, 20, 20), np.uint8)
    inside[2:6, 4:12, 4:12] = 1
    outside = np.zeros_like(inside)
    outside[:, :, :14] = 1 - inside[:, :, :14]
    tumor, parenchyma = image_of(inside, plain()), image_of(outside, plain())
    paths = {name: str(tmp_path / f"{name}.nrrd") for name in (*NAMES, "tumor")}
    for name, image in {**phases, "tumor": tumor}.items():
        sitk.WriteImage(image, paths[name])
    band = {COLUMN[name]: float(array_of(image)[outside > 0].mean(dtype=float)) for name, image in phases.items()}
    images = pd.DataFrame([{"image": name, "object_path": paths[name]} for name in NAMES])
    mask = {"object_path": paths["tumor"], "reason": None, "qc_flags": None}
    return SimpleNamespace(phases=phases, tumor=tumor, parenchyma=parenchyma, band=band, images=images, mask=mask)


@pytest.mark.parametrize("per_phase", [False, True])
@pytest.mark.parametrize("map_name", ["S0", "SI", "SL"])
def test_features_are_those_of_the_image_that_simpleitk_makes(examination, map_name, per_phase):
    params = RadiomicFeatureParameters(greyscale="linear", per_phase=per_phase)
    e = examination
    ours = features_of_region(map_name, "tumor", e.mask, e.band, e.images, None, params)
    made = by_simpleitk(e.phases, e.parenchyma, per_phase)[map_name]
    theirs = of_map(made, e.tumor, "tumor", map_name, settings_of(params))
    assert len(ours) == 93 and [row["feature"] for row in ours] == [value.feature for value in theirs]
    assert [row["value"] for row in ours] == pytest.approx([value.value for value in theirs], rel=1e-6, abs=1e-9)
    without = features_of_region(
        map_name, "tumor", e.mask, e.band, e.images, None, params.model_copy(update={"greyscale": "none"})
    )
    assert [row["value"] for row in without] != pytest.approx([row["value"] for row in ours], rel=1e-3)


def test_what_stretches_an_image_is_divided_out_and_what_lifts_it_as_well(examination):
    lifted = {name: sitk.Cast(3 * image + 50, sitk.sitkFloat32) for name, image in examination.phases.items()}
    found = []
    for phases in (examination.phases, lifted):
        mean = float(array_of(phases["S0"])[array_of(examination.parenchyma) > 0].mean(dtype=float))
        zeros = dict.fromkeys(NAMES, prepare.darkest(phases["S0"]))
        found.append(prepare.normalised_maps(phases, dict.fromkeys(NAMES, mean)))
        found.append({m: prepare.normalised_map(phases, dict.fromkeys(NAMES, mean), m, zeros) for m in prepare.MAPS})
    plain_, grey, plain_lifted, grey_lifted = found
    for name in prepare.MAPS:
        assert array_of(grey[name]) == pytest.approx(array_of(grey_lifted[name]), abs=1e-5)
        assert array_of(plain_[name]) != pytest.approx(array_of(plain_lifted[name]), abs=1e-3)


def test_a_parenchyma_as_dark_as_the_zero_has_a_reason(examination):
    e = examination
    params = RadiomicFeatureParameters(greyscale="linear")
    (row,) = features_of_region("S0", "tumor", e.mask, {**e.band, "parenchyma_s0": 0.0}, e.images, None, params)
    assert row == {
        "region": "tumor", "map": "S0", "feature": "tumor.S0",
        "reason": "the parenchyma is not brighter than the zero of the greyscale",
    }  # fmt: skip
    shape = features_of_region("shape", "tumor", e.mask, {**e.band, "parenchyma_s0": 0.0}, e.images, None, params)
    assert len(shape) == 14, "shape has no greyscale"


def test_what_is_measured_again_is_on_the_same_greyscale(examination):
    e, params = examination, RetestFeatureParameters(greyscale="linear", perturbations=("noise",), noise=1e-9)
    of = {"region_map": KEY, "study_uid": "1.2"}
    images, tumors = e.images.assign(**of), pd.DataFrame([{**e.mask, **of}])
    again = retest_features(images, tumors, pd.DataFrame([{**e.band, **of}]), {KEY: 1}, params)
    first = features_of_region(
        "SI", "tumor", e.mask, e.band, e.images, None, RadiomicFeatureParameters(greyscale="linear")
    )
    values = {row["feature"]: row["value"] for row in first}
    for name in ("Mean", "Median", "Variance"):  # textures move by the bits at which an image with noise is kept
        feature = f"tumor.SI.firstorder.{name}"
        assert again.set_index("feature")["value"][feature] == pytest.approx(values[feature], rel=2e-3)


def test_without_a_word_of_it_settings_are_those_of_before():
    assert "greyscale" not in RadiomicFeatureParameters().model_dump(), "no result is due by it"
    assert RadiomicFeatureParameters(greyscale="linear").model_dump()["greyscale"] == "linear"


def test_features_on_another_greyscale_compare_with_none_of_the_others():
    def key(**said) -> str:
        parameters = RadiomicFeatureParameters(**said).model_dump_json()
        made = pd.DataFrame([{"analysis": "radiomic_features", "parameters": parameters}])
        return settings_of_study(made)["settings"]

    assert key(greyscale="none") == key() != key(greyscale="linear")


@pytest.mark.parametrize("said", ["zscore", "nyul", "standardised"])
def test_another_greyscale_is_refused_in_one_line(tmp_path, said):
    settings = Settings(tmp_path / "study.toml", f'{STUDY}[radiomic_features]\ngreyscale = "{said}"\n')
    with pytest.raises(InvalidInput) as refused:
        settings.parameters("radiomic_features", RadiomicFeatureParameters)
    assert "greyscale" in str(refused.value) and "none" in str(refused.value) and "linear" in str(refused.value)
    assert "\n" not in str(refused.value)
