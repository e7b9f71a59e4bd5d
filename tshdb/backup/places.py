"""The folder that holds backups: one folder a backup, named by its time.

DIR/.tshdb-backups               the mark; whoever makes a backup holds it as a lock
DIR/20261130T151200.123Z/        a whole backup
DIR/.20261130T151200.123Z.writing/   one on its way, or interrupted: the next one goes on with it
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tshdb.backup.manifest import BACKUP, NAME, Manifest, read
from tshdb.errors import Busy, IntegrityError, InvalidInput, NotFound
from tshdb.files import time_name
from tshdb.places import SETTINGS_FILE
from tshdb.system import try_lock

MARK = ".tshdb-backups"
MARK_TEXT = "This folder holds backups of tshdb studies, one folder each. Made by: tshdb backup\n"
BACKUP_NAME = re.compile(r"\d{8}T\d{6}\.\d{3}Z")
LEFT = re.compile(r"\.(\d{8}T\d{6}\.\d{3}Z)\.writing")


@contextmanager
def held(folder: Path, root: Path) -> Iterator[None]:
    """The folder of backups, made if need be, in which nobody else makes one meanwhile. Raises InvalidInput, Busy."""
    place, home = folder.resolve(), root.resolve()
    if place == home or home in place.parents:
        raise InvalidInput(
            "lies in the study: what happens to the study happens to its backups", where=str(folder),
            repair="Name a folder elsewhere, best on another disk",
        )  # fmt: skip
    if (folder / SETTINGS_FILE).exists():
        raise InvalidInput("is a study", where=str(folder), repair="Name a folder for backups alone")
    if folder.exists() and not folder.is_dir():
        raise InvalidInput("is no folder", where=str(folder), repair="Name a folder for backups alone")
    folder.mkdir(parents=True, exist_ok=True)
    mark = folder / MARK
    if mark.is_symlink():
        raise InvalidInput("is a link", where=str(mark), repair="Remove it")
    with mark.open("a+", encoding="utf-8") as file:
        if not try_lock(file):
            raise Busy("another backup is being made", where=str(folder), repair="Wait for it to end, then try again")
        if not mark.stat().st_size:
            file.write(MARK_TEXT)
            file.flush()
        yield


def whole(folder: Path) -> list[Path]:
    """The backups of a folder, the oldest first."""
    found = (p for p in folder.iterdir() if BACKUP_NAME.fullmatch(p.name)) if folder.is_dir() else ()
    return sorted(p for p in found if p.is_dir() and not p.is_symlink() and (p / NAME).is_file())


def left(folder: Path) -> list[Path]:
    """What interrupted backups left, the oldest first. Nobody writes to them while the folder is held."""
    found = (p for p in folder.iterdir() if LEFT.fullmatch(p.name)) if folder.is_dir() else ()
    return sorted(p for p in found if p.is_dir() and not p.is_symlink())


def begun(folder: Path) -> tuple[Path, str]:
    """A folder to write a backup to, and its final name; with what an interrupted one has written. The folder is held."""
    name = time_name()
    while (folder / name).exists():
        name = time_name()
    writing = folder / f".{name}.writing"
    if before := left(folder):
        os.replace(before[-1], writing)
    writing.mkdir(exist_ok=True)
    return writing, name


def known(folder: Path) -> dict[str, Path]:
    """SHA-256 -> a file with these bytes in a backup of the folder; the newest one's. Their bytes are still to be verified."""
    files: dict[str, Path] = {}
    for backup in whole(folder):
        with suppress(IntegrityError, InvalidInput):  # one that is damaged has nothing to give; `listing` names it
            files |= {file.sha256: backup / file.path for file in read(backup, BACKUP).files}
    return files


def newest(path: Path) -> tuple[Path, Manifest]:
    """The backup that is named, or the newest one in the folder that is. Raises NotFound."""
    if (path / NAME).is_file():
        return path, read(path, BACKUP)
    backups = whole(path)
    if not backups:
        begun_ones = left(path)
        hint = f"An interrupted one is no backup: {begun_ones[-1].name}" if begun_ones else "See: tshdb backups DIR"
        raise NotFound("no backup there", where=str(path), repair=hint)
    return backups[-1], read(backups[-1], BACKUP)
