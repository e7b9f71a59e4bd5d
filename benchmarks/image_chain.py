"""From the phases of an examination to the stroma's band: processor seconds by analysis, and what the objects take.

Three simulated examinations, one process. The baseline is the plain way to the prepared images alone: every file parsed by
pydicom when its pixels are needed (for the phases' means, and for the images), three phases resampled by SimpleITK, written as
compressed NRRD, and read again by the three analyses that look at voxels. Objects are compared with the files of the images that
were scanned.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.common import ROOT, Measured, run
from benchmarks.whole_studies import bare_study, simulate

N_PATIENTS = 3
COUNTS = f"pair=0,tumor=0,radiogenomic=0,ispy1=0,nact={N_PATIENTS}"
CHAIN = ("dce_phases", "prepared_images", "breast_masks", "tumor_masks", "stroma_bands")
GOAL = 1.0  # of the baseline, for the whole chain
REBUILD = """
import json, sys, time
from collections import Counter
from pathlib import Path
from analyses import ANALYSES
from tshdb.engine.executor import InProcess
from tshdb.engine.rebuild import Rebuild
from tshdb.study import Study
class Timed(InProcess):
    def __init__(self):
        super().__init__()
        self.seconds = Counter()
    def run(self, tasks):
        for task in tasks:
            began = time.process_time()
            done = next(super().run([task]))
            self.seconds[task.analysis.split(":")[1]] += time.process_time() - began
            yield done
executor = Timed()
study = Study(Path(sys.argv[1]))
Rebuild(study, ANALYSES, names=sys.argv[3].split(","), executor=executor).run()
phases = study.sql("SELECT s.study_uid, s.phase_index, i.path FROM dce_slices s JOIN imaging_instances i USING (sop_uid) "
                   "ORDER BY 1, 2, s.slice_index")
chosen = study.sql("SELECT study_uid, phase_index FROM prepared_images").drop_duplicates()
chosen = {(uid, int(phase)) for uid, phase in chosen.itertuples(index=False)}
groups = phases.groupby(["study_uid", "phase_index"])
by_phase = [((uid, int(phase)) in chosen, of["path"].tolist()) for (uid, phase), of in groups]
facts = {"seconds": executor.seconds, "phases": by_phase}
Path(sys.argv[2]).write_text(json.dumps(facts))
"""
PLAIN = """
import json, sys
from pathlib import Path
import numpy as np, pydicom, SimpleITK as sitk
sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
def volume(paths):
    return np.stack([pydicom.dcmread(path).pixel_array for path in paths]).astype(np.float32)
for is_chosen, paths in json.loads(Path(sys.argv[1]).read_text())["phases"]:
    volume(paths).mean()
    if not is_chosen:
        continue
    image = sitk.GetImageFromArray(volume(paths))
    first = pydicom.dcmread(paths[0], stop_before_pixels=True)
    rows, columns = map(float, first.PixelSpacing)
    across = first.SpacingBetweenSlices if "SpacingBetweenSlices" in first else first.SliceThickness
    image.SetSpacing((columns, rows, float(across)))
    size = [max(1, round(n * s / t)) for n, s, t in zip(image.GetSize(), image.GetSpacing(), (0.8, 0.8, 2.0))]
    made = sitk.Resample(image, size, sitk.Transform(), sitk.sitkLinear, image.GetOrigin(), (0.8, 0.8, 2.0), image.GetDirection())
    sitk.WriteImage(made, sys.argv[2], useCompression=True, compressionLevel=1)
    for _ in range(3):
        sitk.ReadImage(sys.argv[2])
"""
NOTHING = "import numpy, pydicom, SimpleITK"


def measure(scratch: Path) -> Iterator[Measured]:
    study = bare_study(scratch / "whole")
    simulate(study, COUNTS)
    facts_file, here = scratch / "facts.json", {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    run([sys.executable, "-c", REBUILD, study.root, facts_file, ",".join(CHAIN)], scratch, here)
    facts = json.loads(facts_file.read_text())

    def cpu_seconds(code: str, *arguments: Path) -> float:
        """The least of three runs."""
        return min(run([sys.executable, "-c", code, *arguments], scratch, here).cpu_seconds for _ in range(3))

    baseline = (cpu_seconds(PLAIN, facts_file, scratch / "plain.nrrd") - cpu_seconds(NOTHING)) / N_PATIENTS
    for name in CHAIN:
        yield Measured(f"{name}, of an examination", facts["seconds"][name] / N_PATIENTS, "s of a core")
    whole = sum(facts["seconds"][name] for name in CHAIN) / N_PATIENTS
    what = "from phases to stroma bands, an examination"
    yield Measured(
        what, whole, "s of a core", "pydicom, SimpleITK", baseline, f"within {GOAL:g} x", whole <= GOAL * baseline
    )
    objects = sum(p.stat().st_size for p in (study.root / "objects").rglob("*.nrrd"))
    sources = sum(Path(path).stat().st_size for _, paths in facts["phases"] for path in paths)
    yield Measured(
        "objects of images", objects / 1e6, "MB", "their phases", sources / 1e6, "no more", objects <= sources
    )
