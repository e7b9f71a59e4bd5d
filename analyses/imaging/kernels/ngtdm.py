"""Neighbourhood grey tone differences: how far a voxel's level is from the mean of its neighbours'.

Amadasun and King 1989, doi:10.1109/21.44046.
"""

from __future__ import annotations

import numpy as np

from analyses.imaging.kernels.visits import ALIKE, NUMBER
from analyses.shared.compiling import kernel


@kernel
def ngtdm(grey, places, seen, present):
    """(5,) the features in the order of NAMES["ngtdm"]. grey, seen: flat, of `visits`; present: levels that occur."""
    top = present[len(present) - 1]
    n_of = np.zeros(top + 1)
    apart = np.zeros(top + 1)
    for v in places:
        g = np.int64(grey[v])
        n_of[g] += 1.0
        number = (seen[v] >> NUMBER) & ((1 << (ALIKE - NUMBER)) - 1)
        if number > 0:
            apart[g] += abs(g - (seen[v] & ((1 << NUMBER) - 1)) / number)
    n = np.float64(len(places))
    weighted = all_apart = contrast = between = complexity = strength = 0.0
    for a in range(len(present)):
        i = np.float64(present[a])
        p, s = n_of[present[a]] / n, apart[present[a]]
        weighted += p * s
        all_apart += s
        for b in range(len(present)):
            j = np.float64(present[b])
            q, t = n_of[present[b]] / n, apart[present[b]]
            contrast += p * q * (i - j) ** 2
            between += abs(i * p - j * q)
            complexity += abs(i - j) * (p * s + q * t) / (p + q)
            strength += (p + q) * (i - j) ** 2
    made = np.zeros(5)
    made[0] = weighted / between if between != 0.0 else 0.0
    made[1] = 1.0 / weighted if weighted != 0.0 else 1e6
    made[2] = complexity / n
    n_levels = len(present)
    made[3] = contrast * all_apart / n / (n_levels * (n_levels - 1)) if n_levels > 1 else 0.0
    made[4] = strength / all_apart if all_apart != 0.0 else 0.0
    return made
