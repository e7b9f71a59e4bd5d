"""What tells images at one place apart besides time: they are no phases. Helpers without a database.

Kinds    water and fat, in and out of phase (Dixon); magnitude, phase, real and imaginary part (ImageType from its third value on,
         PS3.3 C.8.3.1.1.1; Philips' W F IP OP and M P R I); echo times; b values. One kind is kept, the others are left out
         and said.
Copies   the same pixels at one place at one time, under other UIDs, as a second export or another de-identification sends them;
         without times, a set of which every image is there equally often more than once.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

PARTS = {  # a value of ImageType -> what the image is; in each group the first is kept before the others
    "magnitude": ("M", "MAGNITUDE", "M_FFE", "M_SE", "M_IR", "M_B0"),
    "real": ("R", "REAL", "R_FFE"),
    "imaginary": ("I", "IMAGINARY", "I_FFE"),
    "phase": ("P", "PHASE", "PHASE MAP", "PHASE_MAP", "P_FFE", "P_SE"),
}
DIXON = {
    "water": ("W", "WATER", "W_FFE"),
    "in-phase": ("IP", "IN_PHASE", "INPHASE", "IN PHASE", "IP_FFE"),
    "out-of-phase": (
        "OP",
        "OUT_PHASE",
        "OPP_PHASE",
        "OUTPHASE",
        "OUT PHASE",
        "OUT_OF_PHASE",
        "OPPOSED_PHASE",
        "OP_FFE",
    ),
    "fat": ("F", "FAT", "F_FFE"),
}
FIRST_OF_KIND = 2  # the values before are ORIGINAL or DERIVED, PRIMARY or SECONDARY
CLOCKS = ["acquisition_s", "reference_s", "content_s", "trigger_ms", "temporal_position"]
PLACE = ["x_mm", "y_mm", "z_mm", "orientation"]
ECHO_MS = 0.05  # echo times closer than this are one


def of_one_kind(instances: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """(the images of the kind that can be phases, what is said of the others).

    instances: frame_type, echo_time_ms, diffusion_b_value of each, where the study knows them.
    """
    kinds = [_kind(row) for row in _values(instances)]
    counted = Counter(kinds)
    if len(counted) < 2:
        return instances, []
    differing = [i for i in range(len(kinds[0])) if len({kind[i] for kind in kinds}) > 1]
    kept = min(counted, key=_rank)
    flags = []
    for kind in sorted(counted, key=_rank):
        if kind != kept:
            flags.append(
                f"{counted[kind]} {_in_words(kind, differing)} images left out, {_in_words(kept, differing)} images kept"
            )
    return instances[[kind == kept for kind in kinds]], flags


Kind = tuple[str, str, float, float]  # part, of a Dixon scan, echo time, b value


def _values(instances: pd.DataFrame) -> list[tuple[str, float | None, float | None]]:
    columns = []
    for name in ("frame_type", "echo_time_ms", "diffusion_b_value"):
        values = list(instances[name]) if name in instances else [None] * len(instances)
        columns.append([None if v is None or v != v else v for v in values])
    return list(zip(*columns, strict=True))


def _kind(values: tuple[str | None, float | None, float | None]) -> Kind:
    text, echo, b_value = values
    words = [w.strip().upper() for w in str(text or "").split("\\")[FIRST_OF_KIND:]]
    part = next((name for name, tokens in PARTS.items() if set(words) & set(tokens)), "magnitude")
    dixon = next((name for name, tokens in DIXON.items() if set(words) & set(tokens)), "")
    return part, dixon, 0.0 if echo is None else round(float(echo) / ECHO_MS) * ECHO_MS, float(b_value or 0.0)


def _rank(kind: Kind) -> tuple:
    part, dixon, echo, b_value = kind
    return list(PARTS).index(part), ["", *DIXON].index(dixon), b_value, echo


def _in_words(kind: Kind, differing: Sequence[int]) -> str:
    part, dixon, echo, b_value = kind
    words = (part, dixon or "plain", f"{echo:g} ms echo", f"b = {b_value:g}")
    return ", ".join(words[i] for i in differing)


def without_copies(instances: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """(images of which none is another's copy, how many copies there were); the series with most images goes first.

    instances: series_uid, pixel_digest, place, orientation, CLOCKS. Where a clock tells the images of a place apart, the same
    pixels at the same time are a copy. Where none does, equal pixels alone prove nothing (empty slices are alike at any time);
    but if every image is there twice, all was sent twice.
    """
    if "pixel_digest" not in instances:
        return instances, 0
    table = instances.reset_index(drop=True)
    clocks, counted = ([name for name in names if name in table] for names in (CLOCKS, ["acquisition_number"]))
    sizes = table.groupby("series_uid")["sop_uid"].transform("size")
    order = ["size", "series_uid", "instance_number", "sop_uid", *(["frame_number"] if "frame_number" in table else [])]
    ordered = table.assign(size=-sizes).sort_values(order)
    ordered["time"] = ordered.groupby(clocks, dropna=False).ngroup()
    has_clock = ordered[clocks].notna().any(axis=1)
    is_told = has_clock & (ordered.groupby(PLACE, dropna=False)["time"].transform("nunique") > 1)
    same = ["pixel_digest", *PLACE, "time"]
    is_copy = is_told & ordered["pixel_digest"].notna() & ordered.duplicated(same)
    untold = ordered[~is_told]
    if len(untold) and untold["pixel_digest"].notna().all():
        alike = untold.groupby([*same, *counted], dropna=False)["sop_uid"]
        n_alike = alike.transform("size")
        n_times = math.gcd(*n_alike)
        is_copy[untold.index] = alike.cumcount() >= n_alike // n_times
    return table[~is_copy.reindex(table.index)], int(is_copy.sum())
