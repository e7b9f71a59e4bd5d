"""How tissue takes up contrast agent, from the signal before it and in the phases after it.

Enhancement   PE = 100 (S_t - S_0) / S_0, percent; SER = (S_early - S_0) / (S_late - S_0)   (Hylton 1999, MRI Clin N Am 7:411)
Curve         of a region's mean signal: peak PE, time to peak; wash-in = peak PE / (t_peak - t_rise), and wash-out = (PE_last -
              peak PE) / (t_last - t_peak), both percent a minute (PMC3996240, table 1, rate of enhancement; OSIPI's lexicon,
              wash-in and wash-out slope). Times are those of the starts of phases
Time zero     time to peak counts from the injection; where that is not known, from the first phase after contrast. The rise
              begins with the injection; where that is not known, with phase 0, the last that was measured before it
Volume        functional tumour volume (FTV): voxels of a box around the tumour with S_0 >= 0.6 of the 95th percentile of S_0 in
              it, PE_early >= 70 %, four of their 26 neighbours alike, and SER >= 0 (Hylton et al. 2012,
              doi:10.1148/radiol.12110748; SlicerBreast_DCEMRI_FTV of the UCSF)
Kinds         of SER: gradual below 0.9, plateau up to 1.3, washout above (Arasu et al. 2011, Acad Radiol 18(6), figure 1)
Background    enhancement of the parenchyma (BPE): mean PE_early of the fibroglandular tissue (Nguyen et al. 2020, PMC7289261)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import ndimage

PERCENTILE = 95.0  # of S0 in the box, of which the background's threshold is a fraction


class Bands(NamedTuple):
    """From which SER on a voxel or curve is a plateau, and above which a washout."""

    plateau: float = 0.9
    washout: float = 1.3

    def name(self, ser: float) -> str:
        """gradual, plateau or washout."""
        return "gradual" if ser < self.plateau else "plateau" if ser <= self.washout else "washout"


USUAL = Bands()


class Curve(NamedTuple):
    """Of one region's mean signal. PE in percent, slopes in percent a minute, time to peak in seconds after time zero; None
    where `missing` says why."""

    peak_pe: float
    peak_phase: int
    time_to_peak_s: float | None
    wash_in: float | None
    wash_out: float | None
    pe_early: float
    pe_late: float | None
    ser: float | None
    kind: str | None
    missing: tuple[str, ...]


class FunctionalVolume(NamedTuple):
    """inside: the voxels, of the box; threshold: S0 of the background; n_gradual + n_plateau + n_washout are all voxels."""

    inside: np.ndarray
    threshold: float
    n_gradual: int
    n_plateau: int
    n_washout: int


def percent_enhancement(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """PE, percent, float64, of signals of one shape; not a number where there is no signal before contrast."""
    before = np.asarray(before, np.float64)
    rise = np.asarray(after, np.float64) - before
    return np.divide(100 * rise, before, out=np.full(before.shape, np.nan), where=before > 0)


def enhancement_ratio(before: np.ndarray, early: np.ndarray, late: np.ndarray) -> np.ndarray:
    """SER, float64, of signals of one shape; infinite where all of a rise is gone again, not a number where nothing rises."""
    before = np.asarray(before, np.float64)
    first, last = np.asarray(early, np.float64) - before, np.asarray(late, np.float64) - before
    with np.errstate(divide="ignore", invalid="ignore"):
        return first / last


def curve(
    means: Sequence[float],
    seconds: Sequence[float] | None,
    early: int,
    late: int | None,
    bands: Bands,
    injection: float | None = None,
) -> Curve:
    """What a region's curve says.

    means: the mean signal of each phase; seconds: when each began, after the first, or None where no clock tells; early, late:
    numbers of phases, late None where none is later; injection: seconds after the start of the first, or None where nobody
    knows. Raises ValueError without signal before contrast.
    """
    if not means[0] > 0:
        raise ValueError(f"the mean signal before contrast is {means[0]:g}")
    pe = [100 * (m - means[0]) / means[0] for m in means]
    peak = max(range(1, len(pe)), key=lambda i: (pe[i], -i))
    missing = []
    time = wash_in = wash_out = ser = kind = None
    if seconds is None:
        missing.append("no time to peak and no slopes: no clock rises from phase to phase")
    else:
        time = seconds[peak] - (seconds[1] if injection is None else injection)
        rise = seconds[peak] - (injection or 0.0)
        if injection is not None and time <= 0:
            time = None
            missing.append("no time to peak and no wash-in: the peak's phase began before the injection")
        else:
            wash_in = pe[peak] / (rise / 60)
        if peak == len(pe) - 1:
            missing.append("no wash-out: the peak is the last phase")
        else:
            wash_out = (pe[-1] - pe[peak]) / ((seconds[-1] - seconds[peak]) / 60)
    if late is None:
        missing.append("no SER: no phase is later than the early one")
    elif pe[early] <= 0 or pe[late] <= 0:
        missing.append("no SER: the region does not rise")
    else:
        ser = pe[early] / pe[late]
        kind = bands.name(ser)
    return Curve(
        pe[peak],
        peak,
        time,
        wash_in,
        wash_out,
        pe[early],
        None if late is None else pe[late],
        ser,
        kind,
        tuple(missing),
    )


def functional_volume(
    before: np.ndarray, early: np.ndarray, late: np.ndarray, counted: np.ndarray, *, least_pe: float = 70.0,
    background: float = 0.6, neighbours: int = 4, bands: Bands = USUAL,
) -> FunctionalVolume:  # fmt: skip
    """The functional tumour volume.

    before, early, late: signals of a box, (slices, rows, columns); counted: the voxels of it that may count, whose S0 the
    threshold is taken from. Neighbours may lie outside of them, but not of the box: give it a voxel more on each side.
    Raises ValueError where nothing is counted.
    """
    if not counted.any():
        raise ValueError("no voxel to look for a functional volume in")
    before = np.asarray(before, np.float64)
    threshold = background * float(np.percentile(before[counted], PERCENTILE))
    with np.errstate(invalid="ignore"):
        rises = (before >= threshold) & (percent_enhancement(before, early) >= least_pe)
        near = ndimage.convolve(rises.astype(np.uint8), np.ones((3, 3, 3), np.uint8), mode="constant") - rises
        ser = enhancement_ratio(before, early, late)
        inside = rises & (near >= neighbours) & (ser >= 0) & counted
    found = ser[inside]
    n_washout, n_gradual = int((found > bands.washout).sum()), int((found < bands.plateau).sum())
    return FunctionalVolume(inside, threshold, n_gradual, len(found) - n_gradual - n_washout, n_washout)


def parting(values: np.ndarray) -> float:
    """The value above which the brighter of two classes begins: Otsu 1979 (doi:10.1109/TSMC.1979.4310076), over all values.

    Raises ValueError where all values are alike.
    """
    levels, counts = np.unique(np.asarray(values, np.float64), return_counts=True)
    if len(levels) < 2:
        raise ValueError("all of the breast is alike before contrast: tissue and fat cannot be told apart")
    n, total = np.cumsum(counts)[:-1], np.cumsum(counts * levels)[:-1]
    n_all, all_ = counts.sum(), (counts * levels).sum()
    between = (total / n - (all_ - total) / (n_all - n)) ** 2 * n * (n_all - n)
    return float(levels[int(np.argmax(between))])
