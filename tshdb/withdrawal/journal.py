"""What a withdrawal still has to do to files, as `tombstones.pending` keeps it: written relative to the study, read with care.

A study may have been received with its database: a journal that names anything else than what a withdrawal could have
written is refused with its row, before any file is touched.

    {"files": [{"path": P, "redacted": R}], "objects": [digest], "said": {what the certificate will say}}

P lies in the study, R is `.NAME.redacted` beside P, or null where P goes as a whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from tshdb.errors import IntegrityError
from tshdb.objects import is_digest
from tshdb.places import WITHDRAWALS, is_nested
from tshdb.schema import Tombstone
from tshdb.study import Study
from tshdb.withdrawal.erase import Redaction
from tshdb.withdrawal.files import NOT_SCANNED

TOKEN = re.compile("[0-9a-f]{32}")


class Move(NamedTuple):
    """A file that goes, or is replaced by the one without the patient."""

    path: Path
    redacted: Path | None


@dataclass(frozen=True)
class Journal:
    """The work that a withdrawal left, looked over. text: as the database has it."""

    text: str
    moves: tuple[Move, ...]
    objects: tuple[str, ...]
    certificate: dict[str, Any]


def redacted_name(path: Path) -> Path:
    """Where the file that shall replace `path` is written."""
    return path.with_name(f".{path.name}.redacted")


def pending_of(root: Path, digests: Sequence[str], redactions: Sequence[Redaction], certificate: dict) -> str:
    """What is still to be done in the file system, and what the certificate will say, as the journal keeps it."""
    home = root.resolve()

    def relative(path: str | None) -> str | None:
        return None if path is None else str(Path(path).relative_to(home))

    moves = [{"path": relative(r.path), "redacted": relative(r.redacted)} for r in redactions]
    return json.dumps({"objects": list(digests), "files": moves, "said": certificate}, sort_keys=True)


def journals(connection: Connection, study: Study) -> list[Journal]:
    """The journals of all withdrawals that are not done. Raises IntegrityError for one that we did not write."""
    query = select(Tombstone.token, Tombstone.pending).where(Tombstone.pending.is_not(None)).order_by(Tombstone.token)
    return [journal_of(study, token, pending) for token, pending in connection.execute(query).fetchall() if pending]


def journal_of(study: Study, token: str, pending: str) -> Journal:
    """One journal, from its row. Raises IntegrityError for one that we did not write."""
    where = f"tombstones {token[:32]}: pending"

    def refused(what: str) -> IntegrityError:
        repair = "Restore a backup of the study; if it came from somebody else, ask them. Nothing was touched"
        return IntegrityError(what, where=where, repair=repair)

    if not TOKEN.fullmatch(token):
        raise refused("the token is not of 32 hexadecimal digits")
    try:
        work = json.loads(pending)
        files = [(f["path"], f["redacted"]) for f in work["files"]]
        digests, certificate = work["objects"], work["said"]
    except (ValueError, KeyError, TypeError):
        raise refused("is no journal of a withdrawal") from None
    if not isinstance(certificate, dict) or not isinstance(digests, list):
        raise refused("is no journal of a withdrawal")
    for digest in digests:
        if not isinstance(digest, str) or not is_digest(digest):
            raise refused(f"'{digest}' is no SHA-256")
    try:
        return Journal(pending, tuple(_moves(study, files)), tuple(digests), certificate)
    except ValueError as error:
        raise refused(str(error)) from None


def _moves(study: Study, files: Sequence[tuple[Any, Any]]) -> Iterator[Move]:
    """Raises ValueError for a file that no withdrawal names."""
    home = study.root.resolve()
    kept_out = {name.resolve() for name in (*_database(study), *(home / name for name in NOT_SCANNED))}
    closed = (study.objects.root.resolve(), (home / WITHDRAWALS).resolve())
    for name, redacted in files:
        if not isinstance(name, str) or not isinstance(redacted, str | None):
            raise ValueError("is no journal of a withdrawal")
        path = _inside(home, name)
        if path in kept_out or any(folder == path or folder in path.parents for folder in closed):
            raise ValueError(f"'{name}' is no file that a withdrawal writes")
        if is_nested(path, home):
            raise ValueError(f"'{name}' lies in another study")
        if redacted is None:
            yield Move(path, None)
            continue
        written = _inside(home, redacted)
        if written != redacted_name(path):
            raise ValueError(f"'{redacted}' is not '{redacted_name(path).name}' beside '{name}'")
        yield Move(path, written)


def _inside(home: Path, name: str) -> Path:
    """The file that a journal names, links resolved: relative, or (until 2026) absolute in the study."""
    path = home / name
    if "\0" in name or ".." in Path(name).parts or path.is_symlink():
        raise ValueError(f"'{name}' is no path that we write")
    resolved = path.resolve()
    if home not in resolved.parents:
        raise ValueError(f"'{name}' lies outside of the study")
    if resolved.is_dir():
        raise ValueError(f"'{name}' is a folder")
    return resolved


def _database(study: Study) -> list[Path]:
    path = study.sqlite_path
    return [path, *(path.with_name(path.name + end) for end in ("-wal", "-shm", "-journal"))] if path else []
