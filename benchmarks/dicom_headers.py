"""Headers of a folder of DICOM files, one process, against pydicom merely parsing them (stop_before_pixels).

Ours hashes every file's bytes, decodes the whitelist, looks for people, and puts rows into the scratch database. Files are
slices of 256 x 256 with the attributes of a real one (131 kB each). Memory is compared between a quarter of them and all.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.common import Measured, Ran, best, run
from ingest.simulate.dce_layouts import SimulatedExamination, ge_content_time, write_examination
from ingest.simulate.dicom_files import SAGITTAL, Geometry

EXAMINATIONS, SLICES, PHASES = 32, 44, 3
GOAL = 1.3
OURS = """
import sys
from pathlib import Path
from ingest.imaging.folder import DicomFolderOptions, read_folder
from ingest.imaging.spool import Spool
with Spool() as spool:
    print(read_folder(Path(sys.argv[1]), DicomFolderOptions("sim", jobs=int(sys.argv[2])), spool, []).files.n_read)
"""
PLAIN = """
import os, sys
import pydicom
paths = [os.path.join(d, f) for d, _, files in os.walk(sys.argv[1]) for f in files]
for path in paths:
    pydicom.dcmread(path, stop_before_pixels=True)
"""
NOTHING = "import pydicom; from ingest.imaging.folder import read_folder"


def measure(scratch: Path) -> Iterator[Measured]:
    random = np.random.default_rng(1)
    volume = random.integers(0, 900, (SLICES, 256, 256), dtype=np.uint16)
    for i in range(EXAMINATIONS):
        part = scratch / ("quarter" if i < EXAMINATIONS // 4 else "rest")
        e = SimulatedExamination(f"SIM-{i:04d}", "T0", [volume] * PHASES, Geometry(orientation=SAGITTAL))
        write_examination(e, ge_content_time, part / "images")
    (scratch / "all").mkdir()
    for part in ("quarter", "rest"):
        (scratch / part / "images").rename(scratch / "all" / part)
    n = EXAMINATIONS * SLICES * PHASES
    everything, quarter = scratch / "all", scratch / "all" / "quarter"
    here = {"PYTHONPATH": str(Path(__file__).parent.parent)}

    def ran(code: str, *arguments: object) -> Ran:
        return best(lambda: run([sys.executable, "-c", code, *map(str, arguments)], scratch, here), times=3)

    start = ran(NOTHING)
    ours, plain, fewer = ran(OURS, everything, 1), ran(PLAIN, everything), ran(OURS, quarter, 1)
    seconds, baseline = ours.seconds - start.seconds, plain.seconds - start.seconds
    what = f"headers of {n:,} DICOM files, one core"
    yield Measured(what, seconds, "s", "pydicom", baseline, f"within {GOAL} x", seconds <= GOAL * baseline)
    yield Measured("files a minute and core", n / seconds * 60, "", goal="10,000", is_met=n / seconds * 60 >= 10_000)
    yield Measured(
        "peak memory", ours.peak_mib, "MiB", "a quarter of the files", fewer.peak_mib, "flat",
        ours.peak_mib <= 1.1 * fewer.peak_mib,
    )  # fmt: skip
