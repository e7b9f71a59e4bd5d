"""Folders that a command writes for the user: whole or not at all. Each bears a mark with the names of its files.

Files of others in it stay.

    kind = Kind(".tshdb-manuscript.json", "manuscript")
    with laid(folder, kind) as writing:
        (writing / "README.md").write_text("...")
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tshdb.errors import InvalidInput
from tshdb.files import new_folder, sync


@dataclass(frozen=True)
class Kind:
    """What a folder is. mark: the name of the file with the names of all others that were written; what: in a word."""

    mark: str
    what: str


def refuse_others(folder: Path, kind: Kind) -> None:
    """Raises InvalidInput for a folder that is neither new nor empty nor of this kind."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise InvalidInput("is no folder", where=str(folder), repair="Name a new folder")
    if folder.is_dir() and any(folder.iterdir()):
        _names_of(folder, kind)


@contextmanager
def laid(folder: Path, kind: Kind) -> Iterator[Path]:
    """A new folder beside, which takes the place when the block ends well. What was written there before by the same kind of
    command goes; others' files stay. Raises InvalidInput as `refuse_others` does."""
    refuse_others(folder, kind)
    folder.parent.mkdir(parents=True, exist_ok=True)
    writing = new_folder(folder.parent, f".{folder.name}.writing.")
    try:
        yield writing
        files = sorted(path for path in writing.rglob("*") if path.is_file())
        names = [path.relative_to(writing).as_posix() for path in files]
        (writing / kind.mark).write_text(json.dumps(names, indent=1) + "\n", encoding="utf-8")
        for path in (*files, writing / kind.mark):
            sync(path)
        _place(writing, folder, kind)
    finally:
        shutil.rmtree(writing, ignore_errors=True)


def _place(writing: Path, folder: Path, kind: Kind) -> None:
    """Rename the new folder into its place; others' files of the old one are carried into it first."""
    if not folder.exists():
        os.rename(writing, folder)
        return
    ours = {*_names_of(folder, kind), kind.mark} if any(folder.iterdir()) else set()
    for top, folders, names in os.walk(folder):
        for name in (*names, *folders):
            path = Path(top) / name
            below = path.relative_to(folder)
            if path.is_dir() and not path.is_symlink():
                if not _is_ours_alone(path, folder, ours):
                    (writing / below).mkdir(parents=True, exist_ok=True)
                continue
            if below.as_posix() in ours:
                continue
            place = writing / below
            if place.exists() or place.is_symlink():
                raise InvalidInput(
                    f"lies where a file of the {kind.what} goes, and was not written by it",
                    where=str(path),
                    repair="Move it away",
                )
            place.parent.mkdir(parents=True, exist_ok=True)
            os.link(path, place, follow_symlinks=False)
    before = new_folder(folder.parent, f".{folder.name}.before.")
    os.rename(folder, before / "old")
    try:
        os.rename(writing, folder)
    except OSError:
        os.rename(before / "old", folder)
        raise
    finally:
        shutil.rmtree(before, ignore_errors=True)


def _is_ours_alone(path: Path, folder: Path, ours: set[str]) -> bool:
    """Whether a folder holds files of ours and nothing else: that of a patient who is gone goes with them."""
    files = [each.relative_to(folder).as_posix() for each in path.rglob("*") if not each.is_dir() or each.is_symlink()]
    return bool(files) and ours.issuperset(files)


def _names_of(folder: Path, kind: Kind) -> list[str]:
    """The files that were written there before. Raises InvalidInput for a folder without the mark, or with another's."""
    try:
        names = json.loads((folder / kind.mark).read_text(encoding="utf-8"))
        if isinstance(names, list) and all(isinstance(n, str) and ".." not in Path(n).parts for n in names):
            return names
    except (OSError, ValueError):
        pass
    raise InvalidInput(
        f"is not empty, and no {kind.what} of this program", where=str(folder), repair="Name a new folder"
    )
