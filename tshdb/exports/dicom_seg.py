"""Segmentations of examinations as DICOM SEG objects, which refer to the DICOM files of phase 0. Written by highdicom.

Source   DICOM PS3.3 A.51 and C.8.20; codes of SNOMED CT (SCT) and DICOM (DCM), and our own (99TSHDB) where they have none.
Bytes    identifiers follow from what is drawn, times are those of the examination: the same study gives the same file.
"""

from __future__ import annotations

import hashlib
import uuid
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tshdb.exports.images import GONE, Scanned, examinations, scanned, without_paths, write_list
from tshdb.exports.record import Column, File, Job, Missing, Written
from tshdb.version import __version__
from tshdb.vocabulary import MaskKind, MaskRegion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from highdicom.seg import SegmentDescription
    from pydicom import Dataset

LIST = "segments.csv"
OF_LIST = (
    Column("file", "text", "below this folder"),
    Column("segment", "whole number", "SegmentNumber in it"),
    Column("patient_id", "text", "whose it is; PatientID in the file"),
    Column("collection", "text", "the archive's collection"),
    Column("time_point", "text", "T0, T1 …: the patient's examinations in the order of time"),
    Column("study_uid", "text", "StudyInstanceUID, of the images and of the file"),
    Column("series_uid", "text", "the series of the images that it refers to: those of phase 0"),
    Column("segmentation_id", "text", "of the study's segmentation"),
    Column("region", "text", "tumor, breast, enhancement or other"),
    Column("kind", "text", "who or what drew it"),
    Column("label", "text", "what its file called it"),
    Column("n_voxels", "whole number", "voxels inside, on the images"),
)
READ = (  # what is taken of an image's header: nothing of a person
    "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "Modality", "StudyDate",
    "StudyTime", "StudyID", "Rows", "Columns", "PixelSpacing", "SliceThickness", "SpacingBetweenSlices", "ImagePositionPatient",
    "ImageOrientationPatient", "NumberOfFrames", "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
    "DimensionIndexSequence", "DimensionOrganizationSequence", "PositionReferenceIndicator", "InstanceNumber", "ImageType",
)  # fmt: skip
SCHEME = "99TSHDB"
TYPES = {  # region -> (category, type)
    MaskRegion.TUMOR: (("49755003", "SCT", "Morphologically Altered Structure"), ("108369006", "SCT", "Neoplasm")),
    MaskRegion.BREAST: (("123037004", "SCT", "Anatomical Structure"), ("76752008", "SCT", "Breast")),
    MaskRegion.ENHANCEMENT: (("123037004", "SCT", "Anatomical Structure"), ("enhancement", SCHEME, "PE segmentation")),
    MaskRegion.OTHER: (("123037004", "SCT", "Anatomical Structure"), ("other", SCHEME, "Region of another kind")),
}
BY_HAND = (MaskKind.MANUAL, MaskKind.EXPERT, MaskKind.LES)
FAMILIES = {
    MaskKind.FCM: ("123107", "DCM", "Cluster Analysis"),
    MaskKind.FTV: ("123105", "DCM", "Histogram Analysis"),
}
UNKNOWN = ("unknown", SCHEME, "Not known")


def write_dicom_seg(job: Job) -> Written:
    """A file for each examination with segmentations on its images, and segments.csv, which says what each segment is."""
    done, rows = Written(), list[dict[str, Any]]()
    found = examinations(job)
    for i, facts in enumerate(found, 1):
        examination = scanned(job, facts)
        if examination.inside:
            rows += _file(job, examination, done)
        done.missing += [each for each in examination.refused if "segmentation" in each.what]
        job.progress("dicom-seg", i, len(found))
    if rows:
        write_list(job.folder / LIST, OF_LIST, rows)
        done.files.append(File(LIST, "one segment", len(rows), OF_LIST))
        names = dict.fromkeys(row["file"] for row in rows)
        done.files += [File(name, "the segmentations of one examination, a segment each") for name in names]
    done.notes += [
        "Each file is of the images' own study (StudyInstanceUID) and refers to the slices of phase 0; the images are not here.",
        "PatientID is the study's patient_id; name, birth date and all else that the images' headers say of a person are empty.",
        "A segment drawn by a person is MANUAL, any other AUTOMATIC. Times are those of the examination.",
    ]
    done.left_out += [
        "regions at the study's voxel size, which are not on the scanner's slices: tshdb export nifti",
        "examinations without a segmentation",
    ]
    return done


def _file(job: Job, examination: Scanned, done: Written) -> list[dict[str, Any]]:
    """Write the segmentations of one examination. Gives its rows of the list."""
    import numpy as np

    try:
        sources, sop_class = _sources(examination)
        inside = np.stack([mask for _, mask in examination.inside], axis=-1).astype(np.uint8)
        made = _made(examination, sources, sop_class, inside)
    except OSError:
        done.missing.append(Missing(f"{examination.name}: segmentations", GONE))
        return []
    except (
        ValueError,
        AttributeError,
        KeyError,
        TypeError,
    ) as error:  # highdicom's, of headers that lack what it needs
        why = f"its images cannot be referred to: {without_paths(error, examination)}"
        done.missing.append(Missing(f"{examination.name}: segmentations", why))
        return []
    below = f"{examination.folder}/segmentation.dcm"
    path = job.folder / below
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made.save_as(path)
    facts = examination.whose | {"file": below, "series_uid": str(sources[0].SeriesInstanceUID)}
    return [
        facts | {name: getattr(row, name) for name in ("segmentation_id", "region", "kind", "label")}
        | {"segment": number, "n_voxels": int(mask.sum())}
        for number, (row, mask) in enumerate(examination.inside, 1)
    ]  # fmt: skip


def _sources(examination: Scanned) -> tuple[list[Dataset], str]:
    """(the headers of phase 0 in the order of slices, of a file of many frames once; their SOP class).

    Raises OSError for a file that is not what was read.
    """
    from pydicom import dcmread

    from tshdb.objects import sha256_of

    headers: dict[str, Dataset] = {}
    for file in examination.files[0]:
        path = file.image.path
        if path not in headers:
            if sha256_of(Path(path)) != file.image.sha256:
                raise OSError("other bytes")
            header = dcmread(path, stop_before_pixels=True, specific_tags=list(READ))
            header.PatientID = examination.facts["patient_id"]
            for empty in ("PatientName", "PatientBirthDate", "PatientSex", "ReferringPhysicianName", "AccessionNumber"):
                setattr(header, empty, "")
            header.StudyID = header.get("StudyID", "")
            headers[path] = header
    found = list(headers.values())
    sop_class = str(found[0].SOPClassUID)
    return list(map(_as_plain, found)) if len(found) > 1 else found, sop_class


def _as_plain(header: Dataset) -> Dataset:
    """The header of an enhanced object of one frame with the frame's place at the top, as that of a plain slice."""
    from pydicom.uid import MRImageStorage

    if "PerFrameFunctionalGroupsSequence" not in header or int(header.get("NumberOfFrames", 1)) > 1:
        return header
    groups = [*header.PerFrameFunctionalGroupsSequence, *header.get("SharedFunctionalGroupsSequence", [])]
    for name in ("PlanePositionSequence", "PlaneOrientationSequence", "PixelMeasuresSequence"):
        item = next(group[name].value[0] for group in groups if name in group)
        for element in item:
            header[element.tag] = element
    header.SOPClassUID = MRImageStorage
    for name in ("PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence", "NumberOfFrames"):
        if name in header:
            del header[name]
    return header


def _made(examination: Scanned, sources: list[Dataset], sop_class: str, inside: Any) -> Any:
    """The object. inside: (slices, rows, columns, segments)."""
    from highdicom.content import PlanePositionSequence
    from highdicom.seg import Segmentation, SegmentationTypeValues

    grid = examination.grid
    assert grid is not None
    described = [_described(number, row) for number, (row, _) in enumerate(examination.inside, 1)]
    drawn = "\0".join((*(row.object_id for row, _ in examination.inside), *(s.SegmentLabel for s in described)))
    digest = hashlib.sha256(inside.tobytes()).hexdigest()

    def uid(what: str) -> str:
        text = "\0".join((what, examination.facts["study_uid"], examination.facts["patient_id"], drawn, digest))
        return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, text).int}"

    places = [grid.at(i, 0, 0).tolist() for i in range(grid.shape[0])]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = Segmentation(
            sources, inside, SegmentationTypeValues.BINARY, described, uid("series"), 900, uid("object"), 1, "tshdb", "tshdb",
            __version__, "none", content_description="Segmentations of a study", content_label="SEGMENTATION",
            plane_positions=[PlanePositionSequence("PATIENT", place) for place in places] if len(sources) == 1 else None,
        )  # fmt: skip
    _settle(made, sources[0], sop_class, uid("dimensions"))
    return made


def _described(number: int, row: Any) -> SegmentDescription:
    """One segment: a segmentation as the study knows it."""
    from highdicom.content import AlgorithmIdentificationSequence
    from highdicom.seg import SegmentAlgorithmTypeValues, SegmentDescription
    from pydicom.sr.coding import Code

    category, kind = (Code(*code) for code in TYPES[MaskRegion(row.region)])
    label = " ".join(str(row.label or f"{row.region} ({row.kind})").replace("\\", "/").split())[:64]
    if row.kind in BY_HAND:
        return SegmentDescription(number, label, category, kind, SegmentAlgorithmTypeValues.MANUAL)
    family = Code(*FAMILIES.get(MaskKind(row.kind), UNKNOWN))
    algorithm = AlgorithmIdentificationSequence(str(row.kind), family, "not known")
    return SegmentDescription(
        number, label, category, kind, SegmentAlgorithmTypeValues.AUTOMATIC, algorithm_identification=algorithm
    )


def _settle(made: Any, source: Dataset, sop_class: str, organization: str) -> None:
    """Put the examination's time, and a name that follows from the content, where highdicom has the clock and a random number.

    sop_class: of the images, which may have been given to it as plain slices.
    """
    day, time = source.get("StudyDate") or "19700101", source.get("StudyTime") or "000000"
    for element in _elements(made):
        if element.keyword in ("ContentDate", "SeriesDate", "InstanceCreationDate"):
            element.value = day
        elif element.keyword in ("ContentTime", "SeriesTime", "InstanceCreationTime"):
            element.value = time
        elif element.keyword == "ContributionDateTime":
            element.value = f"{day}{time}"
        elif element.keyword == "ReferencedSOPClassUID":
            element.value = sop_class
        elif element.keyword == "DimensionOrganizationUID":
            element.value = organization


def _elements(dataset: Any) -> Iterator[Any]:
    for element in dataset:
        yield element
        if element.VR == "SQ":
            for item in element.value:
                yield from _elements(item)
