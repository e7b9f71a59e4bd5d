"""A simulated breast in the scanner: anatomy, one tumour, the uptake of contrast, noise. No image of a person.

Anatomy    in mm, DICOM's axes (x to the left, y to the back, z up): skin, fat, fibroglandular tissue, chest wall, muscle,
           lung, heart; one breast (sagittal) or both (axial), fat-suppressed or not.
Tumour     an ellipsoid with a rough surface, inside the breast.
Uptake     relative enhancement = A (1 - exp(-t/tau)) exp(-t k), t from injection; A varies in space.
Planted    u (see `subjects`) moves: the tumour's uneven uptake (relative SD TUMOR_SD exp(-0.35 u)), its grain (mm, larger
           with u), its flatness (least over largest axis, larger with u), its rough surface (less with u), and the uneven
           uptake of the tissue around it (relative SD STROMA_SD exp(+0.3 u)).
Artefacts  noise (Rician), a coil that is brighter near the skin, ghosts of the heart, movement between phases.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import ndimage

from ingest.simulate.dicom_files import AXIAL, SAGITTAL, Geometry

WALL_CURVE = 0.0035  # the chest wall lies y = WALL_CURVE x^2 behind the sternum
FAT_MM, SKIN_MM, MUSCLE_MM = 14.0, 2.2, 12.0  # below the skin of the chest; thickness of skin; of the muscle
BREAST_X = 78.0  # of its middle
BREAST_MM = (62.0, 78.0, 66.0)  # semi-axes in x, y, z
HEART = ((35.0, 92.0, -25.0), (45.0, 38.0, 45.0))
TUMOR_SD, STROMA_SD = 0.22, 0.35
BRIGHTEST = 4_000
NOISE = 0.02  # SD, relative to the signal of glandular tissue
INTENSITIES = {  # tissue -> fat-suppressed, not suppressed
    "air": (0.0, 0.0), "skin": (0.55, 0.6), "fat": (0.28, 1.5), "gland": (0.8, 0.75), "muscle": (0.6, 0.6),
    "lung": (0.06, 0.06), "heart": (0.5, 0.5), "tumor": (0.72, 0.65),
}  # fmt: skip
UPTAKES = {"skin": 0.2, "fat": 0.03, "gland": 0.18, "muscle": 0.2, "lung": 0.1, "heart": 1.6}
SLOW_S, FAST_S = 240.0, 40.0  # tau of tissue, of tumour and heart


@dataclass(frozen=True)
class Scan:
    """How an examination is scanned. times_s: middle of each phase, from injection; the first is before it."""

    is_axial: bool
    side: str
    times_s: Sequence[float]
    voxel_mm: float
    slice_mm: float
    is_fat_suppressed: bool = True


class Phantom(NamedTuple):
    """What was scanned. volumes: uint16, one a phase; masks: (slices, rows, columns), bool."""

    geometry: Geometry
    volumes: list[np.ndarray]
    tumor: np.ndarray
    breast: np.ndarray
    facts: dict[str, float]


def shape_and_geometry(scan: Scan) -> tuple[tuple[int, int, int], Geometry]:
    """(slices, rows, columns) and where they lie."""
    spacing = (scan.voxel_mm, scan.voxel_mm, scan.slice_mm)
    if scan.is_axial:  # rows to the back, columns to the left, slices up
        extents = (150.0, 200.0, 330.0)
        origin = (-extents[2] / 2, -90.0, -extents[0] / 2)
        orientation = AXIAL
    else:  # columns to the back, rows down, slices along x
        extents = (135.0, 160.0, 160.0)
        middle = BREAST_X if scan.side == "left" else -BREAST_X
        orientation = SAGITTAL  # its normal points to the right
        origin = (middle + extents[0] / 2, -90.0, extents[1] / 2)
    shape = (round(extents[0] / scan.slice_mm), *(round(e / scan.voxel_mm) for e in extents[1:]))
    return shape, Geometry(spacing, tuple(round(v, 3) for v in origin), orientation)


def scanned(scan: Scan, u: float, size_mm: float, shrink: float, random: np.random.Generator) -> Phantom:
    """The phases of one examination. size_mm: largest diameter of the tumour; shrink: share of it that is left."""
    shape, geometry = shape_and_geometry(scan)
    x, y, z = _coordinates(shape, geometry)
    depth, tissue, is_breast = _anatomy(x, y, z, scan, random)
    tumor, facts = _tumor(x, y, z, depth, tissue, scan, u, size_mm * shrink, random)
    signal, uptake, speed = _signals(tissue, tumor, scan, u, geometry, random)
    coil = np.exp(-0.12 * np.clip(depth, 0, 80) / 40) * random.uniform(0.75, 1.25)
    moved = random.random() < 0.2
    scale = random.uniform(380, 620)
    volumes = []
    washout = random.uniform(0.0, 0.0008)
    for i, t in enumerate(scan.times_s):
        after = max(t, 0.0)
        gain = 1 + uptake * (1 - np.exp(-after / speed)) * np.where(tumor, np.exp(-washout * after), 1.0)
        volume = ndimage.gaussian_filter(signal * gain, (0.0, 0.45, 0.45)) * coil
        if moved and i:
            volume = ndimage.shift(volume, (0, *random.uniform(-0.4, 0.4, 2)), order=1, mode="nearest")
        volume = volume + _ghost(volume, tissue, random)
        noise = NOISE * random.standard_normal((2, *shape))
        volume = np.hypot(volume + noise[0], noise[1])
        volumes.append(np.clip(np.rint(volume * scale), 0, BRIGHTEST).astype(np.uint16))
    breast = is_breast & (depth > SKIN_MM) & _in_front(x, y)
    return Phantom(geometry, volumes, tumor, breast | tumor, facts)


def _coordinates(shape: tuple[int, int, int], geometry: Geometry) -> tuple[np.ndarray, ...]:
    """x, y, z of every voxel's middle, mm; broadcast to the shape."""
    row, column = np.array(geometry.orientation[:3]), np.array(geometry.orientation[3:])
    normal = np.cross(row, column)
    rows_mm, columns_mm, slices_mm = geometry.spacing_mm
    k, i, j = np.ogrid[: shape[0], : shape[1], : shape[2]]
    return tuple(
        np.broadcast_to(
            geometry.origin_mm[a] + normal[a] * slices_mm * k + column[a] * rows_mm * i + row[a] * columns_mm * j, shape
        )
        for a in range(3)
    )


def _in_front(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return y < WALL_CURVE * x**2


def _anatomy(x, y, z, scan: Scan, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(mm below the skin, negative outside; tissue as an index into INTENSITIES; what belongs to a breast)."""
    wall = WALL_CURVE * x**2
    depth = (y - (wall - FAT_MM)) / np.sqrt(1 + (2 * WALL_CURVE * x) ** 2)
    gland, is_breast = np.zeros(x.shape, bool), np.zeros(x.shape, bool)
    scale = random.uniform(0.85, 1.1)
    density = random.uniform(0.25, 0.6)
    spacing = (scan.slice_mm, scan.voxel_mm, scan.voxel_mm)
    grain = 0.85 * _field(x.shape, spacing, 7.0, random) + 0.5 * _field(x.shape, spacing, 2.5, random)
    threshold = np.quantile(grain[::2, ::3, ::3], 1 - density)
    for side in (-1, 1):
        middle = (side * BREAST_X, WALL_CURVE * BREAST_X**2 + 4.0, 0.0)
        droop = 0.12 * np.clip(middle[1] - y, 0, None)  # the front hangs
        d = (x - middle[0], y - middle[1], z - middle[2] + droop)
        axes = [scale * a for a in BREAST_MM]
        own = _ellipsoid_depth(d, axes)
        is_breast |= own > 0
        depth = np.maximum(depth, own)
        inner = sum((c / (0.72 * a)) ** 2 for c, a in zip(d, axes, strict=True))
        gland |= (inner < 1) & (grain > threshold + 0.9 * (inner - 0.5))
    tissue = np.full(x.shape, 2, np.uint8)
    tissue[gland & (y < wall - 6)] = 3
    tissue[y > wall] = 4
    tissue[y > wall + MUSCLE_MM] = 5
    (hx, hy, hz), axes = HEART
    heart = ((x - hx) / axes[0]) ** 2 + ((y - hy) / axes[1]) ** 2 + ((z - hz) / axes[2]) ** 2 < 1
    tissue[heart & (y > wall + MUSCLE_MM)] = 6
    tissue[depth < SKIN_MM] = 1
    tissue[depth < 0] = 0
    return depth, tissue, is_breast


def _ellipsoid_depth(d: tuple[np.ndarray, ...], axes: Sequence[float]) -> np.ndarray:
    """About the distance to the surface, positive inside: its implicit function over its slope."""
    value = 1 - sum((c / a) ** 2 for c, a in zip(d, axes, strict=True))
    slope = 2 * np.sqrt(sum((c / a**2) ** 2 for c, a in zip(d, axes, strict=True)))
    return value / np.maximum(slope, 0.01)


def _field(shape, spacing_mm: Sequence[float], grain_mm: float, random: np.random.Generator) -> np.ndarray:
    """A smooth random field of mean 0 and SD 1; grain_mm: SD of the kernel that smooths it."""
    sigma = [grain_mm / s for s in spacing_mm]
    field = ndimage.gaussian_filter(random.standard_normal(shape), sigma, mode="wrap", truncate=3)
    return (field - field.mean()) / field.std()


def _tumor(x, y, z, depth, tissue, scan: Scan, u: float, size_mm: float, random) -> tuple[np.ndarray, dict]:
    """(mask, its truth): an ellipsoid with a rough surface, well inside the breast of the patient's side."""
    u = float(np.clip(u, -2.5, 2.5))
    flatness = float(np.clip(0.62 + 0.1 * u, 0.3, 0.95))
    largest = size_mm / 2
    axes = np.array([largest, largest * (0.5 + 0.5 * flatness), largest * flatness])
    rough = 0.16 * np.exp(-0.25 * u)
    side = 1 if scan.side == "left" else -1
    reach = min(1.0, 36.0 / largest)  # a large tumour lies near the middle
    middle = np.array(
        [side * BREAST_X, WALL_CURVE * BREAST_X**2 - 34.0, -6.0]
    ) + reach * random.uniform([-16, -10, -18], [16, 10, 18])  # fmt: skip
    rotation = _rotation(random)
    local = [
        sum(rotation[a, b] * c for b, c in enumerate((x - middle[0], y - middle[1], z - middle[2]))) for a in range(3)
    ]
    radius = np.sqrt(sum((c / a) ** 2 for c, a in zip(local, axes, strict=True)))
    bumps = _field(x.shape, (scan.slice_mm, scan.voxel_mm, scan.voxel_mm), 4.0, random)
    inside = (radius < 1 + rough * bumps) & (radius < 1.5) & (depth > SKIN_MM + 1) & (tissue != 4) & _in_front(x, y)
    labels, n = ndimage.label(inside)
    if n > 1:
        inside = labels == np.argmax(np.bincount(labels.ravel())[1:]) + 1
    volume = float(inside.sum() * scan.voxel_mm**2 * scan.slice_mm / 1000)
    return inside, {"flatness_drawn": flatness, "roughness": float(rough), "tumor_ml": round(volume, 4)}


def _rotation(random: np.random.Generator) -> np.ndarray:
    q, r = np.linalg.qr(random.standard_normal((3, 3)))
    return q * np.sign(np.diag(r))


def _signals(tissue, tumor, scan: Scan, u: float, geometry: Geometry, random) -> tuple[np.ndarray, ...]:
    """(signal before contrast, uptake, tau), each a volume."""
    u = float(np.clip(u, -2.5, 2.5))
    which = 0 if scan.is_fat_suppressed else 1
    levels = np.array([pair[which] for pair in INTENSITIES.values()])
    labels = tissue.copy()
    labels[tumor] = list(INTENSITIES).index("tumor")
    signal = levels[labels]
    spacing = (scan.slice_mm, scan.voxel_mm, scan.voxel_mm)
    fine = _field(tissue.shape, spacing, 2.0, random)
    signal = signal * (1 + 0.06 * fine)
    uptake = np.array([UPTAKES.get(name, 0.0) for name in INTENSITIES])[labels]
    uptake *= random.uniform(0.7, 1.4)
    speed = np.where((labels == 6) | tumor, FAST_S, SLOW_S)
    grain = 2.2 * np.exp(0.25 * u)
    uneven = _field(tissue.shape, spacing, grain, random)
    peak = random.uniform(1.1, 1.7)
    inside = peak * np.clip(1 + TUMOR_SD * np.exp(-0.35 * u) * uneven, 0.15, 2.5)
    around = ndimage.distance_transform_edt(~tumor, sampling=spacing)
    near = np.exp(-around / 9.0) * (tissue > 1) * (tissue < 4)
    coarse = _field(tissue.shape, spacing, 3.0, random)
    stroma = 0.45 * near * np.clip(1 + STROMA_SD * np.exp(0.3 * u) * coarse, 0.0, 3.0)
    uptake = np.where(tumor, inside, uptake + stroma)
    return signal, uptake, speed


def _ghost(volume: np.ndarray, tissue: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Faint copies of the heart along the rows' direction, half the image away."""
    heart = np.where(tissue == 6, volume, 0.0)
    return 0.02 * random.uniform(0.3, 1.0) * np.roll(heart, volume.shape[1] // 2, axis=1)
