"""The surface in a cube of eight voxels, by which of them are inside (marching cubes; Lorensen and Cline 1987,
doi:10.1145/37402.37422), such that areas and volumes are PyRadiomics'.

Its conventions, as rules from which the table is made here:
vertices   half way between a corner inside and one outside
half       a cube with the corner (1, 1, 0) inside is taken as its opposite, seen from the other side
faces      where both diagonals of a face have a corner inside and one outside, the corners inside are cut off from each other
loops      of vertices, from face to face, are filled with the triangles of the largest area (with voxels of 1 mm; what ties
           has the same area and volume with any voxels), those of seven vertices with the fan from the vertex where the loop
           is symmetric
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np

CORNERS = ((0, 0, 0), (0, 0, 1), (0, 1, 1), (0, 1, 0), (1, 0, 0), (1, 0, 1), (1, 1, 1), (1, 1, 0))
LAST = 7  # the corner that is never inside
_EDGES = [(a, b) for a in range(8) for b in range(a) if sum(map(abs, np.subtract(CORNERS[a], CORNERS[b]))) == 1]
_FACES = [{c for c in range(8) if CORNERS[c][axis] == side} for axis in range(3) for side in (0, 1)]
Triangle = tuple[int, int, int]


@cache
def triangles() -> tuple[np.ndarray, np.ndarray]:
    """(which, corners): which (n,) of the 128 cubes a triangle is in; corners (n, 3, 3): its vertices, from the cube's first
    corner, in voxels, so that its normal leaves the region."""
    which, corners = [], []
    for inside in range(1 << LAST):
        for loop in _loops(inside):
            for triangle in _filled(loop):
                which.append(inside)
                corners.append([_vertex(edge) for edge in triangle])
    return np.array(which), np.array(corners)


def _vertex(edge: int) -> np.ndarray:
    a, b = _EDGES[edge]
    return (np.array(CORNERS[a]) + np.array(CORNERS[b])) / 2


def _loops(inside: int) -> Iterator[list[int]]:
    """The loops of vertices (numbers of edges) of a cube, turned so that their normals leave what is inside."""
    beside: dict[int, list[int]] = {}
    for face in _FACES:
        cut = [e for e, (a, b) in enumerate(_EDGES) if {a, b} <= face and (inside >> a ^ inside >> b) & 1]
        if len(cut) == 2:
            sides = [cut]
        else:  # each corner inside is cut off: its two edges
            sides = [[e for e in cut if c in _EDGES[e]] for c in face if inside >> c & 1 and cut]
        for a, b in sides:
            beside.setdefault(a, []).append(b)
            beside.setdefault(b, []).append(a)
    while beside:
        loop = [min(beside)]
        while (after := next((e for e in beside[loop[-1]] if e not in loop), None)) is not None:
            loop.append(after)
        for edge in loop:
            del beside[edge]
        yield loop if _leaves(loop, inside) else loop[::-1]


def _leaves(loop: list[int], inside: int) -> bool:
    """Whether the loop's normal points from its corners inside to those outside."""
    vertices = [_vertex(e) for e in loop]
    normal = sum(np.cross(vertices[i - 1], vertices[i]) for i in range(len(loop)))
    out = np.zeros(3)
    for edge in loop:
        a, b = _EDGES[edge]
        out += np.subtract(CORNERS[b], CORNERS[a]) * (1 if inside >> a & 1 else -1)
    return float(normal @ out) > 0


def _filled(loop: list[int]) -> list[Triangle]:
    if len(loop) < 7:
        return max(_ways(tuple(loop)), key=lambda way: round(_area(way), 9))
    fans = [[(loop[k], loop[(k + i) % 7], loop[(k + i + 1) % 7]) for i in range(1, 6)] for k in range(7)]
    areas = [round(_area(fan), 9) for fan in fans]
    return next(
        fan for fan, area in zip(fans, areas, strict=True) if areas.count(area) == 1
    )  # others have a mirror image


def _ways(loop: tuple[int, ...]) -> Iterator[list[Triangle]]:
    """Every way to fill a loop with triangles of its vertices."""
    if len(loop) < 3:
        yield []
    for k in range(1, len(loop) - 1):
        for before in _ways(loop[: k + 1]):
            for after in _ways(loop[k:]):
                yield [(loop[0], loop[k], loop[-1]), *before, *after]


def _area(way: list[Triangle]) -> float:
    return sum(float(np.linalg.norm(np.cross(_vertex(b) - _vertex(a), _vertex(c) - _vertex(a)))) / 2 for a, b, c in way)
