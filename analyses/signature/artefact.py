"""A fitted signature as a file, and back. No pickle: skops, which loads the types that are named here and no other.

skops names its parts by addresses in memory; here they get numbers, so that the same model is the same bytes (`packed`). A
model is known by the digest of what it holds as well (`content_of`): every split, threshold and leaf of every tree, and the
scaler. A file that holds something else than its row says is refused. Classes of ours have a name of their own in files, which
stays what it is when their module moves.
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
# (module, class) as files name ours -> where it stands in this program
OWN = {("analyses.signature.estimators", "Combat"): (Combat.__module__, "Combat")}
TRUSTED = [*map(".".join, OWN.values()), "sklearn.tree._tree.Tree"]


def packed(steps: Steps) -> bytes:
    """The file's content."""
    from skops.io import dumps

    names = {here: name for name, here in OWN.items()}
    return _numbered(dumps({"harmonise": steps.harmonise, "scale": steps.scale, "forest": steps.forest}), names)


def _numbered(data: bytes, names: dict[tuple[str, str], tuple[str, str]]) -> bytes:
    """The same file with parts named by their order, no times, and our classes by their names in files."""
    parts, schema = _opened(data)
    ids: dict[int, int] = {}
    files: dict[str, str] = {}

    def number(node: dict) -> None:
        if "__id__" in node:
            node["__id__"] = ids.setdefault(node["__id__"], len(ids))
        if node.get("file") in parts:
            node["file"] = files.setdefault(node["file"], f"{len(files)}{Path(node['file']).suffix}")
        _rename(node, names)

    _walk(schema, number)
    return _closed({files[name]: content for name, content in parts.items()}, schema)


def _opened(data: bytes) -> tuple[dict[str, bytes], dict]:
    """(the parts of a file, its schema)."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    return parts, json.loads(parts.pop(SCHEMA))


def _walk(node, visit) -> None:
    """Visit every dict of a schema, the outer ones first."""
    if isinstance(node, dict):
        visit(node)
        node = node.values()
    if not isinstance(node, str | int | float | None):
        for inner in list(node):
            _walk(inner, visit)


def _rename(node: dict, names: dict[tuple[str, str], tuple[str, str]]) -> None:
    name = (node.get("__module__"), node.get("__class__"))
    if name in names:
        node["__module__"], node["__class__"] = names[name]


def _closed(parts: dict[str, bytes], schema: dict) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in [(SCHEMA, json.dumps(schema).encode()), *sorted(parts.items())]:
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def unpacked(file: str | Path, content: str) -> Steps:
    """The signature of a file. Raises ValueError for types that are not trusted, or another content than `content`."""
    from skops.io import get_untrusted_types, loads

    path = Path(file)
    data = _with_classes_of_now(path.read_bytes())
    strange = sorted(set(get_untrusted_types(data=data)) - set(TRUSTED))
    if strange:
        raise ValueError(f"{path.name} holds {', '.join(strange)}, which is no part of a signature: it is not loaded")
    stored = loads(data, trusted=TRUSTED)
    steps = Steps(stored["harmonise"], stored["scale"], stored["forest"])
    if content_of(steps) != content:
        raise ValueError(f"{path.name} does not hold the model that its row describes: restore it from a backup")
    return steps


def _with_classes_of_now(data: bytes) -> bytes:
    """The file with the names under which our classes stand in this program."""
    parts, schema = _opened(data)
    _walk(schema, lambda node: _rename(node, OWN))
    return _closed(parts, schema)


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
