"""Every pair of neighbours inside of a region, visited once, for all classes that ask for neighbours.

For a step s (see `region.directions_of`) and each voxel v inside whose neighbour v - s is inside, too: the pair of their levels
(co-occurrence); how far v is along a run of its level (runs); and, of both voxels, the sum of neighbours' levels, their number,
and how many differ by no more than alpha (neighbourhood differences, dependence). Places and levels are unsigned: a signed
index is looked at twice, since it may count from the end.
"""

from __future__ import annotations

import numpy as np

from analyses.shared.compiling import kernel

# what a voxel has seen of its neighbours stands in one number: the sum of their levels, their number, how many are alike
NUMBER, ALIKE = 24, 40
MOST_NEIGHBOURS = (1 << 15) - 1  # more do not fit


def visit(
    grey: np.ndarray, places: np.ndarray, steps: np.ndarray, has_pairs: np.ndarray, has_runs: np.ndarray, top: int, alpha: int,
    longest: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """Counts of the pairs of neighbours.

    grey, places: of `region.Region`, grey flat; steps: (n,) flat steps; has_pairs, has_runs: (n,) what is counted along a step;
    top: the largest level; longest: voxels of the longest possible run.

    Gives pairs (n, top + 1, top + 1), the level at v - s first; along (n, top + 1, longest + 2): voxels that are the j-th of
    their run; seen (flat as grey).
    """
    pairs = np.zeros((int(has_pairs.sum()), top + 1, top + 1), np.int32)
    along = np.zeros((int(has_runs.sum()), top + 1, longest + 2), np.int32)
    seen = np.zeros(len(grey), np.int64)
    so_far = np.zeros(len(grey), np.uint32)
    of_pairs, of_runs = iter(pairs), iter(along)
    for step, is_pair, is_run in zip(steps.astype(np.uint64), has_pairs, has_runs, strict=True):
        if is_pair and is_run:
            _both(grey, places, step, alpha, next(of_pairs), next(of_runs), seen, so_far)
        elif is_pair:
            _pairs(grey, places, step, alpha, next(of_pairs), seen)
        else:
            _runs(grey, places, step, next(of_runs), so_far)
    return pairs, along, seen


@kernel
def _both(grey, places, step, alpha, pairs, along, seen, so_far):
    one_more, alike = np.int64(1) << NUMBER, np.int64(1) << ALIKE
    for v in places:
        before = v - step
        g, other = grey[v], grey[before]
        run = np.uint32(1)
        if other > 0:
            pairs[other, g] += 1
            apart = np.int64(g) - np.int64(other)
            either = one_more + (alike if abs(apart) <= alpha else 0)
            seen[v] += either + np.int64(other)
            seen[before] += either + np.int64(g)
            if apart == 0:
                run = so_far[before] + np.uint32(1)
        so_far[v] = run
        along[g, run] += 1


@kernel
def _pairs(grey, places, step, alpha, pairs, seen):
    one_more, alike = np.int64(1) << NUMBER, np.int64(1) << ALIKE
    for v in places:
        before = v - step
        g, other = grey[v], grey[before]
        if other > 0:
            pairs[other, g] += 1
            either = one_more + (alike if abs(np.int64(g) - np.int64(other)) <= alpha else 0)
            seen[v] += either + np.int64(other)
            seen[before] += either + np.int64(g)


@kernel
def _runs(grey, places, step, along, so_far):
    for v in places:
        g = grey[v]
        run = so_far[v - step] + np.uint32(1) if grey[v - step] == g else np.uint32(1)
        so_far[v] = run
        along[g, run] += 1


def has_neighbours(seen: np.ndarray) -> np.ndarray:
    """Whether voxels have a neighbour inside, by what they have seen."""
    return (seen >> NUMBER) & ((1 << (ALIKE - NUMBER)) - 1) > 0


@kernel
def has_line(grey, step):
    """Whether a line along a step (slices, rows, columns) meets the region in two voxels, with whatever between. grey: the
    box."""
    slices, rows, columns = grey.shape
    dz, dy, dx = step[0], step[1], step[2]
    for z in range(slices):
        for y in range(rows):
            for x in range(columns):
                if grey[z, y, x] == 0:
                    continue
                a, b, c = z + dz, y + dy, x + dx
                while 0 <= a < slices and 0 <= b < rows and 0 <= c < columns:
                    if grey[a, b, c] > 0:
                        return True
                    a, b, c = a + dz, b + dy, c + dx
    return False
