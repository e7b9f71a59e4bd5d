"""What lies in a folder, before it is loaded: asked of readers that read a folder as a whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tshdb.vocabulary import ExpressionUnit

if TYPE_CHECKING:
    from tshdb.config import Settings
    from tshdb.file_content import Finding
    from tshdb.images.series_grid import Stack
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
    as_of: the day of which its tables speak, as the user says.
    """

    collection: str
    settings: Settings
    root: Path
    parts: frozenset[str] = frozenset({"clinical", "rna"})
    units: tuple[ExpressionUnit, ...] = (ExpressionUnit.TPM,)
    jobs: int = 2
    check_bytes: bool = False
    complete: bool = False
    as_of: str | None = None


@dataclass(frozen=True)
class CollectionState:
    """What the study has of the collection.

    sources: where each stands.
    files: DICOM files that were read, as (path, identity, series).
    instances: (series, what the folder has of it) -> what the study has of it.
    stack_of: where the slices of a series lie that the study has.
    """

    sources: Mapping[Source, SourceState] = field(default_factory=dict)
    files: Iterable[tuple] = ()
    instances: Callable[[str, Sequence[Any]], Sequence[Any]] = lambda series_uid, here: []
    stack_of: Callable[[str], Stack | None] = lambda series_uid: None
    progress: Progress = silent


@dataclass
class FileCounts:
    """What became of each file of a folder that is read as a whole.

    n_read, n_unchanged: read now, and before (not written since).
    no_images: kind -> objects beside the images of which the header alone is kept.
    passed_over, refused: why -> files; of refused ones the rule.
    """

    n_read: int = 0
    n_unchanged: int = 0
    no_images: Counter[str] = field(default_factory=Counter)
    passed_over: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        return self.n_read + self.n_unchanged + self._left.total() + self.refused.total()

    @property
    def _left(self) -> Counter[str]:
        """All that are passed over: of some the header is kept."""
        return self.passed_over + Counter(
            {f"{kind}: no image, its header alone is kept": n for kind, n in self.no_images.items()}
        )

    def text(self) -> str:
        """In a line: 240 read; 45 passed over (40 no images by their names, 5 no DICOM); 3 refused (3 dicom.cut)."""
        parts = [f"{self.n_read:,} read"] + ([f"{self.n_unchanged:,} unchanged"] if self.n_unchanged else [])
        for what, counts in (("passed over", self._left), ("refused", self.refused)):
            if counts := +counts:
                why = ", ".join(f"{n:,} {reason}" for reason, n in sorted(counts.items()))
                parts.append(f"{counts.total():,} {what} ({why})")
        return "; ".join(parts)

    def facts(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "total": self.total, "read": self.n_read, "unchanged": self.n_unchanged,
            "passed_over": dict(sorted(self._left.items())), "refused": dict(sorted((+self.refused).items())),
        }  # fmt: skip


@dataclass
class Look:
    """What lies in a folder.

    items: taken one after the other.
    in_folder: what became of each of its files, where that is counted.
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
    in_folder: FileCounts | None = None
    counted: str = ""
    counts: str = ""
    n_items: int = 0
    what: str = ""


def source_names(paths: Sequence[Path], folder: Path) -> dict[Path, str]:
    """path -> the name of its source: the file's, or its path below the folder where several files bear the name."""
    times = Counter(path.name for path in paths)
    return {p: p.name if times[p.name] == 1 else p.relative_to(folder).as_posix() for p in paths}


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
