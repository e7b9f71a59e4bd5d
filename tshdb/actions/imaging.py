"""Load a folder of DICOM files, and masks in files of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tshdb import installed, loading
from tshdb.actions.ingest import PLAIN, Loading, known_of
from tshdb.database import reading
from tshdb.errors import InvalidInput
from tshdb.folders import CollectionState, FolderRequest, Progress, counting, counting_of, silent
from tshdb.loading.instances import instances_of, known_files
from tshdb.readers import Request, needed
from tshdb.vocabulary import MaskKind, MaskRegion

if TYPE_CHECKING:
    from tshdb.loading import Loaded, Release
    from tshdb.study import Study

MASK_FILE = "dicom.mask-file"  # the finding that masks lie beside the images


@dataclass(frozen=True)
class MaskOptions:
    """What masks are taken for, where no sheet says it.

    label: the one value that is the mask, else all that is not 0.
    les_base: number of the first voxel of .les files.
    les_order: F or C, else found out.
    sheet: csv with file, patient_id.
    """

    kind: MaskKind = MaskKind.OTHER
    region: MaskRegion = MaskRegion.TUMOR
    label: int | None = None
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
    how: Loading = PLAIN,
    progress: Progress = silent,
    command: str | None = None,
    what: str | None = None,
    release: Release | None = None,
    tells_of_masks: bool = True,
) -> Loaded:
    """Load the headers of a folder of DICOM files, in any layout.

    jobs: processes.
    command, what: as it is recorded and told, if not as of this folder alone.
    release: of the archive it came from.
    tells_of_masks: whether masks that are no DICOM are a finding.

    Raises NotFound or InvalidInput.
    """
    reader, root = installed.reader("dicom"), study.root.resolve()
    with reading(study.engine) as connection:
        in_study = CollectionState(
            files=known_files(connection, root, study.objects, collection),
            instances=partial(instances_of, connection),
            progress=progress,
        )
        request = FolderRequest(collection, study.settings, root, jobs=jobs, complete=how.complete)
        with needed(reader.folder, reader, "read folders")(folder, request, in_study) as look:
            loaded = loading.load(
                study,
                look.items(),
                command=command or f"tshdb ingest dicom {folder.name} --collection {collection}",
                what=what or f"{collection}/dicom/{folder.name}",
                findings=[f for f in look.findings if tells_of_masks or f.rule != MASK_FILE],
                release=release,
                progress=counting(look, progress),
                **asdict(how),
            )
    loaded.n_withheld += look.n_withheld
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
    mask_files = masks_at(path, collection, options)
    if not mask_files:
        raise InvalidInput(
            "no mask in it", where=str(path),
            repair=f"Expected {installed.reader('segmentation').about}; DICOM SEG is read by: tshdb ingest dicom",
        )  # fmt: skip
    command = f"tshdb ingest segmentation {path.name} --collection {collection}"
    what = f"{collection}/segmentation/{path.name}"
    return load_masks(study, mask_files, how=how, progress=progress, command=command, what=what)


def masks_at(path: Path, collection: str, options: MaskOptions = OUTLINES, finds_sheets: bool = False) -> Masks:
    """The masks at a path. finds_sheets: every segmentations.csv below it says whose they are."""
    given = {
        "kind": str(options.kind), "region": str(options.region), "label": options.label, "les_base": options.les_base,
        "les_order": options.les_order,
    }  # fmt: skip
    beside = {"sheet": options.sheet} if options.sheet is not None else {"sheets": path} if finds_sheets else {}
    reader = installed.reader("segmentation")
    return needed(reader.files, reader, "read folders")(path, Request(collection, path.name, given, beside))


def load_masks(
    study: Study, mask_files: Masks, *, command: str, what: str, how: Loading = PLAIN, progress: Progress = silent
) -> Loaded:
    """Load masks that were found."""
    reader = installed.reader("segmentation")
    read_file, known = needed(reader.read, reader, "read single files"), known_of(study, reader.needs)

    def items():
        for path, request in mask_files:
            source = loading.Source(request.collection, reader.name, request.name)
            read = partial(read_file, path, replace(request, known=known))
            yield loading.item_of(study, source, path, dict(request.options), read, always=how.complete)

    taken = counting_of(reader.name, "masks", len(mask_files), progress)
    return loading.load(study, items(), command=command, what=what, progress=taken, **asdict(how))
