"""3D Slicer's .seg.nrrd: which voxels each segment has, what it is called, and what it is coded as.

Keys     SegmentN_Name, _LabelValue, _Layer, _Tags (with a terminology entry). Segments that overlap lie in layers, a list axis
         before the others. Files of versions before 4.11 have neither layers nor values: every segment is a layer of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from ingest.imaging.meaning import Code

_NUMBERED = re.compile(r"Segment(\d+)_Name")
_TERMINOLOGY = re.compile(r"TerminologyEntry:([^|]*)")


class Segment(NamedTuple):
    """number: from 1, as the file orders them; codes: of type, then category."""

    number: int
    name: str
    layer: int
    value: int
    codes: tuple[Code, ...]


def segments_of(keys: Mapping[str, str]) -> list[Segment]:
    """The segments that the keys of a header describe; none of a file that is no segmentation of Slicer's."""
    numbers = sorted(int(found[1]) for found in map(_NUMBERED.fullmatch, keys) if found)
    segments = []
    for place, n in enumerate(numbers):
        layer, value = keys.get(f"Segment{n}_Layer"), keys.get(f"Segment{n}_LabelValue")
        is_old = layer is None and value is None
        segments.append(
            Segment(
                place + 1, keys[f"Segment{n}_Name"].strip(), place if is_old else int(layer or 0),
                1 if is_old else int(value or 1), _codes(keys.get(f"Segment{n}_Tags", "")),
            )
        )  # fmt: skip
    return segments


def _codes(tags: str) -> tuple[Code, ...]:
    """Of a tag such as TerminologyEntry:CONTEXT~SCT^CATEGORY^meaning~SCT^TYPE^meaning~…, type first.

    What Slicer writes where nobody chose a term (tissue) says nothing.
    """
    found = _TERMINOLOGY.search(tags)
    parts = found[1].split("~") if found else []
    codes = [Code(value, scheme, meaning) for part in (parts[2:3] + parts[1:2]) if part.count("^") == 2
             for scheme, value, meaning in [part.split("^")] if value]  # fmt: skip
    return () if all(code.value in ("85756007", "T-D0050") for code in codes) else tuple(codes)
