"""Which files of a study's folder are worth keeping.

Kept is whatever lies in the folder. Left out is what is made again (work in progress, caches, the trash, copies of variants),
the database and the objects, which are copied by other means, and what is no plain file: links, other studies.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from tshdb import kept_paths, variant_places
from tshdb.engine.work import NAME as WORK_NAME
from tshdb.places import RAW, SETTINGS_FILE, SNAPSHOTS, VARIANTS, WORK
from tshdb.study import Study
from tshdb.withdrawal.identifiers import KEY_FILE

LOCKS = (".tshdb.lock", variant_places.LOCK)
WRITING = re.compile(r"\..+\.writing|\.writing-.+|\..+\.redacted")  # of a command that is running, or was killed
UPGRADES = re.compile(r".+\.backup-\d{8}T\d{12}\..+|.+\.backup-\d{8}T\d{12}")  # copies of tshdb migrate
JOURNALS = ("", "-wal", "-shm", "-journal")


@dataclass(frozen=True)
class Options:
    """has_raw: with the files in raw/; has_key: with the keys of withdrawals and of hashed paths."""

    has_raw: bool = True
    has_key: bool = True


@dataclass
class Contents:
    """kept: path below the study -> file; left_out: why -> paths below the study."""

    kept: dict[str, Path] = field(default_factory=dict)
    left_out: dict[str, list[str]] = field(default_factory=dict)

    def leave(self, why: str, name: str) -> None:
        self.left_out.setdefault(why, []).append(name)


def contents(study: Study, options: Options) -> Contents:
    """The files of a study's folder, without its database and its objects."""
    found = Contents()
    skipped = {study.objects.root.resolve()}
    if study.trash.is_marked:
        skipped.add(study.trash.folder.resolve())
    if study.sqlite_path is not None:
        skipped |= {Path(f"{study.sqlite_path.resolve()}{end}") for end in JOURNALS}
    _walk(study.root, "", found, skipped, options)
    return found


def _walk(folder: Path, below: str, found: Contents, skipped: set[Path], options: Options) -> None:
    with os.scandir(folder) as entries:
        ordered = sorted(entries, key=lambda entry: entry.name)
    for entry in ordered:
        name, path = f"{below}{entry.name}", Path(entry.path)
        if entry.is_symlink():
            found.leave("links, which may lead anywhere", name)
        elif path.resolve() in skipped or entry.name in LOCKS or WRITING.fullmatch(entry.name):
            continue
        elif entry.is_dir():
            if (path / SETTINGS_FILE).exists():
                found.leave("other studies, each with backups of its own", name)
            elif name == RAW and not options.has_raw:
                found.leave("the files in raw/, as was asked for", name)
            elif not _is_made_again(name):
                _walk(path, f"{name}/", found, skipped, options)
        elif not entry.is_file():
            found.leave("what is no plain file", name)
        elif UPGRADES.fullmatch(entry.name) and not below:
            found.leave("databases as they were before upgrades", name)
        elif name == KEY_FILE and not options.has_key:
            found.leave("the key of withdrawals, which is not handed on", name)
        elif name == kept_paths.KEY_FILE and not options.has_key:
            found.leave("the key of hashed paths, which is not handed on", name)
        elif name == kept_paths.PLACES_FILE:
            found.leave("where files lie on this machine: found anew when they are ingested again", name)
        else:
            found.kept[name] = path


def _is_made_again(name: str) -> bool:
    """Whether a folder holds caches or work in progress: names that we give, in the places where we give them."""
    top, _, rest = name.partition("/")
    if not rest:
        return top == SNAPSHOTS
    if top == WORK:
        return WORK_NAME.fullmatch(rest) is not None
    place = rest.partition("/")[2]
    return top == VARIANTS and (place == variant_places.WORK or place.startswith(variant_places.VIEW))
