"""Planning when nothing is to be done, at 10,000 and 100,000 units.

Baselines in the same run: GNU make deciding that as many files are up to date (`make -q`, which only looks at times),
and Snakemake's dry run over the smaller graph. What is measured for us is the whole plan in a fresh process without
interpreter start and imports: code and parameters fingerprinted, every unit and every edge looked at.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.baselines import snakemake
from benchmarks.common import Measured, best, run, worked
from benchmarks.studies import UNITS_PER_PATIENT, settled_study

CHAIN = 3  # files of a patient in the baselines: two abundances and their ratio

SIZES = (10_000, 100_000)
GOALS = {10_000: 0.3, 100_000: 2.0}


def measure(scratch: Path) -> Iterator[Measured]:
    seconds: dict[int, float] = {}
    for n in SIZES:
        study = settled_study(scratch / f"study{n}", n // UNITS_PER_PATIENT)
        study.engine.dispose()
        seconds[n] = worked_in_place(study.root, scratch)
        made = make_seconds(scratch / f"make{n}", n)
        yield Measured(
            f"planning, nothing to do, {n:,} units",
            seconds[n],
            "s",
            f"make -q over {n:,} files",
            made,
            f"{GOALS[n]} s",
            seconds[n] <= GOALS[n],
        )
    growth = (seconds[SIZES[1]] / seconds[SIZES[0]]) / (SIZES[1] / SIZES[0])
    yield Measured("growth of planning against linear growth", growth, "", goal="at most 1", is_met=growth <= 1.1)
    n = SIZES[0]
    baseline = snakemake.nothing_to_do(scratch / "snakemake", n // CHAIN, scratch)
    yield Measured(f"planning, nothing to do, {n:,} units", seconds[n], "s", "snakemake --dry-run", baseline)


def worked_in_place(root: Path, scratch: Path) -> float:
    """Seconds of `tshdb plan`, which writes nothing and so needs no copy."""
    return worked(sys.executable, "cli.main:main", ["plan"], None, scratch, lambda copy: None, cwd=root, times=5)


def make_seconds(folder: Path, n: int) -> float:
    """`make -q`: n/3 chains of two outputs and their ratio, all up to date."""
    folder.mkdir()
    lines = ["all:"]
    targets = []
    for i in range(n // CHAIN):
        lines += [f"t{i}.a: t{i}.raw", f"s{i}.a: s{i}.raw", f"r{i}: t{i}.a s{i}.a"]
        targets.append(f"r{i}")
        for age, name in enumerate((f"t{i}.raw", f"s{i}.raw", f"t{i}.a", f"s{i}.a", f"r{i}")):
            path = folder / name
            path.touch()
            os.utime(path, (1_000_000 + age, 1_000_000 + age))
    lines[0] = "all: " + " ".join(targets)
    (folder / "Makefile").write_text("\n".join([".PHONY: all", *lines, "%.a: %.raw", "\tfalse", "r%:", "\tfalse", ""]))
    return best(lambda: run(["make", "-q", "-r", "-R"], folder), times=3).seconds
