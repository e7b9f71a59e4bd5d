"""Pixels of plain files without pydicom, which is the referee: of every form, and of damaged files."""

from __future__ import annotations

import hashlib
import io

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian, MRImageStorage, RLELossless

from tshdb.images import pixels, plain_pixels
from tshdb.images.pixels import Image, read_volume


def written(dtype="<i2", stored=16, syntax=ExplicitVRLittleEndian, shape=(5, 7), sequences=0, **elements) -> bytes:
    """A file of random pixels, with all bits used. sequences: 1 of defined, 2 of undefined length, one within the other."""
    values = np.random.default_rng(1).integers(0, 256, (*shape, np.dtype(dtype).itemsize), np.uint8)
    file = pydicom.FileDataset(None, {}, b"\0" * 128, FileMetaDataset(), syntax.is_implicit_VR, syntax.is_little_endian)
    file.file_meta.TransferSyntaxUID = syntax
    file.file_meta.MediaStorageSOPClassUID = file.SOPClassUID = MRImageStorage
    file.file_meta.MediaStorageSOPInstanceUID = file.SOPInstanceUID = "1.2.3"
    file.Rows, file.Columns, file.SamplesPerPixel, file.PhotometricInterpretation = *shape[:2], 1, "MONOCHROME2"
    file.BitsAllocated, file.BitsStored, file.HighBit = 8 * np.dtype(dtype).itemsize, stored, stored - 1
    file.PixelRepresentation = int(np.dtype(dtype).kind == "i")
    file.add_new(0x00090010, "LO", "SOME MAKER")
    file.add_new(0x00091001, "UN", b"\1\2\3\4")
    if sequences:
        inner, item = Dataset(), Dataset()
        inner.CodeValue = "T-04000"
        item.AnatomicRegionModifierSequence = Sequence([inner])
        item.RescaleSlope = 9  # of the item, not of the image
        file.AnatomicRegionSequence = Sequence([item, Dataset()])
        for dataset, name in ((file, "AnatomicRegionSequence"), (item, "AnatomicRegionModifierSequence")):
            dataset[name].is_undefined_length = sequences == 2
            for part in dataset[name].value:
                part.is_undefined_length_sequence_item = sequences == 2
    for name, value in elements.items():
        setattr(file, name, value)
    file.PixelData = values.tobytes() + b"\0" * (values.size % 2)
    file["PixelData"].VR = "OW" if file.BitsAllocated == 16 else "OB"
    out = io.BytesIO()
    file.save_as(out, enforce_file_format=True)
    return out.getvalue()


def read(path, data: bytes) -> np.ndarray:
    path.write_bytes(data)
    return read_volume([Image(str(path), hashlib.sha256(data).hexdigest())])[0]


def by_pydicom(data: bytes) -> np.ndarray:
    file = pydicom.dcmread(io.BytesIO(data))
    values = file.pixel_array.astype(np.float32)
    slope, intercept = file.get("RescaleSlope") or 1, file.get("RescaleIntercept") or 0
    return values * np.float32(slope) + np.float32(intercept)


PLAIN = {
    "16 bits": {},
    "unsigned": {"dtype": "<u2"},
    "12 of 16 bits, the others hold anything": {"dtype": "<u2", "stored": 12},
    "12 of 16 bits, signed": {"stored": 12},
    "8 bits, an odd number": {"dtype": "u1", "stored": 8},
    "implicit": {"syntax": ImplicitVRLittleEndian},
    "rescaled": {"RescaleSlope": "0.37", "RescaleIntercept": "-12.5"},
    "slope of 0": {"RescaleSlope": "0"},
    "empty slope": {"RescaleSlope": ""},
    "one frame": {"NumberOfFrames": "1"},
    "sequences": {"sequences": 1},
    "sequences of undefined length": {"sequences": 2},
    "sequences of undefined length, implicit": {"sequences": 2, "syntax": ImplicitVRLittleEndian},
}
OTHERS = {
    "big endian": {"syntax": ExplicitVRBigEndian, "dtype": ">i2"},
    "two slopes": {"RescaleSlope": ["1", "2"]},
    "bits on top": {"stored": 12, "HighBit": 15},
    "functional groups": {"SharedFunctionalGroupsSequence": Sequence([Dataset()])},
}


@pytest.mark.parametrize("name", PLAIN)
def test_plain_files_are_read_as_pydicom_reads_them(tmp_path, name):
    data = written(**PLAIN[name])
    assert plain_pixels.plain_pixels(data) is not None
    assert np.array_equal(read(tmp_path / "a.dcm", data), by_pydicom(data))


@pytest.mark.parametrize("name", OTHERS)
def test_other_files_are_left_to_pydicom(name):
    assert plain_pixels.plain_pixels(written(**OTHERS[name])) is None


def test_frames_colours_and_compressed_files_are_left_to_pydicom():
    data = written()
    several = written(NumberOfFrames="2", shape=(5, 7, 2))
    colour = written(
        "u1", 8, shape=(5, 7, 3), SamplesPerPixel=3, PhotometricInterpretation="RGB", PlanarConfiguration=0
    )
    dataset = pydicom.dcmread(io.BytesIO(data))
    dataset.compress(RLELossless)
    out = io.BytesIO()
    dataset.save_as(out)
    bare = data[pydicom.dcmread(io.BytesIO(data)).file_meta.FileMetaInformationGroupLength + 144 :]
    for other in (several, colour, out.getvalue(), bare, data[:-3], data[:200], b""):
        assert plain_pixels.plain_pixels(other) is None


def test_a_second_frame_of_one_is_no_frame(tmp_path):
    data = written()
    (tmp_path / "a.dcm").write_bytes(data)
    with pytest.raises(ValueError):
        read_volume([Image(str(tmp_path / "a.dcm"), hashlib.sha256(data).hexdigest(), 2)])


def test_damaged_headers_are_read_as_pydicom_reads_them_or_left_to_it(tmp_path, monkeypatch):
    """One byte of the header changed: what is read without pydicom is what is read with it."""
    whole = written(sequences=2, RescaleSlope="0.37", RescaleIntercept="-12.5", NumberOfFrames="1")
    random, n_read = np.random.default_rng(2), 0
    for _ in range(300):
        data = bytearray(whole)
        data[random.integers(132, len(whole) - 90)] = random.integers(0, 256)
        found = plain_pixels.plain_pixels(bytes(data))
        if found is None:
            continue
        n_read += 1
        ours = pixels._rescaled(*found)
        with monkeypatch.context() as patched:
            patched.setattr(plain_pixels, "plain_pixels", lambda _: None)
            assert np.array_equal(read(tmp_path / "a.dcm", bytes(data)), ours)
    assert n_read > 100
