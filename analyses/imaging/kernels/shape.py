"""The shape of a region: its mesh (`cubes`), its extent along its main axes, and how far apart two of its points are.

Volume, area and diameters are of the mesh, whose vertices are half way between a voxel inside and one outside. A cube's part of
them depends on which of its corners are inside, and, for the volume, on where it is; so cubes are counted by kind, and their
places summed. Where the mesh has gaps (PyRadiomics' faces can have them) the volume depends on the origin: it is one voxel
before the region's box, as in PyRadiomics.
"""

from __future__ import annotations

import math

import numpy as np

from analyses.imaging.kernels.cubes import CORNERS, LAST, triangles
from analyses.imaging.kernels.symmetric import eigenvalue, tridiagonal
from analyses.shared.compiling import kernel

_CORNERS = np.array(CORNERS)


def shape(inside: np.ndarray, spacing: tuple[float, float, float]) -> np.ndarray:
    """(14,) the features in the order of NAMES["shape"], mm. inside: boolean, as small as its box; spacing: mm between
    slices, rows, columns."""
    step = np.array(spacing, dtype=np.float64)
    padded = np.pad(np.ascontiguousarray(inside, dtype=np.uint8), 1)
    area, volume = _mesh(padded, step)
    axes = _axes(padded, step)
    slices, rows, columns, whole = _diameters(padded, step)
    n = int(padded.sum())
    least, minor, major = axes
    return np.array([
        math.sqrt(minor / major) if major > 0 else np.nan, math.sqrt(least / major) if major > 0 else np.nan,
        4 * math.sqrt(least), 4 * math.sqrt(major), rows, columns, slices, whole, volume, 4 * math.sqrt(minor),
        (36 * math.pi * volume**2) ** (1 / 3) / area, area, area / volume, n * float(step.prod()),
    ])  # fmt: skip


def _mesh(padded: np.ndarray, step: np.ndarray) -> tuple[float, float]:
    """(area, mm²; volume, mm³)."""
    n_of, places = _cubes(padded, _CORNERS, LAST)
    which, corners = triangles()
    a, b, c = np.moveaxis(corners * step, 1, 0)
    normals = np.cross(a, b) + np.cross(b, c) + np.cross(c, a)
    areas = np.sqrt((normals * normals).sum(axis=1)) / 2
    volumes = (np.cross(a, b) * c).sum(axis=1)
    # of both sides: a cube and its opposite have one surface, with opposite normals
    total = float((areas * (n_of[0] + n_of[1])[which]).sum())
    signed = n_of[0] - n_of[1]
    shifted = (places[0] - places[1]) * step
    return total, float((volumes * signed[which] + (normals * shifted[which]).sum(axis=1)).sum()) / 6


@kernel
def _cubes(padded, corners, last):
    """(n (2, 128), sums of places (2, 128, 3)) of the cubes by which corners are inside; [1]: of those taken as their
    opposite."""
    slices, rows, columns = padded.shape
    n_of = np.zeros((2, 1 << last), np.int64)
    places = np.zeros((2, 1 << last, 3), np.int64)
    full = (1 << (last + 1)) - 1
    for z in range(slices - 1):
        for y in range(rows - 1):
            for x in range(columns - 1):
                kind = 0
                for k in range(len(corners)):
                    if padded[z + corners[k, 0], y + corners[k, 1], x + corners[k, 2]]:
                        kind |= 1 << k
                side = kind >> last
                if side:
                    kind ^= full
                if kind:
                    n_of[side, kind] += 1
                    places[side, kind, 0] += z
                    places[side, kind, 1] += y
                    places[side, kind, 2] += x
    return n_of, places


def _axes(padded: np.ndarray, step: np.ndarray) -> list[float]:
    """Variances along the main axes, mm², the least first; sums are whole numbers, so that nothing is rounded before the end."""
    n, first, second = _sums(padded)
    n = int(n)
    covariance = np.empty((3, 3))
    for i in range(3):
        for j in range(3):
            covariance[i, j] = (n * int(second[i, j]) - int(first[i]) * int(first[j])) / (n * n) * step[i] * step[j]
    diagonal, beside = tridiagonal(covariance)
    return [max(eigenvalue(diagonal, beside, rank), 0.0) for rank in range(3)]


@kernel
def _sums(padded):
    n = 0
    first = np.zeros(3, np.int64)
    second = np.zeros((3, 3), np.int64)
    for z in range(padded.shape[0]):
        for y in range(padded.shape[1]):
            for x in range(padded.shape[2]):
                if padded[z, y, x]:
                    n += 1
                    at = (z, y, x)
                    for i in range(3):
                        first[i] += at[i]
                        for j in range(3):
                            second[i, j] += at[i] * at[j]
    return n, first, second


# ------------------------------------------------------------------------------------------------------------ diameters


def _diameters(padded: np.ndarray, step: np.ndarray) -> tuple[float, float, float, float]:
    """Between two vertices in one slice, in one row, in one column, anywhere; mm."""
    flat = [_flat_diameter(_ends(np.ascontiguousarray(np.moveaxis(padded, axis, 0))), step, axis) for axis in range(3)]
    ends = _ends(padded)
    points = _corners_of_hulls(ends) * (step / 2)
    return *(math.sqrt(found) for found in flat), math.sqrt(_furthest(points, max(flat)))  # type: ignore[return-value]


def _flat_diameter(ends: np.ndarray, step: np.ndarray, axis: int) -> float:
    others = [step[a] for a in range(3) if a != axis]
    hulls = _corners_of_hulls(ends)
    return _furthest_in_planes(hulls, others[0] / 2, others[1] / 2)


@kernel
def _ends(padded):
    """(n, 3) the first and last vertex of each line along the last axis, in half voxels, ordered by the line."""
    slices, rows, columns = padded.shape
    first = np.full((2 * slices, 2 * rows), 2 * columns, np.int64)
    last = np.full((2 * slices, 2 * rows), -1, np.int64)
    for z in range(slices):
        for y in range(rows):
            for x in range(columns):
                here = padded[z, y, x]
                if x + 1 < columns and padded[z, y, x + 1] != here:
                    first[2 * z, 2 * y] = min(first[2 * z, 2 * y], 2 * x + 1)
                    last[2 * z, 2 * y] = max(last[2 * z, 2 * y], 2 * x + 1)
                if y + 1 < rows and padded[z, y + 1, x] != here:
                    first[2 * z, 2 * y + 1] = min(first[2 * z, 2 * y + 1], 2 * x)
                    last[2 * z, 2 * y + 1] = max(last[2 * z, 2 * y + 1], 2 * x)
                if z + 1 < slices and padded[z + 1, y, x] != here:
                    first[2 * z + 1, 2 * y] = min(first[2 * z + 1, 2 * y], 2 * x)
                    last[2 * z + 1, 2 * y] = max(last[2 * z + 1, 2 * y], 2 * x)
    n = 0
    for z in range(2 * slices):
        for y in range(2 * rows):
            if last[z, y] >= 0:
                n += 2
    made = np.empty((n, 3), np.int64)
    n = 0
    for z in range(2 * slices):
        for y in range(2 * rows):
            if last[z, y] >= 0:
                made[n, 0], made[n, 1], made[n, 2] = z, y, first[z, y]
                made[n + 1, 0], made[n + 1, 1], made[n + 1, 2] = z, y, last[z, y]
                n += 2
    return made


@kernel
def _corners_of_hulls(ends):
    """(m, 3) those of the points that are corners of the convex hull of their plane: no other can be furthest from any.

    Points come ordered by plane, row, column (Andrew 1979, doi:10.1016/0020-0190(79)90072-3). Whole numbers decide, so that
    steps do not matter but for the axes' sizes, which a hull does not depend on.
    """
    made = np.empty((2 * len(ends), 3), np.int64)
    n = 0
    start = 0
    while start < len(ends):
        end = start
        while end < len(ends) and ends[end, 0] == ends[start, 0]:
            end += 1
        for way in range(2):
            first = n
            for k in range(end - start):
                point = ends[start + k] if way == 0 else ends[end - 1 - k]
                while n - first >= 2 and _turn(made[n - 2], made[n - 1], point) <= 0:
                    n -= 1
                made[n, 0], made[n, 1], made[n, 2] = point[0], point[1], point[2]
                n += 1
            if end - start > 1:
                n -= 1  # the other way begins with it
        start = end
    return made[:n]


@kernel
def _turn(a, b, c):
    return (b[1] - a[1]) * (c[2] - a[2]) - (b[2] - a[2]) * (c[1] - a[1])


@kernel
def _furthest_in_planes(points, row_step, column_step):
    """The largest squared distance of two points in one plane."""
    best = 0.0
    start = 0
    for k in range(len(points)):
        if points[k, 0] != points[start, 0]:
            start = k
        for i in range(start, k):
            a = (points[k, 1] - points[i, 1]) * row_step
            b = (points[k, 2] - points[i, 2]) * column_step
            best = max(best, a * a + b * b)
    return best


@kernel
def _furthest(points, known):
    """The largest squared distance of two points; known: of any two. Who cannot be so far from any corner of the box is left
    out."""
    low, high = points[0].copy(), points[0].copy()
    for k in range(len(points)):
        for axis in range(3):
            low[axis] = min(low[axis], points[k, axis])
            high[axis] = max(high[axis], points[k, axis])
    best = known
    kept = np.empty(len(points), np.int64)
    n = 0
    for k in range(len(points)):
        reach = 0.0
        for axis in range(3):
            far = max(points[k, axis] - low[axis], high[axis] - points[k, axis])
            reach += far * far
        if reach < best:
            continue
        for i in range(n):
            a, b, c = (
                points[kept[i], 0] - points[k, 0],
                points[kept[i], 1] - points[k, 1],
                points[kept[i], 2] - points[k, 2],
            )
            best = max(best, a * a + b * b + c * c)
        kept[n] = k
        n += 1
    return best
