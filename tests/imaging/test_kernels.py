"""The compiled kernels: PyRadiomics' values in random regions, the court, and what does not depend on PyRadiomics."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

import analyses
from analyses.imaging.images import court, features
from analyses.imaging.images.agreement import apart
from analyses.imaging.images.filters import filtered
from analyses.imaging.kernels.cubes import triangles
from analyses.imaging.kernels.logarithm import log2
from analyses.imaging.kernels.region import directions_of, levels_of, region_of
from analyses.imaging.kernels.shape import shape
from analyses.imaging.kernels.symmetric import eigenvalue, tridiagonal
from analyses.shared import compiling
from tests.support import regions
from tests.support.faults import FAULTS, make_faulty
from tshdb.errors import Untrustworthy
from tshdb.images.feature_names import NAMES, Settings

pytestmark = pytest.mark.xdist_group("radiomics")  # compiled once


# ------------------------------------------------------------------------------------------------- as PyRadiomics


@pytest.mark.parametrize("seed", range(28))
def test_a_random_region_has_pyradiomics_values(seed):
    """More of them: make soak PART=textures. What is not compared: `agreement`."""
    case = regions.case_of(seed)
    assert not regions.differences(case), case


def test_the_names_are_pyradiomics_in_its_order():
    import radiomics

    for class_, names in NAMES.items():
        own = radiomics.getFeatureClasses()[class_].getFeatureNames()
        assert names == tuple(name for name, is_deprecated in own.items() if not is_deprecated)


def test_both_engines_give_the_same_rows():
    case = regions.case_of(7)
    image, mask = sitk.GetImageFromArray(case.values), sitk.GetImageFromArray(case.inside.astype(np.uint8))
    for made in (image, mask):
        made.SetSpacing(case.spacing[::-1])
    for settings in (
        Settings(bin_width=0.1),
        Settings(bin_width=1e-5),
        Settings(bin_count=4, filters=("wavelet", "square")),
    ):
        found = features.of_map(image, mask, "tumor", "S0", settings)
        court.hear_map(found, image, mask, "tumor", "S0", settings, "here")
        assert len(found) == 93 * (9 if "wavelet" in settings.filters else 1)
    court.hear_shape(features.of_shape(mask), mask, "tumor", "here")


ALL_FILTERS = ("wavelet", "log-sigma-2", "square", "squareroot", "logarithm", "exponential", "gradient")
WAYS = {"wavelet": "Wavelet", "log-sigma-2": "LoG", "squareroot": "SquareRoot"}  # else its name


def image_of_numbers(values: np.ndarray) -> sitk.Image:
    made = sitk.GetImageFromArray(values)
    made.SetSpacing((0.8, 0.9, 2.0))
    return made


def by_imageoperations(image: sitk.Image, use_spacing: bool) -> list[tuple[str, sitk.Image]]:
    """(name, image) of every filter, by PyRadiomics' own functions."""
    imageoperations = pytest.importorskip("radiomics.imageoperations", reason="PyRadiomics is not installed here")
    found = []
    for name in ALL_FILTERS:
        make = getattr(imageoperations, f"get{WAYS.get(name, name.capitalize())}Image")
        made = make(image, image, sigma=[2.0], gradientUseSpacing=use_spacing)
        found += [(name if "log-" in name else of, band) for band, of, _ in made]
    return found


@pytest.mark.parametrize("use_spacing", [True, False])
@pytest.mark.parametrize("kind", ["signed", "odd", "positive", "small", "float32", "whole", "constant", "minus"])
def test_filtered_images_are_pyradiomics(kind, use_spacing):
    """Voxels of another height in each direction, so that per mm and per voxel differ. PyRadiomics has wavelets of 32 bits of an
    image of 32 bits."""
    size = (8, 11, 6) if kind == "odd" else (9, 12, 14)
    values = np.random.default_rng(0).standard_normal(size)
    values = {
        "positive": 1 + 0.2 * values, "small": 1e-4 * values, "float32": values.astype(np.float32),
        "whole": (300 * values).astype(np.int16), "constant": np.full(size, 0.37), "minus": np.full(size, -12.5),
    }.get(kind, values)  # fmt: skip
    image = image_of_numbers(values)
    wanted = by_imageoperations(image, use_spacing)
    found = list(filtered(image, ALL_FILTERS, use_spacing))
    assert [prefix for prefix, _, _ in found] == [f"{name}." for name, _ in wanted] and len(found) == 14
    for (_, ours, _), (name, theirs) in zip(found, wanted, strict=True):
        ours, theirs = sitk.GetArrayFromImage(ours), sitk.GetArrayFromImage(theirs)
        rounding = (1e-6 if kind == "float32" else 1e-13) * np.abs(values).max() if "wavelet" in name else 0
        assert ours == pytest.approx(theirs, rel=1e-9, abs=rounding)


def test_filtered_values_by_hand():
    """Of -4, 0, 1 and 4: squares over 4, roots times 2, 4 log 2 / log 5, powers of 4; and how steep they are."""
    image = image_of_numbers(np.tile([-4.0, 0.0, 1.0, 4.0], (4, 4, 1)))
    found = {name.rstrip("."): made for name, made, _ in filtered(image, ALL_FILTERS[2:])}
    rows = {name: sitk.GetArrayFromImage(made)[1, 2].tolist() for name, made in found.items()}
    share = 4 * math.log(2) / math.log(5)
    assert rows["square"] == pytest.approx([4, 0, 0.25, 4]) and rows["squareroot"] == pytest.approx([-4, 0, 2, 4])
    assert rows["logarithm"] == pytest.approx([-4, 0, share, 4])
    assert rows["exponential"] == pytest.approx([0.25, 1, math.sqrt(2), 4])
    assert rows["gradient"][1:3] == pytest.approx([5 / 1.6, 4 / 1.6], rel=1e-6)  # over 2 x 0.8 mm
    ((_, per_voxel, _),) = filtered(image, ("gradient",), use_spacing=False)
    assert sitk.GetArrayFromImage(per_voxel)[1, 2, 1:3] == pytest.approx([2.5, 2], rel=1e-6)


@pytest.mark.parametrize(
    ("value", "without", "why"),
    [(0.0, {"square", "logarithm", "exponential"}, "an image of zeros has no "),
     (math.nan, set(ALL_FILTERS[2:6]), "an image with voxels that are no numbers has no ")],
)  # fmt: skip
def test_an_image_of_which_a_filter_makes_nothing_says_so(value, without, why):
    values = np.zeros((5, 5, 5))
    values[0, 0, 0] = value
    found = {name.rstrip("."): (made, said) for name, made, said in filtered(image_of_numbers(values), ALL_FILTERS[2:])}
    assert {name for name, (made, _) in found.items() if made is None} == without
    assert all(found[name][1] == f"{why}{name}" for name in without)
    if not value:  # PyRadiomics' are of no numbers
        mask = sitk.GetImageFromArray(np.ones((5, 5, 5), np.uint8))
        court.hear_filters(image_of_numbers(values), mask, Settings(filters=ALL_FILTERS[2:]), "here")


def test_an_image_too_small_for_a_filter_has_rows_with_the_reason():
    image = sitk.GetImageFromArray(np.random.default_rng(0).standard_normal((3, 9, 9)))
    mask = sitk.GetImageFromArray(np.ones((3, 9, 9), np.uint8))
    found = features.of_map(image, mask, "tumor", "S0", Settings(filters=("original", "log-sigma-2")))
    assert len(found) == 2 * 93 and all(v.value is not None for v in found[:18])
    assert {v.reason for v in found[93:]} == {"an image of 9 x 9 x 3 voxels is too small for log-sigma-2"}


# ------------------------------------------------------------------------------------------------- the court


@pytest.mark.parametrize("fault", FAULTS)
def test_the_canary_sees_a_fault(monkeypatch, fault):
    make_faulty(monkeypatch, fault)
    court.canary.cache_clear()
    with pytest.raises(
        Untrustworthy, match=r"is [-\d.e]+ (by the compiled kernels|here) and [-\d.e]+ by PyRadiomics 3.0.1"
    ):
        court.canary()


def test_the_canary_lives():
    court.canary.cache_clear()
    assert court.is_open()
    court.canary()


def test_one_region_in_fifty_is_heard():
    heard = sum(court.is_heard(f"1.2.{n}|tumor|SI") for n in range(20_000))
    assert 320 < heard < 480


def test_agreement_is_to_a_billionth_and_not_of_what_is_rounding():
    ours = dict.fromkeys(NAMES["ngtdm"], 1.0)
    assert not apart("ngtdm", ours, ours | {"Busyness": 1 + 5e-10})
    assert apart("ngtdm", ours, ours | {"Busyness": 1 + 5e-9, "Strength": math.nan}) == ["Busyness", "Strength"]
    axes = dict.fromkeys(NAMES["shape"], 10.0)
    assert not apart("shape", axes | {"Flatness": 1e-9}, axes | {"Flatness": 0.0})
    assert apart("shape", axes, axes | {"SurfaceArea": 10.0001}) == ["SurfaceArea"]
    constant = dict.fromkeys(NAMES["firstorder"], 0.0) | {"Minimum": 3.0, "Maximum": 3.0}
    assert not apart("firstorder", constant, constant | {"Skewness": -1.0, "Variance": 1e-31})
    assert apart("firstorder", constant, constant | {"Skewness": -1.0, "Variance": 0.5}) == ["Skewness", "Variance"]


# ------------------------------------------------------------------------------------------------- by hand, and by numpy


def test_logarithms_are_those_of_the_standard_library():
    numbers = [2.0**-1074, 2.2e-16, 1e-5, 0.3, 0.7071067811865475, 0.7071067811865476, 1 + 2**-52, 1.0, 1.5, 7e300]
    for x in [*numbers, *np.random.default_rng(0).random(1000)]:
        assert log2(x) == pytest.approx(math.log2(x), rel=5e-16, abs=1e-300)


@pytest.mark.parametrize("n", [2, 3, 12, 60])
def test_eigenvalues_are_those_of_numpy(n):
    matrix = np.random.default_rng(n).standard_normal((n, n))
    matrix += matrix.T
    wanted = np.linalg.eigvalsh(matrix)
    diagonal, beside = tridiagonal(matrix.copy())
    assert [eigenvalue(diagonal, beside, k) for k in range(n)] == pytest.approx(wanted, abs=1e-12 * n)


def test_the_shape_of_one_voxel_is_an_octahedron():
    """Vertices half a voxel away in six directions: 8 triangles of sides a, b, c; volume 4/3 of the half axes' product."""
    found = dict(zip(NAMES["shape"], shape(np.ones((1, 1, 1), bool), (2.0, 1.0, 1.0)), strict=True))
    assert found["MeshVolume"] == pytest.approx(4 / 3 * 1.0 * 0.5 * 0.5)
    side, base = math.hypot(1.0, 0.5), math.hypot(0.5, 0.5)
    assert found["SurfaceArea"] == pytest.approx(8 * base / 2 * math.sqrt(side**2 - base**2 / 4))
    diameters = [
        found[f"Maximum{what}"] for what in ("3DDiameter", "2DDiameterSlice", "2DDiameterColumn", "2DDiameterRow")
    ]
    assert diameters == pytest.approx([2.0, 1.0, 2.0, 2.0])


def test_a_cube_of_the_table_cuts_its_corners_off():
    which, corners = triangles()
    assert set(which) == set(range(1, 128)) and len(which) == 83 + 36 * 2 + 36 * 3 + 22 * 4 + 9 * 5
    one = corners[which == 1]  # the corner (0, 0, 0) alone
    assert sorted(map(tuple, one[0].tolist())) == [(0.0, 0.0, 0.5), (0.0, 0.5, 0.0), (0.5, 0.0, 0.0)]
    assert (np.cross(one[0, 1] - one[0, 0], one[0, 2] - one[0, 0]) > 0).all()  # away from it


def test_a_value_on_an_edge_is_in_the_bin_above():
    edges = np.array([0.0, 0.1, 0.2, 0.30000000000000004, 0.4])
    values = np.array([0.0, 0.1, 0.15, 0.3, 0.30000000000000004, 0.39999])
    assert levels_of(values, edges).tolist() == np.digitize(values, edges).tolist() == [1, 2, 2, 3, 4, 4]


def test_directions_are_thirteen_and_four():
    assert len(directions_of((1,), False)) == 13 and len(directions_of((1,), True)) == 4
    assert len(directions_of((1, 2), False)) == 62 and (directions_of((2,), True)[:, 0] == 0).all()
    steps = {tuple(s) for s in directions_of((1, 2), False)}
    assert not steps & {tuple(-np.array(s)) for s in steps}


def test_a_region_keeps_its_values_in_order_and_stands_in_a_border():
    values = np.arange(8.0).reshape(2, 2, 2)
    region = region_of(values, values > 2, 1.0, border=2)
    assert region.values.tolist() == [3, 4, 5, 6, 7] and region.grey.shape == (6, 6, 6)
    assert region.grey.ravel()[region.places].tolist() == [1, 2, 3, 4, 5] and region.top == 5


# ------------------------------------------------------------------------------------------------- compiling


def test_every_kernel_is_in_the_digest():
    package = Path(analyses.__file__).parent
    listed = {path for pattern in compiling.SOURCES for path in package.glob(pattern)}
    using = {p for p in package.rglob("*.py") if "\n@kernel\n" in p.read_text() or "njit" in p.read_text()}
    assert using <= listed and compiling.package_of(log2.py_func) == package


def test_the_cache_is_another_when_a_kernel_changes(tmp_path):
    (tmp_path / "imaging/kernels").mkdir(parents=True)
    file = tmp_path / "imaging/kernels/a.py"
    file.write_text("a = 1\n")
    before = compiling.digest_of_kernels(tmp_path)
    file.write_text("a = 2\n")
    assert compiling.digest_of_kernels(tmp_path) != before


def test_kernels_run_where_nothing_can_be_written(tmp_path):
    """No cache, no home: each process compiles for itself."""
    code = "from analyses.imaging.kernels.logarithm import log2; from analyses.shared.compiling import cache_folder, package_of; "
    code += "print(log2(8.0), cache_folder(package_of(log2.py_func)))"
    env = {"PYTHONPATH": str(Path(analyses.__file__).parents[1]), "TSHDB_KERNELS": "/proc/none", "PATH": "/usr/bin"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["3.0", "None"]
