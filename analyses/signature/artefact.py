"""A fitted signature as a file, and back. No pickle: skops, which loads the types that are named here and no other.

skops names its parts by addresses in memory; here they get numbers, so that the same model is the same bytes (`packed`). A
model is known by the digest of what it holds as well (`content_of`): every split, threshold and leaf of every tree, and the
scaler. A file that holds something else than its row says is refused.
"""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np

from analyses.signature.estimators import Combat
from analyses.signature.training import Steps
from tshdb.canonical import digest

SCHEMA = "schema.json"
TRUSTED = ["analyses.signature.estimators.Combat", "sklearn.tree._tree.Tree"]


def packed(steps: Steps) -> bytes:
    """The file's content."""
    from skops.io import dumps

    return _numbered(dumps({"harmonise": steps.harmonise, "scale": steps.scale, "forest": steps.forest}))


def _numbered(data: bytes) -> bytes:
    """The same file with parts named by their order, and no times."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(parts.pop(SCHEMA))
    ids: dict[int, int] = {}
    files: dict[str, str] = {}

    def walk(node) -> None:
        if isinstance(node, dict):
            if "__id__" in node:
                node["__id__"] = ids.setdefault(node["__id__"], len(ids))
            if node.get("file") in parts:
                node["file"] = files.setdefault(node["file"], f"{len(files)}{Path(node['file']).suffix}")
            node = node.values()
        if not isinstance(node, str | int | float | None):
            for inner in list(node):
                walk(inner)

    walk(schema)
    parts = {files[name]: content for name, content in parts.items()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in [(SCHEMA, json.dumps(schema).encode()), *sorted(parts.items())]:
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def unpacked(file: str | Path, content: str) -> Steps:
    """The signature of a file. Raises ValueError for types that are not trusted, or another content than `content`."""
    from skops.io import get_untrusted_types, loads

    path = Path(file)
    data = path.read_bytes()
    strange = sorted(set(get_untrusted_types(data=data)) - set(TRUSTED))
    if strange:
        raise ValueError(f"{path.name} holds {', '.join(strange)}, which is no part of a signature: it is not loaded")
    found = loads(data, trusted=TRUSTED)
    steps = Steps(found["harmonise"], found["scale"], found["forest"])
    if content_of(steps) != content:
        raise ValueError(f"{path.name} does not hold the model that its row describes: restore it from a backup")
    return steps


def content_of(steps: Steps) -> str:
    """A digest of all numbers on which scores depend."""
    arrays = [steps.scale.mean_, steps.scale.scale_, steps.forest.classes_]
    for tree in steps.forest.estimators_:
        t = tree.tree_
        arrays += [t.children_left, t.children_right, t.feature, t.threshold, t.value]
    combat: Combat | None = steps.harmonise
    if combat is not None:
        arrays += [combat.batches_.astype("U"), combat.mean_, combat.scale_, combat.gamma_, combat.delta_]
    plain = map(np.ascontiguousarray, arrays)
    return digest(*(f"{array.dtype.str}{array.shape}".encode() + array.tobytes() for array in plain))
