"""Parametric maps: what `kinetics` says of a region's mean signal, said of each voxel.

Map            unit            of a voxel
pe_early       percent         PE of the early phase; pe_late: of the late phase; peak_pe: of the brightest phase after contrast
ser            ratio           PE_early / PE_late; none where the signal does not rise in both
time_to_peak   seconds         from time zero to the start of the first phase that is brightest
wash_in        percent/min     peak PE over the minutes from the injection (where it is not known, phase 0) to its peak
wash_out       percent/min     (PE_last - peak PE) over the minutes from its peak to the last phase; none where it peaks there

Formulas and sources are those of `analyses.imaging.images.kinetics`. A voxel without signal before contrast has no value (not a
number). Noise over next to no signal gives any value, so each map ends at a limit: SER at 3, as the UCSF's maps do; the others
where no tissue is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from analyses.imaging.images.kinetics import percent_enhancement


class Kind(NamedTuple):
    """unit: of its values; bin_width: of grey levels, so that a tumour has tens of them; most: the limit, of either sign."""

    unit: str
    bin_width: float
    most: float


KINDS = {
    "pe_early": Kind("percent", 10.0, 1000.0),
    "pe_late": Kind("percent", 10.0, 1000.0),
    "peak_pe": Kind("percent", 10.0, 1000.0),
    "ser": Kind("ratio", 0.1, 3.0),
    "time_to_peak": Kind("seconds", 30.0, float("inf")),
    "wash_in": Kind("percent/min", 5.0, 1000.0),
    "wash_out": Kind("percent/min", 2.0, 200.0),
}
TIMED = ("time_to_peak", "wash_in", "wash_out")
OF_LATE = ("pe_late", "ser")


class Times(NamedTuple):
    """early, late: numbers of phases, late None where none is later; starts: of phases, seconds after the first, None where no
    clock tells; injection: seconds after the start of the first, None where nobody knows."""

    early: int
    late: int | None
    starts: Sequence[float] | None
    injection: float | None


def why_not(name: str, times: Times, n_phases: int) -> str | None:
    """Why there is no such map; None where there is one."""
    if name in OF_LATE and times.late is None:
        return "no phase is later than the early one"
    if name in TIMED and times.starts is None:
        return "no clock rises from phase to phase"
    if name == "wash_out" and n_phases == 2:
        return "one phase after contrast: nothing can wash out"
    return None


def maps_of(phases: Iterable[np.ndarray], times: Times, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Name -> map, float32, of those that there can be. One phase is held at a time, with what is needed of those before it.

    phases: signals of one shape, in the order of time, the first before contrast. Raises ValueError for fewer than two.
    """
    signals = iter(phases)
    before = np.asarray(next(signals), np.float64)
    kept: dict[int, np.ndarray] = {}
    peak = at = last = None
    n = 1
    for n, signal in enumerate(signals, 2):
        last = np.asarray(signal, np.float64)
        if peak is None:
            peak, at = last.copy(), np.ones(last.shape, np.int16)
        else:
            is_higher = last > peak
            peak[is_higher], at[is_higher] = last[is_higher], n - 1
        if n - 1 in (times.early, times.late):
            kept[n - 1] = last
    if peak is None:
        raise ValueError("one phase: nothing is taken up")
    made = {}
    for name in names:
        if why_not(name, times, n) is None:
            most = KINDS[name].most
            made[name] = np.clip(_map(name, before, kept, peak, at, last, times), -most, most).astype(np.float32)
    return made


def _map(name: str, before, kept: dict[int, np.ndarray], peak, at, last, times: Times) -> np.ndarray:
    def pe(signal: np.ndarray) -> np.ndarray:
        return percent_enhancement(before, signal)

    if name == "pe_early":
        return pe(kept[times.early])
    if name == "pe_late":
        return pe(kept[times.late])
    if name == "peak_pe":
        return pe(peak)
    if name == "ser":
        early, late = pe(kept[times.early]), pe(kept[times.late])
        rises = (early > 0) & (late > 0)
        return np.divide(early, late, out=np.full(before.shape, np.nan), where=rises)
    starts = np.asarray(times.starts, np.float64)
    peaks = starts[at]
    has_signal = before > 0
    if name == "wash_out":
        fell = (starts[-1] - peaks) / 60
        return np.divide(pe(last) - pe(peak), fell, out=np.full(before.shape, np.nan), where=has_signal & (fell > 0))
    after = peaks - (starts[1] if times.injection is None else times.injection)
    is_known = has_signal & ((times.injection is None) | (after > 0))
    if name == "time_to_peak":
        return np.where(is_known, after, np.nan)
    rose = (peaks - (times.injection or 0.0)) / 60
    return np.divide(pe(peak), rose, out=np.full(before.shape, np.nan), where=is_known)
