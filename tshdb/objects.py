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
from tshdb.vocabulary import Damage

VOXELS = ".nrrd"  # of segmentations, images and regions
MODEL = ".skops"  # fitted forests; other objects are Parquet parts


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class LostObject(IntegrityError):
    """An object is not there, or has other bytes than its name says. repair: what the program knows to help."""

    def __init__(self, digest: str, suffix: str, damage: Damage, repair: str = ""):
        said = "an object is missing" if damage is Damage.LOST else "an object's bytes have changed"
        repair = repair or "Run tshdb check: it says whose it is, and what helps"
        super().__init__(said, where=name_of(digest, suffix), repair=repair)
        self.digest, self.suffix, self.damage = digest, suffix, damage

    def __reduce__(self):
        return LostObject, (self.digest, self.suffix, self.damage, self.repair)


def name_of(digest: str, suffix: str = ".parquet") -> str:
    """An object as people are told of it."""
    return f"objects/{digest[:2]}/{digest}{suffix}"


class ObjectStore:
    """Objects under `root`, in folders by the first two digits of their names."""

    def __init__(self, root: Path):
        self.root = root
        self._verified: set[str] = set()
        self._damaged: dict[str, tuple[int, int, int]] = {}  # digest -> the file that was found to have other bytes

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
        """The object's path, after its bytes were compared with its name (once in the life of this store).

        Raises LostObject.
        """
        path = self.path(digest, suffix)
        if digest not in self._verified:
            if not self.is_there(digest, suffix):
                raise LostObject(digest, suffix, Damage.DAMAGED if path.is_file() else Damage.LOST)
            if sha256_of(path) != digest:
                self._damaged[digest] = _state(path)
                raise LostObject(digest, suffix, Damage.DAMAGED)
            self._verified.add(digest)
        return path

    def is_there(self, digest: str, suffix: str = ".parquet", size: int | None = None) -> bool:
        """Whether the file is there (of that size) and its bytes are not known to be others. Reads none of them."""
        path = self.path(digest, suffix)
        if not path.is_file() or (size is not None and path.stat().st_size != size):
            return False
        return digest not in self._damaged or self._damaged[digest] != _state(path)

    def is_whole(self, digest: str, suffix: str = ".parquet") -> bool:
        """Whether the file is there with its bytes."""
        try:
            self.verified(digest, suffix)
        except LostObject:
            return False
        return True

    def names(self) -> set[str]:
        """The names of all files, from one pass through the folders."""
        found: set[str] = set()
        if self.root.is_dir():
            for folder in os.scandir(self.root):
                if folder.is_dir():
                    found.update(entry.name for entry in os.scandir(folder.path))
        return found


def _state(path: Path) -> tuple[int, int, int]:
    """What changes when a file is written anew."""
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
