"""Simulated patients with images and a planted truth, their features with and without texture, and the ladder on them: the tests
look at one of each, `soak/controls.py` at five.

The simulator's own scans (`ingest.simulate.breast`), none of whose properties follows anything. The label follows
    volume    the logarithm of the tumour's diameter
    texture   how coarse the tumour's enhancement is. It is planted by putting the tumour's own voxels, each with its whole curve,
              into the order of a smooth field: shape, and histograms of all phases, are those of the scan
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import SimpleITK as sitk
from scipy import ndimage

from analyses.imaging.control_features import ControlFeatureParameters, control_features
from analyses.imaging.images.controls import CONTROLS
from analyses.imaging.images.grids import image_of
from analyses.imaging.images.prepare import parenchyma_mean
from analyses.imaging.images.stroma import band
from analyses.imaging.radiomic_features import RadiomicFeatureParameters, radiomic_features
from analyses.signature.features import COMPUTED
from analyses.signature.how_made import settings_of_study
from ingest.simulate.breast import Phantom, Scan, scanned
from tests.analyses.test_signature import SET
from tests.support.ladder_tables import NOTHING
from tshdb.engine.relations import REGION_MAPS

TRUTHS = ("volume", "texture")
SCAN = Scan(is_axial=False, side="left", times_s=(-60.0, 120.0, 400.0), voxel_mm=2.0, slice_mm=3.0)
PHASES = ("S0", "intermediate", "last")
GRAIN = 0.6  # voxels, SD of the kernel that smooths the planted field, of a patient in the middle
STEP = 0.35  # by which its logarithm grows with an SD of the truth
STRENGTH = 4.0  # of the truth in its SD, beside logistic noise of 1.1 SD
BAND_MM = 6.0


def patients(truth: str, seed: int, folder: Path, n: int, step: float = STEP) -> dict[str, pd.DataFrame]:
    """The inputs of a ladder, as `ladder_tables.tables` has them, with features of altered images. step: as STEP, of the
    texture."""
    luck = np.random.default_rng([seed, TRUTHS.index(truth)])
    grains, log_sizes = luck.normal(size=n), luck.normal(size=n)
    is_good = STRENGTH * (grains if truth == "texture" else log_sizes) + 0.6 * luck.logistic(size=n) > 0
    studies = [f"E{i:03d}" for i in range(n)]
    frames: dict[str, list[dict]] = {"images": [], "tumors": [], "bands": []}
    for study, grain, log_size in zip(studies, grains, log_sizes, strict=True):
        phantom = scanned(SCAN, 0.0, 26.0 * float(np.exp(0.3 * log_size)), 1.0, luck)
        if truth == "texture":
            phantom = ordered(phantom, GRAIN * float(np.exp(step * grain)), luck)
        for name, rows in kept(phantom, study, folder).items():
            frames[name] += rows
    given = {name: pd.DataFrame(rows) for name, rows in frames.items()}
    params = ControlFeatureParameters(controls=CONTROLS)
    names = [f"P{i:03d}" for i in range(n)]
    alike = settings_of_study(made_by(CONTROLS, "radiomic_features"))
    sets = [SET | alike | {"examination": e, "patient_id": p, "source": COMPUTED, "batch": "one", "comparability": "c"}
            for e, p in zip(studies, names, strict=True)]  # fmt: skip
    return {
        "labels": pd.DataFrame({"patient_id": names, "label": np.where(is_good, "good", "poor")}),
        "sets": pd.DataFrame(sets),
        "computed": measured(given),
        "imported": NOTHING,
        "patients": pd.DataFrame({"patient_id": names, "age_years": luck.normal(55, 10, n), "er_status": None, "pr_status": None,
                                  "her2_status": None, "tumor_size_mm": None}),
        "members": pd.DataFrame({"patient_id": names}),
        "controls": control_features.function(**given, seeds=dict(zip(studies, range(n), strict=True)), params=params),
        "controls_made": made_by(CONTROLS),
    }  # fmt: skip


def made_by(controls: tuple[str, ...], name: str = "control_features", **changed) -> pd.DataFrame:
    """How features are made, as the ladder is told. changed: other settings than the defaults."""
    params = RadiomicFeatureParameters(**changed).model_dump(mode="json")
    own = {"controls": list(controls)} if name == "control_features" else {}
    return pd.DataFrame({"analysis": [name], "parameters": [json.dumps(params | own)]})


def ordered(phantom: Phantom, grain: float, luck: np.random.Generator) -> Phantom:
    """The same scan with the tumour's voxels in the order of a smooth field: the brighter, after contrast, where it is higher.
    grain: voxels, SD of the kernel that smooths it."""
    tumor = phantom.tumor
    field = ndimage.gaussian_filter(luck.standard_normal(tumor.shape), grain)[tumor]
    voxels = np.stack([volume[tumor] for volume in phantom.volumes], axis=1)
    brightness = voxels[:, 1].astype(float) - voxels[:, 0]
    placed = np.empty_like(voxels)
    placed[np.argsort(field, kind="stable")] = voxels[np.argsort(brightness, kind="stable")]
    volumes = [volume.copy() for volume in phantom.volumes]
    for at, volume in enumerate(volumes):
        volume[tumor] = placed[:, at]
    return phantom._replace(volumes=volumes)


def kept(phantom: Phantom, study: str, folder: Path) -> dict[str, list[dict]]:
    """Rows of prepared_images, tumor_masks and stroma_bands of one scan, at its own voxel size; their objects in the folder."""
    like = sitk.Image(phantom.volumes[0].shape[::-1], sitk.sitkUInt8)
    like.SetSpacing((SCAN.voxel_mm, SCAN.voxel_mm, SCAN.slice_mm))
    tumor, breast = (image_of(mask.astype(np.uint8), like) for mask in (phantom.tumor, phantom.breast))
    stroma = band(tumor, breast, BAND_MM).mask
    objects = {"tumor": tumor, "stroma": stroma}
    objects |= {
        name: image_of(volume.astype(np.float32), like) for name, volume in zip(PHASES, phantom.volumes, strict=True)
    }
    paths = {name: str(folder / f"{study}-{name}.nrrd") for name in objects}
    for name, image in objects.items():
        sitk.WriteImage(image, paths[name])
    mean, _ = parenchyma_mean(objects["S0"], breast, tumor)
    shared = {"study_uid": study, "reason": None}
    return {
        "images": [shared | {"image": name, "object_path": paths[name]} for name in PHASES],
        "tumors": [shared | {"object_path": paths["tumor"], "qc_flags": None}],
        "bands": [shared | {"object_path": paths["stroma"], "parenchyma_s0": mean}],
    }


def measured(given: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Rows of radiomic_features of these images."""
    by_unit = {
        name: pd.concat([rows.assign(region_map=rows["study_uid"] + f"|{part}") for part in REGION_MAPS])
        for name, rows in given.items()
    }
    return radiomic_features.function(**by_unit, params=RadiomicFeatureParameters())
