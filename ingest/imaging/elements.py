"""The elements of DICOM files that are looked at, as text, and the columns that they become: the whitelist.

Values are decoded from the raw elements, since pydicom's own conversion of every element costs more than reading the file.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable
from datetime import date
from typing import Any

import pydicom
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset

from ingest.imaging import frames, identity

_CONTROLS = dict.fromkeys([*range(32), *range(127, 160)])


def seconds_of(text: str | None) -> float | None:
    """A DICOM time (HHMMSS.ffffff, or HH:MM:SS of the old standard) in seconds since midnight."""
    match = re.fullmatch(r"(\d{2}):?(\d{2})?:?(\d{2})?(\.\d+)?", (text or "").strip())
    if match is None:
        return None
    hours, minutes, seconds, fraction = match.groups()
    return round(int(hours) * 3600 + int(minutes or 0) * 60 + int(seconds or 0) + float(fraction or 0), 6)


def date_of(text: str | None) -> date | None:
    """A DICOM date (YYYYMMDD, or YYYY.MM.DD of the old standard)."""
    digits = (text or "").strip().replace(".", "")
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8])) if len(digits) == 8 else None
    except ValueError:
        return None


def years_of(text: str | None) -> float | None:
    """A DICOM age (071Y, 018M, 003W, 010D) in years."""
    match = re.fullmatch(r"(\d{1,3})([YMWD]?)", (text or "").strip().upper())
    if match is None:
        return None
    return round(int(match[1]) / {"Y": 1, "": 1, "M": 12, "W": 52.18, "D": 365.25}[match[2]], 3)


def _tesla(text: str) -> float:
    value = float(text)
    return value / 10_000 if value >= 100 else value  # some scanners write gauss


def _vector(text: str) -> str:
    """Six numbers in one spelling, with all digits that a decimal string of 16 characters holds."""
    return "\\".join(f"{float(part) + 0.0:.15g}" for part in text.split("\\"))


def _free(text: str) -> str:
    return " ".join(text.split())


def _parts(text: str) -> str:
    return "\\".join(part.strip() for part in text.split("\\"))


def _whole(text: str) -> int:
    return int(float(text.split("\\")[0]))


def _number(text: str) -> float:
    value = float(text.split("\\")[0])
    if not math.isfinite(value):
        raise ValueError("no number")
    return value


def sex_of(text: str) -> str | None:
    return {"F": "female", "M": "male"}.get(text.strip().upper())


Convert = Callable[[str], Any]
# column -> (element, conversion): the whitelist. Nothing that is not here, or in `_read_times`, is ever stored.
STUDY: dict[str, tuple[str, Convert]] = {
    "study_uid": ("StudyInstanceUID", str.strip),
    "description": ("StudyDescription", _free),
    "age_years": ("PatientAge", years_of),
    "trial_time_point": ("ClinicalTrialTimePointID", _free),
}
SERIES: dict[str, tuple[str, Convert]] = {
    "series_uid": ("SeriesInstanceUID", str.strip),
    "modality": ("Modality", str.strip),
    "series_number": ("SeriesNumber", _whole),
    "description": ("SeriesDescription", _free),
    "protocol_name": ("ProtocolName", _free),
    "body_part": ("BodyPartExamined", _free),
    "laterality": ("Laterality", str.strip),
    "image_type": ("ImageType", _parts),
    "manufacturer": ("Manufacturer", _free),
    "model": ("ManufacturerModelName", _free),
    "software": ("SoftwareVersions", _parts),
    "field_strength_t": ("MagneticFieldStrength", _tesla),
    "scanning_sequence": ("ScanningSequence", _parts),
    "sequence_variant": ("SequenceVariant", _parts),
    "scan_options": ("ScanOptions", _parts),
    "sequence_name": ("SequenceName", _free),
    "acquisition_type": ("MRAcquisitionType", str.strip),
    "tr_ms": ("RepetitionTime", _number),
    "te_ms": ("EchoTime", _number),
    "ti_ms": ("InversionTime", _number),
    "flip_angle_deg": ("FlipAngle", _number),
    "b_value": ("DiffusionBValue", _number),
    "contrast_agent": ("ContrastBolusAgent", _free),
    "contrast_start_s": ("ContrastBolusStartTime", seconds_of),
    "temporal_positions": ("NumberOfTemporalPositions", _whole),
    "temporal_resolution_s": ("TemporalResolution", lambda text: _number(text) / 1000),
    "images_in_acquisition": ("ImagesInAcquisition", _whole),
    "frame_of_reference_uid": ("FrameOfReferenceUID", str.strip),
    "orientation": ("ImageOrientationPatient", _vector),
    "n_rows": ("Rows", _whole),
    "n_columns": ("Columns", _whole),
    "slice_thickness_mm": ("SliceThickness", _number),
    "photometric": ("PhotometricInterpretation", str.strip),
    "sop_class_uid": ("SOPClassUID", str.strip),
}
INSTANCE: dict[str, tuple[str, Convert]] = {
    "sop_uid": ("SOPInstanceUID", str.strip),
    "instance_number": ("InstanceNumber", _whole),
    "acquisition_number": ("AcquisitionNumber", _whole),
    "trigger_ms": ("TriggerTime", _number),
    "temporal_position": ("TemporalPositionIdentifier", _whole),
    "n_frames": ("NumberOfFrames", _whole),
    "rescale_slope": ("RescaleSlope", _number),
    "rescale_intercept": ("RescaleIntercept", _number),
    "frame_type": ("ImageType", _parts),
    "echo_time_ms": ("EchoTime", _number),
    "diffusion_b_value": ("DiffusionBValue", _number),
}
OTHER = (
    "PatientID", "PatientSex", "StudyDate", "StudyTime", "SeriesDate", "SeriesTime", "AcquisitionDate",
    "AcquisitionTime", "AcquisitionDateTime", "ContentDate", "ContentTime", "ImagePositionPatient", "PixelSpacing",
    "BitsAllocated", "SamplesPerPixel", "LossyImageCompression", "FrameReferenceDateTime",
)  # fmt: skip
FREE_TEXTS = ("StudyDescription", "SeriesDescription", "ProtocolName")
WHITELIST = frozenset(e for columns in (STUDY, SERIES, INSTANCE) for e, _ in columns.values()) | set(OTHER)
_TAG = {name: tag_for_keyword(name) for name in sorted(WHITELIST | frames.ELEMENTS | set(identity.ELEMENTS))}
_NAME = {tag: name for name, tag in _TAG.items()}
_BINARY = {
    "Rows": "H", "Columns": "H", "BitsAllocated": "H", "SamplesPerPixel": "H", "DiffusionBValue": "d", **frames.BINARY,
}  # fmt: skip


def texts_of(dataset: Dataset) -> dict[str, str]:
    """Element -> its value as text, of the elements that are looked at and not empty."""
    texts = {}
    for tag, element in dataset.items():
        name = _NAME.get(tag)
        if name is None:
            continue
        raw = element.value
        if isinstance(element, RawDataElement) and isinstance(raw, bytes) and element.VR not in ("SQ", "UN"):
            if name in _BINARY:
                text = _unpacked(raw, _BINARY[name], element.is_little_endian)
            elif raw.isascii():
                text = raw.decode("ascii")
            else:
                text = _joined(dataset[tag].value)  # pydicom knows the character sets
        else:
            text = _joined(dataset[tag].value)
        if not text.isprintable():
            text = text.translate(_CONTROLS)
        text = text.strip()
        if text:
            texts[name] = text
    return texts


def _unpacked(raw: bytes, code: str, is_little_endian: bool) -> str:
    size = struct.calcsize(f"<{code}")
    n = len(raw) // size
    return "\\".join(map(str, struct.unpack(f"{'<' if is_little_endian else '>'}{n}{code}", raw[: n * size])))


def _joined(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, pydicom.sequence.Sequence):
        return "a sequence" if len(value) else ""
    if isinstance(value, (list, tuple, pydicom.multival.MultiValue)):
        return "\\".join(map(str, value))
    return str(value)


def converted(columns: dict[str, tuple[str, Convert]], values: dict[str, str], findings: list) -> dict[str, Any]:
    row = {}
    for column, (element, convert) in columns.items():
        text = values.get(element)
        try:
            row[column] = None if text is None else convert(text)
        except (ValueError, OverflowError, IndexError):
            row[column] = None
            findings.append(("warning", "dicom.bad-value", element, "is not what the standard says; left out"))
    return row
