"""Images at the study's voxel size, kept as the scanner's voxels: SimpleITK and scipy are the referees, to the last digit."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage

from analyses.imaging.images import breast, prepare, tumor
from analyses.imaging.images.grids import array_of, image_of, nrrd
from tshdb.images.prepared import KEY, as_kept, geometry, grid_of, places, prepared, read, read_box

SAGITTAL = (0, 0, -1, 1, 0, 0, 0, -1, 0)
TURNS = [(0.0, 0.0), (0.1, 0.0), (0.1, 0.3)]


def turned(about_z: float, about_x: float) -> tuple[float, ...]:
    """The directions of axial slices, turned by two angles."""
    c, s, d, t = np.cos(about_z), np.sin(about_z), np.cos(about_x), np.sin(about_x)
    return tuple((np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ np.array([[1, 0, 0], [0, d, -t], [0, t, d]])).ravel())


def scanned(values: np.ndarray, spacing=(1.3, 1.1, 3.0), direction=SAGITTAL) -> sitk.Image:
    image = sitk.GetImageFromArray(values)
    image.SetSpacing(spacing)
    image.SetOrigin((-81.3, 22.7, 13.19))
    image.SetDirection(direction)
    return image


def noise(shape=(9, 40, 31), low=0, high=3000, dtype=np.float32) -> np.ndarray:
    return np.random.default_rng(4).integers(low, high, shape).astype(dtype)


def by_itk(image: sitk.Image, grid: sitk.Image, interpolator=sitk.sitkLinear) -> np.ndarray:
    """Values on a grid, as SimpleITK resamples them."""
    make = sitk.ResampleImageFilter()
    make.SetReferenceImage(grid)
    make.SetInterpolator(interpolator)
    make.SetUseNearestNeighborExtrapolator(interpolator == sitk.sitkLinear)
    return array_of(make.Execute(image))


@pytest.mark.parametrize("direction", [SAGITTAL, *(turned(*t) for t in TURNS)])
@pytest.mark.parametrize("spacing", [(1.6, 1.6, 3.0), (0.703125, 0.703125, 2.4), (0.6, 1.1, 0.9)])
def test_linear_interpolation_is_that_of_simpleitk(direction, spacing):
    image = scanned(noise() / np.float32(7), spacing, direction)
    made = prepare.resample(image)
    theirs = by_itk(image, made)
    assert np.allclose(array_of(made), theirs, rtol=2.0**-23, atol=0) and (array_of(made) != theirs).mean() < 0.01
    if direction == SAGITTAL:  # places of a turned grid have no last digit that all agree on
        assert np.array_equal(array_of(made), theirs)
    assert min(place[0] for place in places(image, made)) < 0  # before the first voxel its value goes on


@pytest.mark.parametrize("direction", [SAGITTAL, turned(0.1, 0.3)])
def test_the_nearest_voxel_is_that_of_simpleitk(direction):
    mask = scanned(noise(high=2, dtype=np.uint8), direction=direction)
    like = prepare.target_grid(mask)
    like.SetOrigin(like.TransformContinuousIndexToPhysicalPoint((-2.7, 3.1, -1.2)))
    made = array_of(prepare.resample_mask(mask, like))
    assert np.array_equal(made, by_itk(mask, like, sitk.sitkNearestNeighbor)) and 0 < made.mean() < 0.5


@pytest.mark.parametrize(
    "values, kind",
    [
        (noise(), "16-bit signed integer"),
        (noise(low=-900), "16-bit signed integer"),
        (noise(high=65_000), "16-bit unsigned integer"),
        (noise(low=-900, high=65_000), "32-bit float"),
        (noise() * np.float32(0.37), "32-bit float"),
    ],
)
def test_what_is_read_is_what_was_made(tmp_path, values, kind):
    """From the scanned voxels and both grids, whatever their numbers; and as if SimpleITK had made and rounded it."""
    image = scanned(values, direction=turned(0.1, 0.3))
    grid = prepare.target_grid(image)
    path = tmp_path / "image.nrrd"
    path.write_bytes(nrrd(as_kept(image, grid)))
    held = sitk.ReadImage(str(path))
    assert held.GetPixelIDTypeAsString() == kind and np.array_equal(array_of(held), values)
    made = read(path)
    assert np.array_equal(array_of(made), array_of(prepare.rounded(sitk.GetImageFromArray(by_itk(image, grid)))))
    assert np.array_equal(array_of(made), prepared(image, grid))
    assert grid_of(made) == grid_of(grid) == grid_of(geometry(path))
    box = (slice(2, 7), slice(0, 3), slice(5, 6))
    assert np.array_equal(read_box(path, box), array_of(made)[box])


def test_an_image_that_is_smaller_than_what_was_scanned_is_kept_itself(tmp_path):
    image = scanned(noise(), (0.3, 0.4, 1.0))
    grid = prepare.target_grid(image)
    assert as_kept(image, grid) is None
    path = tmp_path / "image.nrrd"
    path.write_bytes(nrrd(image_of(prepared(image, grid), grid)))
    made = read(path)
    assert not made.HasMetaDataKey(KEY) and np.array_equal(array_of(made), prepared(image, grid))
    assert np.array_equal(read_box(path, (slice(1, 2),) * 3), array_of(made)[1:2, 1:2, 1:2])
    assert geometry(path).GetSize() == made.GetSize() and geometry(path).GetOrigin() == made.GetOrigin()


@pytest.mark.parametrize("skin_mm", [0.0, 2.0, 3.0, 4.1])
@pytest.mark.parametrize("spacing", [(2.0, 0.8, 0.8), (1.0, 1.0, 1.0), (5.0, 0.7, 1.3)])
def test_below_the_skin_is_what_lies_far_from_all_air(spacing, skin_mm):
    """By scipy's distances to air, with a layer of air in front of the view."""
    random = np.random.default_rng(5)
    front = random.integers(0, 12, (14, 13))
    has_skin = random.random(front.shape) < 0.97
    y = np.arange(16)[None, :, None]
    body = (y >= front[:, None, :]) & has_skin[:, None, :]
    in_front = np.pad(body, ((0, 0), (1, 0), (0, 0)))
    wanted = body & (ndimage.distance_transform_edt(in_front, sampling=spacing)[:, 1:] > skin_mm)
    under, is_under = breast._under_skin(front, has_skin, np.array(spacing), skin_mm)
    assert wanted.any() and np.array_equal((y >= under[:, None, :]) & is_under[:, None, :], wanted)


def test_what_is_thin_is_taken_away_as_scipy_does():
    inside = ndimage.binary_dilation(np.random.default_rng(6).random((12, 15, 14)) < 0.05, iterations=2)
    assert np.array_equal(breast._opened(inside), ndimage.binary_opening(inside)) and breast._opened(inside).any()


def test_moments_are_those_of_all_voxels():
    values = noise(high=60_000) / np.float32(7)
    assert prepare.moments(values) == pytest.approx((values.mean(dtype=float), values.std(dtype=float)), rel=1e-13)


def test_the_seed_is_the_strongest_smoothed_voxel_deep_in_the_breast():
    """As scipy finds it in the whole image; brighter voxels near the breast's border and outside of it are not looked at."""
    inside = np.zeros((30, 40, 40), np.uint8)
    inside[2:26, 5:36, 0:33] = 1
    values = noise(inside.shape)
    values[13, 6, 15] = values[28, 38, 38] = 1e6
    image, mask = (scanned(v, (1.1, 0.9, 1.6)) for v in (values, inside))
    spacing = (1.6, 0.9, 1.1)
    deep = ndimage.distance_transform_edt(inside, sampling=spacing) > tumor.PEAK_DEPTH_MM
    smooth = ndimage.gaussian_filter(values.astype(float), tumor.PEAK_MM / np.array(spacing))
    wanted = np.unravel_index(np.argmax(np.where(deep, smooth, -np.inf)), deep.shape)
    assert image.TransformPhysicalPointToIndex(tumor.peak(image, mask)) == tuple(int(v) for v in wanted[::-1])
