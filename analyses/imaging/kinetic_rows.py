"""The rows of `kinetics`: what the phases say of the tumour and of the background, filled one phase after the other.

Helpers without a database. Formulas and sources: `analyses.imaging.images.kinetics`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analyses.imaging.phase_split import flags_text
from analyses.imaging.phase_volumes import on_grid

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    from tshdb.geometry import Grid

TUMOR, BACKGROUND = "tumor", "background"
LEAST_OTHER = 0.2  # of the tumour's breast: the other one is in view from this volume on
ALIKE = 0.8  # two classes of tissue whose rises are closer than this ratio


class Timing(NamedTuple):
    """Of an examination: the numbers of its early and late phase (None where none is later), when each phase began (seconds
    after the first; None where no clock tells), and when contrast was injected (None where nobody knows)."""

    early: int
    late: int | None
    seconds: list[float] | None
    injection: float | None


class _Region(NamedTuple):
    """at: flat indices of voxels, some parts of which have a mean of their own; s0: the signal there before contrast."""

    at: np.ndarray
    s0: np.ndarray
    parts: dict[str, np.ndarray]


def measure(
    rows: dict, volumes: Iterator[np.ndarray], grid: Grid, tumor, breast, lesions, timing: Timing, params
) -> None:
    """Fills the rows of tumour and background. One phase is held at a time, with what is needed of those before it.

    volumes: of each phase, on the grid; tumor, breast: rows of tumor_masks and breast_masks; lesions: rows of lesions.
    """
    import numpy as np

    from analyses.imaging.images.grids import box_of

    s0 = next(volumes)
    outline = on_grid(tumor["object_path"], grid)
    inside = None if breast["object_path"] is None else on_grid(breast["object_path"], grid)
    if not outline.any():
        rows[TUMOR]["reason"] = "the outline has no voxel of the scanner's: it is thinner than they are"
        rows[BACKGROUND]["reason"] = rows[BACKGROUND]["reason"] or "no tumour to leave out of the background"
        return
    regions = {TUMOR: _region(outline, s0)}
    if inside is not None:
        rest = inside & ~outline
        for path in lesions["object_path"].dropna():
            rest &= ~on_grid(path, grid)
        if n_lost := int(lesions["object_path"].isna().sum()):
            _add_flag(rows[BACKGROUND], f"{n_lost} outlined lesions have no outline that is taken, and may lie in it")
        _add_background(regions, rows[BACKGROUND], rest, s0, grid, tumor["side"], params)
    around = box_of(outline, tuple(int(np.ceil(params.margin_mm / step)) for step in grid.spacing_mm))
    box = tuple(slice(max(s.start - 1, 0), s.stop + 1) for s in around)  # neighbours may lie outside
    kept = {0: s0[box].copy()}
    means = {name: [_means(region, region.s0)] for name, region in regions.items()}
    background_early = None
    del s0
    for i, volume in enumerate(volumes, 1):
        for name, region in regions.items():
            signal = volume.reshape(-1)[region.at]
            means[name].append(_means(region, signal))
            if name == BACKGROUND and i == timing.early:
                background_early = signal
        if i in (timing.early, timing.late):
            kept[i] = volume[box].copy()
    _fill_curve(rows[TUMOR], regions[TUMOR], [m["all"] for m in means[TUMOR]], grid, timing, params)
    if timing.late is None:
        _add_reason(rows[TUMOR], "no functional volume without SER")
    else:
        counted = np.zeros(outline.shape, bool)
        counted[around] = True
        counted &= outline if params.within == "outline" else outline | (True if inside is None else inside)
        _fill_volume(rows[TUMOR], kept[0], kept[timing.early], kept[timing.late], counted[box], grid, params)
        if inside is None and params.within == "box":
            _add_flag(rows[TUMOR], "functional volume of the whole box: there is no breast to leave the rest out by")
    if BACKGROUND in regions:
        _fill_background(
            rows[BACKGROUND],
            regions[BACKGROUND],
            means[BACKGROUND],
            background_early,
            grid,
            timing,
            params,
        )


def _region(mask: np.ndarray, s0: np.ndarray) -> _Region:
    import numpy as np

    at = np.flatnonzero(mask)
    return _Region(at, s0.reshape(-1)[at], {"all": np.ones(len(at), bool)})


def _means(region: _Region, signal: np.ndarray) -> dict[str, float]:
    return {name: float(signal[part].mean(dtype="float64")) for name, part in region.parts.items() if part.any()}


def _add_background(regions: dict, row: dict, rest: np.ndarray, s0: np.ndarray, grid: Grid, side: str, params) -> None:
    """The breast without outlined lesions: of the other side, where it is in view. rest: what is left of it."""
    import numpy as np

    from analyses.imaging.images.kinetics import parting

    is_own = _is_of_side(side, rest, grid)
    has_other = (~is_own).sum() >= LEAST_OTHER * max(is_own.sum(), 1)
    row["side"] = {"left": "right", "right": "left"}[side] if has_other else side
    if not has_other:
        _add_flag(row, "background of the tumour's own breast: the other one is not in view")
    at = np.flatnonzero(rest)[is_own ^ has_other]
    signal = s0.reshape(-1)[at]
    has_signal = signal > 0
    try:
        if not has_signal.any():
            raise ValueError("no voxel of the breast outside of the tumour has a signal")
        if params.tissue == "all":
            parts = {"all": has_signal}
        else:
            threshold = row["tissue_threshold"] = parting(signal[has_signal])
            parts = {"darker": has_signal & (signal <= threshold), "brighter": signal > threshold}
    except ValueError as error:
        row["reason"] = f"no background: {error}"
        return
    regions[BACKGROUND] = _Region(at, signal, parts)


def _is_of_side(side: str, mask: np.ndarray, grid: Grid) -> np.ndarray:
    """Which voxels of a mask, in their order, lie on the patient's right or left: by the sign of x."""
    import numpy as np

    x = np.full(int(mask.sum()), grid.origin_mm[0])
    for number, step, axis in zip(np.nonzero(mask), grid.spacing_mm, grid.axes, strict=True):
        x += number * (step * axis[0])
    return x < 0 if side == "right" else x >= 0


def _fill_curve(
    row: dict, region: _Region, means: list[float], grid: Grid, timing: Timing, params, n: int | None = None
) -> None:
    from analyses.imaging.images.kinetics import Bands, curve

    n = len(region.at) if n is None else n
    row |= {"n_voxels": n, "volume_ml": n * grid.voxel_ml, "s0_mean": means[0]}
    try:
        bands = Bands(params.plateau_ser, params.washout_ser)
        found = curve(means, timing.seconds, timing.early, timing.late, bands, timing.injection)
    except ValueError as error:
        _add_reason(row, str(error))
        return
    row |= {
        "peak_pe": found.peak_pe, "peak_phase": found.peak_phase, "time_to_peak_s": found.time_to_peak_s,
        "wash_in": found.wash_in, "wash_out": found.wash_out, "pe_early": found.pe_early, "pe_late": found.pe_late,
        "ser": found.ser, "curve": found.kind,
    }  # fmt: skip
    for reason in found.missing:
        _add_reason(row, reason)


def _fill_volume(row: dict, before, early, late, counted, grid: Grid, params) -> None:
    from analyses.imaging.images.kinetics import Bands, functional_volume

    found = functional_volume(
        before, early, late, counted, least_pe=params.least_pe, background=params.background,
        neighbours=params.neighbours, bands=Bands(params.plateau_ser, params.washout_ser),
    )  # fmt: skip
    row |= {
        "ftv_ml": int(found.inside.sum()) * grid.voxel_ml, "ftv_gradual_ml": found.n_gradual * grid.voxel_ml,
        "ftv_plateau_ml": found.n_plateau * grid.voxel_ml, "ftv_washout_ml": found.n_washout * grid.voxel_ml,
        "ftv_threshold": found.threshold,
    }  # fmt: skip


def _fill_background(row: dict, region: _Region, means: list[dict], signal, grid, timing: Timing, params) -> None:
    """Of two classes of tissue the one that takes up more contrast agent is fibroglandular: fat takes up none."""
    import numpy as np

    from analyses.imaging.images.kinetics import percent_enhancement

    rises = {name: means[timing.early][name] - means[0][name] for name in region.parts}
    chosen = row["tissue"] = max(sorted(rises), key=lambda name: rises[name])
    lesser = min(rises.values())
    if len(rises) > 1 and lesser > ALIKE * rises[chosen]:
        _add_flag(row, "bright and dark tissue of the breast rise alike: which one is fat?")
    part = region.parts[chosen]
    pe = percent_enhancement(region.s0[part], signal[part])
    row |= {"bpe": float(pe.mean()), "bpe_median": float(np.median(pe))}
    curve_means = [m[chosen] for m in means]
    _fill_curve(row, region, curve_means, grid, timing, params, int(part.sum()))


def _add_flag(row: dict, flag: str) -> None:
    row["qc_flags"] = flags_text([*filter(None, [row["qc_flags"]]), flag])


def _add_reason(row: dict, reason: str) -> None:
    row["reason"] = flags_text([*filter(None, [row["reason"]]), reason])
