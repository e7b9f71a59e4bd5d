"""Whose code may run. The code in a study's folder runs only after its owner said so, by the digest of all its files.

Where  $TSHDB_HOME/trusted.json, else in the folder where the platform keeps a user's data: never in the study.
File   {"format": 1, "trusted": [{"digest", "study", "files", "since"} …]}
An edit of any file has another digest, and must be trusted again. A package that somebody has installed is trusted by that.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from tshdb.errors import IntegrityError, ResourceError
from tshdb.places import user_data

FORMAT = 1


@dataclass(frozen=True)
class Trusted:
    """One thing that somebody said: these files may run. study: the folder in which they lay then."""

    digest: str
    study: str
    files: tuple[str, ...]
    since: str


def trusted() -> list[Trusted]:
    """All that this user trusts, the oldest first. Raises IntegrityError for a list that cannot be read."""
    path = _place()
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        if stored["format"] != FORMAT:
            raise ValueError(f"format {stored['format']}")
        return [Trusted(t["digest"], t["study"], tuple(t["files"]), t["since"]) for t in stored["trusted"]]
    except FileNotFoundError:
        return []
    except (ValueError, TypeError, KeyError, OSError) as error:
        raise IntegrityError(
            f"the list of trusted code cannot be read ({error})",
            where=str(path),
            repair="Remove the file, and trust again",
        ) from None


def is_trusted(digest: str) -> bool:
    return any(t.digest == digest for t in trusted())


def trust(digest: str, study: Path, files: Sequence[str]) -> None:
    """Let files of this digest run."""
    since = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    kept = [t for t in trusted() if t.digest != digest]
    _write([*kept, Trusted(digest, str(study), tuple(files), since)])


def revoke(study: Path) -> int:
    """Trust nothing any more that was trusted in this study. Gives how many digests that were."""
    before = trusted()
    kept = [t for t in before if t.study != str(study)]
    if len(kept) < len(before):
        _write(kept)
    return len(before) - len(kept)


def _place() -> Path:
    try:
        return user_data() / "trusted.json"
    except RuntimeError:
        raise ResourceError(
            "this account has no folder of its own", where="trusted.json", repair="Name one: TSHDB_HOME=FOLDER"
        ) from None


def _write(entries: Sequence[Trusted]) -> None:
    path = _place()
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_name(f".trusted.{os.getpid()}.writing")
    text = json.dumps({"format": FORMAT, "trusted": [asdict(t) for t in entries]}, indent=1)
    descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text + "\n")
    os.replace(written, path)
