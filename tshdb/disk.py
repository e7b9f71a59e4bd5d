"""What a study takes on disk, by kind: the tables whose rows name objects, its database.

Asked with every `tshdb status`: tables and columns are listed here, since to look them up would take longer than the answer.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tshdb.objects import MODEL, PARTS, VOXELS, is_digest

KINDS = {  # name -> (table, column of digests, suffix), the first one that names a file has it
    "expression": ("expression_parts", "part_id", PARTS),
    "segmentations": ("segmentations", "object_id", VOXELS),
    "prepared_images": ("prepared_images", "object_id", VOXELS),
    "breast_masks": ("breast_masks", "object_id", VOXELS),
    "lesions": ("lesions", "object_id", VOXELS),
    "tumor_masks": ("tumor_masks", "object_id", VOXELS),
    "stroma_bands": ("stroma_bands", "object_id", VOXELS),
    "lesion_bands": ("lesion_bands", "object_id", VOXELS),
    "kinetic_maps": ("kinetic_maps", "object_id", VOXELS),
    "signature_models": ("signature_models", "object_id", MODEL),
}
OTHERS = "others"  # of guests' tables, or of rows that were replaced


def disk(objects: Path, database: Path | None, run: Callable[[str], list[tuple]]) -> dict[str, Any]:
    """database: bytes, None of a server; objects: kind -> files and bytes, of kinds that have any."""
    left = _sizes(objects)
    found: dict[str, dict[str, int]] = {}
    for kind, (table, column, suffix) in KINDS.items():
        names = [f"{digest}{suffix}" for (digest,) in run(f"SELECT DISTINCT {column} FROM {table}") if digest]
        _add(found, kind, [left.pop(name) for name in names if name in left])
    _add(found, OTHERS, list(left.values()))
    return {"database": _size(database), "objects": found}


def _add(found: dict[str, dict[str, int]], kind: str, sizes: list[int]) -> None:
    if sizes:
        found[kind] = {"files": len(sizes), "bytes": sum(sizes)}


def _sizes(objects: Path) -> dict[str, int]:
    """Name -> bytes of all objects in the folder."""
    sizes: dict[str, int] = {}
    if objects.is_dir():
        for folder in os.scandir(objects):
            if folder.is_dir(follow_symlinks=False):
                sizes |= {e.name: e.stat().st_size for e in os.scandir(folder) if is_digest(e.name.partition(".")[0])}
    return sizes


def _size(database: Path | None) -> int | None:
    """Of the file, and of what is not written into it yet."""
    if database is None:
        return None
    return sum(p.stat().st_size for p in (database, Path(f"{database}-wal")) if p.is_file())
