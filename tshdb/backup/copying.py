"""Files into a copy: each with its digest, verified, on the disk, and not copied where it is there already."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tshdb.backup.manifest import File
from tshdb.errors import Busy, IntegrityError, ResourceError
from tshdb.files import sync
from tshdb.objects import is_file, sha256_of

BLOCK = 1 << 20
TRIES = 5
SPARE = 16 << 20  # bytes that must be left on the disk
COPIED, LINKED, KEPT = "copied", "linked", "kept"

Progress = Callable[..., None]  # (name, done, total, of what)


def silent(*_: object) -> None:
    """Shows no progress."""


@dataclass
class Copy:
    """A copy on its way in `folder`.

    known: SHA-256 -> files of earlier copies with these bytes, which may be linked to.
    how: file -> how it came there.
    """

    folder: Path
    known: Mapping[str, Path] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    how: dict[str, str] = field(default_factory=dict)

    def count(self, how: str) -> int:
        """How many of the files were copied, linked, or kept from an interrupted copy."""
        return sum(self.how[name] == how for name in self.files)

    @property
    def bytes_copied(self) -> int:
        return sum(file.size for name, file in self.files.items() if self.how[name] == COPIED)

    def add(self, name: str, source: Path, digest: str | None = None, mode: int | None = None) -> None:
        """Put a file into the copy. digest: what its bytes must be. Raises FileNotFoundError, IntegrityError, Busy."""
        target = self.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        rights = stat_mode(source) if mode is None else mode
        wanted = digest or (sha256_of(source) if self.known or target.exists() else None)
        if wanted is not None and is_file(target) and sha256_of(target) == wanted:
            self.how.setdefault(name, KEPT)
        elif wanted is not None and self._link(wanted, target, rights):
            self.how[name] = LINKED
        else:
            wanted = self._copy(source, target, digest)
            self.how[name] = COPIED
        if stat_mode(target) != rights:
            os.chmod(target, rights)
        self._note(name, wanted)

    def made(self, name: str) -> None:
        """Note a file that was written in the copy's folder itself."""
        self.how[name] = COPIED
        self._note(name, sha256_of(self.folder / name))

    def _note(self, name: str, digest: str) -> None:
        path = self.folder / name
        self.files[name] = File(name, digest, path.stat().st_size, stat_mode(path))

    def _link(self, digest: str, target: Path, rights: int) -> bool:
        """Have the file be one of an earlier copy, whose bytes are verified. Gives whether that can be."""
        earlier = self.known.get(digest)
        if earlier is None or not is_file(earlier) or stat_mode(earlier) != rights or sha256_of(earlier) != digest:
            return False
        target.unlink(missing_ok=True)
        try:
            os.link(earlier, target)
        except OSError:  # a file system without hard links, or no more of them
            return False
        return True

    def _copy(self, source: Path, target: Path, digest: str | None) -> str:
        for _ in range(TRIES):
            before = _state(source)
            found = _copied(source, target)
            if _state(source) == before:
                break
        else:
            raise Busy("is written to all the time", where=str(source), repair="Try again when it is not")
        if digest is not None and found != digest:
            target.unlink()
            raise IntegrityError("the bytes are not those of its name", where=str(source), repair="Run: tshdb check")
        return found

    def only(self) -> None:
        """Take away what an interrupted copy has left in the folder and this one does not have."""
        for top, folders, names in os.walk(self.folder, topdown=False):
            for name in names:
                path = Path(top) / name
                if path.relative_to(self.folder).as_posix() not in self.files:
                    path.unlink()
            for name in folders:
                path = Path(top) / name
                if path.is_symlink():
                    path.unlink()
                elif not any(path.iterdir()):
                    path.rmdir()

    def settle(self) -> None:
        """Have all folders on the disk; the files are already."""
        for top, _, _ in os.walk(self.folder):
            sync(Path(top))


def stat_mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def _copied(source: Path, target: Path) -> str:
    """Copy a file, and give the SHA-256 of what was read."""
    digest = hashlib.sha256()
    target.unlink(missing_ok=True)  # it may be one file with that of an earlier copy
    try:
        with source.open("rb") as read, target.open("xb") as file:
            while block := read.read(BLOCK):
                digest.update(block)
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ResourceError(
            f"cannot be written ({error.strerror})", where=str(target), repair="Free some disk space"
        ) from error
    return digest.hexdigest()


def _state(path: Path) -> tuple[int, int, int]:
    stat = path.stat()
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def refuse_full(folder: Path, sizes: Iterable[int]) -> None:
    """Raises ResourceError where a disk has no room for so many bytes."""
    wanted, free = sum(sizes) + SPARE, shutil.disk_usage(folder).free
    if wanted > free:
        raise ResourceError(
            f"{wanted / 1e6:,.0f} MB are needed and {free / 1e6:,.0f} MB are free", where=str(folder),
            repair="Free some disk space, or name a folder on another disk",
        )  # fmt: skip
