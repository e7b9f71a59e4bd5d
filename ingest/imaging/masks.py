"""Segmentations as rows of `segmentations`, with their voxels as an object (NRRD, which keeps geometry exactly).

Kinds    `ingest.imaging.meaning`, of DICOM; of other files what the person who ingests them says.
Rules    BINARY and LABELMAP: value 1. FRACTIONAL with one value, or with a few codes: non-zero (named so); with many
         values: at least half of the largest fraction. The values stay in the object as found. Contours: `contours`.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np

from ingest.imaging.contours import RULE, filled
from ingest.imaging.dicom_seg import Segment
from ingest.imaging.meaning import Named, named
from ingest.imaging.rtstruct import Structure
from tshdb.files import temporary_folder
from tshdb.geometry import Grid
from tshdb.objects import VOXELS

MANY_VALUES = 8  # more than so many are fractions, fewer are codes


def nrrd(values: np.ndarray, grid: Grid) -> bytes:
    """The voxels as NRRD, the same bytes for the same voxels and grid."""
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(np.ascontiguousarray(values))
    slices, rows, columns = grid.spacing_mm
    image.SetSpacing((columns, rows, slices))
    image.SetOrigin(tuple(map(float, grid.origin_mm)))
    image.SetDirection(np.column_stack([grid.row, grid.column, grid.normal]).ravel().tolist())
    with temporary_folder("tshdb-mask-") as folder:
        path = folder / f"mask{VOXELS}"
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
    counts = segment.histogram
    flags = []
    if segment.kind == "FRACTIONAL" and 1 < len(counts) <= MANY_VALUES:
        flags.append(f"fractional with {len(counts)} values: codes, not fractions")
    rule, least = decode_rule(segment.kind, counts)
    return row_of(
        f"{segment.sop_uid}#{segment.number}", study_uid, segment.values, segment.grid,
        named(description, segment.label, segment.codes, segment.algorithm, segment.is_alone),
        format="dicom-seg", segment=segment.number, label=segment.label or None, series_uid=series_uid,
        reference_series_uid=segment.reference_uids[0] if len(segment.reference_uids) == 1 else None,
        rule=rule, least=least, flags=flags, sha256=sha256, drawn_on=segment.drawn_on,
    )  # fmt: skip


def row_of_structure(
    structure: Structure, study_uid: str, series_uid: str, grid: Grid, sha256: str
) -> tuple[dict[str, Any], bytes]:
    """(row of segmentations, content of its object) of one region of an RTSTRUCT, on the grid of the series that it names."""
    made = filled(structure.contours, grid)
    flags = list(made.flags)
    if structure.n_open:
        flags.append(f"{structure.n_open} contours that enclose nothing (points, open lines) were left out")
    return row_of(
        f"{structure.sop_uid}#{structure.number}", study_uid, made.values, grid, structure.what, format="rtstruct",
        segment=structure.number, label=structure.name or None, series_uid=series_uid,
        reference_series_uid=structure.reference_uids[0], rule=RULE, flags=flags, sha256=sha256, drawn_on=structure.drawn_on,
    )  # fmt: skip


def row_of(
    name: str, study_uid: str, values: np.ndarray, grid: Grid, what: Named, *, format: str, segment: int, rule: str,
    sha256: str, flags: list[str], label: str | None = None, series_uid: str | None = None,
    reference_series_uid: str | None = None, least: int = 1, is_index_grid: bool = False, path: str | None = None,
    lesion: int | None = None, drawn_on: str | None = None,
) -> tuple[dict[str, Any], bytes]:  # fmt: skip
    """(row of segmentations, content of its object). values: (slices, rows, columns), uint8; inside from `least` on."""
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
        "path": path,
        "series_uid": series_uid,
        "reference_series_uid": reference_series_uid,
        "format": format,
        "segment": segment,
        "label": label,
        "region": what.region,
        "kind": what.kind,
        "is_outline": what.is_outline,
        "evidence": what.evidence,
        "lesion": lesion,
        "drawn_on": drawn_on,
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
