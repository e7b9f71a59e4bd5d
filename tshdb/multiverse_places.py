"""Where results of multiverses lie, and what a withdrawal takes away of them.

    multiverse/NAME/done.jsonl   estimates of the combinations that are done (tshdb.multiverse.kept)
    multiverse/NAME/curve.svg    the picture of the last run

They hold estimates over cohorts and no patient's value. A withdrawal takes them away all the same: the patient is in them.
"""

from __future__ import annotations

import re
from pathlib import Path

from tshdb.errors import InvalidInput
from tshdb.places import MULTIVERSES, files_below

DONE, PICTURE = "done.jsonl", "curve.svg"
NAME = re.compile(r"[a-z][a-z0-9_-]{0,27}")  # with a prefix it becomes the name of a folder in variants/


def folder_of(root: Path, name: str) -> Path:
    """The folder of a multiverse, there or not. Raises InvalidInput for a link in its place."""
    folder = root / MULTIVERSES / name
    for place in (folder.parent, folder):
        if place.is_symlink() or (place.exists() and not place.is_dir()):
            raise InvalidInput("this is no folder of the study", where=str(place), repair="Move it elsewhere")
    return folder


def with_results(root: Path) -> list[str]:
    """The multiverses that have results, by name."""
    return sorted({path.parent.name for path in _results(root)})


def empty_all(root: Path) -> None:
    """Take away the results of all multiverses. What else lies in their folders stays."""
    for path in _results(root):
        path.unlink(missing_ok=True)


def _results(root: Path) -> list[Path]:
    """The files with results: those that are whole, and those that were being written."""
    place = root / MULTIVERSES
    if place.is_symlink() or not place.is_dir():
        return []
    found = (path for folder in sorted(place.iterdir()) for path in files_below(folder, is_deep=False))
    return [path for path in found if path.name.removeprefix(".").startswith((DONE, PICTURE))]
