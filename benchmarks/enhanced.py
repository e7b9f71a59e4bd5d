"""An examination as enhanced objects against the same in single files: headers, and the pixels of every phase.

Six phases of 80 slices of 320 x 320 pixels (98 MB): in 480 single files, in one object, and in one object a phase. Each phase is
read as analyses read it, after the bytes were compared. Headers are timed inside of the process, the best of five; pixels by
processes of their own, less what one takes that reads none. Memory is the peak of the process that reads pixels.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.common import Measured, best, run

PHASES, SLICES, SIDE = 6, 80, 320
LAYOUTS = {
    "single files": "ge content time", "one object": "enhanced philips", "an object a phase": "enhanced per phase",
}  # fmt: skip
WRITE = """
import sys
from pathlib import Path
import numpy as np
from ingest.simulate.dce_layouts import SimulatedExamination, write_examination
from ingest.simulate.dicom_files import SAGITTAL, Geometry
from ingest.simulate.enhanced_layouts import ALL
layout, phases, slices, side, folder = sys.argv[1], *map(int, sys.argv[2:5]), Path(sys.argv[5])
random = np.random.default_rng(1)
volumes = [random.integers(0, 900, (slices, side, side), dtype=np.uint16) for _ in range(phases)]
write_examination(SimulatedExamination("SIM-0001", "T0", volumes, Geometry(orientation=SAGITTAL)), ALL[layout][0], folder)
(folder.parent / "total").write_text(repr(sum(float(v.sum(dtype="float64")) for v in volumes)))
"""
HEADERS = """
import json, sys, time
from pathlib import Path
from ingest.imaging.folder import DicomFolderOptions, read_folder
from ingest.imaging.spool import Spool
took = []
for _ in range(5):
    began = time.perf_counter()
    with Spool() as spool:
        read_folder(Path(sys.argv[1]), DicomFolderOptions("sim", jobs=1), spool, [])
        rows = [row for _, series in spool.series() for row in spool.instances(series)]
    took.append(time.perf_counter() - began)
phases = {}
for row in sorted(rows, key=lambda row: row["x_mm"]):
    when = row["acquisition_s"] if row["acquisition_s"] is not None else row["content_s"]
    rescale = [row["rescale_slope"] or 1.0, row["rescale_intercept"] or 0.0]
    phases.setdefault(when, []).append([row["path"], row["sha256"], row["frame_number"], rescale])
facts = {"seconds": min(took), "images": len(rows), "phases": [phases[when] for when in sorted(phases)]}
Path(sys.argv[2]).write_text(json.dumps(facts))
"""
PIXELS = """
import json, sys
from pathlib import Path
from tshdb.images.pixels import read_volume
facts = json.loads(Path(sys.argv[1]).read_text())
phases = [[(*image, tuple(rescale)) for *image, rescale in phase] for phase in facts["phases"]]
if len(sys.argv) > 2:
    total = sum(float(read_volume(phase).sum(dtype="float64")) for phase in phases)
    assert total == float(sys.argv[2]), total
"""


def measure(scratch: Path) -> Iterator[Measured]:
    here = {"PYTHONPATH": str(Path(__file__).parent.parent)}

    def python(code: str, *arguments: object):
        return run([sys.executable, "-c", code, *map(str, arguments)], scratch, here)

    found: dict[str, tuple[float, float, float]] = {}
    for name, layout in LAYOUTS.items():
        folder = scratch / name.replace(" ", "-")
        facts = folder / "facts.json"
        python(WRITE, layout, PHASES, SLICES, SIDE, folder / "images")  # not here: children begin with our memory
        python(HEADERS, folder / "images", facts)
        read = json.loads(facts.read_text())
        assert read["images"] == PHASES * SLICES
        total = (folder / "total").read_text()
        idle = best(lambda facts=facts: python(PIXELS, facts))
        pixels = best(lambda facts=facts, total=total: python(PIXELS, facts, total))
        found[name] = read["seconds"], pixels.seconds - idle.seconds, pixels.peak_mib
    single = found.pop("single files")
    for name, values in found.items():
        for what, unit, goal, most, ours, theirs in (
            ("headers", "s", "at least as fast", 1.0, values[0], single[0]),
            ("pixels of all phases", "s", "at least as fast", 1.0, values[1], single[1]),
            ("peak memory", "MiB", "within 1.25 x", 1.25, values[2], single[2]),
        ):
            yield Measured(f"{what}, {name}", ours, unit, "single files", theirs, goal, ours <= most * theirs)
