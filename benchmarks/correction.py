"""One corrected value among 1,000 patients: from the changed file to results that are current again.

The graph is the same for all: two abundances a patient, their ratio, one model over all ratios. Snakemake and DVC have
one small file a profile, so that one of them changes, and jobs that merely copy a line; we have one matrix of all
profiles, which is read again as a whole, and the real analyses, whose own time is taken off. Nobody's interpreter start
and imports count.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.baselines import dvc, snakemake
from benchmarks.common import Measured, worked
from benchmarks.studies import corrected_archive, settled_study

PATIENTS = 1_000
REBUILD = ["rebuild", "univariable_cox"]  # with what it needs: the graph that the baselines have
INGEST = ["ingest", "rna", "raw/expression.csv", "--collection", "tcga-tn", "--unit", "rsem", "--scale", "linear"]
TIMES = 3


def measure(scratch: Path) -> Iterator[Measured]:
    study = settled_study(scratch / "study", PATIENTS)
    study.engine.dispose()
    archive = corrected_archive(PATIENTS)

    def correct(copy: Path) -> None:
        archive.write(copy / "raw")

    ingest = worked(sys.executable, "cli.main:main", INGEST, study.root, scratch, correct, times=TIMES)

    def correct_and_ingest(copy: Path) -> None:
        correct(copy)
        worked(sys.executable, "cli.main:main", INGEST, None, scratch, lambda _: None, cwd=copy, times=0)

    analyses: list[float] = []

    def analysis_seconds_noted(copy: Path) -> float:
        analyses.append(analysis_seconds(copy / "study.db"))
        return analyses[-1]

    overhead = worked(
        sys.executable, "cli.main:main", REBUILD, study.root, scratch, correct_and_ingest, times=TIMES,
        less=analysis_seconds_noted,
    )  # fmt: skip
    ours = ingest + overhead
    yield Measured("one corrected value, tshdb ingest", ingest, "s")
    yield Measured("one corrected value, tshdb rebuild without the analyses' own time", overhead, "s")
    yield Measured("one corrected value, the analyses themselves", min(analyses), "s")
    for name, baseline in (
        ("snakemake", snakemake.one_correction(scratch / "snakemake", PATIENTS, scratch, TIMES)),
        ("dvc repro", dvc.one_correction(scratch / "dvc", PATIENTS, scratch, TIMES)),
    ):
        yield Measured(
            f"one corrected value among {PATIENTS:,} patients, overhead of the rebuild",
            overhead,
            "s",
            name,
            baseline,
            "at least 10 x less",
            baseline / overhead >= 10,
        )
        yield Measured("the same with the ingest of the whole matrix", ours, "s", name, baseline, "none", None)


def analysis_seconds(database: Path) -> float:
    """What the last run's attempts took in the analyses' own functions."""
    connection = sqlite3.connect(database)
    (seconds,) = connection.execute(
        "SELECT sum(seconds) FROM attempts WHERE run_id = (SELECT max(run_id) FROM attempts)"
    ).fetchone()
    connection.close()
    return seconds
