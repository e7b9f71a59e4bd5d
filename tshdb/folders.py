"""What lies in a folder, before it is loaded: asked of readers that read a folder as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tshdb.vocabulary import ExpressionUnit

if TYPE_CHECKING:
    from tshdb.config import Settings
    from tshdb.file_content import Finding
    from tshdb.loading import Item, Release, Source, SourceState

Progress = Callable[[str, int, int], None]  # (of what, done, of how many)


def silent(what: str, done: int, total: int) -> None:
    """No word of the progress."""


@dataclass(frozen=True)
class FolderRequest:
    """What to take of a folder, and how.

    parts: clinical, rna.
    units: of RNA values, one profile each.
    jobs: threads or processes.
    check_bytes: hash files even if they were not written since.
    root: of the study, which may move with its files.
    """

    collection: str
    settings: Settings
    root: Path
    parts: frozenset[str] = frozenset({"clinical", "rna"})
    units: tuple[ExpressionUnit, ...] = (ExpressionUnit.TPM,)
    jobs: int = 2
    check_bytes: bool = False
    complete: bool = False


@dataclass(frozen=True)
class CollectionState:
    """What the study has of the collection.

    sources: where each stands.
    files: DICOM files that were read, as (path, size, time of writing, series).
    instances: (series, what the folder has of it) -> what the study has of it.
    """

    sources: Mapping[Source, SourceState] = field(default_factory=dict)
    files: Iterable[tuple] = ()
    instances: Callable[[str, Sequence[Any]], Sequence[Any]] = lambda series_uid, here: []
    progress: Progress = silent


@dataclass
class Look:
    """What lies in a folder.

    items: taken one after the other.
    what: as it is told.
    n_items: how many will come, for the progress that counts those of `counted` (a reader's name).
    files: reader -> the paths that it knows.
    """

    items: Callable[[], Iterator[Item]]
    findings: list[Finding] = field(default_factory=list)
    release: Release | None = None
    files: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    together: bool = False
    n_withheld: int = 0
    counted: str = ""
    counts: str = ""
    n_items: int = 0
    what: str = ""


def counting(look: Look, progress: Progress) -> Callable[[Item], None]:
    """What the loader calls after each item, so that those of the reader `look.counted` are counted."""
    return counting_of(look.counted, look.counts, look.n_items, progress)


def counting_of(reader: str, what: str, total: int, progress: Progress) -> Callable[[Item], None]:
    """The same for items of a reader. what: they are, in a word; total: how many will come."""
    done = 0

    def taken(item: Item) -> None:
        nonlocal done
        if item.source.reader == reader:
            done += 1
            progress(what, done, total)

    return taken
