"""One DICOM file's header: the whitelisted attributes as plain values, its bytes' digest, and what is wrong with it.

The file is read once: the same bytes are hashed and parsed. Values are decoded from the raw elements, since pydicom's own
conversion of every element costs more than reading the file. Anything that pydicom raises becomes one error type here.
"""

from __future__ import annotations

import hashlib
import io
import re
import struct
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import pydicom
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import FileDataset
from pydicom.errors import BytesLengthException, InvalidDicomError

from ingest.imaging import identity

READ_WHOLE = 64 << 20  # larger files are hashed in pieces, and their header is read by itself
PIXELS = 0x7FE00010
SEGMENTATIONS = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")  # and label maps, by SOP class
TROUBLE = (
    InvalidDicomError, BytesLengthException, OSError, ValueError, TypeError, KeyError, AttributeError, EOFError,
    NotImplementedError, struct.error, RecursionError, OverflowError, MemoryError,
)  # fmt: skip
_CONTROLS = dict.fromkeys([*range(32), *range(127, 160)])


class Unreadable(Exception):
    """A file that is no DICOM, or a damaged one. rule: the finding's; the text says what was found."""

    def __init__(self, rule: str, message: str):
        super().__init__(message)
        self.rule = rule


class Header(NamedTuple):
    """What one file says, by the table that it goes to; findings: (severity, rule, element, message)."""

    patient: dict[str, Any]
    study: dict[str, Any]
    series: dict[str, Any]
    instance: dict[str, Any]
    findings: list[tuple[str, str, str | None, str]]


# ----------------------------------------------------------------------------------------------- values as text


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
    """Six numbers in one spelling."""
    return "\\".join(f"{float(part) + 0.0:.6g}" for part in text.split("\\"))


def _free(text: str) -> str:
    return " ".join(text.split())


def _parts(text: str) -> str:
    return "\\".join(part.strip() for part in text.split("\\"))


def _whole(text: str) -> int:
    return int(float(text.split("\\")[0]))


def _number(text: str) -> float:
    return float(text.split("\\")[0])


def _sex(text: str) -> str | None:
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
}
OTHER = (
    "PatientID", "PatientSex", "StudyDate", "StudyTime", "SeriesDate", "SeriesTime", "AcquisitionDate",
    "AcquisitionTime", "AcquisitionDateTime", "ContentDate", "ContentTime", "ImagePositionPatient", "PixelSpacing",
    "BitsAllocated", "SamplesPerPixel",
)  # fmt: skip
FREE_TEXTS = ("StudyDescription", "SeriesDescription", "ProtocolName")
WHITELIST = frozenset(e for columns in (STUDY, SERIES, INSTANCE) for e, _ in columns.values()) | set(OTHER)
_TAG = {name: tag_for_keyword(name) for name in sorted(WHITELIST | set(identity.ELEMENTS))}
_NAME = {tag: name for name, tag in _TAG.items()}
_BINARY = {"Rows": "H", "Columns": "H", "BitsAllocated": "H", "SamplesPerPixel": "H", "DiffusionBValue": "d"}


# ----------------------------------------------------------------------------------------------- one file


def digest_and_header(path: Path, accepts_identified: bool) -> tuple[str, Header]:
    """(SHA-256 of the file, its header). Raises Unreadable, whose text holds no value of an identifying element."""
    try:
        size = path.stat().st_size
        if size > READ_WHOLE:
            with path.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
                file.seek(0)
                return sha256, _whole_header(file, size, accepts_identified)
        data = path.read_bytes()
    except OSError as error:
        raise Unreadable("dicom.unreadable", f"cannot be read: {error.strerror}") from None
    file = io.BytesIO(data)
    return hashlib.sha256(data).hexdigest(), _whole_header(file, size, accepts_identified)


def _whole_header(file, size: int, accepts_identified: bool) -> Header:
    try:
        return _header(_parsed(file), file, size, accepts_identified)
    except TROUBLE as error:
        raise Unreadable("dicom.unreadable", f"the header is damaged ({type(error).__name__})") from None


def _parsed(file) -> FileDataset:
    try:
        return pydicom.dcmread(file, stop_before_pixels=True)  # naming the tags would cost more
    except InvalidDicomError:
        raise Unreadable("dicom.not-dicom", "has no DICOM header") from None


def _header(dataset: FileDataset, file, size: int, accepts_identified: bool) -> Header:
    values = _texts(dataset)
    for name in ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID"):
        if not values.get(name):
            raise Unreadable("dicom.no-uid", f"{name} is missing: nobody can say what this file belongs to")
    tags = identity.identifying(values)
    if tags and not accepts_identified:
        raise Unreadable("dicom.identified", _identified(tags, values))
    findings: list[tuple[str, str, str | None, str]] = []
    for name in FREE_TEXTS:
        if name in values:
            values[name], had_date = identity.without_dates(values[name])
            if had_date:
                findings.append(("warning", "dicom.date-in-text", name, "holds a date, which is not stored"))
    study, series, instance = (_converted(c, values, findings) for c in (STUDY, SERIES, INSTANCE))
    _add_times(study, series, instance, values)
    _add_geometry(series, instance, values, findings)
    instance["n_frames"] = instance["n_frames"] or 1
    instance["has_pixels"] = _has_pixels(dataset, file, size, instance, values)
    series["transfer_syntax_uid"] = str(dataset.file_meta.get("TransferSyntaxUID", "")) or None
    if series["photometric"] == "MONOCHROME1":
        findings.append(("warning", "dicom.monochrome1", "PhotometricInterpretation", "bright is low: inverted"))
    patient = {"patient_id": values["PatientID"].strip(), "sex": _sex(values.get("PatientSex", ""))}
    return Header(patient, study, series, instance, findings)


def _identified(tags: list[str], values: dict[str, str]) -> str:
    removed = values.get("PatientIdentityRemoved")
    state = f"says {removed}" if removed in ("YES", "NO") else "is no YES" if removed else "is absent"
    named = ", ".join(tags[:4]) + (f" and {len(tags) - 4} more" if len(tags) > 4 else "")
    return f"{named}: names a person, and PatientIdentityRemoved {state}; this study takes de-identified images only"


def _texts(dataset: FileDataset) -> dict[str, str]:
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
    size = struct.calcsize(code)
    return str(struct.unpack(("<" if is_little_endian else ">") + code, raw[:size])[0]) if len(raw) >= size else ""


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


def _converted(columns: dict[str, tuple[str, Convert]], values: dict[str, str], findings: list) -> dict[str, Any]:
    row = {}
    for column, (element, convert) in columns.items():
        text = values.get(element)
        try:
            row[column] = None if text is None else convert(text)
        except (ValueError, OverflowError, IndexError):
            row[column] = None
            findings.append(("warning", "dicom.bad-value", element, "is not what the standard says; left out"))
    return row


def _add_times(study: dict, series: dict, instance: dict, values: dict[str, str]) -> None:
    """Times in seconds since midnight of the study's date, so that an examination may run past midnight."""
    day = date_of(values.get("StudyDate"))
    study["study_date"] = day.isoformat() if day else None
    study["study_time_s"] = seconds_of(values.get("StudyTime"))

    def since_study(date_name: str, time_name: str) -> float | None:
        seconds, own = seconds_of(values.get(time_name)), date_of(values.get(date_name))
        if seconds is not None and day is not None and own is not None and 0 < (own - day).days <= 2:
            seconds += 86_400.0 * (own - day).days
        return seconds

    series["series_time_s"] = since_study("SeriesDate", "SeriesTime")
    instance["acquisition_s"] = since_study("AcquisitionDate", "AcquisitionTime")
    if instance["acquisition_s"] is None and (both := values.get("AcquisitionDateTime")):
        own, seconds = date_of(both[:8]), seconds_of(re.split(r"[+-]", both[8:])[0])
        if seconds is not None:
            days = (own - day).days if own and day else 0
            instance["acquisition_s"] = seconds + (86_400.0 * days if 0 < days <= 2 else 0.0)
    instance["content_s"] = since_study("ContentDate", "ContentTime")


def _add_geometry(series: dict, instance: dict, values: dict[str, str], findings: list) -> None:
    def numbers(name: str, n: int) -> list[float | None]:
        text = values.get(name)
        if text is None:
            return [None] * n
        try:
            parts = [float(part) for part in text.split("\\")]
        except ValueError:
            parts = []
        if len(parts) == n:
            return parts
        findings.append(("warning", "dicom.bad-value", name, f"expected {n} numbers; left out"))
        return [None] * n

    instance["x_mm"], instance["y_mm"], instance["z_mm"] = numbers("ImagePositionPatient", 3)
    series["row_spacing_mm"], series["column_spacing_mm"] = numbers("PixelSpacing", 2)
    for name in ("orientation", "n_rows", "n_columns"):
        instance[name] = series[name]


def _has_pixels(dataset: FileDataset, file, size: int, instance: dict, values: dict[str, str]) -> bool:
    """Whether pixels follow the header. Raises Unreadable when the file ends before they do."""
    at = file.tell()
    head = file.read(12)
    if len(head) < 8:
        return False
    syntax = dataset.file_meta.get("TransferSyntaxUID")
    order = ">" if syntax is not None and not syntax.is_little_endian else "<"
    group, element = struct.unpack(f"{order}HH", head[:4])
    if (group << 16) + element != PIXELS:
        return False
    is_explicit = head[4:6] in (b"OW", b"OB", b"OF", b"OD", b"UN")
    if is_explicit and len(head) < 12:
        raise Unreadable("dicom.cut", "the file ends where its pixels begin: fetch it again")
    length = struct.unpack(f"{order}L", head[8:12] if is_explicit else head[4:8])[0]
    start = at + (12 if is_explicit else 8)
    if length == 0xFFFFFFFF:
        return True
    if start + length > size:
        raise Unreadable("dicom.cut", f"{size - start:,} bytes of pixels, {length:,} were announced: fetch it again")
    n_rows, n_columns = instance["n_rows"], instance["n_columns"]
    bits = int(values.get("BitsAllocated", "0"))
    if n_rows and n_columns and bits and (syntax is None or not syntax.is_compressed):
        samples = int(values.get("SamplesPerPixel", "1"))
        expected = -(-n_rows * n_columns * bits * samples * instance["n_frames"] // 8)
        if length < expected:
            raise Unreadable("dicom.cut", f"{length:,} bytes of pixels; {n_rows} x {n_columns} need {expected:,}")
    return length > 0
