"""A 20,000 x 1,200 matrix, from text to a study that can be asked. Baseline: pandas merely parsing the same file."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.common import Measured, Ran, best, run
from benchmarks.studies import write_matrix
from tshdb.actions.making import make_study

GENES, SAMPLES = 20_000, 1_200
TSHDB = Path(sys.executable).with_name("tshdb")
INGEST = ["--collection", "tcga-brca", "--unit", "rsem", "--scale", "linear"]


def measure(scratch: Path) -> Iterator[Measured]:
    matrix = scratch / "matrix.csv"
    write_matrix(matrix, GENES, SAMPLES)
    parse = "import sys, pandas; print(pandas.read_csv(sys.argv[1], index_col=0).shape)"
    pandas = best(lambda: run([sys.executable, "-c", parse, matrix], scratch), times=3)

    def ingest() -> Ran:
        folder = scratch / "study"
        shutil.rmtree(folder, ignore_errors=True)
        make_study(folder, "sqlite:///study.db", "fan2023").engine.dispose()
        return run([TSHDB, "ingest", "rna", matrix, *INGEST], folder)

    ours = best(ingest, times=3)
    what = f"ingest of {GENES:,} x {SAMPLES:,}"
    yield Measured(
        f"{what}, wall", ours.seconds, "s", "pandas.read_csv", pandas.seconds,
        "within 2 x", ours.seconds <= 2 * pandas.seconds,
    )  # fmt: skip
    yield Measured(
        f"{what}, peak memory", ours.peak_mib, "MiB", "pandas.read_csv", pandas.peak_mib,
        "less", ours.peak_mib < pandas.peak_mib,
    )  # fmt: skip
