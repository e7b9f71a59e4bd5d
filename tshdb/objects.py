"""Content-addressed files: an object's name is the SHA-256 of its bytes.

Order of writing: temporary file, fsync, rename, fsync of the folder; only then may a row name the object. A crash
leaves at most a file that no row names.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from tshdb.errors import IntegrityError, ResourceError
from tshdb.failpoints import fp

VOXELS = ".nrrd"  # of segmentations, images and regions
MODEL = ".skops"  # fitted forests; other objects are Parquet parts


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class ObjectStore:
    """Objects under `root`, in folders by the first two digits of their names."""

    def __init__(self, root: Path):
        self.root = root
        self._verified: set[str] = set()

    def path(self, digest: str, suffix: str = ".parquet") -> Path:
        return self.root / digest[:2] / f"{digest}{suffix}"

    def put(self, write: Callable[[Path], None], suffix: str = ".parquet") -> tuple[str, int]:
        """Store what `write` writes to the path it is given. Gives (digest, size in bytes)."""
        temporary = None
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=".writing-", dir=self.root)
            os.close(handle)
            temporary = Path(name)
            write(temporary)
            fp("objects.written")
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            digest, size = sha256_of(temporary), temporary.stat().st_size
            final = self.path(digest, suffix)
            final.parent.mkdir(exist_ok=True)
            fp("objects.before_rename")
            os.replace(temporary, final)
            fp("objects.renamed")
            for folder in (final.parent, self.root):
                _sync_folder(folder)
        except OSError as error:
            raise ResourceError(f"cannot write an object ({error})", where=str(self.root)) from error
        finally:
            if temporary is not None:
                temporary.unlink(missing_ok=True)
        fp("objects.stored")
        return digest, size

    def verified(self, digest: str, suffix: str = ".parquet") -> Path:
        """The object's path, after its bytes were compared with its name (once in the life of this store)."""
        path = self.path(digest, suffix)
        if digest not in self._verified:
            if not path.is_file():
                raise IntegrityError("an object is missing", where=str(path), repair="Restore it from a backup")
            if sha256_of(path) != digest:
                raise IntegrityError("an object's bytes have changed", where=str(path), repair="Restore a backup")
            self._verified.add(digest)
        return path


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
