"""What one more patient costs in a study that has 1,000 or 3,000 of them, or as many as TSHDB_ARRIVAL="1000 10000" says.

The archive's folder of pairs (tables, manifest, sample sheet, two RNA files of 120 genes a patient), ingested and rebuilt; then
a release with one patient more. Measured, in seconds on a processor, are the ingest of that release and the rebuild behind it,
start of the program included, and how each grows: the exponent of patients from one size to the next. The baseline is the same
command at the first ingest, or rebuild, of the study.

What must read all: the clinical tables and sheets, whose new release is another file (who is in it, and what moved); a look at
each RNA file's time and size; summaries over the cohort.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

from benchmarks.common import Measured
from benchmarks.whole_studies import PAIRS, bare_study

SIZES = (1_000, 3_000)
COMMANDS = {"ingest": "ingest tcga-brca --from {files}", "rebuild": "rebuild"}
MOST = 1.0  # exponent


def measure(scratch: Path) -> Iterator[Measured]:
    sizes = [int(n) for n in os.environ.get("TSHDB_ARRIVAL", "").split()] or list(SIZES)
    before: dict[str, tuple[int, float]] = {}
    for n in sizes:
        first, second = _of_size(scratch / str(n), n)
        for name in COMMANDS:
            yield Measured(
                f"{name} of one patient more, {n:,} patients", second[name], "s", f"{name} of all of them", first[name]
            )
            if name in before:
                n_before, seconds = before[name]
                exponent = math.log(second[name] / seconds) / math.log(n / n_before)
                what = f"{name} of one patient more: exponent from {n_before:,} to {n:,}"
                yield Measured(what, exponent, "", goal=f"below {MOST}", is_met=exponent < MOST)
            before[name] = n, second[name]


def _of_size(scratch: Path, n: int) -> tuple[dict[str, float], dict[str, float]]:
    """Command -> seconds on a processor, of all patients and of one more."""
    study = bare_study(scratch)
    files = scratch / "files"
    simulate = f"simulate {files} --genes 120 --no-images --jobs 1 --cohorts pair="
    study.tshdb(f"{simulate}{n}")
    collection = files / "tcga-brca"
    first = {"ingest": study.tshdb(COMMANDS["ingest"].format(files=collection)).cpu_seconds}
    study.tshdb(f"cohort define {PAIRS} cohorts/{PAIRS}.sql")
    study.tshdb(f"cohort freeze {PAIRS}")
    first["rebuild"] = study.tshdb(COMMANDS["rebuild"]).cpu_seconds
    study.tshdb(f"{simulate}{n + 1}")
    second = {name: study.tshdb(command.format(files=collection)).cpu_seconds for name, command in COMMANDS.items()}
    return first, second
