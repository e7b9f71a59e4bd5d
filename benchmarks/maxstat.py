"""10,000 permutations of the maximally selected log-rank statistic, n = 112. Baseline: lifelines in a loop, extrapolated.

One whole scan by lifelines (a log-rank test at every cut-off) is timed; 10,000 permutations would take 10,000 of them,
which nobody waits for, so that figure is extrapolated. All statistics of that scan are compared with ours.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.common import Measured

PATIENTS, PERMUTATIONS, REPEATS = 112, 10_000, 3


def measure(_scratch: Path) -> Iterator[Measured]:
    from lifelines.statistics import logrank_test
    from threadpoolctl import threadpool_limits

    from analyses.shared.survival import logrank_scan, maxstat_p_value

    random = np.random.default_rng(1)
    values, days = random.normal(size=PATIENTS), random.integers(1, 3652, PATIENTS).astype(float)
    events = random.random(PATIENTS) < 0.4
    with threadpool_limits(1):
        scan = logrank_scan(values, days, events, 0.1)
        theirs, seconds = [], []
        for _ in range(REPEATS):
            started = time.perf_counter()
            theirs = [
                logrank_test(days[low], days[~low], events[low], events[~low]).test_statistic
                for low in (values < cut for cut in scan.cutoffs)
            ]
            seconds.append(time.perf_counter() - started)
        one_scan = min(seconds)
        ours = []
        for _ in range(REPEATS):
            started = time.perf_counter()
            maxstat_p_value(values, days, events, 0.1, PERMUTATIONS, 1)
            ours.append(time.perf_counter() - started)
    gap = float(np.abs(np.array(theirs) - scan.chi2).max())
    yield Measured(
        f"largest difference of {len(theirs)} statistics from lifelines",
        gap,
        "",
        goal="at most 1e-9",
        is_met=gap <= 1e-9,
    )
    loop = one_scan * PERMUTATIONS
    yield Measured(
        f"{PERMUTATIONS:,} permutations over {len(theirs)} cut-offs, n = {PATIENTS}", min(ours), "s",
        f"lifelines in a loop ({one_scan:.2f} s a scan, extrapolated)", loop, "at least 1,000 x", loop >= 1000 * min(ours),
    )  # fmt: skip
