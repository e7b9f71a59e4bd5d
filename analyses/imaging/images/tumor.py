"""The tumour's outline from a seed: spatial fuzzy c-means on the enhancement around it (Fan et al. 2023, Tumor segmentation;
Chen, Giger and Bick 2006, doi:10.1016/j.acra.2005.08.035).

Steps    a box around the seed, inside the breast; two clusters of SI; the brighter one where its membership is at least one
         half; the piece that holds the seed, or the nearest within `reach_mm`; holes filled, slice by slice.
Seed     a point in mm, from a person; the centroid of a mask; or the strongest enhancement inside the breast.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from analyses.imaging.images.fuzzy import Clusters, clusters
from analyses.imaging.images.grids import array_of, box_of, image_of, require_one_grid

REACH_MM = 6.0
PEAK_MM = 3.0  # over which enhancement is averaged before its peak is looked for
TRUNCATED = 4.0  # standard deviations, beyond which the average has no weight
PEAK_DEPTH_MM = 6.0  # below the breast's border: vessels of the skin are no lesions


@dataclass(frozen=True)
class Outline:
    """mask: 0 and 1; seed_mm: where it began; clusters: of the box; touches_box: whether the box cut it off."""

    mask: sitk.Image
    seed_mm: tuple[float, float, float]
    clusters: Clusters
    touches_box: bool


def from_seed(
    enhancement: sitk.Image,
    breast: sitk.Image,
    seed_mm: tuple[float, float, float],
    *,
    box_mm: float = 40.0,
    p: float = 1.0,
    q: float = 1.0,
    m: float = 2.0,
    window: tuple[int, int, int] = (3, 5, 5),
    n_clusters: int = 2,
    least_membership: float = 0.5,
    tolerance: float = 1e-4,
    most_rounds: int = 100,
) -> Outline:
    """The outline around a seed. enhancement: SI; box_mm: half a side of the box; window: (slices, rows, columns).

    Raises ValueError for a seed outside of the breast, one that nothing enhancing is near, and a breast on another grid.
    """
    require_one_grid(enhancement=enhancement, breast=breast)
    values, inside = array_of(enhancement), array_of(breast) > 0
    spacing = np.array(enhancement.GetSpacing()[::-1])
    at = np.array(enhancement.TransformPhysicalPointToIndex(seed_mm)[::-1])
    if (at < 0).any() or (at >= values.shape).any() or not inside[tuple(at)]:
        raise ValueError("the seed lies outside of the breast")
    half = np.maximum(np.round(box_mm / spacing).astype(int), 1)
    box = tuple(slice(max(a - h, 0), min(a + h + 1, n)) for a, h, n in zip(at, half, values.shape, strict=True))
    fuzzy = clusters(
        values[box], n_clusters=n_clusters, m=m, p=p, q=q, window=window, tolerance=tolerance,
        most_rounds=most_rounds, inside=inside[box],
    )  # fmt: skip
    bright = fuzzy.memberships[-1] >= least_membership
    labels, _ = ndimage.label(bright)
    seed = at - [s.start for s in box]
    label = _label_at(labels, seed, spacing)
    piece = _filled(labels == label)
    whole = np.zeros(values.shape, np.uint8)
    whole[box] = piece & inside[box]
    borders = [
        piece.take(end, axis=axis).any() and limit
        for axis, (s, n) in enumerate(zip(box, values.shape, strict=True))
        for end, limit in ((0, s.start > 0), (-1, s.stop < n))
    ]
    return Outline(image_of(whole, enhancement), tuple(map(float, seed_mm)), fuzzy, any(borders))


def _label_at(labels: np.ndarray, seed: np.ndarray, spacing: np.ndarray) -> int:
    """The piece at the seed, else the nearest one within reach."""
    if own := int(labels[tuple(seed)]):
        return own
    where = np.argwhere(labels > 0)
    if len(where):
        distance = np.sqrt((((where - seed) * spacing) ** 2).sum(axis=1))
        nearest = int(np.argmin(distance))
        if distance[nearest] <= REACH_MM:
            return int(labels[tuple(where[nearest])])
    raise ValueError(f"nothing enhances within {REACH_MM:g} mm of the seed")


def _filled(piece: np.ndarray) -> np.ndarray:
    """Without holes, in each slice."""
    return np.stack([ndimage.binary_fill_holes(plane) for plane in piece])


def centroid(mask: sitk.Image) -> tuple[float, float, float]:
    """The voxel inside that is nearest to the middle of a mask, mm. Raises ValueError for an empty one."""
    inside = array_of(mask) > 0
    box = box_of(inside)
    where = np.argwhere(inside[box]) + [s.start for s in box]
    spacing = np.array(mask.GetSpacing()[::-1])
    nearest = np.argmin((((where - where.mean(axis=0)) * spacing) ** 2).sum(axis=1))
    return mask.TransformIndexToPhysicalPoint([int(v) for v in where[nearest][::-1]])


Box = tuple[float, float, float, float, float, float]


def peak(enhancement: sitk.Image, breast: sitk.Image, box_mm: Box | None = None) -> tuple[float, float, float]:
    """The strongest enhancement well inside the breast, averaged over PEAK_MM, mm.

    box_mm: two corners (x, y, z, x, y, z) between which alone it is looked for. Raises ValueError for nowhere to look, and
    for a breast on another grid.
    """
    require_one_grid(enhancement=enhancement, breast=breast)
    spacing = np.array(enhancement.GetSpacing()[::-1])
    inside = array_of(breast) > 0
    deep = np.zeros(inside.shape, bool)
    if box_mm is not None:
        corners = np.array(
            [enhancement.TransformPhysicalPointToContinuousIndex(c)[::-1] for c in (box_mm[:3], box_mm[3:])]
        )
        low, high = np.floor(corners.min(axis=0)).astype(int), np.ceil(corners.max(axis=0)).astype(int)
        boxed = tuple(slice(max(a, 0), max(b + 1, 0)) for a, b in zip(low, high, strict=True))
        deep[boxed] = inside[boxed]
    elif inside.any():
        around = box_of(inside, (1, 1, 1))  # what is nearest outside of the breast lies in it
        deep[around] = ndimage.distance_transform_edt(inside[around], sampling=spacing) > PEAK_DEPTH_MM
    if not deep.any():
        raise ValueError("nowhere to look for a seed: the box misses the breast, or the breast is not deep enough")
    reach = [int(TRUNCATED * PEAK_MM / step + 0.5) for step in spacing]
    around = box_of(deep, tuple(reach))
    part = array_of(enhancement)[around].astype(np.float64)
    smooth = ndimage.gaussian_filter(part, PEAK_MM / spacing, truncate=TRUNCATED)
    at = np.unravel_index(int(np.argmax(np.where(deep[around], smooth, -np.inf))), part.shape)
    return enhancement.TransformIndexToPhysicalPoint([int(v) + s.start for v, s in zip(at, around, strict=True)][::-1])


def dice(a: sitk.Image, b: sitk.Image) -> float:
    """Overlap of two masks: 1 is the same, 0 is nothing in common. Raises ValueError where they lie on two grids."""
    require_one_grid(one=a, other=b)
    x, y = array_of(a) > 0, array_of(b) > 0
    total = int(x.sum()) + int(y.sum())
    return 2.0 * int((x & y).sum()) / total if total else 1.0
