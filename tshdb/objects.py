"""Content-addressed files: an object's name is the SHA-256 of its bytes.

Order of writing: temporary file, fsync, rename, fsync of the folder; only then may a row name the object. A crash
leaves at most a file that no row names.

A folder of objects bears a mark. Only in a folder with the mark is anything ever removed, only files of names that we give,
and never through a link.
"""

import hashlib
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from tshdb.errors import IntegrityError, InvalidInput, ResourceError
from tshdb.failpoints import fp
from tshdb.files import new_file, sync
from tshdb.vocabulary import Damage

PARTS = ".parquet"  # of expression
VOXELS = ".nrrd"  # of segmentations, images and regions
MODEL = ".skops"  # fitted forests
SUFFIXES = (PARTS, VOXELS, MODEL)
MARK = ".tshdb-objects"
MARK_TEXT = """This folder holds objects of a tshdb study: files named by the SHA-256 of their content.
tshdb removes those that its study needs no more. Keep nothing else in here.
"""
DIGEST = re.compile(r"[0-9a-f]{64}")
WRITING = re.compile(r"\.writing-[a-z0-9_]{8}")  # as `new_file` names them, and tempfile did


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def whole_digest(path: Path, others: Sequence[Path]) -> str:
    """The SHA-256 of a file; where others belong to it (`Reader.beside`), of all their bytes, one after the other."""
    digest = hashlib.sha256()
    for each in (path, *others):
        with each.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def is_digest(text: str) -> bool:
    """Whether a text is a SHA-256 as we write it."""
    return DIGEST.fullmatch(text) is not None


def is_file(path: Path) -> bool:
    """Whether a regular file lies there, and no link to one."""
    return path.is_file() and not path.is_symlink()


class LostObject(IntegrityError):
    """An object is not there, or has other bytes than its name says. repair: what the program knows to help."""

    def __init__(self, digest: str, suffix: str, damage: Damage, repair: str = ""):
        text = "an object is missing" if damage is Damage.LOST else "an object's bytes have changed"
        repair = repair or "Run tshdb check: it says whose it is, and what helps"
        super().__init__(text, where=name_of(digest, suffix), repair=repair)
        self.digest, self.suffix, self.damage = digest, suffix, damage

    def __reduce__(self):
        return LostObject, (self.digest, self.suffix, self.damage, self.repair)


def name_of(digest: str, suffix: str = ".parquet") -> str:
    """An object as people are told of it."""
    return f"objects/{digest[:2]}/{digest}{suffix}"


class Needed(Protocol):
    """Who else needs objects of a study."""

    def may_need(self, digest: str) -> bool: ...


class ObjectStore:
    """Objects under `root`, in folders by the first two digits of their names.

    others: who needs objects besides the rows of the study; none of theirs is removed.
    """

    def __init__(self, root: Path, others: Needed | None = None):
        self.root, self.others = root, others
        self._verified: set[str] = set()
        self._damaged: dict[str, tuple[int, int, int]] = {}  # digest -> the file that was found to have other bytes

    def path(self, digest: str, suffix: str = PARTS) -> Path:
        """Where an object lies, or would. Raises IntegrityError for a name that is no digest: it may lead anywhere."""
        if not is_digest(digest):
            raise IntegrityError(f"'{digest}' is no SHA-256", where="objects", repair="Restore a backup of the study")
        return self.root / digest[:2] / f"{digest}{suffix}"

    @property
    def is_marked(self) -> bool:
        """Whether the folder bears our mark."""
        mark = self.root / MARK
        return mark.is_file() and not mark.is_symlink()

    def claim(self) -> None:
        """Mark the folder, made if need be. Raises InvalidInput where an unmarked one holds what is not ours."""
        if self.is_marked:
            return
        if strange := next(self.strangers(), None):
            raise InvalidInput(
                f"{strange.name} is no object, and the folder does not bear our mark ({MARK})",
                where=str(self.root),
                repair="Move it elsewhere, or name another folder in study.toml: [study] objects",
            )
        self.root.mkdir(parents=True, exist_ok=True)
        (self.root / MARK).write_text(MARK_TEXT, encoding="utf-8")

    def own(self) -> Iterator[tuple[Path, str, str]]:
        """(path, digest, suffix) of every file that has an object's name and place."""
        for folder in self._folders():
            for path in sorted(folder.iterdir()):
                if self._is_own(path):
                    yield path, path.stem, path.suffix

    def strangers(self) -> Iterator[Path]:
        """What lies in the folder and is not ours by its name and place. Links are, and are not followed."""
        if not self.root.is_dir():
            return
        folders = set(self._folders())
        for path in sorted(self.root.iterdir()):
            if path in folders:
                yield from (p for p in sorted(path.iterdir()) if not self._is_own(p))
            elif path.is_symlink() or path.is_dir() or not (path.name == MARK or WRITING.fullmatch(path.name)):
                yield path

    def _folders(self) -> list[Path]:
        if not self.root.is_dir():
            return []
        folders = (p for p in self.root.iterdir() if re.fullmatch("[0-9a-f]{2}", p.name))
        return sorted(p for p in folders if p.is_dir() and not p.is_symlink())

    def _is_own(self, path: Path) -> bool:
        return is_digest(path.stem) and path.suffix in SUFFIXES and path.parent.name == path.stem[:2] and is_file(path)

    def removable(self, digest: str, suffix: str = PARTS) -> Path | None:
        """Where an object lies that may go: in a folder of ours, not behind a link, and nobody else needs it; else None."""
        path = self.path(digest, suffix)
        if self.others is not None and self.others.may_need(digest):
            return None
        if not is_file(path) or path.parent.is_symlink():
            return None
        self.claim()
        return path

    def remove(self, digest: str, suffix: str = PARTS) -> bool:
        """Remove an object at once, if it may go. Gives whether it was."""
        path = self.removable(digest, suffix)
        if path is not None:
            path.unlink()
        return path is not None

    def put(self, write: Callable[[Path], None], suffix: str = PARTS) -> tuple[str, int]:
        """Store what `write` writes to the path it is given. Gives (digest, size in bytes)."""
        temporary = None
        try:
            self.claim()
            temporary = new_file(self.root, ".writing-")
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
                sync(folder)
        except OSError as error:
            raise ResourceError(f"cannot write an object ({error})", where=str(self.root)) from error
        finally:
            if temporary is not None:
                temporary.unlink(missing_ok=True)
        fp("objects.stored")
        return digest, size

    def verified(self, digest: str, suffix: str = PARTS) -> Path:
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
        """Whether the file is there (of that size) and its bytes are not known to be others; a link is none. Reads no byte."""
        path = self.path(digest, suffix)
        if not is_file(path) or path.parent.is_symlink() or (size is not None and path.stat().st_size != size):
            return False
        return digest not in self._damaged or self._damaged[digest] != _state(path)

    def is_whole(self, digest: str, suffix: str = ".parquet") -> bool:
        """Whether the file is there with its bytes. A name that is no digest is that of none."""
        if not is_digest(digest):
            return False
        try:
            self.verified(digest, suffix)
        except LostObject:
            return False
        return True

    def names(self) -> set[str]:
        """The names of all files, from one pass through the folders."""
        names: set[str] = set()
        if self.root.is_dir():
            for folder in os.scandir(self.root):
                if folder.is_dir():
                    names.update(entry.name for entry in os.scandir(folder.path))
        return names


def _state(path: Path) -> tuple[int, int, int]:
    """What changes when a file is written anew."""
    stat = path.stat()
    return stat.st_ino, stat.st_size, stat.st_mtime_ns
