"""Damaged zip archives are one error, whatever of their list of members is damaged."""

from __future__ import annotations

import io
import random
import zipfile

import pytest

from tshdb.packing import is_workbook
from tshdb.zips import opened_zip

CENTRAL = b"PK\x01\x02"


@pytest.fixture
def packed() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("table.csv", "id,age\nA,50\n" * 20)
    return made.getvalue()


def test_a_version_that_no_program_has(packed, tmp_path):
    """Byte 6 of an entry of the central directory is the version that is needed, times ten (APPNOTE 4.4.3)."""
    at = packed.index(CENTRAL) + 6
    damaged = packed[:at] + bytes([84]) + packed[at + 1 :]
    with pytest.raises(NotImplementedError):
        zipfile.ZipFile(io.BytesIO(damaged))
    with pytest.raises(zipfile.BadZipFile, match="8.4"):
        opened_zip(io.BytesIO(damaged))
    (tmp_path / "t.zip").write_bytes(damaged)
    assert not is_workbook(tmp_path / "t.zip")


def test_any_damage_of_the_list_of_members(packed):
    luck, begins = random.Random(1), packed.index(CENTRAL)
    for _ in range(3_000):
        damaged = bytearray(packed)
        for _ in range(luck.randint(1, 4)):
            damaged[luck.randrange(begins, len(packed))] = luck.randrange(256)
        try:
            opened_zip(io.BytesIO(bytes(damaged))).close()
        except zipfile.BadZipFile:
            pass
