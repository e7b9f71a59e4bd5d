"""Snakemake: a file a profile, rules that copy a line. Reruns by modification time, its default triggers included."""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks.common import baseline_tool, run, worked

ENTRY = "snakemake.cli:main"
SNAKEFILE = """
PATIENTS = [f"p{{i}}" for i in range({n})]

rule all:
    input: "cox.txt"

rule abundance:
    input: "raw/{{profile}}.txt"
    output: "abundance/{{profile}}.txt"
    shell: "cp {{input}} {{output}}"

rule ratio:
    input: tumor="abundance/{{patient}}.tumor.txt", stroma="abundance/{{patient}}.stroma.txt"
    output: "ratio/{{patient}}.txt"
    shell: "cat {{input}} > {{output}}"

rule cox:
    input: expand("ratio/{{patient}}.txt", patient=PATIENTS)
    output: "cox.txt"
    shell: "ls ratio > {{output}}"
"""


def settled(folder: Path, n_patients: int) -> Path:
    """A folder in which everything is up to date, in Snakemake's own books as well."""
    for name in ("raw", "abundance", "ratio"):
        (folder / name).mkdir(parents=True)
    (folder / "Snakefile").write_text(SNAKEFILE.format(n=n_patients))
    for i in range(n_patients):
        for name, age in (("raw", 0), ("abundance", 1)):
            for compartment in ("tumor", "stroma"):
                _write(folder / name / f"p{i}.{compartment}.txt", age)
        _write(folder / "ratio" / f"p{i}.txt", 2)
    _write(folder / "cox.txt", 3)
    run(
        [baseline_tool("snakemake").with_name("snakemake"), "--touch", "--forceall", "--cores", "2", "--quiet", "all"],
        folder,
    )
    return folder


def _write(path: Path, age: int) -> None:
    path.write_text(f"{path.name}\n")
    os.utime(path, (1_000_000_000 + age, 1_000_000_000 + age))


def nothing_to_do(folder: Path, n_patients: int, scratch: Path) -> float:
    """Seconds of a dry run that finds nothing to do."""
    settled(folder, n_patients)
    arguments = ["--dry-run", "--cores", "2", "--quiet", "all"]
    return worked(baseline_tool("snakemake"), ENTRY, arguments, None, scratch, lambda _: None, cwd=folder, times=1)


def one_correction(folder: Path, n_patients: int, scratch: Path, times: int) -> float:
    """Seconds of a run after one profile changed."""
    settled(folder, n_patients)

    def correct(copy: Path) -> None:
        (copy / "raw" / f"p{n_patients // 2}.tumor.txt").write_text("corrected\n")

    arguments = ["--cores", "2", "--quiet", "all"]
    return worked(baseline_tool("snakemake"), ENTRY, arguments, folder, scratch, correct, times=times)
