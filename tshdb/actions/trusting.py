"""Say that the code in a study's own folder may run, or may not any more."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from tshdb.engine import homes
from tshdb.errors import InvalidInput, NotFound
from tshdb.guests import trust as lists

if TYPE_CHECKING:
    from tshdb.study import Study


class CodeFile(NamedTuple):
    """One file below analyses/. size: bytes."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Look:
    """The files that would be trusted, as they are now."""

    files: tuple[CodeFile, ...]
    digest: str
    is_trusted: bool

    @property
    def facts(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "digest": self.digest,
            "is_trusted": self.is_trusted,
            "files": [f._asdict() for f in self.files],
        }


def look(study: Study) -> Look:
    """What lies in the study's folder analyses/. Runs nothing. Raises NotFound where it has no such files."""
    files = homes.read(study.root)
    if files is None:
        raise NotFound(
            "the study has no analyses of its own", where=f"{study.root / homes.FOLDER}",
            repair="Begin one: tshdb new analysis NAME",
        )  # fmt: skip
    listed = tuple(CodeFile(n, len(d), hashlib.sha256(d).hexdigest()) for n, d in sorted(files.contents.items()))
    return Look(listed, files.digest, lists.is_trusted(files.digest))


def trust(study: Study, digest: str) -> None:
    """Let the files of this digest run: those that somebody has looked at. Raises InvalidInput where they are others by now."""
    files = homes.read(study.root)
    if files is None or files.digest != digest:
        raise InvalidInput(
            "the files were changed meanwhile", where=str(study.root / homes.FOLDER), repair="Look at them again"
        )
    lists.trust(digest, study.root.resolve(), sorted(files.contents))


def revoke(study: Study) -> int:
    """Trust nothing of this study any more. Gives how many states of its files were trusted."""
    return lists.revoke(study.root.resolve())


def all_trusted() -> list[dict[str, Any]]:
    """All that this account trusts, as plain values."""
    return [asdict(entry) for entry in lists.trusted()]
