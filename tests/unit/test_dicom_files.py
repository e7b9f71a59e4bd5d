"""A DICOM file is opened the quick way or by pydicom's `dcmread`: the same elements, and the same place at which pixels begin."""

from __future__ import annotations

import io
import struct

import pydicom
import pytest
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
    MRImageStorage,
)

from tshdb.images import dicom_files
from tshdb.images.dicom_files import opened


def written(syntax: str = ExplicitVRLittleEndian, is_implicit: bool | None = None, **meta_elements: object) -> bytes:
    """A file. is_implicit: other than its syntax says."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = MRImageStorage, "1.2.3"
    meta.TransferSyntaxUID = syntax
    for name, value in meta_elements.items():
        setattr(meta, name, value)
    made = FileDataset(None, {}, file_meta=meta, preamble=bytes(128))
    made.SpecificCharacterSet, made.PatientName = "ISO_IR 100", "Müller"
    made.SOPClassUID, made.SOPInstanceUID, made.InstanceNumber = MRImageStorage, "1.2.3", 7
    item = Dataset()
    item.RescaleSlope = 2.0
    made.PixelValueTransformationSequence = pydicom.Sequence([item])
    made.Rows = made.Columns = 2
    made.BitsAllocated, made.PixelData = 16, bytes(8)
    made["PixelData"].VR = "OW"
    if syntax == JPEGLSLossless:
        made.PixelData = pydicom.encaps.encapsulate([b"\1\2"])
        made["PixelData"].VR, made["PixelData"].is_undefined_length = "OB", True
    out = io.BytesIO()
    is_little = syntax != ExplicitVRBigEndian
    if is_implicit is None:
        is_implicit = syntax == ImplicitVRLittleEndian
    meta.FileMetaInformationGroupLength = 0  # filled in as it is written
    meta.FileMetaInformationVersion = b"\0\1"
    pydicom.dcmwrite(out, made, implicit_vr=is_implicit, little_endian=is_little, force_encoding=True)
    return out.getvalue()


def without_length(data: bytes) -> bytes:
    """The meta information without the element that says how long it is."""
    return data[:132] + data[144:]


def with_command(data: bytes) -> bytes:
    """An element of a network command between the meta information and the data set (implicit, as commands are)."""
    end = 144 + struct.unpack_from("<L", data, 140)[0]
    return data[:end] + struct.pack("<HHLL", 0, 0, 4, 0) + data[end:]


FILES = {  # name -> (the file, whether it is usual)
    "explicit": (written(), True),
    "implicit": (written(ImplicitVRLittleEndian), True),
    "encapsulated": (written(JPEGLSLossless), True),
    "no length of the meta information": (without_length(written()), True),
    "big endian": (written(ExplicitVRBigEndian), False),
    "a private syntax": (written("1.2.3.4.5"), False),
    "long meta information": (written(PrivateInformationCreatorUID="1.2", PrivateInformation=bytes(1200)), False),
    "meta information with a long value": (written(PrivateInformationCreatorUID="1.2", PrivateInformation=bytes(200)), True),
    "a command": (with_command(written(ImplicitVRLittleEndian)), False),
    "implicit, and said to be explicit": (written(is_implicit=True), None),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:Expected explicit VR")
@pytest.mark.parametrize("name", FILES)
def test_both_ways_give_the_same_elements_and_the_same_place(name, monkeypatch):
    data, is_usual = FILES[name]
    if is_usual is not None:
        assert (dicom_files._usual(io.BytesIO(data), len(data), data[:1024]) is not None) is is_usual
    quick = opened(io.BytesIO(data), len(data))
    monkeypatch.setattr(dicom_files, "_usual", lambda *_: None)
    slow = opened(io.BytesIO(data), len(data))
    assert quick.syntax == slow.syntax and quick.has_mark is slow.has_mark is True
    assert quick.stream.tell() == slow.stream.tell() < len(data)
    assert list(quick.dataset.keys()) == list(slow.dataset.keys()) and len(quick.dataset) >= 7
    assert all(quick.dataset[tag] == slow.dataset[tag] for tag in slow.dataset.keys())
    assert str(quick.dataset.PatientName) == "Müller"


@pytest.mark.parametrize("at", [131, 140, 150, 200, 330, 345])
def test_what_is_cut_is_judged_alike(at, monkeypatch):
    data = written()[:at]

    def judged():
        try:
            found = opened(io.BytesIO(data), len(data))
            return [str(element) for element in found.dataset], found.stream.tell()
        except Exception as error:
            return type(error).__name__

    quick = judged()
    monkeypatch.setattr(dicom_files, "_usual", lambda *_: None)
    assert quick == judged()
