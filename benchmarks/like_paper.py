"""The paper's study, simulated (1,089 + 180 + 61 patients, 332 examinations, 2.9 GB), from its files to its report.

Each command in a process of its own, with two workers; the search is the preset's (100 x 100). Measured: seconds and peak memory
of a command, seconds of a processor by analysis, and what lies on the disk, by kind, beside the size of the sources. Simulating
takes five minutes and is not counted: TSHDB_LIKE_PAPER names a folder that `tshdb simulate --like-paper` made before.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from benchmarks.common import Measured
from benchmarks.whole_studies import WholeStudy, bare_study

MOST_SECONDS, MOST_MIB = 12 * 60, 1024
MIB = 2**20
COLLECTIONS = ("tcga-brca", "ispy1", "breast-mri-nact-pilot")
COHORTS = (
    "tumor_stroma_development", "radiogenomic_development", "prognostic_validation_ispy1", "prognostic_validation_nact",
    "tumor_stroma_validation",
)  # fmt: skip
BY_ANALYSIS = (
    "SELECT analysis, count(*), coalesce(sum(attempts.seconds), 0) FROM attempts JOIN units USING (unit_id) GROUP BY 1"
)
FEWEST_SECONDS = 5  # of an analysis that is worth a line


def measure(scratch: Path) -> Iterator[Measured]:
    study = bare_study(scratch / "study")
    files = Path(os.environ.get("TSHDB_LIKE_PAPER", scratch / "files"))
    if not files.exists():
        study.tshdb(f"simulate {files} --like-paper --jobs 2")
    seconds = peak = 0.0
    for command in _commands(files):
        ran = study.tshdb(command)
        seconds, peak = seconds + ran.seconds, max(peak, ran.peak_mib)
        if ran.seconds > FEWEST_SECONDS:
            yield Measured(command.replace(f"{files}/", ""), ran.seconds, "s")
    yield Measured(
        "all, from the files to the report", seconds, "s", goal=f"under {MOST_SECONDS} s", is_met=seconds < MOST_SECONDS
    )
    yield Measured("largest peak of a process", peak, "MiB", goal=f"under {MOST_MIB}", is_met=peak < MOST_MIB)
    for analysis, n, taken in _by_analysis(study):
        if taken > FEWEST_SECONDS:
            yield Measured(f"{analysis}, {n:,} units", taken, "s")
    yield from _disk(study, files)


def _commands(files: Path) -> Iterator[str]:
    yield from (f"ingest {name} --from {files / name}" for name in COLLECTIONS)
    yield from (f"cohort define {name} cohorts/{name}.sql" for name in COHORTS)
    yield f"cohort freeze {COHORTS[0]}"
    yield "rebuild --jobs 2"
    yield f"cohort freeze {COHORTS[1]}"
    yield "rebuild --jobs 2"
    yield "report"


def _by_analysis(study: WholeStudy) -> list[tuple[str, int, float]]:
    """(analysis, units, seconds of a processor), the dearest first."""
    with closing(sqlite3.connect(study.root / "study.db")) as connection:
        return sorted(connection.execute(BY_ANALYSIS), key=lambda row: -row[2])


def _disk(study: WholeStudy, files: Path) -> Iterator[Measured]:
    """What the study keeps, by kind, beside its sources."""
    sources = sum(path.stat().st_size for path in files.rglob("*") if path.is_file()) / MIB
    disk = study.asked("status")["disk"]
    objects = {kind: kept["bytes"] / MIB for kind, kept in disk["objects"].items()}
    total = sum(objects.values())
    yield Measured("objects", total, "MiB", "the sources", sources, "no more", total <= sources)
    for kind, size in sorted(objects.items(), key=lambda pair: -pair[1]):
        yield Measured(f"objects: {kind}", size, "MiB", "the sources", sources)
    yield Measured("database", disk["database"] / MIB, "MiB", "the sources", sources)
