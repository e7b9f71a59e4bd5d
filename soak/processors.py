"""The demo and a patient with images, computed as on other processors: what OpenBLAS, NumPy and Numba choose by the processor
is set from outside, and threads are two. Numbers differ by a billionth at most, all else is the same."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from soak import Figure
from tests.support.in_time import in_time, tried
from tests.support.program import ROOT
from tests.support.same_numbers import RELATIVE, compared, rows_of

NEWER = "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR"
KINDS = {  # name -> what is set
    "Haswell": {"OPENBLAS_CORETYPE": "Haswell", "NPY_DISABLE_CPU_FEATURES": NEWER, "NUMBA_CPU_NAME": "haswell"},
    "Nehalem": {
        "OPENBLAS_CORETYPE": "Nehalem",
        "NPY_DISABLE_CPU_FEATURES": f"AVX F16C FMA3 AVX2 {NEWER}",
        "NUMBA_CPU_NAME": "nehalem",
    },
    "Prescott": {
        "OPENBLAS_CORETYPE": "Prescott",
        "NPY_DISABLE_CPU_FEATURES": f"AVX F16C FMA3 AVX2 {NEWER}",
        "NUMBA_CPU_NAME": "generic",
    },
    "two threads": {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2", "NUMBA_NUM_THREADS": "2"},
}
IMAGES = "pair=0,tumor=0,radiogenomic=0,ispy1=1,nact=0"


def run(folder: Path, seed: int) -> Iterator[Figure]:
    files = folder / "files"
    _tshdb(folder, {}, "simulate", files, "--cohorts", IMAGES, "--voxel-mm", "4", "--visits", "1", "--seed", seed)
    here = studies(folder / "here", files, partial(_tshdb, folder, {}))
    n = 0
    for name, settings in in_time(KINDS.items()):
        n += 1
        there = studies(folder / name.replace(" ", "-"), files, partial(_tshdb, folder, settings))
        yield from told(name, here, there)
    yield Figure("kinds of processors", tried(n, len(KINDS)))


def studies(folder: Path, files: Path, tshdb) -> list[dict]:
    """What the demo and a study of simulated images come to (`rows_of`). tshdb: runs the program with these words."""
    folder.mkdir(parents=True)
    tshdb("demo", folder / "demo")
    tshdb("init", folder / "images")
    to = ("--study", folder / "images")
    tshdb("ingest", "dicom", files / "ispy1/ISPY1", "--collection", "ispy1", "--jobs", "1", *to)
    tshdb("rebuild", *to)
    return [rows_of(folder / name / "study.db") for name in ("demo", "images")]


def told(name: str, here: list[dict], there: list[dict]) -> Iterator[Figure]:
    """How far two are apart."""
    for what, one, other in zip(("the demo", "images"), here, there, strict=True):
        found = compared(one, other)
        same = f"{found.n:,} values, {found.n_numbers:,} numbers, {found.n_same_bits:,} of them bit for bit"
        yield Figure(f"{name}, {what}: {same}; furthest", f"{found.furthest:.1e}", f"{RELATIVE:g}", found.n > 100)
        yield Figure(f"{name}, {what}: what is another", str(len(found.other)), "0", not found.other)
        for each in found.other[:10]:
            yield Figure("another", each)


def _tshdb(folder: Path, settings: dict[str, str], *words: object) -> None:
    environment = os.environ | settings | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tshdb", *map(str, words)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 3):  # 3: units that cannot be computed of one patient
        raise RuntimeError(f"{' '.join(command[3:])}: {done.returncode}: {done.stderr[-1500:]}")
