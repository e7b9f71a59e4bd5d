"""Studies and files to measure on: made from a seed, in the archives' own formats, of any size."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.support import tiny
from tshdb.study import Study

UNITS_PER_PATIENT = 6  # two abundances, their ratios, the tumour's abundances, a group, a score


def settled_study(folder: Path, n_patients: int) -> Study:
    """A study in which everything is computed: one frozen cohort, one live."""
    study = tiny.new_study(folder)
    tiny.ingest(study, tiny.TinyArchive.make(n_patients))
    tiny.define_cohorts(study)
    tiny.freeze(study)
    tiny.rebuild(study)
    return study


def corrected_archive(n_patients: int) -> tiny.TinyArchive:
    """The archive of the same size, with one value of one patient corrected."""
    archive = tiny.TinyArchive.make(n_patients)
    archive.set_value(sorted(archive.patients)[n_patients // 2], "tumor", "GNLY", 9999.0)
    return archive


def write_matrix(path: Path, n_genes: int, n_samples: int, seed: int = 1) -> None:
    """A genes x samples CSV of RSEM-like values: about a fifth zeros, the rest lognormal with four decimals."""
    random = np.random.default_rng(seed)
    names = [f"TCGA-{i // 10_000:02d}-{i % 10_000:04d}-01A-11R-A000-07" for i in range(n_samples)]
    with path.open("w") as file:
        file.write("gene," + ",".join(names) + "\n")
        for i in range(n_genes):
            values = random.lognormal(5.0, 2.0, n_samples).round(4)
            values[random.random(n_samples) < 0.2] = 0.0
            file.write(f"GENE{i}," + ",".join(map(repr, values.tolist())) + "\n")
