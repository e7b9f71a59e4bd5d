"""Segmentations as rows of `segmentations`, with their voxels as an object (NRRD, which keeps geometry exactly).

Kinds    Enhancement masks ("PE Segmentation", functional tumour volume) and tissue masks are never an outline of the
         tumour, whatever they are called. Others are what the person who ingests them says.
Rules    BINARY and LABELMAP: value 1. FRACTIONAL with one value, or with a few codes: non-zero (named so); with many
         values: at least half of the largest fraction. The values stay in the object as found.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ingest.imaging.dicom_seg import Segment
from tshdb.geometry import Grid
from tshdb.objects import VOXELS
from tshdb.vocabulary import MaskKind, MaskRegion

MANY_VALUES = 8  # more than so many are fractions, fewer are codes
OUTLINES = {MaskKind.MANUAL, MaskKind.EXPERT, MaskKind.LES, MaskKind.FCM}
_NAMES = (
    (r"\bPE\b.*seg|\bFTV\b|VOI PE|thresh\s*=", MaskRegion.ENHANCEMENT, MaskKind.FTV),
    (r"\bbreast\b", MaskRegion.BREAST, MaskKind.TISSUE),
    (r"tumou?r|lesion|mass|carcinoma|neoplasm", MaskRegion.TUMOR, MaskKind.OTHER),
)


@dataclass(frozen=True)
class Named:
    """What a segmentation is taken for."""

    region: MaskRegion
    kind: MaskKind


def named(*texts: str | None) -> Named:
    """By what the series and the segment are called."""
    text = " ".join(t for t in texts if t)
    for pattern, region, kind in _NAMES:
        if re.search(pattern, text, re.IGNORECASE):
            return Named(region, kind)
    return Named(MaskRegion.OTHER, MaskKind.OTHER)


def nrrd(values: np.ndarray, grid: Grid) -> bytes:
    """The voxels as NRRD, the same bytes for the same voxels and grid."""
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(np.ascontiguousarray(values))
    slices, rows, columns = grid.spacing_mm
    image.SetSpacing((columns, rows, slices))
    image.SetOrigin(tuple(map(float, grid.origin_mm)))
    image.SetDirection(np.column_stack([grid.row, grid.column, grid.normal]).ravel().tolist())
    with tempfile.TemporaryDirectory(prefix="tshdb-mask-") as folder:
        path = Path(folder) / f"mask{VOXELS}"
        sitk.WriteImage(image, str(path), useCompression=True)
        return path.read_bytes()


def decode_rule(kind: str, counts: dict[int, int], largest: int = 255) -> tuple[str, int]:
    """(the rule in words, the least value that is inside)."""
    if kind != "FRACTIONAL":
        return "value 1", 1
    if len(counts) <= MANY_VALUES:
        return "non-zero", 1
    return "at least half of the largest fraction", (largest + 1) // 2


def row_of_segment(
    segment: Segment, study_uid: str, series_uid: str, description: str | None, sha256: str
) -> tuple[dict[str, Any], bytes]:
    """(row of segmentations, content of its object) of one segment of a DICOM SEG."""
    what = named(description, segment.label, segment.property_code)
    counts = segment.histogram
    flags = []
    if segment.kind == "FRACTIONAL" and 1 < len(counts) <= MANY_VALUES:
        flags.append(f"fractional with {len(counts)} values: codes, not fractions")
    rule, least = decode_rule(segment.kind, counts)
    return _row(
        f"{segment.sop_uid}#{segment.number}", study_uid, segment.values, segment.grid, what,
        format="dicom-seg", segment=segment.number, label=segment.label or None, series_uid=series_uid,
        reference_series_uid=segment.reference_uids[0] if len(segment.reference_uids) == 1 else None,
        rule=rule, least=least, flags=flags, sha256=sha256,
    )  # fmt: skip


def row_of_volume(
    name: str, study_uid: str, values: np.ndarray, grid: Grid, what: Named, *, format: str, label: int | None,
    sha256: str, flags: list[str], is_index_grid: bool = False,
) -> tuple[dict[str, Any], bytes]:  # fmt: skip
    """(row of segmentations, content of its object) of a mask from a file of its own.

    label: take this value alone, else all that is not 0.
    """
    if label is not None:
        values = (values == label).astype(np.uint8)
    rule = "non-zero" if label is None else f"value {label}"
    return _row(
        f"{name}#{label or 1}", study_uid, values, grid, what, format=format, segment=label or 1, label=None,
        series_uid=None, reference_series_uid=None, rule=rule, least=1, flags=flags, sha256=sha256,
        is_index_grid=is_index_grid,
    )  # fmt: skip


def _row(
    name: str, study_uid: str, values: np.ndarray, grid: Grid, what: Named, *, format: str, segment: int,
    label: str | None, series_uid: str | None, reference_series_uid: str | None, rule: str, least: int,
    flags: list[str], sha256: str, is_index_grid: bool = False,
) -> tuple[dict[str, Any], bytes]:  # fmt: skip
    distinct, n = np.unique(values[values > 0], return_counts=True)
    n_voxels = int((values >= least).sum())
    if n_voxels == 0:
        flags.append("empty: no voxel is inside")
    elif n_voxels == values.size:
        flags.append("full: every voxel is inside")
    content = nrrd(values, grid)
    row = {
        "segmentation_id": name,
        "study_uid": study_uid,
        "series_uid": series_uid,
        "reference_series_uid": reference_series_uid,
        "format": format,
        "segment": segment,
        "label": label,
        "region": what.region,
        "kind": what.kind,
        "is_outline": what.region is MaskRegion.TUMOR and what.kind in OUTLINES,
        "decode_rule": rule,
        "min_value": least,
        "grid": grid.text(),
        "n_voxels": n_voxels,
        "volume_ml": None if is_index_grid else round(n_voxels * grid.voxel_ml, 6),
        "value_counts": json.dumps({str(v): int(c) for v, c in zip(distinct, n, strict=True)}, sort_keys=True),
        "flags": "; ".join(flags) or None,
        "object_id": hashlib.sha256(content).hexdigest(),
        "file_sha256": sha256,
    }
    return row, content
