"""The breast in an image before contrast: behind the skin, in front of the chest wall. One breast or both, sagittal or axial.

Skin        along every line from front to back, the first tissue: brighter than the air in front by far, in one piece.
            Everything behind it is body: fat that suppression and coil leave dark is not mistaken for air.
Chest wall  in each sagittal plane, the skin's profile from top to bottom without the breast: the straight lines that bridge
            what stands out (the convex hull from behind), smoothed from plane to plane, less `wall_mm`.
Breast      between the two, deeper than `skin_mm`, where the skin stands out by `least_mm` at least.
Judged      by how far it stands out and by its volume: what no breast can be is a failure with its reason, no mask.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from analyses.imaging.images.grids import Turn, box_of, image_of, turn_of

SMOOTH_MM = 1.5
ABOVE_AIR = 6.0  # standard deviations of the smoothed air
SPREAD_MM = 6.0  # over which the chest wall is smoothed from plane to plane
LEAST_ML = 60.0  # of one breast
MOST_ML = 3_500.0
STANDS_OUT_MM = 15.0  # that a breast does at its highest
BORDER = 0.2  # share of the profile at the ends of the view that may stand out


class NoBreast(ValueError):
    """The image shows no breast that this method can find; the text says why."""


@dataclass(frozen=True)
class Breast:
    """mask: 0 and 1; right_ml, left_ml: of the patient's sides; stands_out_mm: at its highest; flags: for a person's eyes."""

    mask: sitk.Image
    right_ml: float
    left_ml: float
    stands_out_mm: float
    flags: tuple[str, ...]


def find(s0: sitk.Image, *, skin_mm: float = 3.0, wall_mm: float = 10.0, least_mm: float = 4.0) -> Breast:
    """The breast in an image before contrast. Raises NoBreast."""
    turn = turn_of(s0)
    values = turn.upright(sitk.GetArrayViewFromImage(s0)).astype(np.float64, order="C")  # (z up, y back, x left)
    spacing = np.array(turn.spacing)
    front, has_skin = _skin(values, spacing)
    if has_skin.mean() < 0.05:
        raise NoBreast(f"skin is seen on {has_skin.mean():.0%} of the lines from front to back")
    wall = _wall(front, has_skin, spacing)
    out = np.where(has_skin, (wall - front) * spacing[1], 0.0)
    highest = float(np.quantile(out[has_skin], 0.99))
    if highest < STANDS_OUT_MM:
        raise NoBreast(f"nothing stands out of the chest: {highest:.0f} mm at most, expected {STANDS_OUT_MM:.0f}")
    under, is_under = _under_skin(front, has_skin, spacing, skin_mm)
    y = np.arange(values.shape[1])[None, :, None]
    limit = np.where(is_under & (out > least_mm), wall + wall_mm / spacing[1], 0)
    inside = (y >= under[:, None, :]) & (y < limit[:, None, :])
    mask, right, left = _pieces(inside, turn)
    flags = []
    ends = np.concatenate([out[:1], out[-1:]])
    if (ends > 0.5 * highest).mean() > BORDER:
        flags.append("the field of view ends inside the breast")
    return Breast(image_of(turn.back(mask).astype(np.uint8), s0), right, left, highest, tuple(flags))


def _skin(values: np.ndarray, spacing: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(index in y of the first tissue, whether there is any), both (z, x)."""
    smooth = ndimage.gaussian_filter(values, SMOOTH_MM / spacing)
    air = smooth[:, : max(2, values.shape[1] // 12), :]
    middle = np.median(air)
    spread = 1.4826 * np.median(np.abs(air - middle))
    threshold = max(middle + ABOVE_AIR * spread, 0.04 * np.quantile(smooth, 0.99))
    tissue = smooth > threshold
    labels, n = ndimage.label(tissue)
    if n == 0:
        return np.zeros(values.shape[::2], int), np.zeros(values.shape[::2], bool)
    body = labels == np.argmax(np.bincount(labels.ravel())[1:]) + 1
    has = body.any(axis=1)
    front = np.where(has, body.argmax(axis=1), values.shape[1] - 1)
    return ndimage.median_filter(front, size=(5, 5)), has


def _wall(front: np.ndarray, has_skin: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    """The chest behind the breast as an index in y, (z, x): the skin's profile, bridged from behind in every sagittal plane."""
    wall = np.full(front.shape, np.nan)
    for x in range(front.shape[1]):
        z = np.flatnonzero(has_skin[:, x])
        if len(z) >= 8:
            wall[z[0] : z[-1] + 1, x] = _bridged(z, front[z, x].astype(float))
    known = np.isfinite(wall)
    if not known.any():
        return front.astype(float)
    nearest = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    filled = wall[tuple(nearest)]
    smooth = ndimage.gaussian_filter(filled, (SPREAD_MM / spacing[0], SPREAD_MM / spacing[2]), mode="nearest")
    return np.maximum(smooth, 0)


def _bridged(z: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The convex hull from behind of the points (z, y), at every z between the first and the last."""
    hull: list[tuple[int, float]] = []
    for at, front in zip(z.tolist(), y.tolist(), strict=True):
        while len(hull) >= 2:
            (a, front_a), (b, front_b) = hull[-2:]
            # b lies in front of the line from a to here: it is bridged
            if (front_b - front_a) * (at - a) <= (front - front_a) * (b - a):
                hull.pop()
            else:
                break
        hull.append((at, front))
    return np.interp(np.arange(z[0], z[-1] + 1), *zip(*hull, strict=True))


def _under_skin(
    front: np.ndarray, has_skin: np.ndarray, spacing: np.ndarray, skin_mm: float
) -> tuple[np.ndarray, np.ndarray]:
    """(index in y of the first voxel that is further than skin_mm from all air, whether there is any), both (z, x).

    The distance is that between middles of voxels. Air is what lies in front of the skin, and lines without skin; in front of the
    view there is air, beyond its other ends none.
    """
    under, is_under = front.copy(), has_skin.copy()
    reach = [int(skin_mm / step) + 1 for step in spacing]
    for dz in range(-reach[0], reach[0] + 1):
        for dx in range(-reach[2], reach[2] + 1):
            off = np.array([(dz, n, dx) for n in range(reach[1] + 2)]) * spacing
            near = int((np.sqrt((off * off).sum(axis=1)) <= skin_mm).sum())  # voxels of that line, from its air on
            if near:
                here, there = (_shifted(dz, dx, front.shape, end) for end in (0, 1))
                under[here] = np.maximum(under[here], front[there] + near - 1)
                is_under[here] &= has_skin[there]
    return under, is_under


def _shifted(dz: int, dx: int, shape: tuple[int, ...], end: int) -> tuple[slice, ...]:
    """The part of (z, x) that has a neighbour at that distance in view (end 0), or these neighbours (end 1)."""
    sign = 1 if end else -1
    return tuple(slice(max(0, sign * d), n + min(0, sign * d)) for d, n in zip((dz, dx), shape, strict=True))


def _opened(inside: np.ndarray) -> np.ndarray:
    """Without what is thinner than three voxels along an axis; beyond the view there is nothing."""
    eroded = _spread(~inside, True)
    return _spread(np.logical_not(eroded, out=eroded), False)


def _spread(mask: np.ndarray, beyond: bool) -> np.ndarray:
    """The mask and its six neighbours; beyond: what lies outside of the view."""
    made = mask.copy()
    for axis in range(mask.ndim):
        before, after = (np.moveaxis(a, axis, 0) for a in (mask, made))
        after[1:] |= before[:-1]
        after[:-1] |= before[1:]
        if beyond:
            after[0] = after[-1] = True
    return made


def _pieces(inside: np.ndarray, turn: Turn) -> tuple[np.ndarray, float, float]:
    """The largest piece of each of the patient's sides that a breast can be; their volumes, right and left. Raises NoBreast.

    Pieces hang together by what is at least three voxels thick.
    """
    voxel_ml = float(np.prod(turn.spacing)) / 1000
    mask = np.zeros(inside.shape, bool)
    sizes, large = np.zeros(0), []
    if inside.any():
        box = box_of(inside)
        labels, n = ndimage.label(_opened(inside[box]))
        sizes = np.bincount(labels.ravel(), minlength=n + 1)[1:] * voxel_ml
        large = [i + 1 for i in np.argsort(-sizes) if sizes[i] >= LEAST_ML][:2]
    if not large:
        most = sizes.max(initial=0.0)
        raise NoBreast(f"the largest piece has {most:.0f} ml; a breast has {LEAST_ML:.0f} at least")
    mask[box] = np.isin(labels, large)
    x = turn.origin[0] + np.arange(inside.shape[2]) * turn.spacing[2]
    right, left = (float(mask[:, :, side].sum()) * voxel_ml for side in (x < 0, x >= 0))
    if max(right, left) > MOST_ML:
        raise NoBreast(f"{max(right, left):.0f} ml; a breast has {MOST_ML:.0f} at most")
    return mask, right, left
