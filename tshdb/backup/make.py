"""A backup: one state of the study, while others write to it.

The database is copied first, as one state, a server's as a SQLite file;
then the objects that this state names, and the files of the folder. An object that a
command has taken away meanwhile, or a withdrawal that came in between, means another state: the database is copied again, and
what was copied of the rest stays. All of it is read again before the backup gets its name.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, select

from tshdb.backup import places
from tshdb.backup.contents import Contents, Options, contents
from tshdb.backup.copying import COPIED, KEPT, LINKED, Copy, Progress, refuse_full, silent
from tshdb.backup.manifest import BACKUP, NAME, Manifest, refuse_damaged
from tshdb.backup.server_copy import copy_server, size_of
from tshdb.database import REVISION, reading
from tshdb.database_copies import ENDS, copy_database
from tshdb.engine.units import now
from tshdb.errors import Busy, IntegrityError
from tshdb.failpoints import fp
from tshdb.files import sync
from tshdb.guest_tables import object_columns
from tshdb.objects import MARK, PARTS, SUFFIXES, LostObject, is_digest
from tshdb.places import VARIANTS
from tshdb.schema import ExpressionPart, ExpressionProfile, Tombstone
from tshdb.variant_places import NamedObjects
from tshdb.version import __version__
from tshdb.vocabulary import Damage
from tshdb.withdrawal.identifiers import KEY_FILE

if TYPE_CHECKING:
    from tshdb.study import Study

OF_OTHERS = "tables and columns of the server's database that tshdb does not know"
STATES = 10  # of the database, until one holds still


@dataclass(frozen=True)
class Made:
    """A backup that is whole, and how it came to be."""

    path: Path
    manifest: Manifest
    copy: Copy

    @property
    def has_key(self) -> bool:
        """Whether the key of withdrawals is in it."""
        return any(file.path == KEY_FILE for file in self.manifest.files)

    @property
    def facts(self) -> dict[str, Any]:
        """Plain values, as `tshdb backup --json` prints them."""
        return {
            "backup": str(self.path),
            "study": self.manifest.study,
            "made_at": self.manifest.made_at,
            "files": len(self.manifest.files),
            "bytes": self.manifest.size,
            "copied": self.copy.count(COPIED),
            "linked": self.copy.count(LINKED),
            "kept_from_an_interrupted_one": self.copy.count(KEPT),
            "bytes_copied": self.copy.bytes_copied,
            "left_out": self.manifest.left_out,
            "has_key": self.has_key,
        }


def backup(
    study: Study,
    folder: Path,
    *,
    is_incremental: bool = False,
    options: Options = Options(),  # noqa: B008 - it cannot be changed
    progress: Progress = silent,
) -> Made:
    """Make a backup of the study in a folder of backups. is_incremental: what earlier backups there have is
    linked to, not copied.

    Raises InvalidInput, Busy, IntegrityError and ResourceError: then there is no backup of that name.
    """
    with places.held(folder, study.root):
        earlier = places.known(folder) if is_incremental else {}
        writing, name = places.begun(folder)
        copied = Copy(writing, earlier)
        manifest = fill(study, copied, BACKUP, options, progress)
        write(copied, manifest)
        final = folder / name
        fp("backup.before_rename")
        os.replace(writing, final)
        sync(folder)
        fp("backup.renamed")
    return Made(final, manifest, copied)


def fill(study: Study, copied: Copy, kind: str, options: Options, progress: Progress) -> Manifest:
    """Put one state of a study into a copy; gives what it consists of. What its folder had before and is the same stays."""
    engine = study.engine  # its revision is looked at
    found = contents(study, options)
    database, objects = _places_in_copy(study, found)
    refuse_full(copied.folder, [size_of(engine) if study.sqlite_path is None else study.sqlite_path.stat().st_size])
    for _ in range(STATES):
        copied.files.clear()
        target = copied.folder / database
        target.parent.mkdir(parents=True, exist_ok=True)
        for end in ENDS:
            target.with_name(target.name + end).unlink(missing_ok=True)
        unknown = []
        if study.sqlite_path is not None:
            copy_database(study.sqlite_path, target)
        else:
            unknown = copy_server(engine, target)
        fp("backup.database_copied")
        state = _State(target, found)
        try:
            _add_files(copied, found, progress)
            missing = _add_objects(study, copied, state, objects, progress)
        finally:
            state.close()
        if missing is None and state.withdrawn == _withdrawn_now(study):
            break
        found = contents(study, options)
    else:
        if missing is not None:
            raise missing
        raise Busy("patients are being withdrawn", where=str(study.root), repair="Try again when that has ended")
    if unknown:
        found.left_out[OF_OTHERS] = unknown
    copied.made(database)
    return Manifest(
        kind, study.name, str(study.root.resolve()), now(), __version__, REVISION, database, objects,
        tuple(sorted(copied.files.values())), found.left_out, state.withdrawn,
    )  # fmt: skip


def write(copied: Copy, manifest: Manifest) -> None:
    """Have everything on the disk and read it again; then the manifest is written."""
    copied.only()
    refuse_damaged(copied.folder, manifest)
    with (copied.folder / NAME).open("x", encoding="utf-8") as file:
        file.write(manifest.text())
        file.flush()
        os.fsync(file.fileno())
    copied.settle()


def _places_in_copy(study: Study, found: Contents) -> tuple[str, str]:
    """Where database and objects lie in a copy: as in the study, or under plain names where they lie outside of it.

    A server's is a file there, of a name that no other file has: the former database may still lie in the folder.
    """
    root, objects = study.root.resolve(), study.objects.root.resolve()
    path = None if study.sqlite_path is None else study.sqlite_path.resolve()
    free = next(name for name in chain(("study.db",), map("study-{}.db".format, count(2))) if name not in found.kept)
    return (
        path.relative_to(root).as_posix() if path is not None and root in path.parents else free,
        objects.relative_to(root).as_posix() if root in objects.parents else "objects",
    )


class _State:
    """The state of the database that was copied: the objects that it names, and who had been withdrawn."""

    def __init__(self, path: Path, found: Contents):
        self.engine = create_engine(f"sqlite:///{path}")
        with self.engine.connect() as connection:
            parts = connection.execute(select(ExpressionPart.part_id, ExpressionPart.size_bytes)).all()
            used = set(connection.execute(select(ExpressionProfile.part_id).distinct()).scalars())
            named = {(part, PARTS) for part, _ in parts} | {(part, PARTS) for part in used}
            for table, column, suffix in object_columns(connection):
                query = select(table.c[column]).where(table.c[column].is_not(None)).distinct()
                named |= {(digest, suffix) for digest in connection.execute(query).scalars()}
            self.named = sorted(named)
            self.unused = {part for part, _ in parts if part not in used}
            self.withdrawn = _tokens(connection.execute(select(Tombstone.token).order_by(Tombstone.token)).scalars())

    def close(self) -> None:
        self.engine.dispose()


def _tokens(tokens: Any) -> tuple[str, ...]:
    return tuple(tokens)


def _withdrawn_now(study: Study) -> tuple[str, ...]:
    with reading(study.engine) as connection:
        return _tokens(connection.execute(select(Tombstone.token).order_by(Tombstone.token)).scalars())


def _add_files(copied: Copy, found: Contents, progress: Progress) -> None:
    for i, (name, path) in enumerate(found.kept.items()):
        progress("files", i, len(found.kept), "files")
        try:
            copied.add(name, path)
        except FileNotFoundError:  # a command has taken it away since it was listed
            continue
    fp("backup.files_copied")
    progress("files", len(found.kept), len(found.kept), "files")


def _add_objects(study: Study, copied: Copy, state: _State, objects: str, progress: Progress) -> LostObject | None:
    """Put the objects that the copied database, or a copied variant, names into the copy. Gives the first that is not there."""
    wanted = [*state.named, *_of_variants(study, copied, {digest for digest, _ in state.named})]
    mark = study.objects.root / MARK
    if mark.is_file():
        copied.add(f"{objects}/{MARK}", mark)
    lost = None
    for i, (digest, suffix) in enumerate(wanted):
        progress("objects", i, len(wanted), "objects")
        name = f"{objects}/{digest[:2]}/{digest}{suffix}"
        if name in copied.files:
            continue
        if not is_digest(digest):
            raise IntegrityError(f"'{digest}' is no SHA-256", where=str(study.root), repair="Run: tshdb check")
        try:
            copied.add(name, study.objects.path(digest, suffix), digest)
        except FileNotFoundError:
            if digest not in state.unused:
                lost = lost or LostObject(digest, suffix, Damage.LOST, "Run: tshdb check --repair, then tshdb rebuild")
        except IntegrityError:
            raise LostObject(
                digest, suffix, Damage.DAMAGED, "Run: tshdb check --repair, then tshdb rebuild; then make the backup"
            ) from None
        fp("backup.object_copied")
    progress("objects", len(wanted), len(wanted), "objects")
    return lost


def _of_variants(study: Study, copied: Copy, known: set[str]) -> Iterator[tuple[str, str]]:
    """The objects that the variants in the copy name and the study does not."""
    if not (copied.folder / VARIANTS).is_dir():
        return
    for digest in sorted(NamedObjects(copied.folder).digests() - known):
        for suffix in SUFFIXES:
            if study.objects.path(digest, suffix).is_file():
                yield digest, suffix
