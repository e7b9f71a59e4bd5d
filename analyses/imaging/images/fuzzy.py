"""Spatial fuzzy c-means: memberships that the neighbours of a voxel have a say in.

Chuang et al. 2006 (doi:10.1016/j.compmedimag.2005.10.001):

    v_i = sum_j u_ij^m x_j / sum_j u_ij^m         u_ij = 1 / sum_k (d_ij / d_kj)^(2 / (m - 1))
    h_ij = sum over the window of u_ik            u'_ij = u_ij^p h_ij^q / sum_k u_kj^p h_kj^q

Each round: centres from u', then u from the centres, h from u, u' from both; until the objective sum u^m d^2 moves by less
than a share `tolerance`, or `most_rounds` rounds. Begun from quantiles, so that nothing is random. (p, q) = (1, 0) is plain
fuzzy c-means. A voxel that is a centre belongs to it alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage


@dataclass(frozen=True)
class Clusters:
    """centres: ascending, of the intensities; memberships: (cluster, *shape); n_rounds; has_settled: before most_rounds."""

    centres: np.ndarray
    memberships: np.ndarray
    n_rounds: int
    has_settled: bool


def clusters(
    values: np.ndarray,
    *,
    n_clusters: int = 2,
    m: float = 2.0,
    p: float = 1.0,
    q: float = 1.0,
    window: tuple[int, ...] = (3, 5, 5),
    tolerance: float = 1e-4,
    most_rounds: int = 100,
    inside: np.ndarray | None = None,
) -> Clusters:
    """Clusters of an array of intensities.

    window: odd sizes a dimension; inside: where values count, else everywhere: voxels outside have no say and no
    membership (0). Raises ValueError for fewer different values than clusters.
    """
    values = np.asarray(values, np.float64)
    inside = np.ones(values.shape, bool) if inside is None else np.asarray(inside, bool)
    x = values[inside]
    if len(np.unique(x)) < n_clusters:
        raise ValueError(f"{len(np.unique(x))} different values cannot make {n_clusters} clusters")
    centres = np.quantile(x, (np.arange(n_clusters) + 0.5) / n_clusters)
    if len(np.unique(centres)) < n_clusters:
        centres = np.linspace(x.min(), x.max(), n_clusters + 2)[1:-1]
    u = _memberships(x, centres, m)
    mixed = _mixed(u, inside, window, p, q)
    objective, settled, n_rounds = np.inf, False, 0
    while n_rounds < most_rounds and not settled:
        n_rounds += 1
        weights = mixed**m
        centres = (weights @ x) / weights.sum(axis=1)
        u = _memberships(x, centres, m)
        mixed = _mixed(u, inside, window, p, q)
        now = float(((mixed**m) * (x[None] - centres[:, None]) ** 2).sum())
        settled = abs(objective - now) < tolerance * max(abs(now), np.finfo(float).tiny)
        objective = now
    order = np.argsort(centres)
    full = np.zeros((n_clusters, *values.shape))
    full[:, inside] = mixed[order]
    return Clusters(centres[order], full, n_rounds, settled)


def _memberships(x: np.ndarray, centres: np.ndarray, m: float) -> np.ndarray:
    """By ratios of distances, in logarithms: whatever m and the unit of the intensities, none leaves 0 to 1."""
    distance = np.abs(x[None] - centres[:, None])
    at_centre = distance == 0
    with np.errstate(divide="ignore"):
        power = np.log(distance) * (-2.0 / (m - 1.0))
    hit = at_centre.any(axis=0)
    power[:, hit] = 0.0
    weight = np.exp(power - power.max(axis=0))
    weight[:, hit] = at_centre[:, hit]
    return weight / weight.sum(axis=0)


def _mixed(u: np.ndarray, inside: np.ndarray, window: tuple[int, ...], p: float, q: float) -> np.ndarray:
    """u', from memberships of the voxels inside."""
    if q == 0:
        powered = u**p
    else:
        field = np.zeros(inside.shape)
        near = np.empty_like(u)
        for i, own in enumerate(u):
            field[inside] = own
            near[i] = ndimage.uniform_filter(field, window, mode="constant")[inside]
        powered = u**p * np.clip(near, 0, None) ** q
    total = powered.sum(axis=0)
    has_say = total > 0  # where the neighbours contradict a voxel wholly, its own membership stands
    mixed = np.where(has_say, powered / np.where(has_say, total, 1), u)
    if not np.isfinite(mixed).all():
        raise ValueError("memberships that are no numbers: intensities or m are beyond what can be computed")
    return mixed
