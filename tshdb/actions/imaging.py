"""Load a folder of DICOM files, and masks in files of their own."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from tshdb import installed, loading
from tshdb.actions.ingest import PLAIN, Loading, known_of
from tshdb.database import reading
from tshdb.errors import InvalidInput
from tshdb.folders import CollectionState, FolderRequest, Progress, counting, counting_of, silent
from tshdb.loading.instances import instances_of, known_files, stack_of
from tshdb.near import did_you_mean
from tshdb.readers import Request, needed
from tshdb.vocabulary import MaskKind, MaskRegion

if TYPE_CHECKING:
    from tshdb.loading import Loaded, Release
    from tshdb.study import Study

MASK_FILE = "dicom.mask-file"  # the finding that masks lie beside the images


@dataclass(frozen=True)
class MaskOptions:
    """What masks are taken for, where no sheet says it.

    label: which label is the mask, by number or name; `each` of several, or `all`.
    les_base: number of the first voxel of .les files.
    les_order: F or C, else found out.
    sheet: csv with file, patient_id.
    """

    kind: MaskKind = MaskKind.OTHER
    region: MaskRegion = MaskRegion.TUMOR
    label: str | None = None
    les_base: int = 1
    les_order: str | None = None
    sheet: Path | None = None


OUTLINES = MaskOptions()  # of tumours, by whoever drew them


def dicom(
    study: Study,
    folder: Path,
    collection: str,
    *,
    jobs: int = 2,
    check_bytes: bool = False,
    how: Loading = PLAIN,
    progress: Progress = silent,
    command: str | None = None,
    what: str | None = None,
    release: Release | None = None,
    tells_of_masks: bool = True,
) -> Loaded:
    """Load the headers of a folder of DICOM files, in any layout.

    jobs: processes.
    check_bytes: read files, too, that were not written since.
    command, what: as it is recorded and told, if not as of this folder alone.
    release: of the archive it came from.
    tells_of_masks: whether masks that are no DICOM are a finding.

    Raises NotFound or InvalidInput.
    """
    reader, root = installed.reader("dicom"), study.root.resolve()
    with reading(study.engine) as connection:
        began = loading.last_ingest(connection)
        study.paths.learn_folder(folder)
        in_study = CollectionState(
            files=known_files(connection, study.paths.at, study.objects, collection),
            instances=partial(instances_of, connection),
            stack_of=partial(stack_of, connection),
            progress=progress,
        )
        request = FolderRequest(
            collection, study.settings, root, jobs=jobs, check_bytes=check_bytes, complete=how.complete
        )
        with needed(reader.folder, reader, "read folders")(folder, request, in_study) as look:
            loaded = loading.load(
                study,
                look.items(),
                command=command or f"tshdb ingest dicom {study.paths.said(folder)} --collection {collection}",
                what=what or f"{collection}/dicom/{study.paths.said(folder)}",
                findings=[f for f in look.findings if tells_of_masks or f.rule != MASK_FILE],
                release=release,
                progress=counting(look, progress),
                began=began,
                **how.rules(),
            )
    loaded.n_withheld += look.n_withheld
    loaded.in_folder = look.in_folder
    return loaded


Masks = Sequence[tuple[Path, Request]]  # files, each with what it is taken for


def masks(
    study: Study,
    path: Path,
    collection: str,
    options: MaskOptions = OUTLINES,
    *,
    how: Loading = PLAIN,
    progress: Progress = silent,
) -> Loaded:
    """Load a mask, or a folder of masks. Raises NotFound, or InvalidInput for a folder without."""
    mask_files = masks_at(study, path, collection, options)
    if not mask_files:
        raise InvalidInput(
            "no mask in it", where=str(path),
            repair=f"Expected {installed.reader('segmentation').about}; DICOM SEG is read by: tshdb ingest dicom",
        )  # fmt: skip
    said = study.paths.said(path)
    command = f"tshdb ingest segmentation {said} --collection {collection}"
    what = f"{collection}/segmentation/{said}"
    return load_masks(study, mask_files, how=how, progress=progress, command=command, what=what)


def masks_at(
    study: Study, path: Path, collection: str, options: MaskOptions = OUTLINES, finds_sheets: bool = False
) -> Masks:
    """The masks at a path. finds_sheets: every segmentations.csv below it says whose they are."""
    beside = {"sheet": options.sheet} if options.sheet is not None else {"sheets": path} if finds_sheets else {}
    reader = installed.reader("segmentation")
    request = Request(collection, path.name, _given(options), beside, known_of(study, reader.needs))
    found = needed(reader.files, reader, "read folders")(path, request)
    study.paths.learn_folder(path)
    hide = study.paths.key if study.paths.hides else hidden if study.settings.imaging.hide_paths else None
    return found if hide is None else [(file, replace(each, name=hide(each.name))) for file, each in found]


def mask_options(said: Mapping[str, object], where: str) -> MaskOptions:
    """What a section of a map says of masks. Raises InvalidInput with the word that is wrong."""
    known = [f.name for f in fields(MaskOptions) if f.name != "sheet"]
    for word in said:
        if word not in known:
            raise InvalidInput(
                f"masks.{word}", where=where, repair=did_you_mean(word, known, f"Known: {', '.join(known)}")
            )
    if "kind" not in said:
        raise InvalidInput("masks.kind is missing", where=where, repair=f"One of {', '.join(MaskKind)}: who drew them")
    try:
        label = {"label": str(said["label"])} if isinstance(said.get("label"), int) else {}
        return TypeAdapter(MaskOptions).validate_python({**said, **label})
    except ValidationError as error:
        first = error.errors()[0]
        raise InvalidInput(f"masks.{first['loc'][0]}: {first['msg']}", where=where, repair="Mend the line") from None


def with_options(request: Request, options: MaskOptions) -> Request:
    """The request of a mask that is what the options say."""
    return replace(request, options={**request.options, **_given(options)})


def _given(options: MaskOptions) -> dict[str, object]:
    return {
        "kind": str(options.kind), "region": str(options.region), "label": options.label, "les_base": options.les_base,
        "les_order": options.les_order,
    }  # fmt: skip


def hidden(name: str) -> str:
    """A path as its digest, which is the same for the same path: keys of masks without the names of folders and files."""
    return hashlib.sha256(name.encode()).hexdigest()[:24]


def load_masks(
    study: Study, mask_files: Masks, *, command: str, what: str, how: Loading = PLAIN, progress: Progress = silent
) -> Loaded:
    """Load masks that were found. A file that was read under its bare name before keeps the name of its source."""
    reader = installed.reader("segmentation")
    read_file, known = needed(reader.read, reader, "read single files"), known_of(study, reader.needs)
    standing: dict[str, Mapping[loading.Source, loading.SourceState]] = {}

    def source_of(path: Path, request: Request) -> loading.Source:
        if request.collection not in standing:
            standing[request.collection] = loading.current_files(study, request.collection)
        before = loading.Source(request.collection, reader.name, path.name)
        state = standing[request.collection].get(before)
        is_same = state is not None and state.path == str(path.resolve())
        return before if is_same else before._replace(name=request.name)

    def items():
        for path, request in mask_files:
            source = source_of(path, request)
            as_of = {} if how.as_of is None else {"as_of": how.as_of}
            dated = dict(request.options) | as_of
            read = partial(read_file, path, replace(request, known=known, options=dated))
            yield loading.item_of(study, source, path, dated, read, always=how.complete)

    taken = counting_of(reader.name, "masks", len(mask_files), progress)
    return loading.load(study, items(), command=command, what=what, progress=taken, **how.rules())
