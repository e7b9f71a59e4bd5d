"""The topology of a small undirected network, by the formulas of Cytoscape's NetworkAnalyzer.

n_nodes, n_edges, n_components are of the whole network (nodes without an edge do not count as nodes of it); all other
values are of its largest connected component, or of the whole network where `scope` says so:

    average_neighbors = sum k / n                density = average_neighbors / (n - 1)
    centralization = n / (n - 2) (max k / (n - 1) - density)             heterogeneity = sqrt(n sum k^2 / (sum k)^2 - 1)
    clustering_coefficient = mean over nodes of closed pairs of neighbours (0 for fewer than two neighbours)
    diameter, radius = largest and smallest eccentricity     characteristic_path_length = mean distance of node pairs

Source: cytoscape/network-analyzer-cw, networkAnalyzer.ts. An empty network has zeros and no path.
"""

from __future__ import annotations

import numpy as np

IN_PAPER = (
    "diameter", "n_edges", "n_nodes", "centralization", "heterogeneity", "density", "clustering_coefficient",
    "characteristic_path_length",
)  # fmt: skip
PARAMETERS = (
    "n_nodes", "n_edges", "n_components", "average_neighbors", "density", "centralization", "heterogeneity",
    "clustering_coefficient", "diameter", "radius", "characteristic_path_length",
)  # fmt: skip


def adjacency(values: np.ndarray, threshold: float, sign: str = "positive") -> np.ndarray:
    """(n, n) whether the correlation of two columns of (patients, n) values is above the threshold."""
    linked = correlations(values)
    if sign == "absolute":
        linked = np.abs(linked)
    is_linked = linked > threshold
    np.fill_diagonal(is_linked, False)
    return is_linked


def correlations(values: np.ndarray) -> np.ndarray:
    """Pearson correlations of the columns; NaN where a column does not vary."""
    centred = values - values.mean(axis=0)
    spread = np.sqrt((centred**2).sum(axis=0))
    with np.errstate(divide="ignore", invalid="ignore"):
        return (centred.T @ centred) / np.outer(spread, spread)


def distances(linked: np.ndarray) -> np.ndarray:
    """(n, n) lengths of shortest paths; -1 where there is none."""
    n = len(linked)
    lengths = np.full((n, n), -1)
    np.fill_diagonal(lengths, 0)
    reached, length = np.eye(n, dtype=bool), 0
    while True:
        length += 1
        wider = reached | ((reached.astype(int) @ linked.astype(int)) > 0)
        fresh = wider & ~reached
        if not fresh.any():
            return lengths
        lengths[fresh] = length
        reached = wider


def topology(linked: np.ndarray, scope: str = "largest") -> dict[str, float | None]:
    """Parameter -> value. linked: (n, n), symmetric, without loops; scope: largest (component) or whole."""
    degree = linked.sum(axis=0)
    inside = degree > 0
    apart = distances(linked)
    components = {frozenset(np.flatnonzero(row >= 0)) for row, is_in in zip(apart, inside, strict=True) if is_in}
    parameters: dict[str, float | None] = dict.fromkeys(PARAMETERS, 0.0)
    parameters |= {
        "n_nodes": float(inside.sum()),
        "n_edges": float(degree.sum() / 2),
        "n_components": float(len(components)),
    }
    if not components:
        return parameters | dict.fromkeys(("diameter", "radius", "characteristic_path_length"))
    largest = min(components, key=lambda c: (-len(c), sorted(c)))
    nodes = np.array(sorted(largest)) if scope == "largest" else np.flatnonzero(inside)
    among, apart = linked[np.ix_(nodes, nodes)], apart[np.ix_(nodes, nodes)]
    k, n = among.sum(axis=0).astype(float), len(nodes)
    density = k.mean() / (n - 1)
    pairs = k * (k - 1)
    closed = np.diag(among.astype(int) @ among.astype(int) @ among.astype(int))
    joined = apart > 0
    eccentricity = apart.max(axis=1)
    return parameters | {
        "average_neighbors": float(k.mean()),
        "density": float(density),
        "centralization": float(n / (n - 2) * (k.max() / (n - 1) - density)) if n > 2 else 0.0,
        "heterogeneity": float(np.sqrt(max(0.0, n * (k**2).sum() / k.sum() ** 2 - 1))),
        "clustering_coefficient": float(np.divide(closed, pairs, out=np.zeros(n), where=pairs > 0).mean()),
        "diameter": float(eccentricity.max()),
        "radius": float(eccentricity[eccentricity > 0].min()),
        "characteristic_path_length": float(apart[joined].mean()),
    }
