"""Small files after public reports of others' bugs: each is read with its values, or refused in one line. All content is our own.

The report stands beside each entry, by repository and number.
"""

from __future__ import annotations

import gzip
import io
import struct
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK
from pydicom.uid import RLELossless

from ingest.imaging import mask_files
from ingest.imaging.headers import digest_and_header
from ingest.imaging.unreadable import Unreadable
from ingest.tables import mapped, maps
from tests.imaging.test_identified_headers import file_of
from tests.ingest.test_formats import packed_zip
from tests.ingest.zoo.judge import MAP, patients
from tests.support.damage import damaged
from tests.support.damaged_formats import PATIENT, formats
from tshdb.errors import InvalidInput
from tshdb.readers import Examination

PLAIN = patients()
PACKED = gzip.compress(PLAIN.encode(), mtime=0)


def one_zip(name: str, mode: int = 0o100644) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        member = zipfile.ZipInfo(name)
        member.external_attr = mode << 16
        packed.writestr(member, PLAIN)
    return buffer.getvalue()


TABLES = {  # name -> (file, bytes, what is refused; empty: it is read whole)
    "python/cpython#68489: garbage behind a gzip": ("t.csv.gz", PACKED + b"garbage", "cut or damaged"),
    "pauldmccarthy/indexed_gzip#69: zeros behind a gzip": ("t.csv.gz", PACKED + bytes(512), ""),
    "bixo/bixo#68: a gzip without its end": ("t.csv.gz", PACKED[:-8], "cut or damaged"),
    "python/cpython#80090: a name that leads out of a zip": ("t.zip", one_zip("../../../t.csv"), "archive of 0 files"),
    "PreferredAI/cornac#709: a link in an archive": ("t.zip", one_zip("t.csv", 0o120777), ""),
    "python-excel/xlrd#344: a text called a workbook": ("t.xlsx", PLAIN.encode(), ""),
    "python-excel/xlrd#228: a zip called a workbook": ("t.xlsx", packed_zip(PLAIN, "worksheet.xml"), ""),
    "willtrnr/pyxlsb#23: a workbook that is a page": ("t.xlsx", b"<html><body>expired</body></html>", "web page"),
}


@pytest.mark.parametrize("report", TABLES)
def test_a_table(tmp_path, report):
    name, data, refused = TABLES[report]
    path = tmp_path / "in" / name
    path.parent.mkdir()
    path.write_bytes(data)

    def read():
        return mapped.read(path, "own", maps.parse_map(MAP, "m"))

    if refused:
        with pytest.raises(InvalidInput, match=refused) as error:
            read()
        assert error.value.where and error.value.repair
    else:
        content = read()
        assert content.errors == [] and len({r.values["patient_id"] for r in content.records}) == 9
    assert [p.name for p in tmp_path.iterdir()] == ["in"], "nothing is unpacked beside it"


@pytest.mark.parametrize("seed", range(12))
def test_an_old_workbook(tmp_path, seed):
    """python-excel/xlrd#132, #149, #227, #302: its assertions fail on damaged sectors, strings and links."""
    path = tmp_path / "t.xls"
    good = formats()["XLS"].files()["t.xls"]
    path.write_bytes(damaged(good, 1000 + seed)[1])
    try:
        mapped.read(path, "own", maps.parse_map(MAP, "m"))
    except InvalidInput as error:
        assert error.where and error.repair


def nifti(**fields: tuple[int, str, object]) -> bytes:
    data = bytearray(formats()["NIfTI"].files()[f"{PATIENT}.nii"])
    for at, form, value in fields.values():
        struct.pack_into(form, data, at, value)
    return bytes(data)


def floats(value: float) -> bytes:
    made = SimpleITK.GetImageFromArray(np.full((3, 4, 4), value, np.float32))
    with tempfile.TemporaryDirectory() as folder:
        SimpleITK.WriteImage(made, f"{folder}/x.nii")
        return Path(f"{folder}/x.nii").read_bytes()


MASKS = {
    "nipy/nibabel#548: a negative size": nifti(dim=(42, "<h", -1)),
    "nipy/nibabel#537: fewer bytes than the header says": nifti()[:-7],
    "epam/mriviewer#249: voxels behind the end": nifti(vox_offset=(108, "<f", 9e6)),
    "nipy/nibabel#99: voxels that are no labels": floats(0.5),
    "NIFTI-Imaging/nifti_clib#132: half a header": nifti()[:200],
    "InsightSoftwareConsortium/ITK#6575: a packed MetaImage that is cut": None,
}


@pytest.mark.parametrize("report", MASKS)
def test_a_mask(tmp_path, report):
    data, name = MASKS[report], f"{PATIENT}.nii"
    if data is None:
        whole = SimpleITK.GetImageFromArray((np.random.default_rng(1).random((12, 40, 40)) > 0.7).astype(np.uint8))
        name = f"{PATIENT}.mha"
        SimpleITK.WriteImage(whole, str(tmp_path / name), useCompression=True)
        data = (tmp_path / name).read_bytes()[:-40]
    (tmp_path / name).write_bytes(data)
    content = mask_files.read(tmp_path / name, [Examination("1.2", PATIENT, "T0")], mask_files.MaskFileOptions("x"))
    assert content.records == [] and len(content.errors) == 1


def encapsulated(end: bytes) -> bytes:
    """A file of one fragment whose sequence ends by these bytes."""
    made = pydicom.dcmread(io.BytesIO(next(iter(formats()["DICOM"].files().values()))))
    made.compress(RLELossless, encoding_plugin="pydicom")
    buffer = io.BytesIO()
    made.save_as(buffer)
    data = buffer.getvalue()
    at = data.rindex(b"\xfe\xff\xdd\xe0")
    return data[: at + 4] + end


DICOM = {  # name -> (the bytes, whether they may be taken)
    "dgobbi/vtk-dicom#201: zeros behind the end": (lambda d: d + bytes(64), None),
    "cornerstonejs/dicomParser#266: an end of undefined length": (lambda d: encapsulated(b"\xff\xff\xff\xff"), None),
    "SimpleITK/SimpleITK#2445: fragments that are cut": (lambda d: encapsulated(b"")[:-40], False),
    "exini/dicom-streams-js#41: cut within a value": (lambda d: d[:-9], False),
}


@pytest.mark.parametrize("report", DICOM)
def test_a_dicom_file(tmp_path, report):
    make, may_be_taken = DICOM[report]
    path = tmp_path / "one.dcm"
    path.write_bytes(make(next(iter(formats()["DICOM"].files().values()))))
    try:
        sha256, header = digest_and_header(path, accepts_identified=False)
        assert may_be_taken is not False and len(sha256) == 64 and header.instance["n_rows"] == 4
    except Unreadable as error:
        assert error.rule.startswith("dicom.")


def test_a_directory_of_a_disc_with_names(tmp_path):
    """KitwareMedical/dicom-anonymizer#41: DICOMDIR holds the patients' names once more."""
    record = pydicom.Dataset()
    record.PatientName, record.PatientID, record.DirectoryRecordType = "Mustermann^Erika", "SIM-0009", "PATIENT"
    path = file_of(tmp_path, record, "DirectoryRecordSequence")
    with pytest.raises(Unreadable, match="PatientName in DirectoryRecordSequence") as error:
        digest_and_header(path, accepts_identified=False)
    assert "Mustermann" not in str(error.value)
