"""Files that are cut, or of which a bit is another: refused in a sentence that names them, never a traceback, never other values.

Where a format keeps a sum (gzip, bzip2, xz, zip, zlib), every flipped bit of what is packed must be seen.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import random
from pathlib import Path

import numpy as np
import pytest

from ingest.imaging import mask_files
from ingest.imaging.unreadable import Unreadable
from ingest.imaging.whole_files import check_whole
from ingest.tables import mapped, maps
from tests.ingest.test_formats import packed_tar, packed_zip
from tests.support import tiny
from tests.support.damage_trials import Ground, trials
from tests.support.damaged_formats import formats
from tests.support.forked_program import built_once
from tshdb.errors import IntegrityError, InvalidInput
from tshdb.readers import Examination
from tshdb.text_files import open_text

MAP = '[patient_id]\ncolumn = "id"\n[patients.age_years]\ncolumn = "age"\n'
ROWS = [f"P-{i:04},{50 + i % 40},{random.Random(i).random()}" for i in range(200)]
TEXT = "\n".join(["id,age,note", *ROWS]) + "\n"
PACKED = {
    "t.csv.gz": gzip.compress(TEXT.encode()), "t.csv.bz2": bz2.compress(TEXT.encode()),
    "t.csv.xz": lzma.compress(TEXT.encode()), "t.zip": packed_zip(TEXT, "t.csv"),
    "t.tar.gz": gzip.compress(packed_tar("t.csv", TEXT)), "t.tar.bz2": bz2.compress(packed_tar("t.csv", TEXT)),
}  # fmt: skip
MASKS = ("PT-A.nii", "PT-A.nii.gz", "PT-A.nrrd", "PT-A.mha", "plain/PT-A.nrrd", "plain/PT-A.mha")


def damaged(data: bytes, seed: int) -> list[bytes]:
    """The bytes cut, with one other bit, and with a block of others, at a random place within what is packed."""
    dice = random.Random(seed)
    at = dice.randrange(len(data) // 2, len(data) * 3 // 4)
    other = bytes(b ^ dice.randrange(1, 256) for b in data[at : at + 40])
    flipped = bytes([data[at] ^ 1 << dice.randrange(8)])
    return [data[:at], data[:at] + flipped + data[at + 1 :], data[:at] + other + data[at + 40 :]]


@pytest.mark.parametrize("name", PACKED)
def test_a_damaged_table_is_named(tmp_path, name):
    (tmp_path / "map.toml").write_text(MAP)
    path, map_ = tmp_path / name, maps.load_map(tmp_path / "map.toml")
    path.write_bytes(PACKED[name])
    assert len([r for r in mapped.read(path, "x", map_).records if "age_years" in r.values]) == 200
    for seed in range(8):
        for data in damaged(PACKED[name], seed):
            path.write_bytes(data)
            with pytest.raises(InvalidInput) as refused:
                mapped.read(path, "x", map_)
            assert name in str(refused.value)


@pytest.fixture(scope="module")
def masks(tmp_path_factory) -> Path:
    import SimpleITK

    folder = tmp_path_factory.mktemp("masks")
    (folder / "plain").mkdir()
    inside = (np.random.default_rng(1).random((12, 40, 40)) > 0.7).astype(np.uint8)
    for name in MASKS:
        image = SimpleITK.GetImageFromArray(inside)
        SimpleITK.WriteImage(image, str(folder / name), useCompression="plain" not in name)
    return folder


@pytest.mark.parametrize("name", MASKS)
def test_a_damaged_mask_is_withheld(masks, tmp_path, name):
    def read(path: Path):
        return mask_files.read(path, [Examination("1.2.3", "PT-A", "T0")], mask_files.MaskFileOptions("x"))

    whole = (masks / name).read_bytes()
    path = tmp_path / Path(name).name
    path.write_bytes(whole)
    assert len(read(path).records) == 1 and check_whole(path) is None
    has_sum = "plain" not in name and not name.endswith(".nii")
    for seed in range(8):
        for data in damaged(whole, seed)[: None if has_sum else 1]:
            path.write_bytes(data)
            content = read(path)
            assert content.records == [] and {f.rule for f in content.findings} == {"mask.unreadable"}
            assert content.findings[0].value == path.name


@pytest.mark.parametrize(
    ("name", "header", "n"),
    [
        ("a.nrrd", b"NRRD0004\ntype: unsigned short\ndimension: 3\nsizes: 2 3 4\nencoding: raw\n\n", 48),
        ("a.nrrd", b"NRRD0004\r\ntype: uint8_t\r\ndimension: 3\r\nsizes: 2 3 4\r\nencoding: raw\r\n\r\n", 24),
        ("a.nrrd", b"NRRD0004\ntype: unsigned int\ndimension: 3\nsizes: 2 3 4\nencoding: raw\n\n", 96),
        ("a.nrrd", b"NRRD0004\ntype: long long int\ndimension: 3\nsizes: 2 3 4\nencoding: raw\n\n", 192),
        ("a.mha", b"ObjectType = Image\nDimSize = 2 3 4\nElementType = MET_USHORT\nElementDataFile = LOCAL\n", 48),
    ],
)
def test_bytes_are_counted_by_hand(tmp_path, name, header, n):
    """2 x 3 x 4 voxels of 1, 2, 4 or 8 bytes."""
    path = tmp_path / name
    path.write_bytes(header + bytes(n))
    check_whole(path)
    path.write_bytes(header + bytes(n - 1))
    with pytest.raises(Unreadable, match=f"{n - 1} bytes, {n} were announced"):
        check_whole(path)


def test_a_zip_with_a_password_is_named(tmp_path):
    path = tmp_path / "secret.zip"
    data = bytearray(packed_zip(TEXT, "t.csv"))
    for at in (data.find(b"PK\x03\x04") + 6, data.find(b"PK\x01\x02") + 8):
        data[at] |= 1  # the flag of encryption, in the header and in the directory
    path.write_bytes(data)
    with pytest.raises(InvalidInput, match=r"secret\.zip: the zip is not read"), open_text(path) as file:
        file.read()


def test_a_damaged_part_is_named(empty_study):
    tiny.ingest(empty_study, tiny.TinyArchive.make(2), images=False)
    (path,) = empty_study.objects.root.glob("*/*.parquet")
    path.chmod(0o644)
    for data in damaged(path.read_bytes(), 1):
        path.write_bytes(data)
        with pytest.raises(IntegrityError, match=path.stem[:12]):
            empty_study.sql("SELECT sum(value) FROM expression")


SLICE = (
    "DICOM", "DICOM, enhanced", "RTSTRUCT", "NIfTI", "MetaImage", "CSV, zip", "XLSX", "XLS", "GCT", "GDC status, JSON",
    "map, TOML", "cohort, SQL",
)  # fmt: skip


@pytest.fixture(scope="module")
def ground(tmp_path_factory):
    with built_once():
        yield Ground(tmp_path_factory.mktemp("ground"))


def test_every_reader_of_files_has_a_format():
    """Who adds a format adds a row: thirty and more, and each collection of names is unique."""
    assert len(formats()) >= 37 and set(SLICE) <= set(formats())
    assert all(each.damaged for each in formats().values())


@pytest.mark.parametrize("name", SLICE)
def test_a_damaged_file_does_a_study_no_harm(ground, name):
    """By its command, in a process of its own: no signal, no traceback, an exit code that means something, no row
    where it is refused."""
    found = list(trials(ground, formats()[name], range(7, 10)))
    assert [(t.what, t.wrong) for t in found if t.wrong] == []
    assert not any(
        t.is_taken and not (t.is_same or t.is_told) and " cut," in t.what for t in found if formats()[name].knows_end
    )


def test_a_key_of_a_header_that_is_no_text_is_withheld(tmp_path):
    """SimpleITK cannot hand over such a key: it was a traceback."""
    import SimpleITK

    path = tmp_path / "PT-A.mha"
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(np.ones((2, 3, 4), np.uint8)), str(path), useCompression=False)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"ElementDataFile", b"\xff\xfe\x80 = x\nElementDataFile"))
    content = mask_files.read(path, [Examination("1.2.3", "PT-A", "T0")], mask_files.MaskFileOptions("x"))
    assert content.records == [] and [f.rule for f in content.findings] == ["mask.unreadable"]
