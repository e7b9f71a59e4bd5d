"""Collections that can be had by name, and what there is to fetch of their archives: told before anything is fetched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tshdb.errors import TshdbError
    from tshdb.folders import CollectionState, FolderRequest, Look
    from tshdb.loading import Release

Arrived = Callable[[int], None]  # so many bytes more
Done = Callable[[], None]  # one file, or series, more
Failed = Sequence[tuple[str, "TshdbError"]]  # what could not be had, and why


@dataclass(frozen=True)
class Images:
    """Which images of an archive.

    parts: imaging, segmentation; archive: idc or nbia; url: of a mirror of it; index: the IDC's, if not the installed
    package's; manifest: of TCIA, whose series alone are wanted; patients: none for all.
    """

    parts: frozenset[str] = frozenset({"imaging"})
    archive: str = "idc"
    url: str | None = None
    index: Path | None = None
    manifest: Path | None = None
    patients: tuple[str, ...] = ()
    is_first_study: bool = False

    def of(self, parts: frozenset[str]) -> Images:
        """The same of these parts."""
        return replace(self, parts=parts)


@dataclass(frozen=True)
class Download:
    """What there is to fetch of an archive, before it is fetched.

    release: how the archive names its state; counts: files or series; n_missing: those that the folder lacks, of n_files
    files and n_bytes bytes; n_present: those that it has; is_large: it may be more than anybody expects;
    run: fetches them by so many threads, and gives what could not be had.
    """

    folder: Path
    release: str
    counts: str
    n_missing: int
    n_files: int
    n_bytes: int
    n_present: int
    run: Callable[[int, Arrived, Done], Failed] = field(repr=False)
    n_patients: int | None = None
    n_studies: int | None = None
    is_new_release: bool | None = None
    is_large: bool = False
    state: Release | None = field(default=None, repr=False)


@dataclass(frozen=True, eq=False)
class Collection:
    """One collection that can be ingested by name.

    tables       the parts that are no images: clinical, rna
    look         what tables and files of these parts a folder, or a file, holds
    plan_images  (folder, which) -> what there is to fetch
    plan_tables  (folder, parts, the API's URL) -> the same of the tables; None where no archive has them as files
    """

    name: str
    title: str
    tables: frozenset[str]
    look: Callable[[Path, FolderRequest, CollectionState], AbstractContextManager[Look]]
    plan_images: Callable[[Path, Images], Download]
    plan_tables: Callable[[Path, frozenset[str], str | None], Download] | None = None


def size(n_bytes: int) -> str:
    """Bytes in words."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= factor:
            return f"{n_bytes / factor:.1f} {unit}"
    return f"{n_bytes} bytes"
