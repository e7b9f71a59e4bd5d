"""A folder of somebody's own: what each file of it is, what of it can be loaded as it is, and what is missing for the rest.

Certain is a file that a reader is sure of, or whose map lies beside it (table.csv, table.map.toml) or is kept by the study.
Units, scales and meanings are never taken for granted here: what needs a person's word is told with the command that takes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tshdb import installed
from tshdb.actions import imaging, ingest
from tshdb.actions.ingest import PLAIN, Loading, RnaOptions
from tshdb.actions.kept_maps import kept_map
from tshdb.errors import NotFound, TshdbError
from tshdb.folders import Progress, silent
from tshdb.head import Head
from tshdb.packing import kind_of
from tshdb.readers import Part, Reader, recognised

if TYPE_CHECKING:
    from tshdb.loading import Loaded
    from tshdb.study import Study

MAP_SUFFIX = ".map.toml"
IGNORED = {".ds_store", "thumbs.db", "desktop.ini"}
MASK_SHEET = "segmentations.csv"
ORDER = (Part.CLINICAL, Part.RNA, Part.IMAGING, Part.SEGMENTATION, Part.FEATURES, Part.JUDGEMENTS)


@dataclass(frozen=True)
class OwnFile:
    """A file, or all files of one kind that are read together.

    what: it is, in a few words.
    reader: whose it is; None for a file of no reader.
    load: loads it; None where something is missing, which `needs` says, with the command that takes it.
    """

    paths: tuple[Path, ...]
    what: str
    reader: str | None = None
    part: Part | None = None
    load: Callable[[Loading], Loaded] | None = None
    needs: str = ""
    command: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it could be loaded, and something is missing for it."""
        return self.load is None and bool(self.command)


@dataclass
class OwnFolder:
    """What lies in a folder, in the order in which it is loaded."""

    root: Path
    files: list[OwnFile] = field(default_factory=list)

    def load(self, how: Loading = PLAIN) -> Iterator[tuple[OwnFile, Loaded | TshdbError]]:
        """Load what is certain, one after the other; an error that stops one does not stop the others."""
        for each in self.files:
            if each.load is not None:
                try:
                    yield each, each.load(how)
                except TshdbError as error:
                    yield each, error


def look(study: Study, folder: Path, collection: str, progress: Progress = silent) -> OwnFolder:
    """Say of every file what it is. Nothing is loaded. Raises NotFound for no such folder."""
    if not folder.is_dir():
        raise NotFound("no such folder", where=str(folder))
    together: dict[str, list[Path]] = {}
    found = OwnFolder(folder)
    for path in _paths(folder):
        head = Head(path)
        reader = recognised(head, installed.readers())
        if reader is not None and reader.part in (Part.IMAGING, Part.SEGMENTATION, Part.RNA, Part.SHEETS, Part.NOTICES):
            together.setdefault(reader.name, []).append(path)
        else:
            found.files.append(_one_file(study, path, head, reader, collection))
    for name, paths in together.items():
        found.files.append(_many(study, folder, installed.reader(name), tuple(paths), collection, progress))
    order = {part: i for i, part in enumerate(ORDER)}
    found.files.sort(key=lambda f: (order.get(f.part, len(order)) if f.part else len(order), str(f.paths[0])))
    return found


def _paths(folder: Path) -> Iterator[Path]:
    """Files below the folder, none outside of it and none that is hidden."""
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.name.lower() in IGNORED or any(part.startswith((".", "~$")) for part in parts):
            continue
        if path.is_file() and path.resolve().is_relative_to(folder.resolve()):
            yield path


def _one_file(study: Study, path: Path, head: Head, reader: Reader | None, collection: str) -> OwnFile:
    if path.name.endswith(MAP_SUFFIX):
        return OwnFile((path,), "a map")
    if path.name == MASK_SHEET:
        return OwnFile((path,), "a sheet of masks, which says whose they are")
    if reader is not None and reader.read is not None:
        load = partial(_load_file, study, path, collection, reader.name)
        return OwnFile((path,), reader.about, reader.name, reader.part, load)
    beside = path.with_name(path.name.split(".")[0] + MAP_SUFFIX)
    for each in sorted(installed.readers(), key=lambda r: r.part is Part.CLINICAL):
        described = each.describes(head) if each.describes is not None else None
        if described is None:
            continue
        known = partial(OwnFile, (path,), described.what, each.name, each.part)
        if described.command and each.part in (Part.CLINICAL, Part.RNA) and each.guess is not None:
            try:
                if beside.is_file():
                    return known(partial(_load_by_map, study, path, collection, each.part, beside))
                if kept_map(study, collection, each.name, path.name) is not None:
                    return known(partial(_load_by_map, study, path, collection, each.part, None))
            except TshdbError as error:
                return known(None, str(error), _filled(described.command, path, collection))
        if described.is_certain:
            return known(partial(_load_file, study, path, collection, each.name))
        return known(None, described.needs, _filled(described.command, path, collection))
    what, repair = _in_words(head)
    return OwnFile((path,), what, needs=repair)


def _filled(command: str, path: Path, collection: str) -> str:
    return f"tshdb {command.replace('FILE', str(path)).replace('NAME', collection)}" if command else ""


def _in_words(head: Head) -> tuple[str, str]:
    """(what a file of no reader is, what to do with it)."""
    kind = kind_of(head.magic)
    if kind is not None and not head.is_workbook:
        return f"{kind.what}, which is not read", kind.repair
    if head.problem is not None and not head.is_workbook:
        return f"not read: {head.problem.message}", head.problem.repair
    return f"of no kind that is read ({head.shown})", ""


def _load_file(study: Study, path: Path, collection: str, reader: str, how: Loading) -> Loaded:
    if installed.reader(reader).part is Part.FEATURES:
        return ingest.features(study, path, collection, how=how)
    return ingest.file(study, path, collection, reader, how=how)


def _load_by_map(study: Study, path: Path, collection: str, part: Part, map_file: Path | None, how: Loading) -> Loaded:
    if part is Part.RNA:
        return ingest.rna(study, path, collection, RnaOptions(map=map_file), how=how)
    return ingest.clinical(study, path, collection, map=map_file, how=how)


def _many(
    study: Study, folder: Path, reader: Reader, paths: tuple[Path, ...], collection: str, progress: Progress
) -> OwnFile:
    known = partial(OwnFile, paths, reader.about, reader.name, reader.part)
    if reader.part is Part.IMAGING:
        return known(lambda how: imaging.dicom(study, folder, collection, how=how, progress=progress))
    if reader.part is Part.SEGMENTATION:
        command = f"tshdb ingest segmentation {folder} --collection {collection} --sheet SHEET.csv --kind expert"
        if not any(folder.rglob(MASK_SHEET)):
            return known(None, "who drew them, and of what: a sheet, or options", command)
        return known(lambda how: _load_masks(study, folder, collection, how, progress))
    return known(
        None, "the folder of a collection of the GDC, with its sheets", f"tshdb ingest tcga-brca --from {folder}"
    )


def _load_masks(study: Study, folder: Path, collection: str, how: Loading, progress: Progress) -> Loaded:
    found = imaging.masks_at(folder, collection, finds_sheets=True)
    command = f"tshdb ingest {folder.name} --collection {collection}"
    what = f"{collection}/segmentation/{folder.name}"
    return imaging.load_masks(study, found, command=command, what=what, how=how, progress=progress)


def open_ones(files: Sequence[OwnFile]) -> list[OwnFile]:
    """Those for which something is missing."""
    return [f for f in files if f.is_open]
