"""Which voxels of a file are a mask: one label of several by its number or its name, never all of them without a word.

Label    a number, the name of a segment, `each` (every label is an outline of its own) or `all` (what is not 0). Without one:
         the only label that there is; the segments of a file of 3D Slicer, each by its name; else the file is refused, and
         its labels are named with their volumes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ingest.imaging.meaning import named, region_of_words
from ingest.imaging.slicer import Segment, segments_of
from ingest.imaging.unreadable import Unreadable
from tshdb.geometry import Grid
from tshdb.near import did_you_mean
from tshdb.vocabulary import MaskRegion

EACH, ALL = "each", "all"
SHOWN = 12


@dataclass(frozen=True)
class Volume:
    """What an image file holds. layers: (layers, slices, rows, columns), uint8; keys: of its header."""

    layers: np.ndarray
    grid: Grid
    keys: Mapping[str, str]

    @property
    def segments(self) -> list[Segment]:
        return [s for s in segments_of(self.keys) if s.layer < len(self.layers)]


@dataclass(frozen=True)
class Part:
    """One mask of a file. key: what tells it from the others; region: what the file says that it marks."""

    key: str
    number: int
    values: np.ndarray
    rule: str
    name: str | None = None
    region: MaskRegion | None = None
    evidence: str | None = None


def parts_of(volume: Volume, label: str | None) -> list[Part]:
    """The masks of a file. Raises Unreadable, with the labels that it has, where none can be told."""
    segments = volume.segments
    if label is not None and label.lower() == ALL:
        return [Part("1", 1, (volume.layers > 0).any(axis=0).astype(np.uint8), "all labels: what is not 0")]
    if label is not None and label.lower() != EACH:
        return [_chosen(volume, segments, label)]
    if segments:
        return [_of_segment(volume, s, len(segments), segments) for s in segments]
    if len(volume.layers) > 1:
        raise Unreadable("mask.shape", f"{len(volume.layers)} values a voxel: expected one volume of labels")
    values = volume.layers[0]
    labels = [int(v) for v in np.unique(values) if v]
    if label is not None:
        return [_of_value(values, v) for v in labels]
    if len(labels) > 1:
        raise Unreadable(
            "mask.several-labels",
            f"labels {_listed(volume)}: nothing says which is meant. Name it: --label N (or each, all), or a row of the sheet "
            "for each",
        )
    return [Part("1", 1, values, "non-zero")]


def _chosen(volume: Volume, segments: list[Segment], label: str) -> Part:
    named_so = [s for s in segments if s.name.casefold() == label.casefold()]
    if len(named_so) == 1:
        return _of_segment(volume, named_so[0], 1, segments)
    if label.isdecimal() and len(volume.layers) == 1 and (volume.layers[0] == int(label)).any():
        return _of_value(volume.layers[0], int(label))
    n = f" {len(named_so)} times" if named_so else ""
    known = [s.name for s in segments]
    raise Unreadable(
        "mask.no-label",
        f"label '{label}' is{n or ' not'} in it; it has {_listed(volume)}. {did_you_mean(label, known)}".rstrip(),
    )


def _of_value(values: np.ndarray, value: int) -> Part:
    return Part(str(value), value, (values == value).astype(np.uint8), f"value {value}")


def _of_segment(volume: Volume, segment: Segment, n: int, all_of_them: list[Segment]) -> Part:
    values = (volume.layers[segment.layer] == segment.value).astype(np.uint8)
    is_unique = sum(s.name == segment.name for s in all_of_them) == 1
    of_layer = f" of layer {segment.layer}" if len(volume.layers) > 1 else ""
    says_something = bool(segment.codes) or region_of_words(segment.name) is not None
    region = named(None, segment.name, segment.codes).region if says_something else None
    if region is None and n > 1:
        region = MaskRegion.OTHER  # the only segment of a file is what the person says; one of several is not
    evidence = f"segment '{segment.name}'" + (f", {segment.codes[0]}" if segment.codes else "")
    return Part(
        segment.name if is_unique else f"{segment.name} {segment.number}", segment.number, values,
        f"segment '{segment.name}': value {segment.value}{of_layer}", segment.name, region, evidence,
    )  # fmt: skip


def _listed(volume: Volume) -> str:
    """Its labels with their volumes."""
    found = [(f"'{s.name}'", volume.layers[s.layer] == s.value) for s in volume.segments]
    if not found:
        found = [(str(v), volume.layers == v) for v in np.unique(volume.layers) if v]
    texts = [f"{name} ({int(inside.sum()) * volume.grid.voxel_ml:.1f} ml)" for name, inside in found]
    more = f" and {len(texts) - SHOWN} more" if len(texts) > SHOWN else ""
    return (", ".join(texts[:SHOWN]) or "none") + more
