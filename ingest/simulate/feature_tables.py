"""Simulated radiomic features, where a study is simulated without images: tables as papers publish them.

Truth      u of `subjects` (what the images show of z), in its SD at an effect of 1: v = u / sqrt(1.25).
Planted    PLANTED follow v: strength x v + sqrt(1 - strength^2) x noise, some with a minus; the larger the effect `texture`,
           the less of them is noise.
Others     come in families, one a region, map and class: 0.85 x the family's number + 0.53 x noise, so that much of what stands
           in the table goes together (|r| about .7) and none of it means anything. A patient's site shifts all by a little.
Names      PyRadiomics', with region and map in front: tumor_SI_original_glcm_Idmn.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

import numpy as np

from ingest.simulate.subjects import COLLECTION, IMAGE_NOISE, Role, SimulationSettings, Subject, stream

TABLE = "features"
STRENGTH = 0.8
PLANTED = {
    "tumor_original_shape_Flatness": 1.0,
    "tumor_original_shape_Sphericity": -1.0,
    "tumor_S0_original_glrlm_LongRunHighGrayLevelEmphasis": -1.0,
    "tumor_SI_original_glcm_Idmn": 1.0,
    "stroma_SI_original_glcm_Idmn": 1.0,
    "stroma_S0_original_glszm_GrayLevelNonUniformity": -1.0,
}  # the paper's six
SHAPE = ("Elongation", "Flatness", "MajorAxisLength", "Maximum3DDiameter", "MeshVolume", "Sphericity", "SurfaceArea")
OTHERS = {
    "firstorder": ("Entropy", "Kurtosis", "Mean", "Median", "Range", "Skewness", "Uniformity", "Variance"),
    "glcm": ("Contrast", "Correlation", "Idmn", "Imc1", "JointEnergy", "MCC"),
    "glrlm": ("LongRunHighGrayLevelEmphasis", "RunEntropy", "RunPercentage", "ShortRunEmphasis"),
    "glszm": ("GrayLevelNonUniformity", "SmallAreaEmphasis", "ZoneEntropy", "ZonePercentage"),
    "gldm": ("DependenceEntropy", "DependenceVariance", "SmallDependenceEmphasis"),
    "ngtdm": ("Busyness", "Coarseness", "Strength"),
}
SITES = ("site A", "site B", "site C")
SITE_SHIFT = 0.15
SETTINGS = """# How these features would have been computed, had there been images. Simulated: nobody here is a person.
software = "pyradiomics 3.0.1"
mask_kind = "manual"

[settings]
bin_width = 0.05
filters = ["original"]

[normalisation]
in_plane_mm = 0.8
across_mm = 2.0
divided_by = "parenchyma, before contrast"

[phases]
intermediate_s = 150
"""


def families() -> dict[str, list[str]]:
    """family -> names of its features, in the table's order."""
    names_of_family = {"tumor_shape": [f"tumor_original_shape_{name}" for name in SHAPE]}
    for region in ("tumor", "stroma"):
        for map_name in ("S0", "SI", "SL"):
            for kind, names in OTHERS.items():
                names_of_family[f"{region}_{map_name}_{kind}"] = [
                    f"{region}_{map_name}_original_{kind}_{n}" for n in names
                ]
    return names_of_family


def features_of(subject: Subject, settings: SimulationSettings) -> dict[str, float]:
    """name -> value of one patient."""
    random = stream(settings, subject.role, subject.number, "features")
    shown = subject.u / np.sqrt(1 + IMAGE_NOISE**2)
    site = SITE_SHIFT * (SITES.index(site_of(subject)) - 1)
    values = {}
    for names in families().values():
        shared = random.standard_normal()
        for name in names:
            own = random.standard_normal()
            if name in PLANTED:
                value = PLANTED[name] * STRENGTH * shown + np.sqrt(1 - STRENGTH**2) * own
            else:
                value = 0.85 * shared + np.sqrt(1 - 0.85**2) * own
            values[name] = float(value + site)
    return values


def site_of(subject: Subject) -> str:
    """Where the patient would have been examined."""
    return SITES[subject.number % len(SITES)]


def rows(patients: Iterable[Subject], settings: SimulationSettings) -> Iterator[str]:
    """The lines of the table."""
    names = [name for family in families().values() for name in family]
    yield _line(["patient_id", "batch", *names])
    for subject in patients:
        values = features_of(subject, settings)
        yield _line([subject.patient_id, site_of(subject), *(f"{values[name]:.9g}" for name in names)])


def _line(fields: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(fields)
    return text.getvalue()


COHORTS = {
    Role.RADIOGENOMIC: "radiogenomic_development",
    Role.ISPY1: "prognostic_validation_ispy1",
    Role.NACT: "prognostic_validation_nact",
}


def cohort_lines(role: Role) -> Iterator[str]:
    """The definition of a cohort of patients with imported features, in the place of the preset's, which looks for images."""
    yield "-- Patients with simulated features, in the place of images."
    if role is Role.RADIOGENOMIC:
        yield "-- disjoint from: tumor_stroma_development"
        yield "-- disjoint from: tumor_stroma_validation"
    yield ""
    yield f"-- include: patients of {COLLECTION[role]} with features"
    yield f"SELECT patient_id FROM imported_features WHERE collection = '{COLLECTION[role]}';"
