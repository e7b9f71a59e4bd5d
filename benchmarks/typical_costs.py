"""python -m benchmarks.typical_costs: measure what units cost, and write it to tshdb/engine/costs/typical.json, which is shipped.

Two studies are rebuilt, each run in an account of its own: the pairs of examples/, and a simulated study with images. What
the accounts know then is the file. Elapsed seconds are multiplied by the share of a core that the run's process had, so that
others at work on the machine make no difference. To be written anew when analyses came, or became much quicker or slower.
"""

from __future__ import annotations

import os
import platform
import tempfile
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.whole_studies import SIGNATURE, WholeStudy, pairs_study, simulated_study
from tshdb.engine.costs import elsewhere
from tshdb.engine.costs.elsewhere import Elsewhere
from tshdb.engine.costs.took import Took

PATIENTS = 110
COUNTS = "pair=30,tumor=4,radiogenomic=24,ispy1=6,nact=4"


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="tshdb-typical-") as scratch:
        pairs = pairs_study(Path(scratch) / "pairs", PATIENTS)
        found = [_rebuilt(pairs)]
        simulated = simulated_study(Path(scratch) / "simulated", COUNTS, seed=4)
        found.append(_rebuilt(simulated))
        simulated.tshdb(f"cohort freeze {SIGNATURE}")
        simulated.set(
            ("perturbations = []", 'perturbations = ["noise"]'),
            ("cohorts = []", f'cohorts = ["{SIGNATURE}"]'),
            ("signatures_of = []", f'signatures_of = ["{SIGNATURE}"]'),
            ("maps = []", 'maps = ["pe_early", "ser"]'),
            ("controls = []", 'controls = ["shuffled voxels", "noise in the region"]'),
        )
        found.append(_rebuilt(simulated))
    took: dict[str, tuple[Took, ...]] = defaultdict(tuple)
    for account in found:
        for name, measured in account.took.items():
            took[name] += measured
    elsewhere.write(elsewhere.SHIPPED, Elsewhere(tuple(s for a in found for s in a.start), took), _about())


def _rebuilt(study: WholeStudy) -> Elsewhere:
    """What an account knows after this run alone, as if nobody else had used the machine."""
    study.home = study.home / "after"
    ran = study.tshdb("rebuild")
    share = min(1.0, ran.cpu_seconds / ran.seconds)
    known = elsewhere.read(study.home / "costs.json")
    took = {name: tuple(replace(t, seconds=t.seconds * share) for t in found) for name, found in known.took.items()}
    return Elsewhere(tuple(s * share for s in known.start), took)


def _about() -> str:
    return (
        f"Measured by benchmarks/typical_costs.py on {datetime.now(UTC):%Y-%m-%d}: {platform.machine()}, {platform.system()}, "
        f"{os.cpu_count()} cores, one worker; seconds of a core. The {PATIENTS} pairs of examples/ (106 genes), and a simulated "
        f"study ({COUNTS}; 500 genes, pixels of 1.6 mm, a search of 20 subsets and 10 generations). Another machine may be "
        "several times as quick or slow: estimates from these figures alone are wide for that reason."
    )


if __name__ == "__main__":
    main()
