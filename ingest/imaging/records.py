"""The readers of images and masks as records; what they need of the extra `imaging` is imported when they read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from tshdb.file_content import FileContent, Finding
from tshdb.folders import CollectionState, FolderRequest, Look
from tshdb.head import Head
from tshdb.images.dicom_marks import is_bare, is_marked
from tshdb.places import entries_below
from tshdb.readers import LAST, Part, Reader, Request
from tshdb.vocabulary import MaskKind, MaskRegion, Severity

MASK_SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd", ".les")
SHEET = "segmentations.csv"


def is_dicom(path: Path) -> bool:
    """Whether a file is DICOM: by its suffix, or without one by how it begins. One that cannot be read is none."""
    return _is_dicom(Head(path))


def _is_dicom(head: Head) -> bool:
    if head.path.suffix:
        return head.path.suffix.lower() == ".dcm"
    return is_marked(head.magic) or is_bare(head.magic)


@contextmanager
def _look(root: Path, request: FolderRequest, standing: CollectionState) -> Iterator[Look]:
    """The series of a folder, their headers read into a scratch database that is gone afterwards."""
    from ingest.imaging import folder, folder_items
    from ingest.imaging.spool import KnownFile, Spool

    options = folder.DicomFolderOptions(
        request.collection, request.settings.imaging.accept_identified, request.jobs, request.root, request.check_bytes
    )
    with Spool() as spool:
        known = map(KnownFile._make, standing.files)
        contents = folder.read_folder(root, options, spool, known, standing.progress)
        yield Look(
            items=lambda: folder_items.items(contents, standing.instances, request.complete, standing.stack_of),
            findings=contents.findings,
            n_withheld=contents.files.refused.total(),
            in_folder=contents.files,
            counted=folder.READER,
            counts="series",
            n_items=len(contents.touched | contents.untouched),
        )


def _read_mask(path: Path, request: Request) -> FileContent:
    from ingest.imaging import mask_files

    given = request.options
    label, rows = given["label"], given.get("sheet") or ()
    options = mask_files.MaskFileOptions(
        request.collection, MaskKind(given["kind"]), MaskRegion(given["region"]), None if label is None else str(label),
        given["les_base"], given["les_order"], request.name, (rows,) if isinstance(rows, dict) else tuple(rows),
        given.get("as_of"),
    )  # fmt: skip
    content = mask_files.read(path, request.known.examinations, options, request.known.grids_of)
    content.findings += request.findings
    return content


def _files(path: Path, request: Request) -> list[tuple[Path, Request]]:
    """The masks at a path. A sheet, or the segmentations.csv of a folder `sheets`, says whose they are and who drew them."""
    from ingest.imaging import mask_files, mask_owner
    from ingest.imaging.mask_sheet import read_sheet, shared_out

    sheets = [request.files["sheet"]] if "sheet" in request.files else []
    if "sheets" in request.files:
        sheets += [Path(entry.path) for entry in entries_below(request.files["sheets"]) if entry.name == SHEET]
    files = mask_files.files_of(path)
    root = path if path.is_dir() else path.parent
    below = {file: file.relative_to(root).as_posix() for file in files}
    rows = shared_out([row for sheet in sheets for row in read_sheet(sheet)], list(below.values()))
    lost = tuple(Finding(None, "file", None, "mask.sheet", Severity.WARNING, text) for text in rows.lost)
    patients = {e.patient_id for e in request.known.examinations}
    found = []
    for file, relative in below.items():
        own = rows.rows.get(relative, [])
        who = own[0] if len({r.get("patient_id") for r in own}) == 1 else {}
        name = mask_owner.source_name(relative, root.name, who, patients)
        options = {**request.options, "sheet": [dict(row) for row in own] or None}
        found.append((file, replace(request, name=name, options=options, findings=lost)))
        lost = ()
    return found


def _beside(path: Path) -> tuple[Path, ...]:
    from ingest.imaging.detached import beside

    return beside(path)


def _reads_again(options: Mapping[str, Any]) -> bool:
    return "kind" in options


DICOM = Reader(
    name="dicom",
    command="ingest dicom",
    about="DICOM files",
    part=Part.IMAGING,
    precedence=120,
    recognises=_is_dicom,
    folder=_look,
    is_named_by_content=True,
)
SEGMENTATION = Reader(
    name="segmentation",
    command="ingest segmentation",
    about="masks in files of their own (.nii, .nii.gz, .nrrd, .nhdr, .mha, .les)",
    part=Part.SEGMENTATION,
    precedence=LAST,
    recognises=lambda head: head.name.endswith(MASK_SUFFIXES),
    read=_read_mask,
    needs=frozenset({"examinations"}),
    reads_again=_reads_again,
    files=_files,
    beside=_beside,
)
