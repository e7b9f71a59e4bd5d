"""Random small regions of every awkward kind, and what PyRadiomics and the compiled kernels find in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from analyses.imaging.images import referee
from analyses.imaging.images.agreement import apart
from analyses.imaging.kernels.classes import border_of, of_classes
from analyses.imaging.kernels.region import region_of
from analyses.imaging.kernels.shape import shape
from tshdb.images.feature_names import CLASSES, NAMES, Settings

KINDS = ("blob", "holes", "slice", "line", "scattered", "border", "pair")
DISTANCES = ((1,), (1,), (2,), (3,), (1, 2), (1, 2, 3))


@dataclass(frozen=True)
class Case:
    """values, inside: (slices, rows, columns), as small as the region's box; spacing: mm."""

    kind: str
    values: np.ndarray
    inside: np.ndarray
    spacing: tuple[float, float, float]
    settings: Settings

    def __str__(self) -> str:
        s = self.settings
        return f"{self.kind} of {self.inside.sum()} voxels in {self.inside.shape}, {self.values.dtype}, {s}"


def case_of(seed: int) -> Case:
    """The region of a seed; kinds in turn, the rest drawn: 1 to 256 levels, distances 1 to 3, in slices or not."""
    random = np.random.default_rng(seed)
    kind = KINDS[seed % len(KINDS)]
    size = tuple(int(n) for n in random.integers(4, 18, 3))
    inside = _inside(kind, size, random)
    levels = int(random.choice([1, 2, 3, 5, 16, 40, 100, 256]))
    scale = float(random.choice([0.01, 1, 300]))
    values = ndimage.gaussian_filter(random.standard_normal(size), random.uniform(0, 1.2))
    low, high = values[inside].min(), values[inside].max()
    values = (values - low) / ((high - low) or 1) if levels > 1 else np.full(size, 0.37)
    values = (values + random.choice([0, -0.5, 1, 2])) * scale
    values = values.astype(random.choice(["f8", "f4", "i2"] if scale == 300 else ["f8", "f4"]))
    settings = Settings(
        bin_width=scale / levels,
        bin_count=levels if levels > 1 and random.random() < 0.3 else None,
        distances=DISTANCES[int(random.integers(len(DISTANCES)))],
        force_2d=bool(random.random() < 0.3),
        symmetric=bool(random.random() < 0.8),
        alpha=int(random.integers(3)),
    )
    box = tuple(slice(int(at.min()), int(at.max()) + 1) for at in np.nonzero(inside))
    spacing = tuple(float(mm) for mm in random.choice([0.8, 1.0, 2.0, 3.3], 3))
    return Case(kind, np.ascontiguousarray(values[box]), np.ascontiguousarray(inside[box]), spacing, settings)


def _inside(kind: str, size: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    smooth = ndimage.gaussian_filter(random.standard_normal(size), random.uniform(0.5, 2))
    inside = smooth > np.quantile(smooth, random.uniform(0.3, 0.8))
    if kind == "holes":
        inside &= random.random(size) > 0.3
    elif kind == "slice":
        axis = int(random.integers(3))
        inside = smooth > np.quantile(smooth, 0.3)
        inside &= np.indices(size)[axis] == int(random.integers(size[axis]))
    elif kind == "line":
        inside = (np.indices(size)[0] == 0) & (np.indices(size)[1] == 0)
    elif kind == "scattered":
        inside = random.random(size) > 0.9
    elif kind == "border":
        inside[0] = inside[:, -1] = True
    elif kind == "pair":
        inside = np.zeros(size, bool)
        inside[0, 0, 0] = inside[-1, -1, -1] = True
    return inside if inside.sum() > 1 else np.ones(size, bool)


def compiled(case: Case) -> dict[str, np.ndarray]:
    """Class -> its features by the kernels."""
    settings = case.settings
    region = region_of(case.values, case.inside, settings.bin_width, settings.bin_count, border_of(settings))
    found = of_classes(region, CLASSES, settings, float(np.prod(case.spacing)))
    return found | {"shape": shape(case.inside, case.spacing)}


def by_pyradiomics(case: Case) -> dict[str, np.ndarray]:
    """The same by PyRadiomics' own classes."""
    found = referee.of_classes(case.values, case.inside, case.spacing, CLASSES, case.settings)
    return found | {"shape": referee.shape(case.inside, case.spacing)}


def differences(case: Case) -> list[str]:
    """What the two do not agree about, in words."""
    ours, theirs = compiled(case), by_pyradiomics(case)
    return [
        f"{class_}.{name}: {mine[name]!r}, PyRadiomics {other[name]!r}"
        for class_, names in NAMES.items()
        for mine, other in [(dict(zip(names, made[class_].tolist(), strict=True)) for made in (ours, theirs))]
        for name in apart(class_, mine, other)
    ]
