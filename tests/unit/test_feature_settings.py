"""Settings of radiomic features: what can give nothing is refused by its name, and what is measured again is measured alike."""

from __future__ import annotations

import pytest

from analyses.imaging.feature_settings import FILTERS, settings_of
from analyses.imaging.lesion_features import LesionFeatureParameters
from analyses.imaging.radiomic_features import RadiomicFeatureParameters
from analyses.imaging.retest_features import RetestFeatureParameters
from tshdb.config import Settings
from tshdb.errors import InvalidInput


def settings(tmp_path, text: str) -> Settings:
    path = tmp_path / "study.toml"
    return Settings(path, f'[study]\nname = "a"\n{text}')


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("filters = []", "without a filter there is no image to measure"),
        ('filters = ["original", "log-sigma-0"]', "no filter 'log-sigma-0'"),
        ('filters = ["log-sigma-x"]', "no filter 'log-sigma-x'"),
        ('filters = ["log-sigma-inf"]', "no filter 'log-sigma-inf'"),
        ('filters = ["wavlet"]', "no filter 'wavlet': original, wavelet"),
        ('filters = ["wavelet", "wavelet"]', "a filter stands there twice"),
        ("gradient_use_spacing = false", "without the filter gradient it changes nothing: add"),
        ('definition = "mine"', "input should be 'pyradiomics' or 'ibsi'"),
        ('definition = "ibsi"\nengine = "pyradiomics"', 'engine = "pyradiomics" has its own definitions alone'),
        ('filters = ["original", "square"]\ndefinition = "ibsi"', "filters are PyRadiomics' and not of definition"),
        ("bin_start = 0.0", "begin at multiples of bin_width"),
        ('bin_start = 0.0\ndefinition = "ibsi"\nbin_count = 8', "with bin_count grey levels begin at the least value"),
        ("distances = []", "without a distance no voxel has a neighbour"),
        ("distances = [0]", "a neighbour at 0 voxels gives no texture: 1 to 20"),
        ("distances = [-1]", "a neighbour at -1 voxels gives no texture"),
        ("distances = [40]", "a neighbour at 40 voxels gives no texture"),
        ("distances = [1, 1]", "a distance stands there twice"),
        ("distances = [13, 14, 15, 16, 17, 18]", "more than 32,768 neighbours of a voxel"),
    ],
)
def test_what_gives_nothing_is_refused_by_its_name(tmp_path, line, said):
    found = settings(tmp_path, f"[radiomic_features]\n{line}\n")
    with pytest.raises(InvalidInput, match=said) as refused:
        found.parameters("radiomic_features", RadiomicFeatureParameters)
    assert "value error" not in str(refused.value)
    assert f":4: [radiomic_features] {line.partition(' ')[0]}: " in str(refused.value)


def test_the_retest_takes_the_settings_of_the_features(tmp_path):
    text = '[radiomic_features]\nbin_width = 0.1\nforce_2d = true\ndistances = [2]\nper_phase = true\nfilters = ["wavelet"]\n'
    found = settings(tmp_path, text)
    again = found.parameters("retest_features", RetestFeatureParameters, "radiomic_features").model_dump()
    once = found.parameters("radiomic_features", RadiomicFeatureParameters).model_dump()
    assert again == once | {"perturbations": (), "noise": 0.05} and once["bin_width"] == 0.1


def test_a_setting_that_came_later_is_none_of_the_parameters_while_it_has_its_default(tmp_path):
    """So that the features of a study that does not ask are not due."""
    found = settings(tmp_path, "").parameters("radiomic_features", RadiomicFeatureParameters)
    assert "gradient_use_spacing" not in found.model_dump()
    text = '[radiomic_features]\nfilters = ["gradient"]\ngradient_use_spacing = false\n'
    for name, kind in (("radiomic_features", RadiomicFeatureParameters), ("retest_features", RetestFeatureParameters)):
        asked = settings(tmp_path, text).parameters(name, kind, "radiomic_features")
        assert asked.model_dump()["gradient_use_spacing"] is False and not settings_of(asked).gradient_use_spacing
    twice = settings(tmp_path, text + "[retest_features]\ngradient_use_spacing = false\n")
    assert not twice.parameters("retest_features", RetestFeatureParameters, "radiomic_features").gradient_use_spacing


def test_a_set_of_features_says_whose_definitions_they_are(tmp_path):
    import pandas as pd

    from analyses.signature.how_made import settings_of_study

    made = {}
    for name, text in (("pyradiomics", ""), ("ibsi", '[radiomic_features]\ndefinition = "ibsi"\n')):
        params = settings(tmp_path, text).parameters("radiomic_features", RadiomicFeatureParameters)
        row = {"analysis": "radiomic_features", "parameters": params.model_dump_json()}
        made[name] = settings_of_study(pd.DataFrame([row]))
    assert (
        made["pyradiomics"]["software"] == "pyradiomics 3.0.1" and "definition" not in made["pyradiomics"]["settings"]
    )
    assert made["ibsi"]["software"].startswith("ibsi 1") and '"definition":"ibsi"' in made["ibsi"]["settings"]


def test_every_filter_that_may_be_asked_for_is_one():
    import SimpleITK as sitk

    from analyses.imaging.images.filters import filtered

    made = {
        prefix.partition("-")[0].rstrip(".")
        for prefix, _, _ in filtered(sitk.Image(4, 4, 4, sitk.sitkFloat64), FILTERS)
    }
    assert made == {"" if name == "original" else name for name in FILTERS}


@pytest.mark.parametrize(
    ("name", "kind"), [("retest_features", RetestFeatureParameters), ("lesion_features", LesionFeatureParameters)]
)
def test_a_setting_that_says_something_else_elsewhere_is_refused(tmp_path, name, kind):
    other = settings(tmp_path, f"[radiomic_features]\nbin_width = 0.1\n[{name}]\nbin_width = 0.05\n")
    with pytest.raises(InvalidInput, match=r"found 0.05, but \[radiomic_features\] has 0.1, and both must be the same"):
        other.parameters(name, kind, "radiomic_features")
    unsaid = settings(tmp_path, f"[{name}]\nbin_width = 0.1\n")
    with pytest.raises(InvalidInput, match=r"found 0.1, but \[radiomic_features\] has 0.05"):
        unsaid.parameters(name, kind, "radiomic_features")
    same = settings(tmp_path, f"[radiomic_features]\nbin_width = 1\n[{name}]\nbin_width = 1.0\n")
    assert same.parameters(name, kind, "radiomic_features").bin_width == 1  # as values, not as they are written
