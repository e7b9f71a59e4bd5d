"""Voxels that lie in another file than their header: NRRD's "data file" and MetaImage's "ElementDataFile".

They lie beside the header, in one file with a bare name, or the mask is refused: a header comes from strangers, and must not
choose what else is read. Both formats allow any path, lists and patterns; ITK opens them all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ingest.imaging.unreadable import Unreadable
from tshdb.everyday import refuse_of_machine

MOST_HEADER = 1 << 20
NRRD, META = (".nrrd", ".nhdr"), (".mha", ".mhd")
_ENDS = {
    **dict.fromkeys(NRRD, re.compile(rb"\r?\n\r?\n")),
    **dict.fromkeys(META, re.compile(rb"(?im)^\s*elementdatafile.*$")),
}
_NRRD_FIELD = re.compile(r"data ?file\s*:\s(.*)", re.IGNORECASE)
_META_FIELD = re.compile(r"\s*elementdatafile\s*[=:]\s*(.*)", re.IGNORECASE)
_PATTERN = re.compile(r"%\d*[dioux]|\s-?\d+\s+-?\d+\s+-?\d+")


def beside(path: Path) -> tuple[Path, ...]:
    """The files whose bytes are a mask's as its own are; none where it has all its voxels, or is refused."""
    try:
        data = data_file(path)
    except (Unreadable, OSError) as error:
        refuse_of_machine(error)
        return ()
    return () if data is None else (data,)


def data_file(path: Path) -> Path | None:
    """The file with the voxels of a header; None where they follow it. Raises Unreadable for one that may not be opened."""
    name = _named(path)
    if name is None:
        return None
    if name.upper().startswith("LIST") or _PATTERN.search(name):
        raise Unreadable("mask.elsewhere", "its voxels are in several files: write the mask as one file")
    data = path.parent / name
    if name in ("", ".", "..") or re.search(r"[/\\]|^[A-Za-z]:", name):
        raise Unreadable(
            "mask.elsewhere", "its header leads to voxels elsewhere: they must lie beside it, by a bare name"
        )
    if data.is_symlink() and data.resolve().parent != path.parent.resolve():
        raise Unreadable(
            "mask.elsewhere", "its voxels are a link that leads elsewhere: they must lie beside the header"
        )
    if not data.is_file() or data.resolve() == path.resolve():
        raise Unreadable("mask.elsewhere", "the file with its voxels does not lie beside it: fetch both")
    return data


def _named(path: Path) -> str | None:
    """What the header says of its voxels' file; None where they follow."""
    suffix = path.suffix.lower()
    if suffix not in _ENDS:
        return None
    is_nrrd = suffix in NRRD
    for line in _lines(path, suffix):
        match = (_NRRD_FIELD if is_nrrd else _META_FIELD).match(line)
        if match is not None:
            name = match[1].strip().strip('"')
            return None if not is_nrrd and name.upper() == "LOCAL" else name
    return None


def _lines(path: Path, suffix: str) -> Iterator[str]:
    """The lines of a header, without the voxels that may follow it."""
    with path.open("rb") as file:
        head = file.read(MOST_HEADER)
    end = _ENDS[suffix].search(head)
    yield from head[: end.end() if end else len(head)].decode("latin-1").splitlines()
