"""DICOM files of simulated images, one slice each, with the attributes that archives have."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from tshdb.geometry import Grid

ROOT = "2.25."  # UIDs derived from digests need no registered root
MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
WRITER_UID = "2.25.2023090100000000000001"
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
COMMON = {
    "PatientBirthDate": "",
    "PatientSex": "F",
    "PatientIdentityRemoved": "YES",
    "DeidentificationMethod": "simulated: no person",
    "BurnedInAnnotation": "NO",
    "BodyPartExamined": "BREAST",
}


def uid(*parts: object) -> str:
    """A UID that the same parts always give."""
    text = "/".join(map(str, parts))
    return ROOT + str(int(hashlib.sha256(text.encode()).hexdigest()[:30], 16))


def clock(seconds: float) -> str:
    """HHMMSS.ffffff of seconds since midnight; a time of the next day begins at 00 again."""
    whole, fraction = divmod(round((seconds % 86_400) * 1_000_000), 1_000_000)
    return f"{whole // 3600:02d}{whole // 60 % 60:02d}{whole % 60:02d}.{fraction:06d}"


@dataclass(frozen=True)
class Geometry:
    """Where a stack lies. spacing_mm: between rows, between columns, between slices; origin_mm: of the first slice."""

    spacing_mm: tuple[float, float, float] = (0.8, 0.8, 2.0)
    origin_mm: tuple[float, float, float] = (-60.0, -60.0, -30.0)
    orientation: tuple[float, ...] = AXIAL

    def position(self, slice_index: int) -> list[float]:
        """ImagePositionPatient of a slice."""
        normal = np.cross(self.orientation[:3], self.orientation[3:])
        return [round(float(v), 6) for v in np.array(self.origin_mm) + normal * self.spacing_mm[2] * slice_index]

    def grid(self, shape: tuple[int, int, int]) -> Grid:
        """Of a stack of so many slices, rows and columns."""
        row, column = np.array(self.orientation[:3]), np.array(self.orientation[3:])
        rows_mm, columns_mm, slices_mm = self.spacing_mm
        normal = np.cross(row, column)
        return Grid(
            shape, (slices_mm, rows_mm, columns_mm), self.origin_mm, tuple(row.tolist()), tuple(column.tolist()),
            tuple(normal.tolist()),
        )  # fmt: skip


@dataclass(frozen=True)
class Series:
    """What all slices of a series share. extra: attributes by keyword, which go before all others."""

    patient_id: str
    study: str
    number: int
    description: str
    geometry: Geometry
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def study_uid(self) -> str:
        return uid(self.patient_id, self.study)

    @property
    def series_uid(self) -> str:
        return uid(self.patient_id, self.study, self.number, self.description)


def slice_dataset(series: Series, instance: int, slice_index: int, pixels: np.ndarray, **own: Any) -> FileDataset:
    """One slice. pixels: (rows, columns), whole numbers from 0 to 65,535; own: attributes of this slice by keyword."""
    sop_uid = uid(series.series_uid, instance)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = MR_IMAGE
    meta.MediaStorageSOPInstanceUID = sop_uid
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = WRITER_UID
    dataset = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    values = COMMON | {
        "SOPClassUID": MR_IMAGE,
        "SOPInstanceUID": sop_uid,
        "StudyInstanceUID": series.study_uid,
        "SeriesInstanceUID": series.series_uid,
        "FrameOfReferenceUID": uid(series.study_uid, "frame"),
        "PatientID": series.patient_id,
        "PatientName": series.patient_id,
        "Modality": "MR",
        "ImageType": ["ORIGINAL", "PRIMARY", "OTHER"],
        "SeriesNumber": series.number,
        "SeriesDescription": series.description,
        "InstanceNumber": instance,
        "ImagePositionPatient": series.geometry.position(slice_index),
        "ImageOrientationPatient": list(series.geometry.orientation),
        "PixelSpacing": list(series.geometry.spacing_mm[:2]),
        "SliceThickness": series.geometry.spacing_mm[2],
        "Rows": pixels.shape[0],
        "Columns": pixels.shape[1],
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": 16,
        "BitsStored": 16,
        "HighBit": 15,
        "PixelRepresentation": 0,
        "MRAcquisitionType": "3D",
        "ScanningSequence": "GR",
        "RepetitionTime": 5.5,
        "EchoTime": 2.6,
        "FlipAngle": 10,
        "MagneticFieldStrength": 1.5,
        **series.extra,
        **own,
    }
    for keyword, value in values.items():
        if value is not None:
            setattr(dataset, keyword, value)
    dataset.PixelData = np.ascontiguousarray(pixels, dtype="<u2").tobytes()
    return dataset


def write(dataset: FileDataset, path: Path) -> None:
    """Write a file; the same dataset gives the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
