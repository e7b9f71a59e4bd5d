"""How long commands that only look take, from their start: on the demo study, and on a simulated one of 1,000 patients.

Baseline: python importing what a command cannot do without (Typer, SQLAlchemy, DuckDB), in the same run.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.common import Measured, best, run
from benchmarks.whole_studies import PAIRS, bare_study

SQL = "SELECT count(*) AS n FROM patients JOIN follow_ups USING (patient_id)"
GOALS = (  # words, seconds on an idle core, what they import in any case
    (("--help",), 0.15, "typer"),
    (("status",), 0.35, "sqlalchemy"),
    (("sql", SQL), 0.5, "duckdb"),
    (("lineage", "cox_terms", "Cytotoxic lymphocytes"), 0.6, "sqlalchemy"),
    (("why", "abundance_cox/{cohort}"), 0.6, "sqlalchemy"),
    (("plan",), 0.8, "sqlalchemy"),
    (("table", "2"), 0.8, "sqlalchemy"),
)
COHORTS = {"the demo": f"{PAIRS}@2", "1,000 patients": f"{PAIRS}@1"}


def measure(scratch: Path) -> Iterator[Measured]:
    imports = {
        package: best(lambda package=package: run([sys.executable, "-c", f"import {package}"], scratch), 5).seconds
        for package in ("typer", "sqlalchemy", "duckdb")
    }
    for name, study in (("the demo", _demo(scratch)), ("1,000 patients", _simulated(scratch / "simulated", 1_000))):
        for words, goal, package in GOALS:
            command = [sys.executable, "-m", "tshdb", *(word.format(cohort=COHORTS[name]) for word in words)]
            seconds = best(lambda command=command, study=study: run(command, study), 5).seconds
            yield Measured(
                f"tshdb {words[0]}, {name}", seconds, "s", f"python importing {package} alone", imports[package],
                f"under {goal} s", seconds < goal,
            )  # fmt: skip


def _demo(scratch: Path) -> Path:
    run([sys.executable, "-m", "tshdb", "demo", scratch / "demo"], scratch)
    return scratch / "demo"


def _simulated(scratch: Path, n: int) -> Path:
    study = bare_study(scratch)
    files = scratch / "files"
    study.tshdb(f"simulate {files} --genes 120 --no-images --jobs 1 --cohorts pair={n}")
    study.tshdb(f"ingest tcga-brca --from {files / 'tcga-brca'}")
    study.tshdb(f"cohort define {PAIRS} cohorts/{PAIRS}.sql")
    study.tshdb(f"cohort freeze {PAIRS}")
    study.tshdb("rebuild")
    return study.root
