"""572 features of one examination: ours against plain PyRadiomics (six calls of execute), Nyxus and MIRP, on the same files.

225 x 225 x 80 voxels of 0.8 x 0.8 x 2 mm, a tumour of about 4,000 voxels and a band of 60,000. Each program reads the images and
masks once before the clock starts, computes everything twice and gives the better time; peak memory is the process's. Nyxus
and MIRP have other sets of features (Nyxus takes grey levels that were made before the clock starts): what is compared is the
work.
Install them where TSHDB_BASELINES points to (pip install nyxus mirp); without them the lines are left out.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from benchmarks.common import BASELINES, Measured, Ran, run

SIZE = (80, 225, 225)
SPACING = (0.8, 0.8, 2.0)
BIN_WIDTH = 0.05
READ = """
import json, sys, time
folder, out = sys.argv[1], sys.argv[2]
def best(work, times=4):
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        values = work()
        seconds.append(time.perf_counter() - started)
    json.dump({"seconds": min(seconds), "values": values}, open(out, "w"))
"""
WITH_SITK = """
import SimpleITK as sitk
maps = {name: sitk.ReadImage(f"{folder}/{name}.nrrd") for name in ("S0", "SI", "SL")}
masks = {name: sitk.ReadImage(f"{folder}/{name}.nrrd") for name in ("tumor", "stroma")}
"""
OURS = (
    READ
    + WITH_SITK
    + """
from analyses.imaging.images.features import whole_set
best(lambda: {v.feature: v.value for v in whole_set(maps, masks["tumor"], masks["stroma"])})
"""
)
PLAIN = (
    READ
    + WITH_SITK
    + """
import logging
from radiomics import featureextractor
logging.getLogger("radiomics").setLevel(logging.CRITICAL)
textures = featureextractor.RadiomicsFeatureExtractor(binWidth=0.05)
textures.disableAllFeatures()
for name in ("firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm"):
    textures.enableFeatureClassByName(name)
shape = featureextractor.RadiomicsFeatureExtractor()
shape.disableAllFeatures()
shape.enableFeatureClassByName("shape")
def work():
    values = {}
    for region, mask in masks.items():
        for name, image in maps.items():
            for key, value in textures.execute(image, mask).items():
                if key.startswith("original_"):
                    values[f"{region}.{name}." + key[9:].replace("_", ".")] = float(value)
    for key, value in shape.execute(maps["S0"], masks["tumor"]).items():
        if key.startswith("original_"):
            values["tumor." + key[9:].replace("_", ".")] = float(value)
    return values
best(work)
"""
)
NYXUS = (
    READ
    + """
from nyxus import Nyxus3D
nyxus = Nyxus3D(["*3D_ALL*"], ibsi=True, n_feature_calc_threads=1)
cases = [(f"{folder}/{r}-{n}-levels.nii.gz", f"{folder}/{r}-{n}-mask.nii.gz")
         for r in ("tumor", "stroma") for n in ("S0", "SI", "SL")]
best(lambda: sum(nyxus.featurize_files([i], [m], True).shape[1] for i, m in cases))
"""
)
MIRP = (
    READ
    + """
import mirp
def work():
    n = 0
    for region in ("tumor", "stroma"):
        for name in ("S0", "SI", "SL"):
            found = mirp.extract_features(
                image=f"{folder}/{name}.nii.gz", mask=f"{folder}/{region}.nii.gz",
                base_discretisation_method="fixed_bin_size", base_discretisation_bin_width=0.05,
                intensity_normalisation="none", resegmentation_intensity_range=[-10.0, 50.0],
                base_feature_families=["statistics", "cm", "rlm", "szm", "ngtdm", "ngldm"] + (
                    ["morphological"] if (region, name) == ("tumor", "S0") else []),
            )
            n += found[0].shape[1]
    return n
best(work, times=1)
"""
)


def measure(scratch: Path) -> Iterator[Measured]:
    here = {
        "PYTHONPATH": str(Path(__file__).parent.parent),
        "OMP_NUM_THREADS": "1",
        "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": "1",
    }
    # in a process of its own: a child's peak begins at the size of the process that starts it
    run(
        [sys.executable, "-c", f"from benchmarks.radiomics import write_case; write_case({str(scratch)!r})"],
        scratch,
        here,
    )
    ours, ran = _timed(sys.executable, OURS, scratch, here)
    plain, plain_ran = _timed(sys.executable, PLAIN, scratch, here)
    worst = max(abs(ours["values"][name] - value) / max(abs(value), 1e-12) for name, value in plain["values"].items())
    assert set(plain["values"]) == set(ours["values"]), "other features than PyRadiomics"
    what = "572 features of one examination, one process"
    yield Measured(what, ours["seconds"], "s", "PyRadiomics x 6", plain["seconds"], "5.5 x less",
                   plain["seconds"] >= 5.5 * ours["seconds"])  # fmt: skip
    yield Measured("largest relative difference to it", worst, "", goal="1e-9", is_met=worst <= 1e-9)
    yield Measured("peak memory", ran.peak_mib, "MiB", "PyRadiomics x 6", plain_ran.peak_mib)
    two = _two_processes(scratch, here)
    yield Measured("an examination, two processes side by side", two, "s", "PyRadiomics x 6", plain["seconds"],
                   "10 x less", plain["seconds"] >= 10 * two)  # fmt: skip
    python = BASELINES / "python"
    for name, code in (("Nyxus", NYXUS), ("MIRP", MIRP)):
        try:
            theirs, theirs_ran = _timed(python, code, scratch, {"OMP_NUM_THREADS": "1"})
        except (RuntimeError, FileNotFoundError) as error:
            print(f"{name} was not measured: {str(error).strip().splitlines()[-1]}", file=sys.stderr)
            continue
        yield Measured(
            f"the same, against {name} ({theirs['values']} values)", ours["seconds"], "s", name, theirs["seconds"]
        )
        yield Measured("peak memory", ran.peak_mib, "MiB", name, theirs_ran.peak_mib)


def _timed(python: Path | str, code: str, scratch: Path, env: dict[str, str]) -> tuple[dict, Ran]:
    out = scratch / "out.json"
    ran = run([python, "-c", code, scratch, out], scratch, env)
    return json.loads(out.read_text()), ran


def _two_processes(scratch: Path, env: dict[str, str]) -> float:
    """Seconds an examination when two run at once: the slower of two, halved."""
    from concurrent.futures import ThreadPoolExecutor

    folders = [scratch / "a", scratch / "b"]
    for folder in folders:
        folder.mkdir()
        for path in scratch.glob("*.nrrd"):
            (folder / path.name).symlink_to(path)
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda folder: _timed(sys.executable, OURS, folder, env)[0]["seconds"], folders))
    return max(found) / 2


def write_case(place: str) -> None:
    folder = Path(place)
    random = np.random.default_rng(0)
    z, y, x = np.indices(SIZE, dtype=np.float32)
    distance = np.sqrt(((z - 40) * 2) ** 2 + ((y - 112) * 0.8) ** 2 + ((x - 112) * 0.8) ** 2)
    bumps = ndimage.gaussian_filter(random.standard_normal(SIZE), (1.5, 4, 4))
    tumor = distance < 10.7 + 6 * bumps
    stroma = (distance > 11) & (distance < 31) & (y < 120) & ~tumor
    texture = ndimage.gaussian_filter(random.standard_normal(SIZE), (1, 2, 2))
    texture /= texture.std()
    maps = {
        "S0": 1 + 0.2 * texture + 0.05 * random.standard_normal(SIZE),
        "SI": 0.3 + 0.9 * tumor * (1 + 0.3 * texture) + 0.05 * random.standard_normal(SIZE),
        "SL": 0.3 + 0.8 * tumor * (1 + 0.3 * texture) + 0.06 * random.standard_normal(SIZE),
    }
    for name, values in {**maps, "tumor": tumor.astype(np.uint8), "stroma": stroma.astype(np.uint8)}.items():
        image = sitk.GetImageFromArray(values)
        image.SetSpacing(SPACING)
        sitk.WriteImage(image, str(folder / f"{name}.nrrd"))
        sitk.WriteImage(image, str(folder / f"{name}.nii.gz"))
    for region, mask in (("tumor", tumor), ("stroma", stroma)):
        box = tuple(slice(int(w.min()), int(w.max()) + 1) for w in np.nonzero(mask))
        for name, values in maps.items():
            levels = np.floor((values[box] - values[mask].min()) / BIN_WIDTH).astype(np.int64) + 1
            made = {"levels": np.clip(levels, 1, None).astype(np.uint16), "mask": mask[box].astype(np.uint16)}
            for what, part in made.items():
                image = sitk.GetImageFromArray(part)
                image.SetSpacing(SPACING)
                sitk.WriteImage(image, str(folder / f"{region}-{name}-{what}.nii.gz"))
