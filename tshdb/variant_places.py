"""Where variants of a study lie, who may touch them, and which objects they name.

    variants/NAME/variant.toml   what is set otherwise than in study.toml
    variants/NAME/variant.db     the results that differ from the study's (tshdb.variants)
    variants/NAME/work/          a copy of the study's database, while the variant is rebuilt, or since that was killed
    variants/NAME/view-…/        the same, while the variant is looked at

A withdrawal takes away everything but the settings.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO

from tshdb.errors import Busy, IntegrityError, InvalidInput
from tshdb.places import VARIANTS, files_below
from tshdb.sqlite_files import to_read
from tshdb.system import open_lock, try_lock

SETTINGS, DATABASE, WORK, VIEW, EMPTIED = "variant.toml", "variant.db", "work", "view-", "emptied"
COPY = "study.db"  # the name of the copy in WORK and in VIEW…
LOCK = ".tshdb.lock"
NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
WAIT_SECONDS = 30.0
POLL_SECONDS = 0.05


def folder_of(root: Path, name: str) -> Path:
    """The folder of a variant, there or not. Raises InvalidInput for a name that cannot be one, or a link in its place."""
    if not NAME.fullmatch(name):
        raise InvalidInput(
            f"'{name}' cannot be the name of a variant", where="--variant",
            repair="Write up to 40 small letters, digits, - and _, a letter first, such as median",
        )  # fmt: skip
    folder = root / VARIANTS / name
    for place in (folder.parent, folder):
        if place.is_symlink() or (place.exists() and not place.is_dir()):
            raise InvalidInput("this is no folder of the study", where=str(place), repair="Move it elsewhere")
    return folder


def names_of(root: Path) -> list[str]:
    """The variants of a study by name: the folders in variants/ that have settings."""
    return [folder.name for folder in _folders(root) if (folder / SETTINGS).is_file()]


def _folders(root: Path) -> list[Path]:
    place = root / VARIANTS
    if place.is_symlink() or not place.is_dir():
        return []
    found = (p for p in place.iterdir() if NAME.fullmatch(p.name))
    return sorted(p for p in found if p.is_dir() and not p.is_symlink())


# ------------------------------------------------------------------------------------------------------- who may


@contextmanager
def held(root: Path, name: str, wait_seconds: float = WAIT_SECONDS) -> Iterator[Path]:
    """The folder of a variant, which nobody else rebuilds or drops meanwhile, and no withdrawal empties. Raises Busy."""
    folder = folder_of(root, name)
    with (
        _locked(folder.parent / LOCK, True, wait_seconds, "a withdrawal holds the variants of the study"),
        _locked(folder / LOCK, False, wait_seconds, f"another command has held the variant {name}"),
    ):
        yield folder


@contextmanager
def all_held(root: Path, wait_seconds: float = WAIT_SECONDS) -> Iterator[None]:
    """No variant of the study is rebuilt meanwhile. Raises Busy."""
    place = root / VARIANTS
    if place.is_symlink() or not place.is_dir():
        yield
        return
    with _locked(place / LOCK, False, wait_seconds, "a variant of the study is being rebuilt"):
        yield


@contextmanager
def _locked(path: Path, is_shared: bool, wait_seconds: float, text: str) -> Iterator[None]:
    deadline = time.monotonic() + wait_seconds
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open_lock(path) as file:
            if try_lock(file, is_shared) and _is_there(path, file):
                yield
                return
        if time.monotonic() > deadline:
            raise Busy(text, where=str(path.parent), repair="Wait for it to end, then try again")
        time.sleep(POLL_SECONDS)


def _is_there(path: Path, file: IO[str]) -> bool:
    """Whether the locked file is the one that others will find: who drops a variant takes its lock away."""
    return path.exists() and os.path.samestat(path.stat(), os.fstat(file.fileno()))


# ------------------------------------------------------------------------------------------------ what they hold


def databases(root: Path) -> list[Path]:
    """All files of variants that hold rows: their databases, and copies of the study's in use or left behind."""
    found = []
    for folder in _folders(root):
        found += [p for p in files_below(folder, is_deep=False) if p.name.removeprefix(".").startswith(DATABASE)]
        for copies in _copies(folder):
            found += list(files_below(copies))
    return sorted(found)


def with_rows(root: Path) -> list[str]:
    """The variants that hold rows, by name."""
    return sorted({path.relative_to(root / VARIANTS).parts[0] for path in databases(root)})


def _copies(folder: Path) -> list[Path]:
    """The folders in which copies of the study's database lie."""
    return [
        p for p in sorted(folder.iterdir())
        if p.is_dir() and not p.is_symlink() and (p.name == WORK or p.name.startswith(VIEW))
    ]  # fmt: skip


def empty_all(root: Path) -> list[str]:
    """Take away all rows of all variants, under `all_held`. Gives the names of those that had any."""
    names = with_rows(root)
    for name in names:
        empty(root / VARIANTS / name)
        (root / VARIANTS / name / EMPTIED).write_text(
            f"A withdrawal took the results of this variant away. To make them again: tshdb rebuild --variant {name}\n",
            encoding="utf-8",
        )
    return names


def empty(folder: Path) -> None:
    """Take away all rows of one variant, copies first: without its database it has no results."""
    for copies in _copies(folder):
        shutil.rmtree(copies, ignore_errors=True)
    for path in list(files_below(folder, is_deep=False)):
        if path.name.removeprefix(".").startswith(DATABASE):
            path.unlink(missing_ok=True)


def clear_work(folder: Path) -> None:
    """Take away the copy in which a variant was rebuilt."""
    work = folder / WORK
    if work.is_dir() and not work.is_symlink():
        shutil.rmtree(work)


def clear_views(folder: Path) -> None:
    """Take away copies that nobody looks at any more: whoever does holds a lock, which ends with the process."""
    for view in _copies(folder):
        lock = view / LOCK
        if view.name == WORK or not lock.is_file():
            continue
        with suppress(FileNotFoundError), open_lock(lock) as file:
            if try_lock(file):
                shutil.rmtree(view, ignore_errors=True)


class NamedObjects:
    """The objects that variants of a study name, read anew at each question: none of them may be removed."""

    def __init__(self, root: Path):
        self.root = root

    @property
    def are_unknown(self) -> bool:
        """Whether a variant is being rebuilt, or was killed over it: any object may be one that it has just made."""
        return any((folder / WORK / COPY).exists() for folder in _folders(self.root))

    def digests(self) -> set[str]:
        """The digests that variants' results name. Raises IntegrityError for a database that cannot be read."""
        return set().union(*map(digests_of, _folders(self.root)))

    def may_need(self, digest: str) -> bool:
        """Whether an object has to stay for the sake of a variant; each does where one of them cannot be read."""
        try:
            return self.are_unknown or digest in self.digests()
        except IntegrityError:
            return True


def digests_of(folder: Path) -> set[str]:
    """The objects that the results of one variant name. Raises IntegrityError for a database that cannot be read."""
    path = folder / DATABASE
    if not path.is_file() or path.is_symlink():
        return set()
    try:
        with closing(sqlite3.connect(to_read(path), uri=True)) as raw:
            return {digest for (digest,) in raw.execute("SELECT digest FROM objects")}
    except sqlite3.Error as error:
        raise IntegrityError(
            f"the database of the variant cannot be read ({error})", where=str(path),
            repair="Remove this file; tshdb rebuild --variant makes its results again",
        ) from None  # fmt: skip


def remove(folder: Path) -> None:
    """Take a variant away, with its settings. What else lies in its folder stays."""
    empty(folder)
    for name in (SETTINGS, EMPTIED, LOCK):
        (folder / name).unlink(missing_ok=True)
    with suppress(OSError):  # something of the user's is in it
        folder.rmdir()
