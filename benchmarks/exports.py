"""Exports of a study of 1,000 simulated patients, or as many as TSHDB_EXPORTS says: tables, matrices, cBioPortal, RO-Crate.

Each has RNA of tumour and normal tissue, 3,000 genes; everything is computed. Each command is a process of its own, with its
start. Baselines of the same run, processes of their own, too: pandas reads the same tables from the database and writes them;
anndata and mudata read the file that we wrote, and write it; pandas does so with cBioPortal's files; of the tables as CSV and of
our code ro-crate-py makes a crate.
TSHDB_EXPORTS_KEPT names a folder in which the study is kept for the next run.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.common import ROOT, Measured, run
from benchmarks.whole_studies import PAIRS, WholeStudy, bare_study

N_GENES = 3_000
BASELINES = {
    "parquet": "pandas.read_sql, to_parquet", "csv": "pandas.read_sql, to_csv", "anndata": "anndata, the file read and written",
    "mudata": "mudata, the file read and written", "cbioportal": "pandas, the files read and written",
    "rocrate": "pandas.read_sql, to_csv, ro-crate-py",
}  # fmt: skip
CORE = "s of a core"


def measure(scratch: Path) -> Iterator[Measured]:
    n = int(os.environ.get("TSHDB_EXPORTS", "1000"))
    study = _study(Path(os.environ.get("TSHDB_EXPORTS_KEPT", scratch / "kept")), n)
    for kind, baseline in BASELINES.items():
        ours, theirs = scratch / kind, scratch / f"{kind}-again"
        done = study.tshdb(f"export {kind} {ours}")
        command = [
            sys.executable,
            "-m",
            "benchmarks.baselines.plain_exports",
            kind,
            study.root / "study.db",
            ours,
            theirs,
        ]
        again = run(command, scratch, {"PYTHONPATH": str(ROOT)})
        yield Measured(f"export {kind}, {n:,} patients", done.cpu_seconds, CORE, baseline, again.cpu_seconds)
        yield Measured(f"export {kind}, {n:,} patients: memory", done.peak_mib, "MiB", baseline, again.peak_mib)


def _study(folder: Path, n: int) -> WholeStudy:
    """The study, made where it is not there yet."""
    made = folder / f"made-{n}"
    if made.exists():
        return WholeStudy(folder / "study", folder / "files", folder / "home")
    study = bare_study(folder)
    study.tshdb(f"simulate {study.files} --genes {N_GENES} --no-images --jobs 1 --cohorts pair={n}")
    study.tshdb(f"ingest tcga-brca --from {study.files / 'tcga-brca'}")
    study.tshdb(f"cohort define {PAIRS} cohorts/{PAIRS}.sql --freeze")
    study.tshdb("rebuild")
    made.touch()
    return study
