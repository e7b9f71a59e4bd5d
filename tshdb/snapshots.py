"""What `tshdb sql` keeps of large tables: one Parquet file a table version, so that a query reads only what it names.

A file is named by table, version and its own SHA-256, and is not used when any of them differs. A version is never met
again, also when a backup is restored. Files may be removed at any time; a withdrawal removes them all.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tshdb.objects import sha256_of

FOLDER = ".snapshots"
LEAST_ROWS = 20_000  # a smaller table is copied in no time


class Snapshots:
    """The kept tables of the study in `root`."""

    def __init__(self, root: Path):
        self.folder = root / FOLDER

    def find(self, table: str, version: int | None) -> Path | None:
        """The file of a table at a version, its bytes verified; None if there is none."""
        if version is None:
            return None
        for path in self.folder.glob(f"{table}.{version}.*.parquet"):
            if path.name.split(".")[2] == sha256_of(path):
                return path
            path.unlink(missing_ok=True)
        return None

    def begin(self) -> Path | None:
        """A path to write the next file to; None where the folder cannot be written."""
        try:
            self.folder.mkdir(exist_ok=True)
            path = self.folder / f".writing-{os.getpid()}"
            path.touch()
        except OSError:
            return None
        return path

    def keep(self, table: str, version: int, written: Path) -> Path:
        """Give a written file its name, in place of those of the table's other versions."""
        path = self.folder / f"{table}.{version}.{sha256_of(written)}.parquet"
        os.replace(written, path)
        for other in self.folder.glob(f"{table}.*.parquet"):
            if other != path:
                other.unlink(missing_ok=True)
        return path

    def erase(self) -> None:
        """Remove all of them."""
        shutil.rmtree(self.folder, ignore_errors=True)
