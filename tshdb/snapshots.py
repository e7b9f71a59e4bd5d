"""What `tshdb sql` keeps of large tables: one Parquet file a table version, so that a query reads only what it names.

A file is named by table, version and its own SHA-256, and is not used when any of them differs. A version is never met
again, also when a backup is restored. Files may be removed at any time; a withdrawal removes them all. Beside them lies what
cohorts' steps gave (`tshdb.cohorts.remembered`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from tshdb.objects import is_digest, sha256_of
from tshdb.places import SNAPSHOTS as FOLDER
from tshdb.places import files_below

LEAST_ROWS = 20_000  # a smaller table is copied in no time
VERSION = re.compile(r"-?\d+")
WRITING = re.compile(r"\.writing-\d+")
COHORT = re.compile(r"[a-z][a-z0-9_]*")
ANSWER = "members"  # how the name of a cohort's answer ends


class Snapshots:
    """The kept tables of the study in `root`."""

    def __init__(self, root: Path):
        self.folder = root / FOLDER

    def find(self, table: str, version: str | int | None) -> Path | None:
        """The file of a table at a version, its bytes verified; None if there is none."""
        for path in self._kept(table):
            _, number, digest, _ = path.name.split(".")
            if number == str(version):
                if digest == sha256_of(path):
                    return path
                path.unlink(missing_ok=True)
        return None

    def _kept(self, table: str | None = None) -> list[Path]:
        """The files that we made here, of one table or of all; a link in their place is none of ours."""
        split = [(p, p.name.split(".")) for p in files_below(self.folder, is_deep=False)]
        return [p for p, parts in split if _is_kept(parts) and table in (None, parts[0])]

    def begin(self) -> Path | None:
        """A path to write the next file to; None where the folder cannot be written."""
        if self.folder.is_symlink():
            return None
        try:
            self.folder.mkdir(exist_ok=True)
            path = self.folder / f".writing-{os.getpid()}"
            path.touch()
        except OSError:
            return None
        return path

    def keep(self, table: str, version: str | int, written: Path) -> Path:
        """Give a written file its name, in place of those of the table's other versions."""
        path = self.folder / f"{table}.{version}.{sha256_of(written)}.parquet"
        os.replace(written, path)
        for other in self._kept(table):
            if other != path:
                other.unlink(missing_ok=True)
        return path

    def forget(self, table: str, version: str) -> None:
        """Remove what is kept of a table at a version."""
        for path in self._kept(table):
            if path.name.split(".")[1] == version:
                path.unlink(missing_ok=True)

    def keep_only(self, versions: Mapping[str, str]) -> None:
        """Remove what is kept of tables at other versions than these."""
        for path in self._kept():
            table, version, *_ = path.name.split(".")
            if versions.get(table) != version:
                path.unlink(missing_ok=True)

    def erase(self) -> None:
        """Remove all of them."""
        for path in (*self._kept(), *answers_below(self.folder), *half_written(self.folder)):
            path.unlink(missing_ok=True)
        if self.folder.is_dir() and not self.folder.is_symlink() and not any(self.folder.iterdir()):
            self.folder.rmdir()


def _is_kept(parts: list[str]) -> bool:
    """Whether these are the parts of a name that we give: table, version, digest, suffix."""
    if len(parts) != 4:
        return False
    _, version, digest, suffix = parts
    return VERSION.fullmatch(version) is not None and is_digest(digest) and suffix == "parquet"


def answers_below(folder: Path, cohort: str | None = None) -> list[Path]:
    """The kept answers of one cohort, or of all: COHORT.SHA256.members."""
    split = [(p, p.name.split(".")) for p in files_below(folder, is_deep=False)]
    return [p for p, parts in split if _is_answer(parts) and cohort in (None, parts[0])]


def _is_answer(parts: list[str]) -> bool:
    return len(parts) == 3 and COHORT.fullmatch(parts[0]) is not None and is_digest(parts[1]) and parts[2] == ANSWER


def half_written(folder: Path) -> list[Path]:
    """What a process that was killed left of a file on its way."""
    return [p for p in files_below(folder, is_deep=False) if WRITING.fullmatch(p.name)]
