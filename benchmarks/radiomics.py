"""572 features of one examination: ours against plain PyRadiomics (six calls of execute), pictologics, Nyxus,
flash-radiomics and MIRP, on the same files; and how our time grows with the region.

225 x 225 x 80 voxels of 0.8 x 0.8 x 2 mm, a tumour of about 4,000 voxels and a band of 60,000. Each program reads the images and
masks once before the clock starts, computes everything four times and gives the best time of a processor; peak memory is the
process's. The others have other sets of features (Nyxus takes grey levels that were made before the clock starts): what is
compared is the work.
Install them where TSHDB_BASELINES points to (pip install nyxus mirp, and flash-radiomics
with pykwalify, PyWavelets, h5py and scikit-learn, which it does not name), and pictologics, which needs Python 3.12, where
TSHDB_PICTOLOGICS is the Python to run; who is not there is said.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from analyses.imaging.images.features import of_map
from benchmarks.common import BASELINES, Measured, Ran, run

SIZE = (80, 225, 225)
SPACING = (0.8, 0.8, 2.0)
BIN_WIDTH = 0.05
PICTOLOGICS_PYTHON = Path(os.environ.get("TSHDB_PICTOLOGICS", BASELINES / "python3.12"))
READ = """
import json, sys, time
folder, out = sys.argv[1], sys.argv[2]
def best(work, times=4):
    seconds = []
    for _ in range(times):
        started = time.process_time()
        values = work()
        seconds.append(time.process_time() - started)
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
PICTOLOGICS = (
    READ
    + """
import pictologics as p
from pictologics import features as f
from pictologics.preprocessing import apply_mask, discretise_image
maps = {name: p.load_image(f"{folder}/{name}.nii.gz") for name in ("S0", "SI", "SL")}
masks = {name: p.load_image(f"{folder}/{name}.nii.gz") for name in ("tumor", "stroma")}
def work():
    n = 0
    for region, mask in masks.items():
        for image in maps.values():
            levels = discretise_image(image, "FBS", roi_mask=mask, bin_width=0.05)
            inside = apply_mask(levels, mask)
            n += len(f.calculate_intensity_features(apply_mask(image, mask)))
            n += len(f.calculate_intensity_histogram_features(inside))
            n += len(f.calculate_all_texture_features(levels.array, mask.array, int(inside.max())))
    return n + len(f.calculate_morphology_features(masks["tumor"], image=maps["S0"]))
best(work)
"""
)
FLASH = (
    READ
    + WITH_SITK
    + """
from flash_radiomics import featureextractor
textures = featureextractor.RadiomicsFeatureExtractor(binWidth=0.05)
textures.disableAllFeatures()
for name in ("firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm"):
    textures.enableFeatureClassByName(name)
def work():
    n = 0
    for mask in masks.values():
        for image in maps.values():
            n += sum(key.startswith("original_") for key in textures.execute(image, mask))
    return n
best(work)
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
    yield Measured(what, ours["seconds"], "s", "PyRadiomics x 6", plain["seconds"], "90 x less",
                   plain["seconds"] >= 90 * ours["seconds"])  # fmt: skip
    yield Measured("largest relative difference to it", worst, "", goal="1e-9", is_met=worst <= 1e-9)
    yield Measured("peak memory", ran.peak_mib, "MiB", "PyRadiomics x 6", plain_ran.peak_mib)
    two = _two_processes(scratch, here)
    yield Measured("an examination, two processes side by side", two, "s", "PyRadiomics x 6", plain["seconds"],
                   "10 x less", plain["seconds"] >= 10 * two)  # fmt: skip
    for name, python, code in (
        ("pictologics", PICTOLOGICS_PYTHON, PICTOLOGICS),
        ("Nyxus", BASELINES / "python", NYXUS),
        ("flash-radiomics", BASELINES / "python", FLASH),
        ("MIRP", BASELINES / "python", MIRP),
    ):
        try:
            theirs, theirs_ran = _timed(python, code, scratch, {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"})
        except (RuntimeError, OSError) as error:
            print(f"{name} was not measured: {str(error).strip().splitlines()[-1]}", file=sys.stderr)
            continue
        is_goal = name == "pictologics"
        yield Measured(
            f"the same, against {name} ({theirs['values']} values)", ours["seconds"], "s", name, theirs["seconds"],
            "no more" if is_goal else None, ours["seconds"] <= theirs["seconds"] if is_goal else None,
        )  # fmt: skip
        yield Measured("peak memory", ran.peak_mib, "MiB", name, theirs_ran.peak_mib)
    for n, seconds in _growth():
        yield Measured(f"93 features of {n:,} voxels", seconds, "s")


def _growth() -> Iterator[tuple[int, float]]:
    """(voxels, seconds of a processor) of balls of a thousand to a million voxels."""
    random = np.random.default_rng(0)
    texture = ndimage.gaussian_filter(random.standard_normal((140, 140, 140)), 2)
    image = sitk.GetImageFromArray(1 + 0.2 * texture / texture.std())
    distance = np.sqrt(((np.indices(texture.shape) - 70) ** 2).sum(axis=0))
    for n in (1e3, 1e4, 1e5, 1e6):
        inside = distance < (n * 3 / 4 / np.pi) ** (1 / 3)
        mask = sitk.GetImageFromArray(inside.astype(np.uint8))
        taken = []
        for _ in range(3):
            started = time.process_time()
            of_map(image, mask, "ball", "S0")
            taken.append(time.process_time() - started)
        yield int(inside.sum()), min(taken)


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
