"""One DICOM file's header: the whitelisted attributes as plain values, its bytes' digest, and what is wrong with it.

Of enhanced MR, also what each frame says (`frames`). A file that was cut on its way is refused, wherever it ends.

The file is read once: the same bytes are hashed and parsed. Anything that pydicom raises becomes one error type here.
"""

from __future__ import annotations

import hashlib
import io
import re
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from pydicom.dataelem import RawDataElement
from pydicom.uid import UID

from ingest.imaging import frames, identity
from ingest.imaging.elements import INSTANCE, SERIES, STUDY, converted, date_of, seconds_of, sex_of, texts_of
from ingest.imaging.stored_pixels import UNDEFINED, digest_from, digests_of_frames, stored
from ingest.imaging.unreadable import TROUBLE, Unreadable
from tshdb.everyday import refuse_of_machine
from tshdb.images.decoding import LOSSY, decoder_of, named
from tshdb.images.dicom_files import NotDicom, Opened, opened

READ_WHOLE = 64 << 20  # larger files are hashed in pieces, and their header is read by itself
SEGMENTATIONS = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")  # and label maps, by SOP class
FREE_TEXTS = ("StudyDescription", "SeriesDescription", "ProtocolName")
SAID_FREELY = (*FREE_TEXTS, "ContrastBolusAgent", "BodyPartExamined", "SequenceName", "ClinicalTrialTimePointID")
IMAGE_NEEDS = ("Rows", "Columns", "BitsAllocated")  # type 1 of every image, PS3.3 C.7.6.3


class Header(NamedTuple):
    """What one file says, by the table that it goes to; findings: (severity, rule, element, message).

    series["mixed"]: the columns in which its frames differ. frames: of each frame, what of `instance` is otherwise.
    """

    patient: dict[str, Any]
    study: dict[str, Any]
    series: dict[str, Any]
    instance: dict[str, Any]
    findings: list[tuple[str, str, str | None, str]]
    frames: list[dict[str, Any]]


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
        refuse_of_machine(error)
        raise Unreadable("dicom.unreadable", f"cannot be read: {error.strerror}") from None
    file = io.BytesIO(data)
    return hashlib.sha256(data).hexdigest(), _whole_header(file, size, accepts_identified)


def _whole_header(file, size: int, accepts_identified: bool) -> Header:
    try:
        return _header(_opened(file, size), accepts_identified)
    except frames.FramesWrong as error:
        raise Unreadable("dicom.frames", f"{error}: the file is damaged, fetch it again") from None
    except TROUBLE as error:
        refuse_of_machine(error)
        raise Unreadable("dicom.unreadable", f"the header is damaged ({type(error).__name__})") from None


def _opened(file, size: int) -> Opened:
    try:
        return opened(file, size)  # naming the tags would cost more
    except NotDicom:
        raise Unreadable("dicom.not-dicom", "has no DICOM header") from None


def _header(file: Opened, accepts_identified: bool) -> Header:
    dataset = file.dataset
    _check_whole(file)
    values = texts_of(dataset)
    if not file.has_mark and not values.get("SOPClassUID"):
        raise Unreadable("dicom.not-dicom", "has no DICOM header")  # it only begins like one
    for name in ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID"):
        if not values.get(name):
            raise Unreadable("dicom.no-uid", f"{name} is missing: nobody can say what this file belongs to")
    is_enhanced = values["SOPClassUID"] in frames.ENHANCED
    of_frames = frames.values_of_frames(dataset, values, texts_of) if is_enhanced else []
    for said in (values, *of_frames):
        tags = [*identity.identifying(said), *identity.in_free_texts(said, SAID_FREELY)]
        if said is values:
            tags += identity.within(dataset, values)
        if tags and not accepts_identified:
            raise Unreadable("dicom.identified", _identified(tags, said))
    findings: list[tuple[str, str, str | None, str]] = []
    for name in FREE_TEXTS:
        had_date = False
        for said in (values, *of_frames):
            if name in said:
                said[name], has_date = identity.without_dates(said[name])
                had_date = had_date or has_date
        if had_date:
            findings.append(("warning", "dicom.date-in-text", name, "holds a date, which is not stored"))
    study, series, instance = _rows(values, findings)
    instance["n_frames"] = instance["n_frames"] or 1
    n_frames = instance["n_frames"]
    pixels = stored(
        file, n_frames, instance["n_rows"], instance["n_columns"], int(values.get("BitsAllocated", "0")),
        int(values.get("SamplesPerPixel", "1")),
    )  # fmt: skip
    instance["has_pixels"] = pixels is not None
    instance["pixel_digest"] = digest_from(file, pixels.at) if pixels is not None and n_frames == 1 else None
    _check_image(values, instance)
    _note_encoding(file.syntax, values, instance["has_pixels"], findings)
    framewise = []
    if of_frames:
        series, framewise = _framewise(series, instance, of_frames, findings)
        if pixels is not None and n_frames > 1:
            for frame, digest in zip(framewise, digests_of_frames(file, pixels, n_frames), strict=True):
                frame["pixel_digest"] = digest
    series["transfer_syntax_uid"] = str(file.syntax)
    if series["photometric"] == "MONOCHROME1":
        findings.append(("warning", "dicom.monochrome1", "PhotometricInterpretation", "bright is low: inverted"))
    patient = {"patient_id": values["PatientID"].strip(), "sex": sex_of(values.get("PatientSex", ""))}
    return Header(patient, study, series, instance, findings, framewise)


def _rows(values: dict[str, str], findings: list) -> tuple[dict, dict, dict]:
    """What a file, or a frame of one, says of study, series and instance."""
    study, series, instance = (converted(c, values, findings) for c in (STUDY, SERIES, INSTANCE))
    _add_times(study, series, instance, values)
    _add_geometry(series, instance, values, findings)
    return study, series, {"frame_number": 1, **instance}


def _framewise(
    of_object: dict, instance: dict, of_frames: list[dict[str, str]], findings: list
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """(the series by its first frame, with the columns that differ; the instance's columns of each frame that differ)."""
    first: dict[str, Any] = {}
    mixed: set[str] = set()
    rows = []
    for number, values in enumerate(of_frames, 1):
        noted: list = []
        _, series, own = _rows(values, noted)
        findings += [f for f in noted if f not in findings]
        first = first or series
        mixed |= {name for name, value in series.items() if value != first[name]} - {"mixed"}
        own |= {"frame_number": number, "n_frames": instance["n_frames"], "has_pixels": instance["has_pixels"]}
        rows.append({name: value for name, value in own.items() if value != instance[name]})
    series_row = first | {"image_type": of_object["image_type"], "mixed": sorted(mixed - {"image_type"})}
    return series_row, rows


def _check_whole(file: Opened) -> None:
    """Raises Unreadable for a file that ends inside an element of its header."""
    elements = file.dataset._dict  # as they were read: an access by tag converts them
    last = elements[next(reversed(elements))] if elements else None
    if not isinstance(last, RawDataElement) or last.length == UNDEFINED:
        return
    n_there = len(last.value or b"")
    if n_there < last.length:
        raise Unreadable("dicom.cut", f"{n_there:,} bytes of a value, {last.length:,} were announced: fetch it again")
    at, end = file.stream.tell(), last.value_tell + last.length
    if at == file.size > end:
        file.stream.seek(end)
        if any(file.stream.read(8)):
            raise Unreadable("dicom.cut", "the file ends where an element begins: fetch it again")
        file.stream.seek(at)


def _check_image(values: dict[str, str], instance: dict) -> None:
    """Raises Unreadable for an image that does not say how large it is: it was cut, or is none."""
    missing = [name for name in IMAGE_NEEDS if name not in values]
    if missing and is_image(values["SOPClassUID"]):
        where = "" if instance["has_pixels"] else "; it ends before them, so that it seems to have been cut"
        raise Unreadable("dicom.cut", f"an image without {', '.join(missing)}{where}: fetch it again")


@cache
def is_image(sop_class_uid: str) -> bool:
    """Whether objects of a class are images, by its name in the standard (PS3.4 B.5)."""
    return UID(sop_class_uid).name.endswith("Image Storage")


def _note_encoding(syntax: str, values: dict[str, str], has_pixels: bool, findings: list) -> None:
    if not has_pixels:
        return
    try:
        decoder_of(syntax)
    except ValueError as error:
        findings.append(("warning", "dicom.undecodable", "TransferSyntaxUID", str(error)))
    if syntax in LOSSY or values.get("LossyImageCompression") == "01":
        findings.append(("warning", "dicom.lossy", "LossyImageCompression", f"pixels were changed: {named(syntax)}"))


def _identified(tags: list[str], values: dict[str, str]) -> str:
    removed = values.get("PatientIdentityRemoved")
    state = f"says {removed}" if removed in ("YES", "NO") else "is no YES" if removed else "is absent"
    named = ", ".join(tags[:4]) + (f" and {len(tags) - 4} more" if len(tags) > 4 else "")
    return f"{named}: names a person, and PatientIdentityRemoved {state}; this study takes de-identified images only"


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
    if instance["acquisition_s"] is None:
        instance["acquisition_s"] = _since(day, values.get("AcquisitionDateTime"))
    instance["reference_s"] = _since(day, values.get("FrameReferenceDateTime"))
    instance["content_s"] = since_study("ContentDate", "ContentTime")


def _since(day: date | None, both: str | None) -> float | None:
    """A DICOM date and time in seconds since midnight of the study's date."""
    if not both:
        return None
    own, seconds = date_of(both[:8]), seconds_of(re.split(r"[+-]", both[8:])[0])
    if seconds is None:
        return None
    days = (own - day).days if own and day else 0
    return seconds + (86_400.0 * days if 0 < days <= 2 else 0.0)


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
    instance["row_step_mm"], instance["column_step_mm"] = series["row_spacing_mm"], series["column_spacing_mm"]
    series["mixed"] = []
