"""The backups of a folder, and whether they are whole."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tshdb.backup import places
from tshdb.backup.manifest import BACKUP, problems, read
from tshdb.errors import IntegrityError, InvalidInput, NotFound

INTERRUPTED = "interrupted: the next backup goes on with it"


@dataclass(frozen=True)
class Listed:
    """One backup. problems: what is not as it was written, of what was looked at."""

    name: str
    study: str | None
    made_at: str | None
    n_files: int | None
    size: int
    state: str
    problems: tuple[str, ...] = ()

    @property
    def facts(self) -> dict[str, Any]:
        """Plain values, as `tshdb backups --json` prints them."""
        names = ("name", "study", "made_at", "n_files", "size", "state")
        return {name: getattr(self, name) for name in names} | {"problems": list(self.problems)}


def listed(folder: Path, *, is_full: bool) -> list[Listed]:
    """All of them, the oldest first; also those that are not whole. is_full: all bytes are read. Raises NotFound."""
    if not folder.is_dir():
        raise NotFound("no folder", where=str(folder), repair="Name the folder of backups")
    found = [_of(path, is_full) for path in places.whole(folder)]
    return found + [Listed(path.name, None, None, None, 0, INTERRUPTED) for path in places.left(folder)]


def _of(path: Path, is_full: bool) -> Listed:
    try:
        manifest = read(path, BACKUP)
    except (IntegrityError, InvalidInput) as error:
        return Listed(path.name, None, None, None, 0, "damaged", (str(error),))
    if is_full:
        wrong = tuple(problems(path, manifest))
    else:
        wrong = tuple(f"{f.path}: is not there" for f in manifest.files if not (path / f.path).is_file())
    state = "damaged" if wrong else "whole" if is_full else "there (--full reads all bytes)"
    return Listed(path.name, manifest.study, manifest.made_at, len(manifest.files), manifest.size, state, wrong)
