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

from analyses.imaging.images.grids import array_of, image_of, turned_back, upright

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
    turned = upright(s0)
    values = array_of(turned).astype(np.float64)  # (z up, y back, x left)
    spacing = np.array(turned.GetSpacing()[::-1])
    front, has_skin = _skin(values, spacing)
    if has_skin.mean() < 0.05:
        raise NoBreast(f"skin is seen on {has_skin.mean():.0%} of the lines from front to back")
    wall = _wall(front, has_skin, spacing)
    out = np.where(has_skin, (wall - front) * spacing[1], 0.0)
    highest = float(np.quantile(out[has_skin], 0.99))
    if highest < STANDS_OUT_MM:
        raise NoBreast(f"nothing stands out of the chest: {highest:.0f} mm at most, expected {STANDS_OUT_MM:.0f}")
    y = np.arange(values.shape[1])[None, :, None]
    body = (y >= front[:, None, :]) & has_skin[:, None, :]
    depth = ndimage.distance_transform_edt(_extended(body), sampling=spacing)[1:-1, 1:, 1:-1]
    limit = wall + wall_mm / spacing[1]
    inside = body & (depth > skin_mm) & (y < limit[:, None, :]) & (out > least_mm)[:, None, :]
    inside = ndimage.binary_opening(inside, iterations=1)
    mask, right, left = _pieces(inside, turned, spacing)
    flags = []
    ends = np.concatenate([out[:1], out[-1:]])
    if (ends > 0.5 * highest).mean() > BORDER:
        flags.append("the field of view ends inside the breast")
    return Breast(turned_back(image_of(mask.astype(np.uint8), turned), s0), right, left, highest, tuple(flags))


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
    hull: list[int] = []
    for i in range(len(z)):
        while len(hull) >= 2:
            a, b = hull[-2], hull[-1]
            # b lies in front of the line from a to i: it is bridged
            if (y[b] - y[a]) * (z[i] - z[a]) <= (y[i] - y[a]) * (z[b] - z[a]):
                hull.pop()
            else:
                break
        hull.append(i)
    return np.interp(np.arange(z[0], z[-1] + 1), z[hull], y[hull])


def _extended(body: np.ndarray) -> np.ndarray:
    """The body with a layer of itself at the ends of the view, so that these are no skin; air in front stays air."""
    padded = np.pad(body, ((1, 1), (0, 0), (1, 1)), mode="edge")
    return np.pad(padded, ((0, 0), (1, 0), (0, 0)), constant_values=False)


def _pieces(inside: np.ndarray, image: sitk.Image, spacing: np.ndarray) -> tuple[np.ndarray, float, float]:
    """The largest piece of each of the patient's sides that a breast can be; their volumes, right and left. Raises NoBreast."""
    voxel_ml = float(np.prod(spacing)) / 1000
    labels, n = ndimage.label(inside)
    sizes = np.bincount(labels.ravel(), minlength=n + 1)[1:] * voxel_ml
    large = [i + 1 for i in np.argsort(-sizes) if sizes[i] >= LEAST_ML][:2]
    if not large:
        most = sizes.max(initial=0.0)
        raise NoBreast(f"the largest piece has {most:.0f} ml; a breast has {LEAST_ML:.0f} at least")
    mask = np.isin(labels, large)
    x = image.GetOrigin()[0] + np.arange(inside.shape[2]) * spacing[2]
    right, left = (float(mask[:, :, side].sum()) * voxel_ml for side in (x < 0, x >= 0))
    if max(right, left) > MOST_ML:
        raise NoBreast(f"{max(right, left):.0f} ml; a breast has {MOST_ML:.0f} at most")
    return mask, right, left
