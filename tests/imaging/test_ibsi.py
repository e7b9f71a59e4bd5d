"""Features with IBSI's definitions: its digital phantom, where they differ from PyRadiomics', by hand, and what is refused."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import SimpleITK as sitk

from analyses.imaging.images import court, features
from analyses.imaging.kernels.classes import of_classes
from analyses.imaging.kernels.region import region_of
from tests.support import regions
from tests.support.phantom import agrees, phantom, values
from tshdb.images.feature_names import CLASSES, NAMES, Settings
from tshdb.images.ibsi import IDS

pytestmark = pytest.mark.xdist_group("radiomics")  # compiled once
IBSI = Settings(bin_width=1.0, definition="ibsi")


@pytest.mark.parametrize(("where", "n"), [("3D", 102), ("2.5D", 74)])
def test_every_feature_of_the_phantom_is_within_the_tolerance(where, n):
    """Reference manual, arXiv:1612.07003. In three dimensions ours are the averages over directions, ITBB."""
    reference, found = phantom()[where], values("ibsi", where == "2.5D")
    assert len(reference) == n
    assert not {
        f: (found[f], want) for f, (want, tolerance) in reference.items() if not agrees(found[f], want, tolerance)
    }


def test_pyradiomics_kurtosis_and_axes_are_beside_it():
    reference, found = phantom()["3D"], values("pyradiomics", False)
    off = {f for f, (want, tolerance) in reference.items() if not agrees(found[f], want, tolerance)}
    assert off == {"firstorder.Kurtosis", "shape.MinorAxisLength", "shape.LeastAxisLength"}
    assert found["firstorder.Kurtosis"] - values("ibsi", False)["firstorder.Kurtosis"] == pytest.approx(3)


def test_identifiers_are_of_our_features_and_each_of_one():
    known = [identifier for names in IDS.values() for identifier in names.values()]
    assert len(known) == len(set(known)) == 102 and all(len(i) == 4 for i in known)
    assert all(name in NAMES[class_] for class_, names in IDS.items() for name in names)
    said = {"Mean": "Q4LE", "Variance": "ECT3", "Kurtosis": "IPH6"}
    assert all(IDS["firstorder"][name] == identifier for name, identifier in said.items())


def test_the_schema_says_them(quick, tmp_path):
    said = json.loads(quick("schema", "radiomic_features", "--json", cwd=tmp_path).stdout)["features"]
    assert len(said) == 107 and said["glcm.Idmn"] == "1QCO" and said["glcm.MCC"] == ""


def test_bins_begin_where_it_is_said():
    """Level 1 + floor((x - start) / width): 13 widths from -1 to 0.3."""

    def levels(width: float, start: float | None) -> list[int]:
        found = np.array([[[0.3, 0.35, 0.5, 0.8]]])
        region = region_of(found, found > 0, width, start=start)
        return region.grey.ravel()[region.places].tolist()

    assert levels(0.25, None) == [1, 1, 2, 3]  # PyRadiomics: 0.25, 0.5, 0.75
    assert levels(0.25, 0.3) == [1, 1, 1, 3]  # 0.3, 0.55, 0.8
    assert levels(0.1, -1.0) == [14, 14, 16, 19]


def test_a_voxel_below_the_first_bin_leaves_no_value():
    image = sitk.GetImageFromArray(np.arange(64.0).reshape(4, 4, 4))
    mask = sitk.GetImageFromArray(np.ones((4, 4, 4), np.uint8))
    given = Settings(bin_width=8.0, definition="ibsi", bin_start=2.0)
    found = features.of_map(image, mask, "tumor", "S0", given)
    assert len(found) == 93 and {(v.value, v.reason) for v in found} == {
        (None, "2 of 64 voxels are below bin_start = 2")
    }


def by_name(values_: np.ndarray, inside: np.ndarray, settings: Settings, class_: str) -> dict[str, float]:
    found = of_classes(region_of(values_, inside, 1.0, start=1.0), CLASSES, settings, 1.0)[class_]
    return dict(zip(NAMES[class_], found.tolist(), strict=True))


def test_a_voxel_without_a_neighbour_is_in_no_neighbourhood():
    """Two pairs 1 2 and one voxel alone: of four voxels p = 1/2, s = 2 x 1 of each level. Coarseness 1 / (1 + 1); with the fifth,
    a 3 without neighbours, in PyRadiomics 1 / (2/5 x 2 x 2)."""
    grey = np.array([[[1.0, 2, 0, 1, 2, 0, 3]]])
    ours, theirs = (by_name(grey, grey > 0, Settings(definition=d), "ngtdm") for d in ("ibsi", "pyradiomics"))
    assert ours["Coarseness"] == pytest.approx(1 / 2) and theirs["Coarseness"] == pytest.approx(1 / 1.6)
    assert ours["Complexity"] == pytest.approx(1 / 4 * 2 * (1 / 2 * 2 + 1 / 2 * 2) / 1)
    alone = np.array([[[1.0, 0, 2]]])
    assert all(math.isnan(v) for v in by_name(alone, alone > 0, IBSI, "ngtdm").values())


def test_every_direction_has_runs():
    """A row of 1 1 2 has 2 runs along, and 3 runs of one voxel in each of the other twelve directions."""
    row = np.array([[[1.0, 1, 2]]])
    ours, theirs = (by_name(row, row > 0, Settings(definition=d), "glrlm") for d in ("ibsi", "pyradiomics"))
    assert theirs["RunPercentage"] == pytest.approx(2 / 3) and ours["RunPercentage"] == pytest.approx((2 / 3 + 12) / 13)


def test_a_constant_region_has_no_kurtosis_below_0():
    values_ = np.full((3, 3, 3), 2.0)
    assert by_name(values_, values_ > 0, IBSI, "firstorder")["Kurtosis"] == 0


def test_the_court_hears_a_region_with_its_own_definitions():
    case = regions.case_of(8)
    image, mask = sitk.GetImageFromArray(case.values), sitk.GetImageFromArray(case.inside.astype(np.uint8))
    given = Settings(bin_width=0.1, definition="ibsi")
    court.hear_map(features.of_map(image, mask, "tumor", "S0", given), image, mask, "tumor", "S0", given, "here")
