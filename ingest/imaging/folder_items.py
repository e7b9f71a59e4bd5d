"""What is in a folder of DICOM files as items: one a series, with the rows of its patient, study, series and images.

A series is one item whatever folders its files lie in. What its files say differently stands in `mixed`; a series of several
patients or studies is not taken. Masks of it (SEG, RTSTRUCT) are rows of it; contours are filled on the grid of the series on
which they were drawn.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from ingest.imaging.folder import READER, Contents
from ingest.imaging.masks import row_of_structure
from ingest.imaging.meaning import Named
from ingest.imaging.rtstruct import Structure
from ingest.imaging.unreadable import Unreadable
from tshdb.file_content import FileContent, Instances, Record
from tshdb.images.series_grid import Stack, grid_of_images
from tshdb.loading import Item, Source
from tshdb.loading.instances import content_digest
from tshdb.objects import VOXELS
from tshdb.schema import ImagingSeries, ImagingStudy, Patient, Segmentation
from tshdb.vocabulary import MaskKind, MaskRegion

Content = list[tuple[str, str, int, bool]]  # SOPInstanceUID, SHA-256, bytes, has pixels
StackOf = Callable[[str], Stack | None]  # of a series


def _no_stack(series_uid: str) -> Stack | None:
    return None


def items(
    contents: Contents,
    standing: Callable[[str, Content], Content],
    complete: bool = False,
    stack_of: StackOf = _no_stack,
) -> Iterator[Item]:
    """One item a series: its patient, study and series rows, and its instances.

    standing: (series, what the folder has of it) -> what the study has of it; what is not in the folder stays, unless
    `complete`.
    stack_of: where the slices of a series lie that the study has.
    """
    for study_uid, series_uid in contents.spool.series():
        here = contents.spool.content(series_uid)
        yield _item(contents, study_uid, series_uid, here, [] if complete else standing(series_uid, here), stack_of)
    for series_uid in sorted(contents.untouched - contents.touched):
        in_study = standing(series_uid, [])
        source = Source(contents.options.collection, READER, series_uid)
        digest = content_digest((sop, sha) for sop, sha, *_ in in_study)
        size = sum(size for _, _, size, _ in in_study)
        yield Item(source, contents.root, {}, None, digest, size_bytes=size, is_unread=True)


def _item(
    contents: Contents, study_uid: str, series_uid: str, here: Content, standing: Content, stack_of: StackOf
) -> Item:
    spool, content = contents.spool, FileContent()
    union = {sop: facts for sop, *facts in [*standing, *here]}
    digest = content_digest((sop, sha) for sop, (sha, *_) in union.items())
    place = Path(os.path.commonpath([os.path.dirname(p) for p in spool.paths(series_uid)]))
    source = Source(contents.options.collection, READER, series_uid)
    patients, studies = spool.distinct_rows(series_uid, "patient"), spool.distinct_rows(series_uid, "study")
    for rows, column, element, rule, message in (
        (patients, "patient_id", "PatientID", "dicom.several-patients", "one series of several patients"),
        (studies, "study_uid", "StudyInstanceUID", "dicom.several-studies", "one series of several studies"),
    ):
        if len({r[column] for r in rows}) > 1:
            content.withhold(None, element, series_uid, rule, message, n_rows=len(here))
            return Item(source, place, {}, content, digest)
    (study, _), (series, mixed) = _common(studies), _common(spool.distinct_rows(series_uid, "series"))
    patient = patients[0]
    of_patient = {"patient_id": patient["patient_id"], "collection": contents.options.collection}
    n_without = sum(not has_pixels for _, _, has_pixels in union.values())
    series_row = series | {
        "study_uid": study_uid, "n_instances": len(union), "n_without_pixels": n_without,
        "mixed": ",".join(mixed) or None, "content_digest": digest,
    }  # fmt: skip
    content.records = [
        Record(Patient, of_patient | {"sex": patient["sex"]}, 0), Record(ImagingStudy, study | of_patient, 0),
        Record(ImagingSeries, series_row, 0),
    ]  # fmt: skip
    if not _add_masks(contents, patient["patient_id"], series_uid, stack_of, content):
        content.records.clear()
        return Item(source, place, {}, content, digest)
    content.instances = Instances(
        study_uid, series_uid, len(here), lambda: spool.instances(series_uid, contents.options.root)
    )
    size = sum(size for _, size, _ in union.values())
    return Item(source, place, {}, content, digest, size_bytes=size)


def _add_masks(contents: Contents, patient_id: str, series_uid: str, stack_of: StackOf, content: FileContent) -> bool:
    """Add the segmentations of a series. False where it must be read again, once the images are there on which it was drawn."""
    for row, voxels, path, sha256 in contents.spool.segments(series_uid):
        if "structure" in row:
            structure = Structure.of_spooled(row, voxels)
            where = structure.name or f"region {structure.number}"
            stack = _reference(contents, structure, stack_of)
            if stack is None:
                many = (
                    "one series alone"
                    if len(structure.reference_uids) != 1
                    else "images that the study has, and a stack"
                )
                content.warn(
                    None, None, where, "rtstruct.no-images",
                    f"{Path(path).name}: its contours name no {many}; it waits: ingest it again with the images it was drawn on",
                )  # fmt: skip
                return False
            if stack.patient_id != patient_id:
                content.warn(
                    None, None, where, "rtstruct.other-patient",
                    f"{where} is not taken: it is said to be of {patient_id}, and was drawn on images of {stack.patient_id}",
                )  # fmt: skip
                continue
            if not structure.contours:
                content.warn(
                    None, None, where, "rtstruct.no-area", f"{where}: no closed contour, so that there is no mask"
                )
                continue
            try:  # it belongs to the examination on whose images it was drawn, whatever study its own file is in
                row, voxels = row_of_structure(structure, stack.study_uid, series_uid, stack.grid, sha256)
            except Unreadable as error:
                content.warn(None, None, where, error.rule, f"{where} is not taken: {error}")
                continue
        why = Named(MaskRegion(row["region"]), MaskKind(row["kind"])).unused()
        if why is not None:
            name = row["label"] or f"segment {row['segment']}"
            content.warn(
                None,
                None,
                name,
                "mask.not-used",
                f"'{name}' is kept and not used as an outline: {why} ({row['evidence']})",
            )
        content.records.append(Record(Segmentation, row, 0))
        content.objects.append((VOXELS, voxels))
    return True


def _reference(contents: Contents, structure: Structure, stack_of: StackOf) -> Stack | None:
    """The one series on which a region was drawn: of this folder, else of the study."""
    if len(structure.reference_uids) != 1:
        return None
    (uid,) = structure.reference_uids
    images = list(contents.spool.instances(uid))
    if not images:
        return stack_of(uid)
    series, _ = _common(contents.spool.distinct_rows(uid, "series"))
    patient, _ = _common(contents.spool.distinct_rows(uid, "patient"))
    grid = grid_of_images(images, series)
    return None if grid is None else Stack(images[0]["study_uid"], patient["patient_id"], grid)


def _common(rows: list[dict]) -> tuple[dict, list[str]]:
    """What the first says, and the names of the columns on which the others differ, or their frames."""
    within = {name for row in rows for name in row.pop("mixed", ())}
    first, *others = rows
    mixed = {name for other in others for name in first if other[name] != first[name]}
    return dict(first), sorted(mixed | within)
