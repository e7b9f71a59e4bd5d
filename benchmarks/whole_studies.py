"""Whole studies as a user has them, by the program's own commands: the pairs of examples/, and a simulated one with images."""

from __future__ import annotations

import csv
import gzip
import json
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.common import ROOT, Ran, run
from tests.support.simulated import changed, told

EXAMPLES = ROOT / "tshdb" / "presets" / "fan2023" / "tcga-brca-pairs"
PAIRS = "tumor_stroma_development"
SIGNATURE = "radiogenomic_development"
SMALL_SEARCH = (  # what makes the signature work, and soon, on two dozen patients
    ("population = 100", "population = 20"), ("generations = 100", "generations = 10"), ("n_trees = 100", "n_trees = 25"),
    ("outer_folds = 10           #", "outer_folds = 3            #"),
    ('features = "computed"', 'features = "computed"\nmin_per_class = 2'),
)  # fmt: skip


@dataclass
class WholeStudy:
    """A study's folder, the files that it reads, and the folder of the user's data."""

    root: Path
    files: Path
    home: Path

    def tshdb(self, line: str, cwd: Path | None = None) -> Ran:
        """Run a command in a process of its own."""
        command = [sys.executable, "-m", "cli.main", *shlex.split(line)]
        return run(command, cwd or self.root, {"PYTHONPATH": str(ROOT), "TSHDB_HOME": str(self.home)})

    def asked(self, line: str) -> dict:
        """What a command says with --json."""
        self.tshdb(f"{line} --json")
        return json.loads((self.root / ".benchmark-output").read_text())

    def set(self, *pairs: tuple[str, str]) -> None:
        """Change study.toml; each first of a pair must stand there once."""
        settings = self.root / "study.toml"
        settings.write_text(changed(settings.read_text(), *pairs))


def pairs_study(folder: Path, n_patients: int) -> WholeStudy:
    """The study of the example's first patients, ingested and frozen, nothing computed."""
    study = bare_study(folder)
    ingest_pairs(study, n_patients)
    study.tshdb(f"cohort define {PAIRS} cohorts/{PAIRS}.sql")
    study.tshdb(f"cohort freeze {PAIRS}")
    return study


def ingest_pairs(study: WholeStudy, n_patients: int, corrected: dict[str, str] | None = None) -> None:
    """What the archive gives when it has so many patients. corrected: gene -> the first sample's value, as it is now."""
    with gzip.open(EXAMPLES / "expression.csv.gz", "rt", encoding="utf-8", newline="") as file:
        matrix = list(csv.reader(file))
    with gzip.open(EXAMPLES / "clinical.tsv.gz", "rt", encoding="utf-8") as file:
        header, *lines = file.readlines()
    kept = set(sorted({name[:12] for name in matrix[0][1:]})[:n_patients])
    columns = [0, *(i for i, name in enumerate(matrix[0]) if i and name[:12] in kept)]
    for row in matrix:
        row[1] = (corrected or {}).get(row[0], row[1])
    study.files.mkdir(exist_ok=True)
    with (study.files / "expression.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([row[i] for i in columns] for row in matrix)
    (study.files / "clinical.tsv").write_text(header + "".join(x for x in lines if x.split("\t")[1] in kept))
    study.tshdb(f"ingest clinical {study.files}/clinical.tsv --collection tcga-brca")
    study.tshdb(f"ingest rna {study.files}/expression.csv --collection tcga-brca --unit rsem --scale linear")


def simulated_study(folder: Path, counts: str, seed: int = 1) -> WholeStudy:
    """A simulated study with images and a small search, ingested; its first cohort is frozen, nothing is computed."""
    study = bare_study(folder)
    study.set(*SMALL_SEARCH)
    settings = study.root / "study.toml"
    settings.write_text(settings.read_text().replace("min_per_class = 10", "min_per_class = 3"))
    simulate(study, counts, seed)
    for command in told(study.files):
        if command[0] == "cohort" and command[1] == "define" and command[2] != "tumor_stroma_validation":
            study.tshdb(shlex.join(command))
    study.tshdb(f"cohort freeze {PAIRS}")
    return study


def simulate(study: WholeStudy, counts: str, seed: int = 1) -> None:
    """Simulate the patients, or those who came since, and ingest them."""
    effects = "--effect rna=10 --effect texture=8 --effect survival=1"
    study.tshdb(f"simulate {study.files} --cohorts {counts} --seed {seed} --genes 500 {effects} --jobs 1")
    for command in told(study.files):
        if command[0] == "ingest":
            study.tshdb(shlex.join(command))


def bare_study(folder: Path) -> WholeStudy:
    """A study of the paper's preset in which nothing was ingested."""
    folder.mkdir()
    study = WholeStudy(folder / "study", folder / "files", folder / "home")
    study.tshdb(f"init {study.root} --preset fan2023", cwd=folder)
    return study
