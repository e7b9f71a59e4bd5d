"""Simulated patients: who there is, the planted heterogeneity, and what it moves. Nobody here is a person.

Truth      z, one standard normal number a patient: how much her tumour's cytotoxic lymphocytes exceed the stroma's.
RNA        TSH ratio of population k = mean_k + sd_k (a_k z + sqrt(1 - a_k^2) e); a_k = r load_k / sqrt((r load_k)^2 + 1 -
           load_k^2): the effect `rna` r multiplies what z moves against what it does not; at 1, a_k is the load.
           Abundances: stroma S_k, tumour S_k (1 + ratio).
Survival   exponential; hazard of death per year = BASE_HAZARD exp(-s z + SIZE_EFFECT size), s the effect `survival` (log
           hazard ratio per SD of z), size in SD. Progression of ISPY1 comes at 35 to 90 % of the time to death, the
           DFS of NACT has PROGRESSION times the hazard of death. Censoring: uniform, 1 to 11 years.
Images     u = t z + 0.5 e, t the effect `texture`: see `breast`.
Streams    every number comes from (seed, role, number of the patient, purpose), so that a patient is the same in a study
           of any size, and a study can grow.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np

from tshdb.errors import UsageError

BASE_HAZARD = 0.05  # deaths a year at z = 0
SIZE_EFFECT = 0.25
PROGRESSION = 1.6
LEAST_CENSORED, MOST_CENSORED = 1.0, 11.0  # years
DAYS = 365.25
IMAGE_NOISE = 0.5
WAYS = ("layout", "outline", "delivery")  # of SimulationSettings

POPULATIONS: dict[str, tuple[float, float, float, float, float]] = {
    # population -> abundance in stroma (mean, SD; log2(TPM + 1)), TSH ratio (mean, SD), load of z
    "T cells": (1.9, 0.35, -0.05, 0.35, 0.5),
    "CD8 T cells": (2.1, 0.45, -0.05, 0.45, 0.4),
    "Cytotoxic lymphocytes": (0.92, 0.16, -0.25, 0.32, 0.9),
    "B lineage": (1.8, 0.4, 0.05, 0.4, 0.2),
    "NK cells": (0.35, 0.08, -0.2, 0.35, 0.4),
    "Monocytic lineage": (2.9, 0.35, 0.1, 0.2, 0.0),
    "Myeloid dendritic cells": (1.2, 0.25, 0.05, 0.3, 0.1),
    "Neutrophils": (2.7, 0.3, -0.25, 0.15, 0.0),
    "Endothelial cells": (3.3, 0.35, -0.35, 0.12, 0.0),
    "Fibroblasts": (8.4, 0.5, 0.03, 0.08, -0.5),
}


class Role(StrEnum):
    """What is known of a patient: the cohorts of the paper."""

    PAIR = "pair"  # TCGA: RNA of tumour and solid tissue normal
    TUMOR = "tumor"  # TCGA: RNA of the tumour
    RADIOGENOMIC = "radiogenomic"  # TCGA: RNA of the tumour, and images
    ISPY1 = "ispy1"
    NACT = "nact"


COLLECTION = {
    Role.PAIR: "tcga-brca",
    Role.TUMOR: "tcga-brca",
    Role.RADIOGENOMIC: "tcga-brca",
    Role.ISPY1: "ispy1",
    Role.NACT: "breast-mri-nact-pilot",
}
HAS_RNA = (Role.PAIR, Role.TUMOR, Role.RADIOGENOMIC)
HAS_IMAGES = (Role.RADIOGENOMIC, Role.ISPY1, Role.NACT)
PAPER = {Role.PAIR: 112, Role.TUMOR: 886, Role.RADIOGENOMIC: 91, Role.ISPY1: 180, Role.NACT: 61}
CYCLE = (
    Role.PAIR, Role.TUMOR, Role.RADIOGENOMIC, Role.ISPY1, Role.PAIR, Role.TUMOR, Role.NACT, Role.RADIOGENOMIC,
    Role.ISPY1, Role.TUMOR,
)  # fmt: skip
SITES = {Role.PAIR: "BH", Role.TUMOR: "A2"}  # of the barcode; patients with images: by the layout of their scanner
IMAGE_SITES = ("BH", "E2", "OL", "EW", "AR")
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SIMULATED = (
    "ZYXWVUTSRQPONMLKJIHGFEDCB"  # no participant of TCGA-BRCA begins with one of them; the next when one is full
)


def counts_of(n: int) -> dict[Role, int]:
    """n patients in about the paper's proportions, every role among the first seven."""
    roles = [CYCLE[i % len(CYCLE)] for i in range(n)]
    return {role: roles.count(role) for role in Role}


@dataclass(frozen=True)
class Effects:
    """How much the planted z moves.

    rna        times the signal of the loads
    texture    SD of what images show of z
    survival   log hazard ratio of an SD of z
    """

    rna: float = 1.0
    texture: float = 1.0
    survival: float = 0.7


@dataclass(frozen=True)
class SimulationSettings:
    """All that a simulated study depends on. voxel_mm, slice_mm: of the images; n_genes: rows of a STAR file.

    layout: of all dynamic scans, by its name in `enhanced_layouts.ALL`; none: as each patient's scanner lays them out.
    outline: its form, by its name in `outlines.OUTLINES`; none: as the patient's archive has it.
    delivery: of images, of `deliveries.DELIVERIES`; none: once, in the archive's folders.
    """

    seed: int = 1
    effects: Effects = field(default_factory=Effects)
    n_genes: int = 2_000
    voxel_mm: float = 1.6
    slice_mm: float = 3.0
    n_visits: int = 1
    has_images: bool = True
    layout: str | None = None
    outline: str | None = None
    delivery: str | None = None

    def record(self) -> dict[str, Any]:
        """As it is kept: without ways that nobody asked for, so that a study that was begun before there were any can grow."""
        return {name: value for name, value in asdict(self).items() if name not in WAYS or value is not None}


def stream(settings: SimulationSettings, *purpose: object) -> np.random.Generator:
    """Random numbers of a purpose, which no other purpose shares."""
    text = "/".join(map(str, ("tshdb", settings.seed, *purpose)))
    return np.random.Generator(np.random.PCG64(int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big")))


@dataclass(frozen=True)
class Subject:
    """One patient. z: the planted truth; ratios, stroma: by population; u: what the images show of z."""

    role: Role
    number: int
    patient_id: str
    z: float
    u: float
    ratios: dict[str, float]
    stroma: dict[str, float]
    clinical: dict[str, Any]
    outcome: dict[str, Any]

    @property
    def collection(self) -> str:
        return COLLECTION[self.role]

    @property
    def tumor(self) -> dict[str, float]:
        """Abundances in the tumour."""
        return {k: s * (1 + self.ratios[k]) for k, s in self.stroma.items()}


def patient_id(role: Role, number: int) -> str:
    """An identifier of the archive's form that no real patient has. Raises UsageError where the form has no more of them."""
    if role is Role.ISPY1:
        return f"ISPY1_{9_001 + number}"
    if role is Role.NACT:
        return f"UCSF-BR-{9_001 + number}"
    rest, code = number * len(HAS_RNA) + HAS_RNA.index(role), ""
    for _ in range(3):
        rest, digit = divmod(rest, len(ALPHABET))
        code = ALPHABET[digit] + code
    if rest >= len(SIMULATED):
        most = len(SIMULATED) * len(ALPHABET) ** 3 // len(HAS_RNA)
        raise UsageError(
            f"{number + 1:,} patients or more of the kind {role}: there are identifiers for {most:,}", where="tshdb simulate",
            repair="Ask for fewer, or for others: --cohorts ispy1=N",
        )  # fmt: skip
    site = SITES.get(role) or IMAGE_SITES[number % len(IMAGE_SITES)]
    return f"TCGA-{site}-{SIMULATED[rest]}{code}"


def subject(settings: SimulationSettings, role: Role, number: int) -> Subject:
    """The patient of that number among those of her role."""
    random = stream(settings, role, number, "subject")
    z = float(random.standard_normal())
    u = settings.effects.texture * z + IMAGE_NOISE * float(random.standard_normal())
    ratios, stroma = {}, {}
    for name, (mean, sd, ratio, ratio_sd, load) in POPULATIONS.items():
        along = share_of_z(load, settings.effects.rna)
        drawn = along * z + np.sqrt(1 - along**2) * random.standard_normal()
        ratios[name] = float(max(ratio + ratio_sd * drawn, -0.9))
        stroma[name] = float(max(mean + sd * random.standard_normal(), 0.3 * mean))
    clinical = _clinical(role, random)
    outcome = _outcome(role, settings.effects.survival, z, clinical, random)
    return Subject(role, number, patient_id(role, number), z, u, ratios, stroma, clinical, outcome)


def share_of_z(load: float, effect: float) -> float:
    """Correlation of a population's TSH ratio with z: its load at an effect of 1, 0 at 0, towards 1 (or -1) above."""
    if effect == 1:
        return load
    return effect * load / math.sqrt((effect * load) ** 2 + 1 - load**2)


def _clinical(role: Role, random: np.random.Generator) -> dict[str, Any]:
    mean_age = 58.0 if COLLECTION[role] == "tcga-brca" else 48.5
    size_sd = float(random.standard_normal())
    er = bool(random.random() < 0.74)
    pr = bool(random.random() < (0.85 if er else 0.08))
    her2_drawn = random.random()
    missing = 0.35 if role in HAS_RNA else 0.03
    size_mm = float(np.exp(np.log(26.0 if role in HAS_RNA else 45.0) + 0.4 * size_sd))
    return {
        "age_years": int(np.clip(round(mean_age + 11 * random.standard_normal()), 27, 89)),
        "race": str(random.choice(["white", "black or african american", "asian"], p=[0.76, 0.17, 0.07])),
        "er": er,
        "pr": pr,
        "her2": None if her2_drawn < missing else bool(random.random() < (0.16 if er else 0.3)),
        "size_mm": round(min(size_mm, 85.0), 1),
        "size_sd": size_sd,
        "side": str(random.choice(["left", "right"])),
        "n_stage": int(random.choice([0, 1, 2, 3], p=[0.48, 0.33, 0.12, 0.07])),
        "menopause": "Post" if random.random() < 0.65 else "Pre",
    }


def _outcome(role: Role, effect: float, z: float, clinical: dict, random: np.random.Generator) -> dict[str, Any]:
    hazard = BASE_HAZARD * np.exp(-effect * z + SIZE_EFFECT * clinical["size_sd"])
    death = random.exponential(1 / hazard) * DAYS
    share = random.uniform(0.35, 0.9)
    progression = random.exponential(1 / (PROGRESSION * hazard)) * DAYS if role is Role.NACT else death * share
    end = random.uniform(LEAST_CENSORED, MOST_CENSORED) * DAYS
    is_lost = bool(random.random() < 0.03)
    return {
        "os_event": bool(death <= end),
        "os_days": max(1, int(min(death, end))),
        "rfs_event": bool(progression <= end),
        "rfs_days": max(1, int(min(progression, end))),
        "is_lost": is_lost and bool(death > end),
    }
