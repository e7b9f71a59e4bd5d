"""STAR counts files of 60,660 genes, from text to a study that can be asked.

The files are made, since real ones are too large to keep: N of them, and twice as many for the growth. Baseline in the
same run: pandas reading the same column of every file, comparing its MD5 with the manifest, and putting the columns side
by side. Ours does the same with MD5 and SHA-256, and stores values, rows and provenance. Then 111 genes of all profiles
are read back, and ten more files are added. TSHDB_BENCH_STAR_FILES sets N (120; the collection has 1,231).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.common import Measured, Ran, best, run
from ingest.simulate.star_counts import HEADER, QC_ROWS, SUFFIX
from tshdb.actions.making import make_study

FILES = int(os.environ.get("TSHDB_BENCH_STAR_FILES", "120"))
GENES = 60_660
MARKERS = 111
TSHDB = Path(sys.executable).with_name("tshdb")
PANDAS = """
import hashlib, sys, pathlib, pandas
root = pathlib.Path(sys.argv[1])
manifest = pandas.read_csv(root / "gdc_manifest.txt", sep="\\t")
columns = {}
for row in manifest.itertuples():
    path = root / row.id / row.filename
    with path.open("rb") as file:
        assert hashlib.file_digest(file, "md5").hexdigest() == row.md5
    table = pandas.read_csv(path, sep="\\t", skiprows=1, usecols=["gene_id", "tpm_unstranded"], index_col="gene_id")
    columns[row.id] = table["tpm_unstranded"]
print(pandas.concat(columns, axis=1).shape)
"""


def write_folder(root: Path, n: int, first: int = 0) -> None:
    """n files with a manifest and a sample sheet: half tumours, half their normals."""
    random = np.random.default_rng(1)
    genes = [f"ENSG{i:011d}.{i % 17 + 1}" for i in range(GENES)]
    names, kinds = [f"GENE{i}" for i in range(GENES)], ["protein_coding"] * GENES
    counts = random.negative_binomial(0.3, 0.0002, GENES)
    pools = [list(map(str, random.permutation(counts))) for _ in range(3)]
    reals = [[f"{v:.4f}" for v in random.permutation(counts) / 37.0] for _ in range(3)]
    top = ["# gene-model: GENCODE v36", "\t".join(HEADER)]
    top += [f"{q}\t\t\t{100_000 + i}\t{100_000 + i}\t{100_000 + i}\t\t\t" for i, q in enumerate(QC_ROWS)]
    root.mkdir(parents=True, exist_ok=True)
    manifest, sheet = (
        ["id\tfilename\tmd5\tsize\tstate"],
        ["File ID\tFile Name\tProject ID\tCase ID\tSample ID\tSample Type"],
    )
    for i in range(n):
        shift = int(random.integers(1, GENES))
        columns = [pool[shift:] + pool[:shift] for pool in (*pools, *reals)]
        text = "\n".join([*top, *map("\t".join, zip(genes, names, kinds, *columns, strict=True)), ""])
        file_id, name = str(uuid.UUID(int=i + first + 1)), f"{uuid.UUID(int=10**6 + i + first)}{SUFFIX}"
        data = text.encode()
        (root / file_id).mkdir(exist_ok=True)
        (root / file_id / name).write_bytes(data)
        md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
        manifest.append(f"{file_id}\t{name}\t{md5}\t{len(data)}\treleased")
        case, code = f"TCGA-ST-{(i + first) // 2:04d}", ("01", "11")[(i + first) % 2]
        kind = {"01": "Primary Tumor", "11": "Solid Tissue Normal"}[code]
        sheet.append(f"{file_id}\t{name}\tTCGA-BRCA\t{case}\t{case}-{code}A\t{kind}")
    for file, lines in (("gdc_manifest.txt", manifest), ("gdc_sample_sheet.tsv", sheet)):
        before = (root / file).read_text() if (root / file).exists() else ""
        (root / file).write_text(before + "\n".join(lines[1:] if before else lines) + "\n")


def measure(scratch: Path) -> Iterator[Measured]:
    seconds: dict[int, Ran] = {}
    for n in (FILES, 2 * FILES):
        folder = scratch / f"gdc{n}"
        write_folder(folder, n)
        study = scratch / f"study{n}"

        def ingest(folder=folder, study=study) -> Ran:
            shutil.rmtree(study, ignore_errors=True)
            make_study(study, "sqlite:///study.db", "fan2023").engine.dispose()
            return run([TSHDB, "ingest", "tcga-brca", "--from", folder, "--keep-going"], study)

        seconds[n] = best(ingest, times=2)
    n, folder = 2 * FILES, scratch / f"gdc{2 * FILES}"
    pandas = best(lambda: run([sys.executable, "-c", PANDAS, folder], scratch), times=2)
    what = f"ingest of {n} STAR files x {GENES:,} genes"
    yield Measured(
        f"{what}, wall", seconds[n].seconds, "s", "pandas read, MD5 and concat", pandas.seconds,
        "at least 3 x faster", pandas.seconds >= 3 * seconds[n].seconds,
    )  # fmt: skip
    yield Measured(f"{what}, peak memory", seconds[n].peak_mib, "MiB", "pandas", pandas.peak_mib, "bounded", None)
    more = seconds[n].peak_mib / seconds[FILES].peak_mib
    yield Measured(f"peak memory of {n} files against {FILES}", more, "x", goal="at most 1.2", is_met=more <= 1.2)
    growth = seconds[n].seconds / seconds[FILES].seconds / 2
    yield Measured("growth against linear growth", growth, "", goal="at most 1.1", is_met=growth <= 1.1)
    yield from read_back(scratch / f"study{n}", n)
    write_folder(folder, 10, first=n)
    ten = run([TSHDB, "ingest", "tcga-brca", "--from", folder, "--keep-going"], scratch / f"study{n}")
    yield Measured(
        "ten more files, wall (others are not read again)", ten.seconds, "s", "the whole folder", seconds[n].seconds
    )


def read_back(root: Path, n: int) -> Iterator[Measured]:
    """111 genes of all profiles, in this process, files verified by their SHA-256 as always."""
    import pandas as pd

    from tshdb.expression_store import read_matrix
    from tshdb.study import Study

    study = Study(root)
    profiles = study.sql("SELECT profile_id, part_id FROM expression_profiles").set_index("profile_id")
    genes = [f"ENSG{i * 500:011d}" for i in range(MARKERS)]
    for first, text in ((True, "first time in a process"), (False, "again")):
        if first:
            study.objects._verified.clear()
        started = time.perf_counter()
        matrix = read_matrix(study.objects, profiles, genes)
        seconds = time.perf_counter() - started
        assert matrix.values.shape == (MARKERS, n) and isinstance(profiles, pd.DataFrame)
        goal = None if first else "under 0.3 s for 1,231"
        met = None if first else seconds * 1231 / n < 0.3
        yield Measured(f"{MARKERS} genes x {n} profiles read back, {text}", seconds, "s", goal=goal, is_met=met)
    study.engine.dispose()
