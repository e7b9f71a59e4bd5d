"""How the images of a dynamic set fall into phases: helpers without a database.

A phase is one image at every position along the normal of the slices. Images at one position are told apart by the first
key that gives every position the same, complete set of values:

    temporal_position    TemporalPositionIdentifier, TemporalPositionIndex of frames
    trigger_time         TriggerTime
    reference_time       FrameReferenceDateTime of frames; times less than `merge_s` apart are one
    acquisition_time     AcquisitionTime, likewise
    content_time         ContentTime, likewise
    acquisition_number   AcquisitionNumber
    instance_blocks      one phase after the other by InstanceNumber
    instance_interleaved all phases of a position after each other by InstanceNumber

One series a phase needs no key: series are put in the order of their time. Nothing is guessed: what does not fall into
whole phases is left unsplit, with the reason. Order after the UCSF core laboratory's (SlicerBreast_DCEMRI_FTV), made
independent of the manufacturer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from analyses.imaging.image_kinds import of_one_kind, without_copies
from tshdb.geometry import TOLERANCE
from tshdb.images.mask_volumes import IMAGE
from tshdb.images.stacks import (
    COMMON,
    SAME_POSITION_MM,
    Plane,
    Unsplit,
    beside,
    by_orientation,
    grouped_positions,
    plane_of,
    positions_of,
    unevenness,
)
from tshdb.vocabulary import PhaseKey

if TYPE_CHECKING:
    import pandas as pd

DAY_S = 86_400.0
TIME_KEYS = {
    "trigger_time": "trigger_ms",
    "reference_time": "reference_s",
    "acquisition_time": "acquisition_s",
    "content_time": "content_s",
}
KEYS = tuple(key.value for key in PhaseKey)
Image = tuple[str, int]  # of the columns IMAGE


@dataclass
class Split:
    """Images by phase, each in the order of positions; positions in mm along the normal; flags for a person."""

    phases: list[list[Image]]
    positions: list[float]
    key: str
    plane: Plane
    flags: list[str] = field(default_factory=list)


def count_per_position(instances: pd.DataFrame) -> int:
    """How many images most positions of one orientation have: the phases of the series."""
    known = instances[instances["orientation"].notna() & instances["x_mm"].notna()]
    if known.empty:
        return 1
    counts: Counter[int] = Counter()
    for _, alike in known.groupby(by_orientation(known), sort=True):
        numbers = grouped_positions(positions_of(alike))
        counts.update(np.bincount(numbers).tolist())
    return max(counts, key=lambda n: (counts[n], n))


def split(series: Sequence[pd.DataFrame], *, merge_s: float, most_left_out: float, key: str | None = None) -> Split:
    """The phases of a dynamic set.

    series: the instances of each of its series; merge_s: times closer than this are one; most_left_out: the fraction of
    positions that may be left out, flagged, because images are missing or twice; key: use this one.
    Raises Unsplit with the reason.
    """
    series, flags = _time_points(series)
    parts = [_one_series(s, merge_s, most_left_out, key) for s in series]
    if not parts:
        raise Unsplit("no series")
    if len(parts) == 1:
        whole = parts[0]
    else:
        whole = _joined(series, parts)
    if len(whole.phases) < 2:
        raise Unsplit("one phase: a dynamic scan has one before and at least one after contrast")
    uneven = unevenness(whole.positions)
    if uneven:
        raise Unsplit(uneven)
    whole.flags = list(dict.fromkeys(flags + whole.flags))
    return whole


def _time_points(series: Sequence[pd.DataFrame]) -> tuple[list[pd.DataFrame], list[str]]:
    """The series with images of one kind, each image once; what is said of those that were left out."""
    import pandas as pd

    if not series:
        return [], []
    together, n_copies = without_copies(pd.concat(series))
    together, flags = of_one_kind(together)
    if n_copies:
        flags.append(f"{n_copies} images are copies of others (the same pixels, place and time) and left out")
    parts = [together[together["series_uid"] == s["series_uid"].iloc[0]] for s in series if len(s)]
    return [p for p in parts if len(p)], flags


def start_times(instances: pd.DataFrame, phases: list[list[Image]]) -> tuple[list[float] | None, str | None]:
    """(start of every phase, seconds after the first; what it is taken from), by the first clock that rises."""
    by_image = instances.set_index(IMAGE)
    for name in ("acquisition_time", "trigger_time", "reference_time", "content_time"):
        column = by_image[TIME_KEYS[name]].astype(float)
        if column.isna().any():
            continue
        values = _over_midnight(column.to_numpy()) if name != "trigger_time" else column.to_numpy() / 1000
        clock = dict(zip(column.index, values, strict=True))
        starts = [min(clock[image] for image in phase) for phase in phases]
        if all(b - a >= 1.0 for a, b in zip(starts, starts[1:], strict=False)):
            return [round(s - starts[0], 6) for s in starts], name
    return None, None


def _over_midnight(seconds: np.ndarray) -> np.ndarray:
    """Times of a scan that runs past midnight without saying the day, in one line."""
    if len(seconds) and np.ptp(seconds) > DAY_S / 2:
        return np.where(seconds < DAY_S / 2, seconds + DAY_S, seconds)
    return seconds


# ------------------------------------------------------------------------------------------------- one series


def _one_series(instances: pd.DataFrame, merge_s: float, most_left_out: float, key: str | None) -> Split:
    if _is_untold(instances):
        raise Unsplit(
            "multi-frame images that do not say where their frames lie; ingest them again if they are enhanced MR"
        )
    plane = plane_of(instances)
    table = instances.sort_values(["instance_number", *IMAGE], ignore_index=True)
    positions = positions_of(table)
    numbers = grouped_positions(positions)
    counts = np.bincount(numbers)
    n = Counter(counts.tolist()).most_common()
    n_phases = max(n, key=lambda pair: (pair[1], pair[0]))[0]
    odd = np.flatnonzero(counts != n_phases)
    flags = []
    if len(odd):
        missing, extra = int((counts < n_phases).sum()), int((counts > n_phases).sum())
        if len(odd) > most_left_out * len(counts):
            raise Unsplit(f"ragged: {len(odd)} of {len(counts)} positions do not have {n_phases} images")
        if missing:
            flags.append(f"missing slice: {missing} of {len(counts)} positions left out")
        if extra:
            flags.append(f"slice twice: {extra} of {len(counts)} positions left out")
        keep = ~np.isin(numbers, odd)
        table, numbers, positions = table[keep].reset_index(drop=True), numbers[keep], positions[keep]
        numbers = np.unique(numbers, return_inverse=True)[1]
    n_positions = len(counts) - len(odd)
    where = [float(np.round(np.mean(positions[numbers == i]), 4)) for i in range(n_positions)]
    if n_phases == 1:
        order = np.argsort(numbers, kind="stable")
        return Split([_images(table, order)], where, "one_phase", plane, flags)
    ranks_by_key: dict[str, np.ndarray] = {}
    for name in KEYS:
        ranks = _ranks(name, table, numbers, n_phases, merge_s)
        if ranks is not None:
            ranks_by_key[name] = ranks
    if key is not None:
        if key not in ranks_by_key:
            raise Unsplit(f"{key} does not give {n_phases} whole phases (can: {', '.join(ranks_by_key) or 'none'})")
        chosen = key
    elif not ranks_by_key:
        raise Unsplit(f"{n_phases} images a position, and no key tells them apart")
    else:
        chosen = next(iter(ranks_by_key))
    ranks = ranks_by_key[chosen]
    for name in ("reference_time", "acquisition_time", "content_time", "trigger_time"):
        if name in ranks_by_key and not np.array_equal(ranks_by_key[name], ranks):
            flags.append(f"order disagrees: {chosen} and {name}")
    phases = []
    for phase in range(n_phases):
        in_phase = np.flatnonzero(ranks == phase)
        phases.append(_images(table, in_phase[np.argsort(numbers[in_phase], kind="stable")]))
    return Split(phases, where, chosen, plane, flags)


def _images(table: pd.DataFrame, order: np.ndarray) -> list[Image]:
    return list(table[IMAGE].iloc[order].itertuples(index=False, name=None))


def _is_untold(instances: pd.DataFrame) -> bool:
    """Whether a file has more frames than there are rows of it."""
    n_rows = instances.groupby("sop_uid")["frame_number"].transform("size")
    return bool((instances["n_frames"] > n_rows).any())


def _ranks(name: str, table: pd.DataFrame, numbers: np.ndarray, n_phases: int, merge_s: float) -> np.ndarray | None:
    """The phase of every image by one key; None where the key does not give whole phases."""
    if name in ("instance_blocks", "instance_interleaved"):
        instance = table["instance_number"].to_numpy(float)
        if np.isnan(instance).any() or len(np.unique(instance)) < len(instance):
            return None
        at = np.arange(len(table))  # the table is in the order of instance numbers
        if name == "instance_blocks":
            ranks = at // (len(table) // n_phases)
        else:
            if (np.diff(numbers.reshape(-1, n_phases), axis=1) != 0).any():
                return None
            ranks = at % n_phases
    else:
        column = TIME_KEYS.get(name, name)
        values = table[column].to_numpy(float)
        if np.isnan(values).any():
            return None
        if name in TIME_KEYS:
            if name == "trigger_time":
                values = values / 1000
            else:
                values = _over_midnight(values)
            ranks = _clusters(values, merge_s)
        else:
            ranks = np.unique(values, return_inverse=True)[1]
    if ranks.max() + 1 != n_phases:
        return None
    cells = numbers * n_phases + ranks
    return ranks if len(np.unique(cells)) == len(cells) else None


def _clusters(values: np.ndarray, gap: float) -> np.ndarray:
    """Numbers of groups of values that are no more than `gap` from their neighbour."""
    order = np.argsort(values, kind="stable")
    steps = np.diff(values[order]) >= gap
    ranks = np.empty(len(values), int)
    ranks[order] = np.concatenate([[0], np.cumsum(steps)])
    return ranks


# ------------------------------------------------------------------------------------------------- several series


def _joined(series: Sequence[pd.DataFrame], parts: list[Split]) -> Split:
    """One line of phases out of several series, in the order of their times."""
    starts = [_start(s) for s in series]
    if any(s is None for s in starts) or len(set(starts)) < len(starts):
        raise Unsplit("several series whose times do not tell which came first")
    line = _over_midnight(np.array(starts, float))
    order = np.argsort(line, kind="stable")
    first = parts[order[0]]
    flags = [flag for i in order for flag in parts[i].flags]
    keys = {parts[i].key for i in order if parts[i].key != "one_phase"}
    phases: list[list[str]] = []
    for part in parts:
        if off := beside(part.plane, first.plane):
            raise Unsplit(f"phases of different geometry: {off}")
    common = _common_positions([p.positions for p in parts])
    if len(common) < len(first.positions) or any(len(p.positions) != len(first.positions) for p in parts):
        most = max(len(p.positions) for p in parts)
        if len(common) < COMMON * most:
            raise Unsplit(f"phases of different geometry: {len(common)} of {most} positions are common")
        flags.append(f"different extent: {len(common)} of {most} positions are common, the others are left out")
    for i in order:
        index = [_nearest(parts[i].positions, position) for position in common]
        phases += [[phase[j] for j in index] for phase in parts[i].phases]
    return Split(phases, common, "+".join(["series_time", *sorted(keys)]), first.plane, flags)


def _start(instances: pd.DataFrame) -> float | None:
    for column in ("acquisition_s", "content_s", "series_time_s"):
        if column in instances and instances[column].notna().all():
            return float(instances[column].min())
    return None


def _common_positions(all_positions: list[list[float]]) -> list[float]:
    first, *others = all_positions
    within = TOLERANCE * float(np.median(np.diff(first))) if len(first) > 1 else SAME_POSITION_MM
    return [p for p in first if all(abs(o[_nearest(o, p)] - p) <= within for o in others)]


def _nearest(positions: list[float], position: float) -> int:
    return int(np.argmin(np.abs(np.asarray(positions) - position)))


def flags_text(flags: Sequence[str]) -> str | None:
    return "; ".join(flags) or None
