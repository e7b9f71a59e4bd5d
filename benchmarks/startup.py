"""How long a newcomer waits for the smallest commands. Baseline: python importing SQLAlchemy or pandas, in the same run."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.common import Measured, best, run
from benchmarks.studies import settled_study

TSHDB = Path(sys.executable).with_name("tshdb")
SQL = "SELECT count(*) AS n FROM patients JOIN follow_ups USING (patient_id)"


def measure(scratch: Path) -> Iterator[Measured]:
    study = settled_study(scratch / "study", 100)
    study.engine.dispose()
    imports = {}
    for package in ("typer", "sqlalchemy", "duckdb"):
        imports[package] = best(
            lambda package=package: run([sys.executable, "-c", f"import {package}"], scratch)
        ).seconds
    for arguments, goal, package in (
        (["--help"], 0.3, "typer"),
        (["status"], 0.4, "sqlalchemy"),
        (["sql", SQL], 0.8, "duckdb"),
    ):
        seconds = best(lambda arguments=arguments: run([TSHDB, *arguments], study.root)).seconds
        yield Measured(
            f"tshdb {arguments[0]}",
            seconds,
            "s",
            f"python importing {package} alone",
            imports[package],
            f"under {goal} s",
            seconds < goal,
        )
