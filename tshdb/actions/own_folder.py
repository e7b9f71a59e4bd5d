"""A folder of somebody's own: what each file of it is, what of it can be loaded as it is, and what is missing for the rest.

Certain is a file that a reader is sure of, or of which a map says what it holds: the map of the folder (folder.map.toml, or the
one that is named), a map beside the file (table.csv, table.map.toml), or the one that the study keeps. Units, scales and
meanings are never taken for granted here: what needs a person's word is told with the command that takes it.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tshdb import installed
from tshdb.actions import imaging, ingest
from tshdb.actions.ingest import PLAIN, FeatureOptions, Loading, RnaOptions
from tshdb.actions.kept_maps import kept_map
from tshdb.errors import InvalidInput, NotFound, TshdbError
from tshdb.folders import Progress, silent, source_names
from tshdb.head import Head
from tshdb.map_files import FolderMap, refuse_undecided
from tshdb.packing import kind_of
from tshdb.readers import Part, Reader, Request, recognised

if TYPE_CHECKING:
    from tshdb.loading import Loaded
    from tshdb.study import Study

MAP_SUFFIX = ".map.toml"
FOLDER_MAP = f"folder{MAP_SUFFIX}"
IGNORED = {".ds_store", "thumbs.db", "desktop.ini"}
MASK_SHEET = "segmentations.csv"
MASKS = "masks"  # the part of a section that says what a mask is
OF_SECTION = {
    "patient_id": Part.CLINICAL,
    "expression": Part.RNA,
}  # what a section has, and which kind of file it is for then
ORDER = (Part.CLINICAL, Part.RNA, Part.IMAGING, Part.SEGMENTATION, Part.FEATURES, Part.JUDGEMENTS)
TOGETHER = (Part.IMAGING, Part.SEGMENTATION, Part.RNA, Part.SHEETS, Part.NOTICES)


@dataclass(frozen=True)
class OwnFile:
    """A file, or all files of one kind that are read together.

    what: it is, in a few words.
    reader: whose it is; None for a file of no reader.
    load: loads it; None where something is missing, which `needs` says, with the command that takes it.
    is_guessed: a first map can be written of it.
    waits: why a dry run cannot read it.
    is_wrong: the map cannot be followed, as `needs` says.
    """

    paths: tuple[Path, ...]
    what: str
    reader: str | None = None
    part: Part | None = None
    load: Callable[[Loading], Loaded] | None = None
    needs: str = ""
    command: str = ""
    is_guessed: bool = False
    waits: str = ""
    is_wrong: bool = False

    @property
    def is_open(self) -> bool:
        """Whether it could be loaded, and something is missing for it."""
        return self.load is None and (bool(self.command) or self.is_wrong)


@dataclass
class OwnFolder:
    """What lies in a folder, in the order in which it is loaded. map: of the folder, where there is one.

    check_bytes: images are read, too, that were not written since.
    """

    root: Path
    collection: str
    map: FolderMap | None = None
    check_bytes: bool = False
    files: list[OwnFile] = field(default_factory=list)

    def load(self, how: Loading = PLAIN) -> Iterator[tuple[OwnFile, Loaded | TshdbError]]:
        """Load what is certain, one after the other; an error that stops one does not stop the others."""
        for each in self.files:
            if each.load is not None and not (how.dry_run and each.waits):
                try:
                    yield each, each.load(how)
                except TshdbError as error:
                    yield each, error

    def path_of(self, path: Path) -> str:
        """A file's path below the folder, as a map names it."""
        return path.relative_to(self.root).as_posix()


def look(
    study: Study,
    folder: Path,
    collection: str,
    map_file: Path | None = None,
    progress: Progress = silent,
    check_bytes: bool = False,
) -> OwnFolder:
    """Say of every file what it is. Nothing is loaded. map_file: of the folder, if it is not folder.map.toml in it.

    check_bytes: images are read, too, that were not written since.

    Raises NotFound for no such folder, and NotFound or InvalidInput for a map that is none, or leaves out what it cannot.
    """
    ingest.refuse_collection(collection)
    if not folder.is_dir():
        raise NotFound("no such folder", where=str(folder))
    beside = folder / FOLDER_MAP
    named = map_file or (beside if beside.is_file() else None)
    found = OwnFolder(folder, collection, FolderMap(named) if named is not None else None, check_bytes)
    together: dict[str, list[Path]] = {}
    paths = [p for p in _paths(folder) if named is None or p.resolve() != named.resolve()]
    names = source_names(paths, folder)
    for path in paths:
        head = Head(path)
        reader = recognised(head, installed.readers())
        if found.map is not None and found.map.is_left_out(found.path_of(path)):
            if reader is not None and reader.part is Part.IMAGING:
                raise InvalidInput(
                    f"leave_out of {path.name}: DICOM files are read as a whole folder", where=str(named),
                    repair="Take them out of the folder",
                )  # fmt: skip
            found.files.append(OwnFile((path,), "left out, as the map says"))
        elif reader is not None and reader.part in TOGETHER:
            together.setdefault(reader.name, []).append(path)
        else:
            found.files.append(_one_file(study, found, path, names[path], head, reader))
    for name, several in together.items():
        found.files += _many(study, found, installed.reader(name), several, "dicom" in together, progress)
    if found.map is not None and named is not None:
        found.files.append(_of_map(found, named, paths))
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


def _of_map(found: OwnFolder, path: Path, paths: Sequence[Path]) -> OwnFile:
    """The map of the folder as one of its files, with what it says of files that are not there."""
    assert found.map is not None
    absent = found.map.of_no_file([found.path_of(p) for p in paths])
    n = len(found.map.names)
    what = f"the map of this folder, of {n} {'file' if n == 1 else 'files or kinds of files'}"
    return OwnFile((path,), what, needs=f"It speaks of what is not here: {', '.join(absent)}" if absent else "")


# ------------------------------------------------------------------------------------------------ one by one


def _one_file(study: Study, found: OwnFolder, path: Path, name: str, head: Head, reader: Reader | None) -> OwnFile:
    if path.name.endswith(MAP_SUFFIX):
        return OwnFile((path,), "a map")
    if path.name == MASK_SHEET:
        return OwnFile((path,), "a sheet of masks, which says whose they are")
    if found.map is not None and (of_map := _by_folder_map(study, found, path, name)) is not None:
        return of_map
    if reader is not None and reader.read is not None:
        load = partial(_load_file, study, path, name, found.collection, reader.name)
        return OwnFile((path,), reader.about, reader.name, reader.part, load)
    beside = path.with_name(path.name.split(".")[0] + MAP_SUFFIX)
    for each in sorted(installed.readers(), key=lambda r: r.part is Part.CLINICAL):
        described = each.describes(head) if each.describes is not None else None
        if described is None:
            continue
        known = partial(OwnFile, (path,), described.what, each.name, each.part)
        is_guessed = bool(described.command) and each.part in OF_SECTION.values() and each.guess is not None
        missing = partial(
            known, None, command=_filled(described.command, path, found.collection), is_guessed=is_guessed
        )
        if is_guessed:
            try:
                if beside.is_file():
                    return known(partial(_load_by_map, study, path, name, found.collection, each.part, beside))
                if kept_map(study, found.collection, each.name, name) is not None:
                    return known(partial(_load_by_map, study, path, name, found.collection, each.part, None))
            except TshdbError as error:
                return missing(needs=str(error))
        if described.is_certain:
            return known(partial(_load_file, study, path, name, found.collection, each.name))
        return missing(needs=described.needs)
    what, repair = _in_words(head)
    return OwnFile((path,), what, needs=repair)


def _by_folder_map(study: Study, found: OwnFolder, path: Path, name: str) -> OwnFile | None:
    """A table of which the folder's map speaks; None where it does not."""
    assert found.map is not None
    try:
        section = found.map.section_of(found.path_of(path))
    except TshdbError as error:
        return OwnFile((path,), "a file of which the map speaks", needs=str(error), is_wrong=True)
    if section is None:
        return None
    part = next((part for key, part in OF_SECTION.items() if key in section.values), None)
    if part is None:
        expected = " or ".join(f"[file.{key}]" for key in (*OF_SECTION, MASKS))
        nothing = InvalidInput("nothing that says what it is", where=section.where, repair=f"Expected {expected}")
        return OwnFile((path,), "a file of which the map speaks", needs=str(nothing), is_wrong=True)
    reader = "rna" if part is Part.RNA else "clinical"
    what = "an expression matrix, by the map" if part is Part.RNA else "a table of patients, by the map"
    known = partial(OwnFile, (path,), what, reader, part)
    try:
        request = Request(found.collection, found.path_of(path), {}, {"map": found.map.path})
        installed.reader(reader).recorded(request, study.settings)
    except TshdbError as error:
        return known(needs=str(error), is_wrong=True)
    return known(partial(_load_by_map, study, path, name, found.collection, part, found.map.path))


def _filled(command: str, path: Path, collection: str) -> str:
    """A command with the words FILE and NAME filled in; empty where there is none."""
    words = {"FILE": str(path), "NAME": collection}
    return shlex.join(["tshdb", *(words.get(word, word) for word in command.split())]) if command else ""


def _in_words(head: Head) -> tuple[str, str]:
    """(what a file of no reader is, what to do with it)."""
    kind = kind_of(head.magic)
    if kind is not None and not head.is_workbook:
        return f"{kind.what}, which is not read", kind.repair
    if head.problem is not None and not head.is_workbook:
        return f"not read: {head.problem.message}", head.problem.repair
    if len(head.header) == 1:
        return "text, and no table", ""
    return f"of no kind that is read ({head.shown})", ""


def _load_file(study: Study, path: Path, name: str, collection: str, reader: str, how: Loading) -> Loaded:
    if installed.reader(reader).part is Part.FEATURES:
        return ingest.features(study, path, collection, FeatureOptions(), name=name, how=how)
    return ingest.file(study, path, collection, reader, name=name, how=how)


def _load_by_map(
    study: Study, path: Path, name: str, collection: str, part: Part, map_file: Path | None, how: Loading
) -> Loaded:
    if part is Part.RNA:
        return ingest.rna(study, path, collection, RnaOptions(map=map_file), name=name, how=how)
    return ingest.clinical(study, path, collection, map=map_file, name=name, how=how)


# -------------------------------------------------------------------------------------------------- together


def _many(
    study: Study, found: OwnFolder, reader: Reader, paths: Sequence[Path], has_images: bool, progress: Progress
) -> list[OwnFile]:
    known = partial(OwnFile, tuple(paths), reader.about, reader.name, reader.part)
    if reader.part is Part.IMAGING:
        return [known(partial(_load_images, study, found, progress))]
    if reader.part is Part.SEGMENTATION:
        return _masks(study, found, reader, paths, has_images, progress)
    command = shlex.join(["tshdb", "ingest", "tcga-brca", "--from", str(found.root)])
    return [known(None, "the folder of a collection of the GDC, with its sheets", command)]


def _masks(
    study: Study, found: OwnFolder, reader: Reader, paths: Sequence[Path], has_images: bool, progress: Progress
) -> list[OwnFile]:
    """Masks: those of which a sheet or the map says what they are; those of which nothing does; and what the map says wrongly."""
    at = dict(imaging.masks_at(study, found.root, found.collection, finds_sheets=True))
    ready: list[tuple[Path, Request]] = []
    unsaid, files = [], []
    for path in paths:
        if at[path].options.get("sheet") is not None:
            ready.append((path, at[path]))
            continue
        try:
            section = found.map.section_of(found.path_of(path)) if found.map is not None else None
            if section is None:
                unsaid.append(path)
                continue
            refuse_undecided(section)
            if set(section.values) != {MASKS}:
                raise InvalidInput("a mask", where=section.where, repair=f"Expected [file.{MASKS}] alone")
            said = imaging.mask_options(section.values[MASKS], section.where)
            ready.append((path, imaging.with_options(at[path], said)))
        except TshdbError as error:
            files.append((str(error), path))
    known = partial(OwnFile, what=reader.about, reader=reader.name, part=reader.part)
    made = [
        known(paths=tuple(p for e, p in files if e == error), needs=error, is_wrong=True)
        for error in dict.fromkeys(e for e, _ in files)
    ]
    if unsaid:
        words = ["tshdb", "ingest", "segmentation", str(found.root), "--collection", found.collection]
        command = shlex.join([*words, "--sheet", "SHEET.csv", "--kind", "expert"])
        needs = "who drew them, and of what: a map, or a sheet"
        made.append(known(paths=tuple(unsaid), needs=needs, command=command, is_guessed=True))
    if ready:
        load = partial(_load_masks, study, found, ready, progress)
        waits = "whose they are is seen when the images are loaded" if has_images else ""
        made.append(known(paths=tuple(path for path, _ in ready), load=load, waits=waits))
    return made


def _load_images(study: Study, found: OwnFolder, progress: Progress, how: Loading) -> Loaded:
    return imaging.dicom(
        study, found.root, found.collection, how=how, progress=progress, tells_of_masks=False, command=_recorded(study, found),
        check_bytes=found.check_bytes,
    )  # fmt: skip


def _load_masks(
    study: Study, found: OwnFolder, masks: Sequence[tuple[Path, Request]], progress: Progress, how: Loading
) -> Loaded:
    what = f"{found.collection}/segmentation/{study.paths.said(found.root)}"
    return imaging.load_masks(study, masks, command=_recorded(study, found), what=what, how=how, progress=progress)


def _recorded(study: Study, found: OwnFolder) -> str:
    """The command as the study records it."""
    return f"tshdb ingest {study.paths.said(found.root)} --collection {found.collection}"


def open_ones(files: Sequence[OwnFile]) -> list[OwnFile]:
    """Those for which something is missing."""
    return [f for f in files if f.is_open]
