"""The readers of images and masks as records; what they need of the extra `imaging` is imported when they read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from tshdb.file_content import FileContent
from tshdb.folders import CollectionState, FolderRequest, Look
from tshdb.head import Head
from tshdb.readers import LAST, Part, Reader, Request
from tshdb.vocabulary import MaskKind, MaskRegion

MASK_SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd", ".les")
SHEET = "segmentations.csv"
DICOM_MARK = slice(128, 132), b"DICM"


def is_dicom(path: Path) -> bool:
    """Whether a file is DICOM: by its suffix, or without one by its mark. One that cannot be read is none."""
    return _is_dicom(Head(path))


def _is_dicom(head: Head) -> bool:
    if head.path.suffix:
        return head.path.suffix.lower() == ".dcm"
    where, mark = DICOM_MARK
    return head.magic[where] == mark


@contextmanager
def _look(root: Path, request: FolderRequest, standing: CollectionState) -> Iterator[Look]:
    """The series of a folder, their headers read into a scratch database that is gone afterwards."""
    from ingest.imaging import folder
    from ingest.imaging.spool import KnownFile, Spool

    options = folder.DicomFolderOptions(
        request.collection, request.settings.imaging.accept_identified, request.jobs, request.root
    )
    with Spool() as spool:
        known = map(KnownFile._make, standing.files)
        contents = folder.read_folder(root, options, spool, known, standing.progress)
        yield Look(
            items=lambda: folder.items(contents, standing.instances, request.complete),
            findings=contents.findings,
            n_withheld=contents.n_withheld,
            counted=folder.READER,
            counts="series",
            n_items=len(contents.touched | contents.untouched),
        )


def _read_mask(path: Path, request: Request) -> FileContent:
    from ingest.imaging import mask_files

    given = request.options
    options = mask_files.MaskFileOptions(
        request.collection, MaskKind(given["kind"]), MaskRegion(given["region"]), given["label"], given["les_base"],
        given["les_order"], {path.name: given["sheet"]} if given.get("sheet") else {},
    )  # fmt: skip
    return mask_files.read(path, request.known.examinations, options)


def _files(path: Path, request: Request) -> list[tuple[Path, Request]]:
    """The masks at a path. A sheet, or the segmentations.csv of a folder `sheets`, says whose they are and who drew them."""
    from ingest.imaging import mask_files

    rows: dict[str, dict[str, str]] = {}
    sheets = [request.files["sheet"]] if "sheet" in request.files else []
    if "sheets" in request.files:
        sheets += sorted(request.files["sheets"].rglob(SHEET))
    for sheet in sheets:
        rows |= mask_files.read_sheet(sheet)
    return [
        (file, replace(request, name=file.name, options={**request.options, "sheet": rows.get(file.name)}))
        for file in mask_files.files_of(path)
    ]


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
)
