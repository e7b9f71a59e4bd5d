"""python -m benchmarks.typical_costs: measure what units cost, and write it to tshdb/engine/costs/typical.json, which is shipped.

Two studies are rebuilt in a fresh account: the 110 pairs of examples/, and a simulated one with images. What the account
knows then is the file. It goes by name of analysis, so it is to be written anew when analyses came or became much quicker.
"""

from __future__ import annotations

import os
import platform
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.whole_studies import SIGNATURE, WholeStudy, pairs_study, simulated_study
from tshdb.engine.costs import elsewhere

PATIENTS = 110
COUNTS = "pair=40,tumor=4,radiogenomic=30,ispy1=10,nact=8"


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="tshdb-typical-") as scratch:
        home = Path(scratch) / "home"
        pairs = pairs_study(Path(scratch) / "pairs", PATIENTS)
        simulated = simulated_study(Path(scratch) / "simulated", COUNTS, seed=4)
        for study in (pairs, simulated):
            study.home = home
            study.tshdb("rebuild")
        simulated.tshdb(f"cohort freeze {SIGNATURE}")
        simulated.tshdb("rebuild")
        elsewhere.write(elsewhere.SHIPPED, elsewhere.read(home / "costs.json"), about=_about(simulated))


def _about(simulated: WholeStudy) -> str:
    cores = os.cpu_count()
    return (
        f"Measured by benchmarks/typical_costs.py on {datetime.now(UTC):%Y-%m-%d}: {platform.machine()}, {platform.system()}, "
        f"{cores} cores, one worker. The {PATIENTS} pairs of examples/ (106 genes), and a simulated "
        f"study ({COUNTS}; 500 genes, examinations of 1.6 mm pixels, a search of 20 subsets and 10 generations). "
        "Another machine may be several times as quick or slow: estimates from these figures are wide for that reason."
    )


if __name__ == "__main__":
    main()
