"""Load a whole collection from a folder: its tables and matrices, then its images, then masks; each an ingest of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tshdb import installed, loading
from tshdb.actions import imaging
from tshdb.actions.ingest import PLAIN, Loading
from tshdb.database import reading
from tshdb.errors import NotFound, UsageError
from tshdb.folders import CollectionState, FolderRequest, Progress, counting, silent
from tshdb.head import Head
from tshdb.places import entries_below
from tshdb.vocabulary import ExpressionUnit

if TYPE_CHECKING:
    from tshdb.archives import Collection
    from tshdb.loading import Loaded, Release
    from tshdb.study import Study

IMAGE_PARTS = frozenset({"imaging", "segmentation"})


@dataclass(frozen=True)
class Wanted:
    """What of a collection.

    parts: None for all that there is.
    units: of RNA values, one profile each.
    jobs: threads or processes.
    check_bytes: read RNA files and images even if they were not written since.
    """

    parts: frozenset[str] | None = None
    units: tuple[ExpressionUnit, ...] = (ExpressionUnit.TPM,)
    jobs: int = 2
    check_bytes: bool = False

    def of(self, collection: Collection) -> frozenset[str]:
        """The parts that are wanted. Raises UsageError for one that the collection has not."""
        known = collection.tables | IMAGE_PARTS
        if self.parts is None:
            return known
        if unknown := self.parts - known:
            raise UsageError(
                f"'{', '.join(sorted(unknown))}'", where="--only", repair=f"Parts: {', '.join(sorted(known))}"
            )
        return self.parts


ALL = Wanted()


class LoadedPart(NamedTuple):
    """One part of a collection. part: clinical (all tables), imaging or segmentation; absent: why it was passed over."""

    part: str
    loaded: Loaded | None = None
    absent: NotFound | None = None


def tables(
    study: Study,
    name: str,
    folder: Path,
    wanted: Wanted = ALL,
    *,
    how: Loading = PLAIN,
    progress: Progress = silent,
) -> Loaded:
    """Load the tables and matrices of a collection from a folder (or the workbook itself). Raises NotFound, InvalidInput."""
    collection = installed.collection(name)
    study.paths.learn_folder(folder)
    request = FolderRequest(
        name, study.settings, study.root.resolve(), wanted.of(collection) - IMAGE_PARTS, wanted.units, wanted.jobs,
        wanted.check_bytes, how.complete, how.as_of,
    )  # fmt: skip
    with reading(study.engine) as connection:
        began = loading.last_ingest(connection)
    in_study = CollectionState(sources=loading.current_files(study, name), progress=progress)
    with collection.look(folder, request, in_study) as look:
        loaded = loading.load(
            study,
            look.items(),
            command=_command(study, name, folder),
            what=look.what or name,
            findings=look.findings,
            release=look.release,
            together=look.together,
            progress=counting(look, progress),
            began=began,
            **how.rules(),
        )
    loaded.by_reader = look.files
    return loaded


def images(
    study: Study,
    name: str,
    folder: Path,
    *,
    jobs: int = 2,
    check_bytes: bool = False,
    how: Loading = PLAIN,
    progress: Progress = silent,
    release: Release | None = None,
) -> Loaded:
    """Load the DICOM files of a collection.

    check_bytes: read files, too, that were not written since.
    release: of the archive that they were fetched from just now.
    """
    command = _command(study, name, folder if release is None else None)
    return imaging.dicom(
        study, folder, name, jobs=jobs, check_bytes=check_bytes, how=how, progress=progress, command=command,
        what=f"{name}/imaging", release=release, tells_of_masks=False,
    )  # fmt: skip


def from_folder(
    study: Study,
    name: str,
    folder: Path,
    wanted: Wanted = ALL,
    *,
    how: Loading = PLAIN,
    progress: Progress = silent,
) -> Iterator[LoadedPart]:
    """Load what lies in a folder, part by part, up to one that is refused: what comes after may rest on it.

    A part that was not named may be absent, if another is there; else NotFound is raised.
    """
    for step in _steps(study, name, folder, wanted, how, progress):
        yield step
        if step.loaded is not None and step.loaded.is_refused:
            return


def _steps(
    study: Study, name: str, folder: Path, wanted: Wanted, how: Loading, progress: Progress
) -> Iterator[LoadedPart]:
    parts = wanted.of(installed.collection(name))
    if not folder.exists():
        raise NotFound(
            "no such folder", where=str(folder), repair="Name a folder with --from, or leave it out to download"
        )
    are_images = bool(parts & IMAGE_PARTS) and folder.is_dir() and has_images(folder)
    mask_files = (
        imaging.masks_at(study, folder, name, finds_sheets=True) if "segmentation" in parts and folder.is_dir() else ()
    )
    if parts - IMAGE_PARTS:
        try:
            yield LoadedPart("clinical", tables(study, name, folder, wanted, how=how, progress=progress))
        except NotFound as error:
            if wanted.parts is not None or not (are_images or mask_files):
                raise
            yield LoadedPart("clinical", absent=error)
    if "imaging" in parts and wanted.parts is not None and not are_images:
        raise NotFound("no DICOM file in it", where=str(folder), repair="Name the folder with the images")
    if are_images:
        loaded = images(
            study, name, folder, jobs=wanted.jobs, check_bytes=wanted.check_bytes, how=how, progress=progress
        )
        yield LoadedPart("imaging", loaded)
    if mask_files:
        command, what = _command(study, name, folder), f"{name}/segmentation"
        loaded = imaging.load_masks(study, mask_files, command=command, what=what, how=how, progress=progress)
        yield LoadedPart("segmentation", loaded)


def has_images(folder: Path) -> bool:
    """Whether a DICOM file lies anywhere below the folder."""
    is_dicom = installed.reader("dicom").recognises
    return any(is_dicom(Head(Path(entry.path))) for entry in entries_below(folder))


def _command(study: Study, name: str, folder: Path | None) -> str:
    return f"tshdb ingest {name}" + (f" --from {study.paths.said(folder)}" if folder is not None else "")
