"""Simulated masks in the archives' formats: DICOM SEG, .les, NIfTI and NRRD.

SEG     one segment, empty frames left out (cropped along the slices), each frame with its position; FRACTIONAL as UCSF's
        enhancement masks are (values 0 and 1), BINARY else.
.les    see ingest.imaging.les: starts of y, x, z, then ends, counted from 1; y fastest, then x, then z.
"""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.pixels import pack_bits
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

from ingest.simulate.dicom_files import COMMON, WRITER_UID, Geometry, Series, uid

SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"
MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
TISSUE = ("85756007", "SCT", "Tissue")
HEADER = struct.Struct("<6H")


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    return code


def segmentation(
    series: Series, mask: np.ndarray, label: str, referenced_uid: str, *, is_fractional: bool,
    codes: tuple[tuple[str, str, str], tuple[str, str, str]] = (TISSUE, TISSUE), algorithm: str = "SEMIAUTOMATIC",
) -> FileDataset:  # fmt: skip
    """A SEG of one segment.

    mask: (slices, rows, columns), not empty. referenced_uid: the series it was drawn on. codes: of category and type (value,
    scheme, meaning). algorithm: SegmentAlgorithmType.
    """
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = SEGMENTATION
    meta.MediaStorageSOPInstanceUID = uid(series.series_uid, 1)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = WRITER_UID
    dataset = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    frames = np.flatnonzero(mask.any(axis=(1, 2)))
    pixels = np.ascontiguousarray(mask[frames], dtype=np.uint8)
    values = COMMON | {
        "SOPClassUID": SEGMENTATION,
        "SOPInstanceUID": meta.MediaStorageSOPInstanceUID,
        "StudyInstanceUID": series.study_uid,
        "SeriesInstanceUID": series.series_uid,
        "FrameOfReferenceUID": uid(series.study_uid, "frame"),
        "PatientID": series.patient_id,
        "PatientName": series.patient_id,
        "Modality": "SEG",
        "Manufacturer": "tshdb",
        "ManufacturerModelName": "simulator",
        "ContentLabel": "SEGMENTATION",
        "ContentDescription": label,
        "ImageType": ["DERIVED", "PRIMARY"],
        "SeriesNumber": series.number,
        "SeriesDescription": series.description,
        "InstanceNumber": 1,
        "NumberOfFrames": len(frames),
        "Rows": mask.shape[1],
        "Columns": mask.shape[2],
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "PixelRepresentation": 0,
        "LossyImageCompression": "00",
        "SegmentationType": "FRACTIONAL" if is_fractional else "BINARY",
        **series.extra,
    }
    bits = 8 if is_fractional else 1
    values |= {"BitsAllocated": bits, "BitsStored": bits, "HighBit": bits - 1}
    if is_fractional:
        values |= {"SegmentationFractionalType": "OCCUPANCY", "MaximumFractionalValue": 255}
    for keyword, value in values.items():
        if value is not None:
            setattr(dataset, keyword, value)
    dataset.SegmentSequence = Sequence([_segment(label, codes, algorithm)])
    dataset.DimensionOrganizationSequence = Sequence([Dataset()])
    dataset.DimensionOrganizationSequence[0].DimensionOrganizationUID = uid(series.series_uid, "dimensions")
    dataset.DimensionIndexSequence = Sequence([_dimension(series)])
    reference = Dataset()
    reference.SeriesInstanceUID = referenced_uid
    reference.ReferencedInstanceSequence = Sequence([])
    dataset.ReferencedSeriesSequence = Sequence([reference])
    dataset.SharedFunctionalGroupsSequence = Sequence([_shared(series.geometry)])
    dataset.PerFrameFunctionalGroupsSequence = Sequence(
        [_frame(series.geometry.position(int(k)), i) for i, k in enumerate(frames, 1)]
    )
    dataset.PixelData = pixels.tobytes() if is_fractional else pack_bits(pixels.ravel())
    return dataset


def _segment(label: str, codes: tuple[tuple[str, str, str], tuple[str, str, str]], algorithm: str) -> Dataset:
    category, type_ = codes
    segment = Dataset()
    segment.SegmentNumber, segment.SegmentLabel, segment.SegmentAlgorithmType = 1, label, algorithm
    if algorithm != "MANUAL":
        segment.SegmentAlgorithmName = "simulator"
    segment.SegmentedPropertyCategoryCodeSequence = Sequence([_code(*category)])
    segment.SegmentedPropertyTypeCodeSequence = Sequence([_code(*type_)])
    return segment


def _dimension(series: Series) -> Dataset:
    index = Dataset()
    index.DimensionOrganizationUID = uid(series.series_uid, "dimensions")
    index.DimensionIndexPointer, index.FunctionalGroupPointer = 0x00200032, 0x00209113  # ImagePositionPatient
    return index


def _shared(geometry: Geometry) -> Dataset:
    measures, plane, identified, shared = Dataset(), Dataset(), Dataset(), Dataset()
    measures.PixelSpacing = list(geometry.spacing_mm[:2])
    measures.SliceThickness = measures.SpacingBetweenSlices = geometry.spacing_mm[2]
    plane.ImageOrientationPatient = list(geometry.orientation)
    identified.ReferencedSegmentNumber = 1
    shared.PixelMeasuresSequence = Sequence([measures])
    shared.PlaneOrientationSequence = Sequence([plane])
    shared.SegmentIdentificationSequence = Sequence([identified])
    return shared


def _frame(position: list[float], number: int) -> Dataset:
    place, content, frame = Dataset(), Dataset(), Dataset()
    place.ImagePositionPatient = position
    content.DimensionIndexValues = [number]
    frame.PlanePositionSequence = Sequence([place])
    frame.FrameContentSequence = Sequence([content])
    return frame


def les_bytes(mask: np.ndarray) -> bytes:
    """A .les file of a mask (slices, rows, columns) that is not empty: its box alone."""
    where = np.argwhere(mask)
    low, high = where.min(axis=0), where.max(axis=0) + 1
    box = mask[low[0] : high[0], low[1] : high[1], low[2] : high[2]]
    return les_box(box, [int(v) + 1 for v in low])


def les_box(box: np.ndarray, start: list[int], order: str = "F", header: str = "starts") -> bytes:
    """A .les file of a box as it stands.

    start    the first slice, row and column of the box, as the file counts them
    order    of the voxels: F or C
    header   `starts` (then ends), or `axes` (start and end of each)
    """
    nz, ny, nx = box.shape
    z, y, x = start
    low, high = (y, x, z), (y + ny - 1, x + nx - 1, z + nz - 1)
    numbers = (*low, *high) if header == "starts" else (low[0], high[0], low[1], high[1], low[2], high[2])
    voxels = box.transpose(0, 2, 1) if order == "F" else box.transpose(1, 2, 0)
    return HEADER.pack(*numbers) + np.ascontiguousarray(voxels).astype(np.uint8).tobytes()


def write_volume(path: Path, mask: np.ndarray, geometry: Geometry, order: tuple[int, int, int] = (0, 1, 2)) -> None:
    """A mask as an image file, of the format that its name says; the same mask gives the same bytes.

    order: of the file's axes, slowest first, in terms of slices, rows, columns; in another order than theirs each axis runs the
    other way, too.
    """
    import SimpleITK as sitk

    grid = geometry.grid(mask.shape)
    values, placed = mask.astype(np.uint8), grid
    if order != (0, 1, 2):
        last = [n - 1 for n in grid.shape]
        axes = [tuple(-v for v in axis) for axis in grid.axes]
        placed = replace(
            grid, origin_mm=tuple(grid.at(*last).tolist()), normal=axes[0], column=axes[1], row=axes[2]
        ).with_axes(order)
        values = values[::-1, ::-1, ::-1].transpose(order)
    image = sitk.GetImageFromArray(np.ascontiguousarray(values))
    image.SetSpacing(placed.spacing_mm[::-1])
    image.SetOrigin(placed.origin_mm)
    image.SetDirection(np.column_stack([placed.row, placed.column, placed.normal]).ravel().tolist())
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(image, str(path), useCompression=True)
