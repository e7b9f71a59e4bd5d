"""Where copies of files may be kept by other programs: version control, caches, backups, in a study and around it.

They are named with what to do, and never written: their owners would take them for damaged.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

VERSION_CONTROL = {
    ".git": "Take the files out of its history (git filter-repo), of every clone and of the server, or begin a new repository",
    ".hg": "Take the files out of its history (hg convert --filemap), of every clone too, or begin a new repository",
    ".svn": "Ask who runs the Subversion server to take the files out of its history (svndumpfilter)",
    ".bzr": "Begin a new branch without the files",
    "_darcs": "Begin a new repository without the files",
    ".jj": "Take the files out of its history, of its git repository too, or begin a new repository",
}
CACHES = {
    ".dvc": "Remove the files from its cache and its remotes (dvc gc --workspace --cloud)",
    ".snakemake": "Remove it; the next run of Snakemake makes it again",
    ".ipynb_checkpoints": "Remove it; Jupyter makes it again",
    "__pycache__": "Remove it; Python makes it again",
    ".pytest_cache": "Remove it; it is made again",
    ".Trash": "Empty it",
    ".Trash-0": "Empty it",
    "lost+found": "Ask who runs the machine to empty it",
}
BACKUP = re.compile(r".+\.(?:backup|bak|orig)(?:[-.~].*)?|.+~|backups?|.+[-_ ]backups?", re.IGNORECASE)
OF_BACKUPS = "Remove it, or restore it, withdraw the patient there, and make it again"
LEVELS = 12  # folders above the study


class Copy(NamedTuple):
    """A place that may keep copies of the study's files."""

    path: Path
    what: str
    repair: str


def is_kept_elsewhere(path: Path, root: Path) -> bool:
    """Whether a file below `root` is another program's: of version control, a cache, or a backup."""
    parts = path.relative_to(root).parts
    return any(part in VERSION_CONTROL or part in CACHES for part in parts) or any(map(BACKUP.fullmatch, parts))


def copies(root: Path) -> list[Copy]:
    """Those in the study's folder, those beside it, and those above it up to the top of the repository that it lies in."""
    return [*_inside(root), *_around(root)]


def _inside(root: Path) -> Iterator[Copy]:
    for top, folders, names in os.walk(root):
        here = Path(top)
        for name in sorted([*folders, *names]):
            if (copy := _known(here / name)) is not None:
                yield copy
        folders[:] = sorted(n for n in folders if n not in VERSION_CONTROL and n not in CACHES)


def _around(root: Path) -> Iterator[Copy]:
    home = root.resolve()
    for path in _beside(home):
        if (path.name.startswith(home.name) or path.is_dir()) and BACKUP.fullmatch(path.name):
            yield Copy(path, "a backup beside the study", OF_BACKUPS)
    above = list(home.parents)[:LEVELS]
    tops = [i for i, folder in enumerate(above) if any((folder / name).exists() for name in VERSION_CONTROL)]
    for folder in above[: tops[0] + 1 if tops else 1]:
        for name in (*VERSION_CONTROL, *CACHES):
            if name != "__pycache__" and (copy := _known(folder / name)) is not None:
                yield copy


def _beside(home: Path) -> list[Path]:
    try:
        return sorted(path for path in home.parent.iterdir() if path != home)
    except OSError:
        return []


def _known(path: Path) -> Copy | None:
    if not os.path.lexists(path):
        return None
    if path.name in VERSION_CONTROL:
        return Copy(path, "version control, which keeps what files held before", VERSION_CONTROL[path.name])
    if path.name in CACHES:
        return Copy(path, "a cache, which may keep copies of files", CACHES[path.name])
    return Copy(path, "a backup", OF_BACKUPS) if BACKUP.fullmatch(path.name) else None
