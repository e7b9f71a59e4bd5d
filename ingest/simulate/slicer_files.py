"""3D Slicer's .seg.nrrd, line by line after Slicer's manual; no program's writer is asked."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ingest.simulate.files import write_bytes
from tshdb.geometry import Grid


def write_slicer(
    path: Path, layers: Sequence[np.ndarray], grid: Grid, segments: Sequence[Mapping[str, object]]
) -> None:
    """A .seg.nrrd; of the same voxels the same bytes.

    layers: (slices, rows, columns) each. segments: Name; Layer, LabelValue, Tags where they are given.
    """
    values = np.stack(layers, -1) if len(layers) > 1 else layers[0]
    steps = [np.array(d) * s for d, s in zip((grid.row, grid.column, grid.normal), grid.spacing_mm[::-1], strict=True)]
    axes = " ".join("(" + ",".join(f"{v:.12g}" for v in step) + ")" for step in steps)
    is_layered = len(layers) > 1
    head = [
        "NRRD0004", "type: unsigned char", f"dimension: {values.ndim}", "space: left-posterior-superior",
        f"sizes: {' '.join(map(str, values.shape[::-1]))}", f"space directions: {'none ' if is_layered else ''}{axes}",
        f"kinds: {'list ' if is_layered else ''}domain domain domain", "encoding: gzip",
        "space origin: (" + ",".join(f"{v:.12g}" for v in grid.origin_mm) + ")",
    ]  # fmt: skip
    for i, segment in enumerate(segments):
        head += [f"Segment{i}_ID:=Segment_{i + 1}", *(f"Segment{i}_{key}:={value}" for key, value in segment.items())]
    voxels = gzip.compress(np.ascontiguousarray(values).astype(np.uint8).tobytes(), mtime=0)
    write_bytes(path, "\n".join(head).encode() + b"\n\n" + voxels)
