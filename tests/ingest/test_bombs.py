"""What unpacks without an end is refused at its limit, whatever it is packed in; what merely packs well is read."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tshdb import packing
from tshdb.errors import InvalidInput
from tshdb.packing import open_unpacked

HEAD = b"gene\ts1\n"


def zipped(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("table.tsv", data)
    return buffer.getvalue()


def tarred(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as packed:
        member = tarfile.TarInfo("table.tsv")
        member.size = len(data)
        packed.addfile(member, io.BytesIO(data))
    return gzip.compress(buffer.getvalue(), 1)


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, 1), "bzip2": bz2.compress, "xz": lambda data: lzma.compress(data, preset=0),
    "zip": zipped, "tar.gz": tarred, "gzip in gzip": lambda data: gzip.compress(gzip.compress(data, 1), 1),
}  # fmt: skip


@pytest.fixture(autouse=True)
def low(monkeypatch):
    """The limits of the program, a thousandth as high: bombs of some megabytes do."""
    monkeypatch.setattr(packing, "ALWAYS_BYTES", 64 << 10)


@pytest.mark.parametrize("packer", PACKERS)
def test_a_bomb_is_refused(packer, tmp_path):
    path = tmp_path / "bomb"
    path.write_bytes(PACKERS[packer](HEAD + b"0" * (8 << 20)))
    taken = 0
    with pytest.raises(InvalidInput, match="more than 200 times its size"), open_unpacked(path) as table:
        while block := table.read(1 << 16):
            taken += len(block)
    assert taken <= max(64 << 10, 200 * path.stat().st_size) + packing.BUFFER


@pytest.mark.parametrize("packer", PACKERS)
def test_what_packs_well_is_read_whole(packer, tmp_path):
    rows = b"".join(b"gene%d\t%d\n" % (i, i * i % 97) for i in range(20_000))
    path: Path = tmp_path / "table"
    path.write_bytes(PACKERS[packer](HEAD + rows))
    with open_unpacked(path) as table:
        assert table.read() == HEAD + rows


@pytest.mark.parametrize("packer", PACKERS)
def test_a_short_table_of_zeros_is_read_whatever_its_ratio(packer, tmp_path):
    data = HEAD + b"0" * (50 << 10)
    path: Path = tmp_path / "table"
    path.write_bytes(PACKERS[packer](data))
    with open_unpacked(path) as table:
        assert table.read() == data
