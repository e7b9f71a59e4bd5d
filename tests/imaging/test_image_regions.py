"""Regions of images on phantoms whose answers are known by arithmetic, and on the simulated breast."""

from __future__ import annotations

import math

import numpy as np
import pytest
import SimpleITK as sitk

from analyses.imaging.images import breast, features, prepare, stroma, tumor
from analyses.imaging.images.fuzzy import clusters
from analyses.imaging.images.grids import array_of, box_of, cropped, image_of, turn_of
from ingest.simulate.breast import Scan, scanned
from ingest.simulate.dicom_files import Geometry
from ingest.simulate.subjects import SimulationSettings, stream

ANISOTROPIC = (0.8, 0.8, 2.0)


def image(values: np.ndarray, spacing=ANISOTROPIC, origin=(0.0, 0.0, 0.0), direction=None) -> sitk.Image:
    made = sitk.GetImageFromArray(np.ascontiguousarray(values))
    made.SetSpacing(spacing)
    made.SetOrigin(origin)
    if direction is not None:
        made.SetDirection(direction)
    return made


def on(geometry: Geometry, values: np.ndarray) -> sitk.Image:
    """An image of the simulator."""
    row, column = np.array(geometry.orientation[:3]), np.array(geometry.orientation[3:])
    rows, columns, slices = geometry.spacing_mm
    direction = np.column_stack([row, column, np.cross(row, column)]).ravel().tolist()
    return image(values, (columns, rows, slices), geometry.origin_mm, direction)


def ball(shape, spacing, radius_mm: float, middle=None) -> np.ndarray:
    """1 within a radius of the middle. shape, middle: (slices, rows, columns)."""
    middle = [(n - 1) / 2 for n in shape] if middle is None else middle
    d = [(i - m) * s for i, m, s in zip(np.indices(shape), middle, spacing[::-1], strict=True)]
    return (sum(x**2 for x in d) <= radius_mm**2).astype(np.uint8)


# ------------------------------------------------------------------------------------------------- resampling


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 2.4), (0.6, 0.6, 3.0), (1.3, 0.9, 1.0)])
def test_resampling_keeps_volume_and_centroid(spacing):
    """Of a ball of 15 mm, off the middle, in a turned frame: its volume to 1 %, its centroid to a fraction of a voxel."""
    shape = tuple(round(60 / s) for s in spacing[::-1])
    angle = math.radians(20)
    direction = [math.cos(angle), -math.sin(angle), 0, math.sin(angle), math.cos(angle), 0, 0, 0, 1]
    middle = [n / 2 + 2 for n in shape]
    mask = image(ball(shape, spacing, 15.0, middle), spacing, (10.0, -20.0, 5.0), direction)
    grid = prepare.target_grid(mask)
    smooth = prepare.resample(sitk.Cast(mask, sitk.sitkFloat32))
    exact = prepare.resample_mask(mask, grid)
    assert smooth.GetSpacing() == pytest.approx(prepare.SPACING_MM) and smooth.GetDirection() == pytest.approx(
        direction
    )
    assert np.allclose(np.array(smooth.GetSize()) * prepare.SPACING_MM, np.array(mask.GetSize()) * spacing, atol=1.01)

    def weighed(made: sitk.Image) -> tuple[float, np.ndarray]:
        values = array_of(made).astype(float)
        index = np.array([(values * i).sum() / values.sum() for i in np.indices(values.shape)])[::-1]
        return values.sum() * np.prod(made.GetSpacing()), np.array(made.TransformContinuousIndexToPhysicalPoint(index))

    volume, place = weighed(mask)
    # a mask has whole voxels: its centroid is off by as much as they are coarser or finer
    for made, tolerance, off in ((smooth, 0.01, 0.1), (exact, 0.03, 0.6)):
        v, p = weighed(made)
        assert v == pytest.approx(volume, rel=tolerance)
        assert np.linalg.norm(p - place) < off


@pytest.mark.parametrize("angle", [0, 7, 20, 33, 77])
def test_halfway_between_two_voxels_the_higher_index_counts_however_the_grid_is_turned(angle):
    """256 rows of 0.703125 mm on 225 of 0.8: the middle row lies halfway between two; so does every second of 10 slices on 5."""
    a = math.radians(angle)
    direction = [math.cos(a), -math.sin(a), 0, math.sin(a), math.cos(a), 0, 0, 0, 1]
    random = np.random.default_rng(1)
    mask = image(
        (random.random((10, 256, 3)) < 0.5).astype(np.uint8), (0.8, 0.703125, 1.0), (157.8, -106.7, 78.0), direction
    )
    made = array_of(prepare.resample_mask(mask, prepare.target_grid(mask, (0.8, 0.8, 2.0))))
    rows = np.floor(np.round(127.5 + (np.arange(225) - 112) * 0.8 / 0.703125, 9) + 0.5).astype(int)
    assert rows[112] == 128 and made.shape == (5, 225, 3)
    assert np.array_equal(made, array_of(mask)[1::2][:, rows])


def test_linear_interpolation_does_not_overshoot_and_a_constant_stays():
    noisy = image(np.random.default_rng(1).uniform(5, 9, (20, 30, 30)).astype(np.float32), (1.1, 1.1, 2.7))
    made = array_of(prepare.resample(noisy))
    assert made.min() >= 5 and made.max() <= 9
    flat = image(np.full((9, 9, 9), 3.25, np.float32), (1.5, 1.5, 1.5))
    assert (array_of(prepare.resample(flat)) == 3.25).all()
    assert (array_of(prepare.rounded(prepare.resample(flat))) == 3.25).all()


def test_rounded_voxels_are_near_and_shorter():
    values = np.random.default_rng(2).uniform(-50, 4000, (8, 8, 8)).astype(np.float32)
    made = array_of(prepare.rounded(image(values)))
    assert np.abs(made / values - 1).max() <= 2.0**-12 and not (made.view(np.uint32) & 0xFFF).any()


def test_maps_are_differences_of_normalised_phases():
    s0, early, late = (image(np.full((2, 3, 3), v, np.float32)) for v in (100.0, 180.0, 150.0))
    breast_, tumor_ = (image(np.ones((2, 3, 3), np.uint8)), image(np.zeros((2, 3, 3), np.uint8)))
    assert prepare.parenchyma_mean(s0, breast_, tumor_) == (100.0, 18)
    made = prepare.normalised_maps({"S0": s0, "intermediate": early, "last": late}, dict.fromkeys(
        ("S0", "intermediate", "last"), 100.0))  # fmt: skip
    assert [float(array_of(made[m]).mean()) for m in prepare.MAPS] == pytest.approx([1.0, 0.8, 0.5])
    with pytest.raises(ValueError, match="no parenchyma"):
        prepare.parenchyma_mean(s0, breast_, breast_)
    with pytest.raises(ValueError, match="another grid than S0"):
        prepare.normalised_maps({"S0": s0, "intermediate": early, "last": image(np.ones((2, 3, 4), np.float32))}, dict.fromkeys(
            ("S0", "intermediate", "last"), 1.0))  # fmt: skip


def test_turning_upright_and_back_changes_nothing():
    direction = [0, 0, -1, 1, 0, 0, 0, -1, 0]  # sagittal: columns to the back, rows down, slices to the right
    made = image(np.random.default_rng(3).random((4, 5, 6)).astype(np.float32), (0.7, 0.9, 2.0), (1, 2, 3), direction)
    turn, by_itk = turn_of(made), sitk.DICOMOrient(made, "LPS")
    turned = turn.upright(array_of(made))
    assert np.array_equal(turned, array_of(by_itk)) and np.array_equal(turn.back(turned), array_of(made))
    assert (turn.origin, turn.spacing) == (by_itk.GetOrigin(), by_itk.GetSpacing()[::-1])
    box = box_of(array_of(made) > 0.9, (1, 1, 1))
    part = cropped(made, box)
    assert np.array_equal(array_of(part), array_of(made)[box])
    first = made.TransformIndexToPhysicalPoint([int(s.start) for s in box[::-1]])
    assert part.GetOrigin() == pytest.approx(first)


# ------------------------------------------------------------------------------------------------- fuzzy c-means


def plain_fcm(x: np.ndarray, start: np.ndarray, m: float, rounds: int) -> tuple[np.ndarray, np.ndarray]:
    """Bezdek's algorithm in loops over voxels, written for this test: (centres, memberships)."""
    centres = start.astype(float)
    u = np.zeros((len(centres), len(x)))
    for _ in range(rounds):
        for j, value in enumerate(x):
            d = [abs(value - c) for c in centres]
            for i in range(len(centres)):
                if 0 in d:
                    u[i, j] = float(d[i] == 0) / d.count(0)
                else:
                    u[i, j] = 1 / sum((d[i] / other) ** (2 / (m - 1)) for other in d)
        centres = np.array([(u[i] ** m * x).sum() / (u[i] ** m).sum() for i in range(len(centres))])
    return centres, u


@pytest.mark.parametrize("m", [2.0, 1.6])
def test_without_neighbours_it_is_plain_fuzzy_c_means(m):
    random = np.random.default_rng(4)
    x = np.concatenate([random.normal(10, 2, 60), random.normal(30, 4, 40)])
    found = clusters(x.reshape(4, 5, 5), m=m, p=1, q=0, tolerance=0, most_rounds=80)
    centres, u = plain_fcm(x, np.quantile(x, [0.25, 0.75]), m, 80)
    assert found.centres == pytest.approx(np.sort(centres), rel=1e-9)
    assert found.memberships.reshape(2, -1) == pytest.approx(u[np.argsort(centres)], abs=1e-6)


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    return 2 * (a & b).sum() / (a.sum() + b.sum())


@pytest.mark.parametrize("noise", [0.2, 0.3, 0.5])
def test_neighbours_help_against_noise(noise):
    """On a noisy ball: Dice at least .95 where plain fuzzy c-means still sees it, and never below plain."""
    truth = ball((20, 40, 40), ANISOTROPIC, 12.0).astype(bool)
    values = truth + noise * np.random.default_rng(5).standard_normal(truth.shape)
    spatial, plain = (
        overlap(clusters(values, p=1, q=q).memberships[-1] >= 0.5, truth) for q in (1, 0)
    )  # fmt: skip
    assert spatial >= plain
    assert spatial >= 0.95 or noise > 0.4
    assert clusters(values).memberships.sum(axis=0) == pytest.approx(np.ones(truth.shape))


def test_a_flat_region_makes_no_clusters_and_a_mask_keeps_others_out():
    with pytest.raises(ValueError, match="1 different values"):
        clusters(np.full((3, 3, 3), 7.0))
    values = ball((10, 20, 20), ANISOTROPIC, 6.0).astype(float)
    inside = np.ones(values.shape, bool)
    inside[:, :4] = False
    disturbed = np.where(inside, values, 1e6)
    assert clusters(disturbed, inside=inside).centres == pytest.approx(clusters(values, inside=inside).centres)
    assert (clusters(disturbed, inside=inside).memberships[:, ~inside] == 0).all()


# ------------------------------------------------------------------------------------------------- tumour and stroma


def test_an_outline_grows_from_its_seed_alone_and_has_no_holes():
    shape = (24, 60, 60)
    lesion = ball(shape, ANISOTROPIC, 9.0, (12, 30, 20))
    core = ball(shape, ANISOTROPIC, 3.0, (12, 30, 20))
    other = ball(shape, ANISOTROPIC, 5.0, (12, 30, 48))
    values = 10 + 100 * (lesion - core) + 100.0 * other + np.random.default_rng(6).normal(0, 8, shape)
    enhancement, everywhere = image(values.astype(np.float32)), image(np.ones(shape, np.uint8))
    seed = enhancement.TransformIndexToPhysicalPoint((20, 24, 12))
    found = tumor.from_seed(enhancement, everywhere, seed)
    mask = array_of(found.mask) > 0
    assert overlap(mask, lesion > 0) > 0.95 and mask[12, 30, 20] and not (mask & (other > 0)).any()
    assert not found.touches_box and found.clusters.has_settled
    again = tumor.from_seed(enhancement, everywhere, seed)
    assert np.array_equal(array_of(again.mask), array_of(found.mask))
    half = image((np.arange(60)[None, None, :] >= 20) * np.ones(shape, np.uint8))
    assert not array_of(tumor.from_seed(enhancement, half, seed).mask)[:, :, :20].any()
    with pytest.raises(ValueError, match="outside of the breast"):
        tumor.from_seed(enhancement, half, enhancement.TransformIndexToPhysicalPoint((2, 30, 12)))
    with pytest.raises(ValueError, match="nothing enhances"):
        tumor.from_seed(enhancement, everywhere, enhancement.TransformIndexToPhysicalPoint((3, 3, 1)))


@pytest.mark.parametrize("spacing", [(0.8, 0.8, 2.0), (1.0, 1.0, 1.0), (0.7, 0.7, 3.0)])
def test_the_band_of_a_cuboid_has_the_volume_of_arithmetic(spacing):
    """A cuboid a x b x c of voxel middles, and all within 20 mm: a box a side, a quarter cylinder an edge, an eighth of a ball a
    corner (Steiner); less the cuboid's own voxels."""
    sides = (9, 15, 21)  # slices, rows, columns
    shape = tuple(n + 2 * math.ceil(23 / s) for n, s in zip(sides, spacing[::-1], strict=True))
    cuboid = np.zeros(shape, np.uint8)
    cuboid[tuple(slice((n - k) // 2, (n - k) // 2 + k) for n, k in zip(shape, sides, strict=True))] = 1
    made = stroma.band(image(cuboid, spacing), image(np.ones(shape, np.uint8), spacing))
    c, b, a = ((n - 1) * s for n, s in zip(sides, spacing[::-1], strict=True))
    r = 20.0
    steiner = a * b * c + 2 * r * (a * b + b * c + a * c) + math.pi * r**2 * (a + b + c) + 4 / 3 * math.pi * r**3
    expected = (steiner - np.prod(sides) * np.prod(spacing)) / 1000
    assert made.whole_ml == pytest.approx(expected, rel=0.02)
    assert made.ml == pytest.approx(made.whole_ml) and made.cut_off == pytest.approx(0) and made.beyond_view == 0
    assert not (array_of(made.mask) & cuboid).any()


def test_what_is_cut_off_a_band_is_said():
    shape = (31, 75, 75)
    lesion = ball(shape, ANISOTROPIC, 6.0)
    whole = stroma.band(image(lesion), image(np.ones(shape, np.uint8)))
    front = np.zeros(shape, np.uint8)
    front[:, :, :38] = 1
    half = stroma.band(image(lesion), image(front))
    assert half.cut_off == pytest.approx(0.5, abs=0.02) and half.ml == pytest.approx(whole.ml / 2, rel=0.04)
    at_end = stroma.band(image(lesion[:, :, 30:]), image(np.ones((31, 75, 45), np.uint8)))
    assert at_end.beyond_view > 0.2 and at_end.whole_ml == pytest.approx(whole.whole_ml)
    flat = stroma.band(image(lesion), image(np.ones(shape, np.uint8)), in_plane=True)
    assert set(np.flatnonzero(array_of(flat.mask).any(axis=(1, 2)))) == set(np.flatnonzero(lesion.any(axis=(1, 2))))
    with pytest.raises(ValueError, match="nothing of the band"):
        stroma.band(image(lesion), image(np.zeros(shape, np.uint8)))
    with pytest.raises(ValueError, match="empty"):
        stroma.band(image(np.zeros(shape, np.uint8)), image(front))


# ------------------------------------------------------------------------------------------------- the breast


CASES = [(True, "left", True), (True, "right", False), (False, "left", True), (False, "right", False)]


@pytest.mark.parametrize(("is_axial", "side", "is_fat_suppressed"), CASES)
def test_the_breast_is_found_without_skin_and_chest_wall(is_axial, side, is_fat_suppressed):
    """Axial or sagittal, both or one, fat-suppressed or not: most of the true breast, nothing of muscle, lung or air."""
    scan = Scan(is_axial, side, [-60.0, 100.0, 300.0], 2.2, 4.0, is_fat_suppressed)
    made = scanned(scan, 0.0, 30.0, 1.0, stream(SimulationSettings(seed=9), is_axial, side, is_fat_suppressed))
    s0 = prepare.resample(on(made.geometry, made.volumes[0]), (2.0, 2.0, 4.0))
    found = breast.find(s0)
    truth = prepare.resample_mask(on(made.geometry, made.breast.astype(np.uint8)), s0)
    inside, true = array_of(found.mask) > 0, array_of(truth) > 0
    assert (inside & true).sum() / inside.sum() > 0.85
    assert (inside & true).sum() / true.sum() > 0.8
    lesion = array_of(prepare.resample_mask(on(made.geometry, made.tumor.astype(np.uint8)), s0)) > 0
    assert inside[lesion].mean() > 0.97
    sides = (found.right_ml, found.left_ml)
    assert min(sides) > 200 if is_axial else sides["right left".split().index(side)] == max(sides)


def test_no_breast_is_a_failure_with_its_reason():
    noise = np.random.default_rng(7).rayleigh(5, (20, 60, 60)).astype(np.float32)
    with pytest.raises(breast.NoBreast):
        breast.find(image(noise, (2.0, 2.0, 4.0)))
    slab = noise.copy()
    slab[:, 30:, :] += 200  # a flat chest
    with pytest.raises(breast.NoBreast, match="stands out"):
        breast.find(image(slab, (2.0, 2.0, 4.0)))
    with pytest.raises(breast.NoBreast):
        breast.find(image(np.zeros((4, 4, 4), np.float32)))


def test_a_tumour_is_found_again_from_the_strongest_enhancement():
    scan = Scan(False, "left", [-60.0, 100.0, 300.0], 1.6, 3.0)
    made = scanned(scan, 0.5, 35.0, 1.0, stream(SimulationSettings(seed=10), "peak"))
    s0, early = (prepare.resample(on(made.geometry, v)) for v in made.volumes[:2])
    inside = breast.find(s0).mask
    enhancement = early - s0
    grown = tumor.from_seed(enhancement, inside, tumor.peak(enhancement, inside))
    truth = prepare.resample_mask(on(made.geometry, made.tumor.astype(np.uint8)), s0)
    assert tumor.dice(grown.mask, truth) > 0.85
    assert tumor.dice(truth, truth) == 1.0 and tumor.dice(truth, image_of(np.zeros_like(array_of(truth)), truth)) == 0.0


@pytest.mark.parametrize("m", [1.01, 1.1, 1.5, 2.0])
@pytest.mark.parametrize("scale", [1.0, 40.0, 1e5])
def test_memberships_are_shares_whatever_the_fuzziness_and_the_unit(m, scale):
    """Two well separated kinds of voxels are told apart by any m > 1, in any unit of intensity."""
    values = scale * np.concatenate([np.linspace(10, 12, 500), np.linspace(90, 92, 100)]).reshape(6, 10, 10)
    found = clusters(values, m=m)
    assert np.isfinite(found.memberships).all() and found.memberships.sum(axis=0) == pytest.approx(1)
    assert int((found.memberships[1] > 0.5).sum()) == 100


def test_a_mask_of_255_is_a_mask_and_a_tenth_of_a_voxel_is_no_other_grid():
    mask = sitk.GetImageFromArray(np.pad(np.ones((4, 6, 6), np.uint8), ((4, 4), (9, 9), (9, 9))))
    near = sitk.Image(mask)
    near.SetOrigin((0.05, 0, 0))
    assert tumor.dice(mask, near) == 1
    assert features.of_shape(mask * 255) == features.of_shape(mask)
    whole = sitk.GetImageFromArray(np.random.default_rng(1).normal(1, 0.3, (12, 24, 24)))
    assert features.of_map(whole, mask * 255, "tumor", "S0") == features.of_map(whole, mask, "tumor", "S0")


# ------------------------------------------------------------------------------------------------- two grids

OTHER_GRIDS = {
    "origin": {"origin": (16.0, 8.0, 4.0)},
    "spacing": {"spacing": (1.6, 1.6, 2.0)},
    "direction": {"direction": (-1, 0, 0, 0, -1, 0, 0, 0, 1)},
}


@pytest.mark.parametrize("what", [*OTHER_GRIDS, "size"])
def test_functions_of_two_images_refuse_two_grids(what):
    """Index by index they would give numbers of another place; what differs is said."""
    shape = (12, 40, 40)
    values = np.random.default_rng(0).normal(1.0, 0.3, shape)
    inside = ball(shape, ANISOTROPIC, 8.0)
    here, elsewhere = image(inside), image(inside, **OTHER_GRIDS.get(what, {}))
    if what == "size":
        elsewhere = image(inside[:, :, :-1])
    whole = elsewhere * 0 + 1
    map_ = image(values)
    for refused in (
        lambda: features.of_map(map_, elsewhere, "tumor", "S0"),
        lambda: features.whole_set({"S0": map_}, elsewhere, here),
        lambda: stroma.band(here, whole, 5.0),
        lambda: prepare.parenchyma_mean(map_, whole, here),
        lambda: tumor.from_seed(map_, whole, (16.0, 16.0, 12.0)),
        lambda: tumor.peak(map_, whole),
        lambda: tumor.dice(here, elsewhere),
    ):
        with pytest.raises(ValueError, match="another grid than .*(furthest corner|voxels)"):
            refused()


def test_a_map_without_numbers_in_the_mask_is_refused():
    shape = (12, 40, 40)
    values, inside = np.ones(shape), ball(shape, ANISOTROPIC, 8.0)
    values[6, 20, 20] = np.nan
    with pytest.raises(ValueError, match="no numbers"):
        features.of_map(image(values), image(inside), "tumor", "S0")
    values[6, 20, 20], values[0, 0, 0] = 1.0, np.nan
    assert features.of_map(image(values), image(inside), "tumor", "S0")
