"""A study from a backup. It has its name only after every byte was compared, and the study was checked in full.

A folder that is no study yet is written to; a study is never written over. Withdrawals that came after the backup are repeated
before anybody can see the restored study.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import delete, update

from tshdb.actions import withdrawing
from tshdb.actions.checking import Checked, check
from tshdb.actions.moving import move
from tshdb.backup import places
from tshdb.backup.copying import Copy, Progress, refuse_full, silent
from tshdb.backup.manifest import Manifest, refuse_damaged
from tshdb.backup.since import folder_of, take_key
from tshdb.config import Settings
from tshdb.database import sqlite_path, writing
from tshdb.database_copies import ENDS
from tshdb.engine.units import now
from tshdb.errors import Busy, IntegrityError, InvalidInput
from tshdb.failpoints import fp
from tshdb.files import sync
from tshdb.places import SETTINGS_FILE
from tshdb.schema import Lease, Run
from tshdb.shown_addresses import without_secrets
from tshdb.study import Study
from tshdb.system import try_lock
from tshdb.variants.settings_text import with_values
from tshdb.vocabulary import RunState

SHOWN = 5


@dataclass(frozen=True)
class Restored:
    """A study that stands where it was wanted.

    settings: lines of study.toml that were changed, since they led out of the study.
    repeated: tokens of patients that were withdrawn again.
    checked: what the check found that is not as promised; nothing but warnings, unless that was accepted.
    """

    root: Path
    backup: Path
    manifest: Manifest
    settings: Sequence[str]
    repeated: Sequence[str]
    checked: Checked

    @property
    def facts(self) -> dict[str, Any]:
        """Plain values, as `tshdb restore --json` prints them."""
        return {
            "study": str(self.root),
            "backup": str(self.backup),
            "made_at": self.manifest.made_at,
            "files": len(self.manifest.files),
            "settings_changed": list(self.settings),
            "withdrawn_again": list(self.repeated),
            "check": self.checked.facts,
            "left_out": self.manifest.left_out,
        }


def restore(
    backup: Path,
    root: Path,
    *,
    withdrawals: Path | None = None,
    is_broken_accepted: bool = False,
    database: str | None = None,
    has_roles: bool = False,
    progress: Progress = silent,
) -> Restored:
    """Make a study of a backup (of the newest one, of a folder of several).

    withdrawals: certificates of withdrawals since, or the study that has them. is_broken_accepted: a study that does not pass its
    check is put there as well. database: an empty one, such as of a server, to which the rows are carried once all is checked;
    else the restored study is of SQLite. has_roles: make the roles of a team there.

    Raises NotFound, InvalidInput, ResourceError; IntegrityError names what is damaged.
    """
    root = Path(os.path.abspath(root))
    refuse_used(root)
    source, manifest = places.newest(backup)
    since = None if withdrawals is None else folder_of(withdrawals)
    progress("verify", 0, 1, "backups")
    refuse_damaged(source, manifest)
    progress("verify", 1, 1, "backups")
    with being_written(root) as writing:
        settings = fill(writing, source, manifest, progress)
        study = Study(writing)
        try:
            settle(study)
            repeated = []
            if since is not None:
                take_key(writing, since)
                repeated = [each.token for each in withdrawing.repeat(study, since) if each.was_there]
            checked = checked_whole(study, is_broken_accepted, progress)
            if database is not None:
                settings += _carried(study, database, has_roles)
        finally:
            dispose(study)
        take_place(writing, root)
    return Restored(root, source, manifest, settings, repeated, checked)


def _carried(study: Study, url: str, has_roles: bool) -> list[str]:
    """Carry the restored database to another one; the file that it was goes. Gives what was changed in study.toml."""
    file = study.sqlite_path
    moved = move(study, url, has_roles)
    dispose(study)
    if file is not None and sqlite_path(moved.now) != file:
        for end in ENDS:
            file.with_name(file.name + end).unlink(missing_ok=True)
    return [f"database: now {moved.now}, proved equal table by table"]


def refuse_used(root: Path) -> None:
    """Raises InvalidInput for a folder in which something lies already."""
    if root.is_symlink() or (root.exists() and not root.is_dir()):
        raise InvalidInput("is no folder", where=str(root), repair="Name a new folder")
    if root.is_dir() and any(root.iterdir()):
        what = "a study lies there" if (root / SETTINGS_FILE).exists() else "the folder is not empty"
        raise InvalidInput(f"{what}, and nothing is written over it", where=str(root), repair="Name a new folder")


@contextmanager
def being_written(root: Path) -> Iterator[Path]:
    """A folder beside `root` that nobody else writes to; after a kill the next one goes on with it, after an error it is gone.

    Raises InvalidInput, Busy.
    """
    root.parent.mkdir(parents=True, exist_ok=True)
    writing = root.with_name(f".{root.name}.restoring")
    if writing.is_symlink() or (writing.exists() and not writing.is_dir()):
        raise InvalidInput("stands in the way", where=str(writing), repair="Remove it")
    writing.mkdir(exist_ok=True)
    handle = os.open(writing, os.O_RDONLY)
    try:
        if not try_lock(handle):
            raise Busy("another command is writing there", where=str(root), repair="Wait for it to end, then try again")
        try:
            yield writing
        except Exception:
            shutil.rmtree(writing, ignore_errors=True)
            raise
    finally:
        os.close(handle)


def fill(root: Path, source: Path, manifest: Manifest, progress: Progress) -> list[str]:
    """Copy the files of a backup into a folder, each compared with its digest. Gives what was changed in study.toml."""
    refuse_full(root, [manifest.size])
    copied = Copy(root)
    for i, file in enumerate(manifest.files):
        progress("restore", i, len(manifest.files), "files")
        copied.add(file.path, source / file.path, file.sha256, file.mode)
        fp("restore.file_copied")
    copied.only()
    progress("restore", len(manifest.files), len(manifest.files), "files")
    changed = at_home(root, manifest.database, manifest.objects)
    copied.settle()
    return changed


def at_home(root: Path, database: str, objects: str) -> list[str]:
    """Have study.toml name the database and the objects in this folder: where they led elsewhere, the restored study would
    work on those of the other."""
    path = root / SETTINGS_FILE
    settings = Settings(path)
    wanted = {"database": f"sqlite:///{database}", "objects": objects}
    stands = {"database": settings.study.database, "objects": settings.study.objects}
    moved = {key: value for key, value in wanted.items() if _plainly(stands[key]) != value}
    if moved:
        text = with_values(
            settings.text,
            {"study": moved},
            str(path),
            lambda _, key: f"# was {key} = {without_secrets(stands[key])!r} before a restore",
        )
        path.write_text(text, encoding="utf-8")
        sync(path)
    return [f"{key}: {without_secrets(stands[key])} -> {value}" for key, value in moved.items()]


def _plainly(text: str) -> str:
    return text.replace("/./", "/").removesuffix("/")


def settle(study: Study) -> None:
    """Nobody computes in a study that was just put there: leases and running runs are those of the other one."""
    with writing(study.engine) as connection:
        connection.execute(delete(Lease))
        ended = {"state": RunState.INTERRUPTED, "ended_at": now()}
        connection.execute(update(Run).where(Run.state == RunState.RUNNING).values(**ended))


def checked_whole(study: Study, is_broken_accepted: bool, progress: Progress, but: Sequence[str] = ()) -> Checked:
    """The study's check in full. Raises IntegrityError where a promise is broken. but: rules that may be."""
    checked = check(study, full=True, progress=progress)
    broken = [b for b in checked.broken if not b.rule.is_warning and b.rule.name not in but]
    if broken and not is_broken_accepted:
        seen = [f"{b.rule.name} ({b.problems[0].where}: {b.problems[0].found})" for b in broken[:SHOWN]]
        raise IntegrityError(
            f"the bytes are those of the copy, and {len(broken)} promises of the study are broken: {'; '.join(seen)}",
            where=study.name, repair="It was so when the copy was made. Take an earlier one, or add --broken and mend it",
        )  # fmt: skip
    return checked


def dispose(study: Study) -> None:
    """Close the database: its journal goes into its file."""
    if "engine" in vars(study):
        study.engine.dispose()


def take_place(written: Path, root: Path) -> None:
    """Give a folder that is whole its name. Raises InvalidInput where something has come there meanwhile."""
    for top, _, _ in os.walk(written):
        sync(Path(top))
    fp("restore.before_rename")
    refuse_used(root)
    if root.is_dir():
        root.rmdir()
    os.rename(written, root)
    sync(root.parent)
