"""DICOM files opened the same way by whoever reads their header and whoever reads their pixels.

Accepted are the forms of PS3.10 and PS3.5: with preamble and file meta information, or the bare data set, as old archives and
copies without a suffix have it (implicit or explicit, either order of bytes, told by its first element); and deflated ones,
which are inflated in memory, up to a limit.
"""

from __future__ import annotations

import io
import struct
import zlib
from typing import BinaryIO, NamedTuple

import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.filereader import read_dataset
from pydicom.uid import (
    UID,
    AllTransferSyntaxes,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from tshdb.images.dicom_marks import is_bare, is_marked

MOST_INFLATED = 2 << 30
_META, _SYNTAX = 0x0002, 0x0010  # the group of the file meta information, and in it TransferSyntaxUID
_SHORT = struct.Struct("<HH2sH")
_LONG = (b"OB", b"UN")  # of the value representations of the group, those with a length of four bytes
_PIXELS = frozenset((0x7FE00010, 0x7FE00009, 0x7FE00008))
_USUAL = {
    syntax.encode(): syntax
    for syntax in (
        ImplicitVRLittleEndian,
        ExplicitVRLittleEndian,
        *(s for s in AllTransferSyntaxes if s.is_encapsulated),
    )
}
_RESCALES = (
    "PixelValueTransformationSequence",
    "UnassignedPerFrameConvertedAttributesSequence",
    "UnassignedSharedConvertedAttributesSequence",
)  # the standard's own place first
_DEFLATED = DeflatedExplicitVRLittleEndian.encode()


class NotDicom(Exception):
    """The file has neither DICOM's mark nor the beginning of a data set."""


class Opened(NamedTuple):
    """A file's elements up to the pixels, and where these begin.

    stream: of the elements as they are encoded, the inflated ones of a deflated file; it stands at the first element that was
    not read. size: of the stream.
    syntax: TransferSyntaxUID, of a bare data set the one that it is written in. has_mark: with preamble and mark.
    """

    dataset: Dataset
    stream: BinaryIO
    size: int
    syntax: UID
    has_mark: bool


def opened(file: BinaryIO, size: int) -> Opened:
    """The header of a DICOM file. Raises NotDicom, ValueError for a deflated file that is damaged or too large, and whatever
    pydicom raises."""
    head = file.read(1024)
    has_mark = is_marked(head)
    if not has_mark and not is_bare(head):
        raise NotDicom
    if has_mark and (usual := _usual(file, size, head)) is not None:
        return usual
    file.seek(0)
    if has_mark and _DEFLATED in head:
        meta = _file_meta(file)
        if meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
            content = _inflated(file.read())
            stream = io.BytesIO(content)
            dataset = pydicom.dcmread(stream, stop_before_pixels=True, force=True)
            dataset.file_meta = meta
            return Opened(dataset, stream, len(content), DeflatedExplicitVRLittleEndian, has_mark)
        file.seek(0)
    dataset = pydicom.dcmread(file, stop_before_pixels=True, force=not has_mark)
    syntax = dataset.file_meta.get("TransferSyntaxUID")
    if not syntax:
        syntax = _syntax_of(dataset)
        dataset.file_meta.TransferSyntaxUID = syntax
    return Opened(dataset, file, size, UID(syntax), has_mark)


def _usual(file: BinaryIO, size: int, head: bytes) -> Opened | None:
    """A file as nearly all are: marked, its meta information short and well-formed, its elements not deflated or big endian.

    None for any other, and for one in which anything is strange: that is read by `dcmread`, which knows more and costs a third
    more. head: its first bytes.
    """
    found = syntax_and_start(head)
    if found is None:
        return None
    syntax, start = found
    file.seek(start)
    try:
        dataset = read_dataset(file, syntax == ImplicitVRLittleEndian, True, stop_when=_at_pixels)
    except Exception:
        return None  # whatever it is, it is said by the other way
    return Opened(dataset, file, size, syntax, True)


def syntax_and_start(head: bytes) -> tuple[UID, int] | None:
    """(TransferSyntaxUID, where the data set begins) by the file meta information (PS3.10 7.1); None where it is not usual."""
    at, syntax = 132, b""
    while at + 12 <= len(head):
        group, element, vr, length = _SHORT.unpack_from(head, at)
        if group != _META:
            known = _USUAL.get(syntax.rstrip(b"\0 "))
            return None if known is None or group < _META else (known, at)
        if vr in _LONG:
            (length,) = struct.unpack_from("<L", head, at + 8)
            at += 4
        elif not vr.isalpha():
            return None
        at += _SHORT.size
        if element == _SYNTAX:
            syntax = head[at : at + length]
        at += length
    return None


def _at_pixels(tag: int, vr: str | None, length: int) -> bool:
    return tag in _PIXELS


def _syntax_of(dataset: FileDataset) -> UID:
    """The transfer syntax of a file that does not name it, by how it was read."""
    is_implicit, is_little_endian = dataset.original_encoding
    if is_implicit:
        return ImplicitVRLittleEndian
    return ExplicitVRLittleEndian if is_little_endian else ExplicitVRBigEndian


def _file_meta(file: BinaryIO) -> FileMetaDataset:
    """The file meta information; the file stands at the data set afterwards."""
    file.seek(132)
    found = read_dataset(file, False, True, stop_when=lambda tag, vr, length: tag >> 16 != _META)
    return FileMetaDataset(found)


def _inflated(data: bytes) -> bytes:
    """Raises ValueError for what is damaged, cut, or larger than can be right."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        content = inflater.decompress(data, MOST_INFLATED)
    except zlib.error:
        raise ValueError("the deflated data set is damaged") from None
    if inflater.unconsumed_tail:
        raise ValueError(f"the deflated data set has more than {MOST_INFLATED:,} bytes")
    if not inflater.eof:
        raise ValueError("the deflated data set was cut")
    return content


def rescale_of(dataset: Dataset, frame_number: int) -> tuple[float, float]:
    """(slope, intercept) of a frame, from 1: its own, those that all frames share, the object's; else 1 and 0."""
    places: list[Dataset] = []
    for name, i in (("PerFrameFunctionalGroupsSequence", frame_number - 1), ("SharedFunctionalGroupsSequence", 0)):
        items = dataset.get(name) or []
        if i < len(items):
            places += [group for of in _RESCALES if of in items[i] for group in items[i][of].value[:1]]
    places.append(dataset)
    slope, intercept = (
        next((v for place in places if (v := place.get(name)) not in (None, "")), default)
        for name, default in (("RescaleSlope", 1), ("RescaleIntercept", 0))
    )
    return float(slope) or 1.0, float(intercept)
