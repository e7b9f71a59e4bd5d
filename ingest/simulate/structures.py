"""Structure sets (RTSTRUCT): regions as contours in mm, as programs of radiotherapy write them (PS3.3 A.19.3).

A mask's contours run along the edges of its voxels, those of a hole along the hole's: filled again, they are the mask.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import ExplicitVRLittleEndian

from ingest.simulate.dicom_files import WRITER_UID, uid
from tshdb.geometry import Grid

STRUCTURES = "1.2.840.10008.5.1.4.1.1.481.3"
Region = tuple[Dataset, Dataset, Dataset]


def _item(**elements: Any) -> Dataset:
    made = Dataset()
    for name, value in elements.items():
        is_sequence = isinstance(value, list) and value and isinstance(value[0], Dataset)
        setattr(made, name, Items(value) if is_sequence else value)
    return made


def region(
    number: int, name: str, contours: Iterable[np.ndarray], *, algorithm: str | None = "MANUAL", interpreted: str = "",
    kind: str = "CLOSED_PLANAR",
) -> Region:  # fmt: skip
    """(what is in StructureSetROISequence, ROIContourSequence, RTROIObservationsSequence) of one region.

    contours: (points, 3) in mm each; they are written with five decimals.
    """
    drawn = [
        _item(ContourGeometricType=kind, NumberOfContourPoints=len(c), ContourData=[f"{v:.5f}"[:16] for v in c.ravel()])
        for c in contours
    ]
    return (
        _item(ROINumber=number, ROIName=name, ROIGenerationAlgorithm=algorithm or ""),
        _item(ReferencedROINumber=number, **({"ContourSequence": drawn} if drawn else {})),
        _item(
            ObservationNumber=number, ReferencedROINumber=number, RTROIInterpretedType=interpreted, ROIInterpreter=""
        ),
    )


def structure_set(
    patient: str,
    study_uid: str,
    series_uid: str | None,
    frame_uid: str,
    regions: Sequence[Region],
    day: str = "20240301",
) -> FileDataset:
    """An RTSTRUCT that was drawn on a series; of the same regions the same bytes. day: StructureSetDate."""
    meta = FileMetaDataset()
    of_content = [str(part) for parts in regions for part in parts]
    own = uid("structures", patient, study_uid, series_uid, frame_uid, day, *of_content)
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = STRUCTURES, own
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = WRITER_UID
    made = FileDataset(None, {}, file_meta=meta, preamble=bytes(128))
    made.SOPClassUID, made.SOPInstanceUID = STRUCTURES, own
    made.PatientID = made.PatientName = patient
    made.PatientIdentityRemoved = "YES"
    made.StudyInstanceUID, made.SeriesInstanceUID = study_uid, uid(own, "series")
    made.Modality, made.SeriesNumber, made.InstanceNumber = "RTSTRUCT", 901, 1
    made.StructureSetLabel, made.StructureSetDate, made.StructureSetTime = "Contours", day, "110000"
    if series_uid is not None:
        series = _item(SeriesInstanceUID=series_uid)
        study = _item(ReferencedSOPInstanceUID=study_uid, RTReferencedSeriesSequence=[series])
        made.ReferencedFrameOfReferenceSequence = Items(
            [_item(FrameOfReferenceUID=frame_uid, RTReferencedStudySequence=[study])]
        )
    for name, parts in zip(
        ("StructureSetROISequence", "ROIContourSequence", "RTROIObservationsSequence"),
        zip(*regions, strict=True),
        strict=True,
    ):
        setattr(made, name, Items(parts))
    return made


def edges(plane: np.ndarray) -> list[np.ndarray]:
    """The outlines of the voxels of a slice along the voxels' edges, (points, 2) rows and columns; holes have their own."""
    after: dict[tuple[float, float], list[tuple[float, float]]] = {}
    padded = np.pad(plane.astype(bool), 1)
    for r, c in np.argwhere(plane):
        corners = [(r - 0.5, c - 0.5), (r - 0.5, c + 0.5), (r + 0.5, c + 0.5), (r + 0.5, c - 0.5)]
        beside = (padded[r, c + 1], padded[r + 1, c + 2], padded[r + 2, c + 1], padded[r + 1, c])
        for i, is_inside in enumerate(beside):
            if not is_inside:
                after.setdefault(corners[i], []).append(corners[(i + 1) % 4])
    loops = []
    while after:
        first = at = next(iter(after))
        loop = []
        while True:
            loop.append(at)
            following = after[at].pop()
            if not after[at]:
                del after[at]
            at = following
            if at == first:
                break
        loops.append(np.array(loop))
    return loops


def in_mm(points: np.ndarray, k: int, grid: Grid) -> np.ndarray:
    """(points, 3) in mm of rows and columns in a slice."""
    return np.array([grid.at(k, r, c) for r, c in points])


def contours_of(values: np.ndarray, grid: Grid) -> list[np.ndarray]:
    """A mask as contours along the voxels' edges, in mm."""
    return [in_mm(loop, k, grid) for k in range(len(values)) for loop in edges(values[k])]
