"""What a copy of a study consists of: manifest.json, written last.

    {"digest": SHA-256 of all that follows, "format": 1, "kind": "backup", "files": [{"path", "sha256", "size", "mode"} …], …}

The text is canonical: what is read is written anew and compared, so that no byte of it can change unseen.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from tshdb.errors import IntegrityError, InvalidInput, NotFound
from tshdb.objects import is_digest, is_file, sha256_of

NAME = "manifest.json"
FORMAT = 1
BACKUP, BUNDLE = "backup", "bundle"
ODD = re.compile(r"[\x00-\x1f\x7f\\]")


@dataclass(frozen=True, order=True)
class File:
    """One file of a copy. path: below its folder, with /; mode: the rights, as the system counts them."""

    path: str
    sha256: str
    size: int
    mode: int


@dataclass(frozen=True)
class Manifest:
    """kind: backup or bundle; root: the folder of the study when the copy was made.

    database, objects: where they lie in the copy.
    left_out: why -> paths; withdrawn: tokens of the patients that had been withdrawn by then; facts: what else is said of it.
    """

    kind: str
    study: str
    root: str
    made_at: str
    program: str
    revision: str
    database: str
    objects: str
    files: tuple[File, ...]
    left_out: dict[str, list[str]] = field(default_factory=dict)
    withdrawn: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)

    def text(self) -> str:
        """The manifest as it is written."""
        said = {"format": FORMAT, **asdict(self), "files": [asdict(file) for file in sorted(self.files)]}
        body = _canonical(said)
        return _canonical({"digest": hashlib.sha256(body.encode()).hexdigest(), **said})


def _canonical(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=1, ensure_ascii=True) + "\n"


def read(folder: Path, kind: str) -> Manifest:
    """The manifest in a folder. Raises NotFound without one, IntegrityError for one that was changed or leads out of it."""
    path = folder / NAME
    if not is_file(path):
        raise NotFound(f"no {kind}: it has no {NAME}", where=str(folder), repair=f"Name the folder of a whole {kind}")
    return parsed(path.read_bytes(), str(path), kind)


def parsed(data: bytes, where: str, kind: str) -> Manifest:
    """As `read`, of its bytes."""
    try:
        said = json.loads(data)
        form = said.pop("format") if "digest" in said and said.pop("digest") else None
        files = tuple(File(str(f["path"]), str(f["sha256"]), int(f["size"]), int(f["mode"])) for f in said.pop("files"))
        manifest = Manifest(**said | {"files": files, "withdrawn": tuple(said["withdrawn"])})
        is_as_written = form == FORMAT and manifest.text().encode() == data
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        is_as_written, form = False, None
    if not is_as_written:
        newer = isinstance(form, int) and form > FORMAT
        raise IntegrityError(
            f"it is of format {form}, and this program knows {FORMAT}" if newer else "it is not as it was written",
            where=where, repair="Install a newer tshdb" if newer else f"Take another {kind}: nothing of this one is used",
        )  # fmt: skip
    if manifest.kind != kind:
        raise InvalidInput(f"this is a {manifest.kind}, and not a {kind}", where=where, repair=_other(kind))
    for path in (*(file.path for file in manifest.files), manifest.database, manifest.objects):
        if not is_inside(path):
            raise IntegrityError(f"'{path}' leads out of the folder", where=where, repair=f"Take another {kind}")
    names = [file.path.casefold() for file in manifest.files]
    if len(set(names)) < len(names) or any(not is_digest(file.sha256) or file.size < 0 for file in manifest.files):
        raise IntegrityError("it names a file twice, or without a SHA-256", where=where, repair=f"Take another {kind}")
    return manifest


def _other(kind: str) -> str:
    return "For a backup: tshdb restore BACKUP DIR" if kind == BUNDLE else "For a bundle: tshdb import study FILE DIR"


def is_inside(path: str) -> bool:
    """Whether a path is one below a folder, plainly written."""
    parts = PurePosixPath(path).parts
    plain = bool(parts) and not path.startswith("/") and "/".join(parts) == path and ".." not in parts
    return plain and ODD.search(path) is None and ":" not in parts[0] and path != NAME and len(path) <= 1_000


def problems(folder: Path, manifest: Manifest) -> Iterator[str]:
    """What is not as the manifest says, file by file: all bytes are read."""
    for file in manifest.files:
        path = folder / file.path
        if not _is_plain(folder, path):
            yield f"{file.path}: is not there, or no plain file"
        elif (size := path.stat().st_size) != file.size:
            yield f"{file.path}: has {size:,} bytes, not {file.size:,}"
        elif sha256_of(path) != file.sha256:
            yield f"{file.path}: its bytes have changed"


def _is_plain(folder: Path, path: Path) -> bool:
    """Whether a file lies there that no link on the way leads to."""
    between = [p for p in path.parents if folder in p.parents]
    return is_file(path) and not any(p.is_symlink() for p in between)


def refuse_damaged(folder: Path, manifest: Manifest) -> None:
    """Raises IntegrityError that names what is not as the manifest says."""
    found = list(problems(folder, manifest))
    if found:
        more = f"; and {len(found) - 10:,} more" if len(found) > 10 else ""
        raise IntegrityError(
            f"{len(found):,} of {len(manifest.files):,} files are not as they were written: {'; '.join(found[:10])}{more}",
            where=str(folder), repair=f"Take another {manifest.kind}: nothing was written",
        )  # fmt: skip
