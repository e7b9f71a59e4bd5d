"""Voxels in another file than their header: beside it or nowhere, and part of the mask's bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from ingest.imaging.detached import beside, data_file
from ingest.imaging.unreadable import Unreadable
from tshdb.objects import whole_digest

NRRD = "NRRD0004\n# a comment\ntype: uint8\ndimension: 3\nsizes: 4 4 4\nencoding: raw\n{field}\n\n"
META = "ObjectType = Image\nNDims = 3\nDimSize = 4 4 4\nElementType = MET_UCHAR\n{field}\n"


def header(folder: Path, name: str, field: str) -> Path:
    path = folder / name
    path.write_bytes((NRRD if "nrrd" in name or "nhdr" in name else META).format(field=field).encode())
    return path


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("m.nrrd", "data file: m.raw"), ("m.nhdr", "datafile: m.raw"), ("m.nhdr", "Data File: m.raw"),
        ("m.mha", "ElementDataFile = m.raw"), ("m.mhd", "ElementDataFile=m.raw"), ("m.mhd", "elementdatafile : m.raw"),
    ],
)  # fmt: skip
def test_a_bare_name_beside_the_header_is_its_data_file(tmp_path, name, field):
    (tmp_path / "m.raw").write_bytes(bytes(64))
    path = header(tmp_path, name, field)
    assert data_file(path) == tmp_path / "m.raw" and beside(path) == (tmp_path / "m.raw",)


@pytest.mark.parametrize("name", ["m.nrrd", "m.nhdr", "m.mha", "m.mhd"])
@pytest.mark.parametrize(
    "where",
    [
        "{out}/private.txt", "../private.txt", "./m.raw", "sub/m.raw", "..", "sub\\m.raw", "C:m.raw", "//host/m.raw", "gone.raw",
        "link.raw", "LIST", "m%03d.raw 1 20 1", "sub", '"../private.txt"',
    ],
)  # fmt: skip
def test_what_is_not_beside_is_refused_and_not_opened(tmp_path, name, where):
    (tmp_path / "private.txt").write_bytes(b"PRIVATE" * 100)
    folder = tmp_path / "masks"
    (folder / "sub").mkdir(parents=True)
    for path in (folder / "m.raw", folder / "sub/m.raw"):
        path.write_bytes(bytes(64))
    (folder / "link.raw").symlink_to(tmp_path / "private.txt")
    key = "data file: " if "n" in name else "ElementDataFile = "
    path = header(folder, name, key + where.format(out=tmp_path))
    with pytest.raises(Unreadable) as error:
        data_file(path)
    assert error.value.rule == "mask.elsewhere" and beside(path) == ()


def test_voxels_behind_their_header_are_no_other_file(tmp_path):
    image = sitk.GetImageFromArray(np.ones((4, 4, 4), np.uint8))
    for name in ("whole.nrrd", "whole.mha"):
        sitk.WriteImage(image, str(tmp_path / name))
        assert data_file(tmp_path / name) is None
    (tmp_path / "mask.nii.gz").write_bytes(b"data file: /etc/passwd\n")
    assert data_file(tmp_path / "mask.nii.gz") is None
    behind = header(tmp_path, "behind.nrrd", "kinds: domain domain domain")
    behind.write_bytes(behind.read_bytes() + b"data file: /etc/passwd\n")  # of the voxels
    assert data_file(behind) is None


@pytest.mark.parametrize("name", ["m.nhdr", "m.mhd"])
def test_itk_reads_what_we_take_for_the_data_file(tmp_path, name):
    """An independent reader: what SimpleITK wrote detached, and whose voxels it changes with."""
    sitk.WriteImage(sitk.GetImageFromArray(np.ones((4, 4, 4), np.uint8)), str(tmp_path / name), False)
    path = tmp_path / name
    data = data_file(path)
    assert data is not None and data.name == "m.raw"
    before = whole_digest(path, beside(path))
    data.write_bytes(bytes(32) + bytes([1]) * 32)
    assert sitk.GetArrayFromImage(sitk.ReadImage(str(path))).sum() == 32
    assert whole_digest(path, beside(path)) != before
