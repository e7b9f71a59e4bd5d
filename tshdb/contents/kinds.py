"""Which bytes are of which kind of file, and what is done with those that no reader here opens."""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from tshdb.contents import packs, pdf, plain, tables
from tshdb.contents.look import Budget, Kind, Limits, Look, NotSeen, Opener, Piece
from tshdb.packing import KINDS as NOT_TEXT
from tshdb.packing import OLE, TAR, TAR_AT

FIRST = 1 << 16
LIMITS = Limits()
DEFLATED_DICOM = b"1.2.840.10008.1.2.1.99"


def _begins(*magics: bytes):
    return lambda first: first.startswith(magics)


def _picture(file: IO[bytes], look: Look) -> Iterator[Piece]:
    """Its own words as bytes; what is drawn is not read."""
    yield from plain.raw(file, look)
    yield look.unseen("a picture, in which nothing is read")


def _as_bytes(file: IO[bytes], look: Look) -> Iterator[Piece]:
    """Of voxels, words stand in the head alone; of a database's log, they lie in its pages."""
    yield from plain.raw(file, look)


def _of_r(file: IO[bytes], look: Look) -> Iterator[Piece]:
    """R writes texts as they are, and numbers as they lie in memory."""
    yield from plain.raw(file, look)
    yield look.unseen("numbers in an object of R (.rds, .RData)", only_numbers=True)


def _dicom(file: IO[bytes], look: Look) -> Iterator[Piece]:
    """Elements as bytes, also where all behind the head is deflated (DICOM PS3.5, A.5)."""
    yield from plain.raw(file, look)
    file.seek(0)
    head = file.read(FIRST)
    if DEFLATED_DICOM in head:
        length = re.search(rb"\x02\x00\x00\x00UL\x04\x00(.{4})", head, re.DOTALL)
        if length is None:
            raise NotSeen("a deflated DICOM file without the length of its head")
        file.seek(length.end() + int.from_bytes(length[1], "little"))
        yield from look.into(packs._Inflated(file, -15))  # type: ignore[arg-type]


def _closed(why: str) -> Opener:
    def opened(file: IO[bytes], look: Look) -> Iterator[Piece]:
        yield from plain.raw(file, look)
        yield look.unseen(why)

    return opened


def _is_zlib(first: bytes) -> bool:
    """Whether it begins as a stream of zlib, and unpacks as one."""
    if len(first) < 8 or first[0] != 0x78 or int.from_bytes(first[:2]) % 31:
        return False
    try:
        return bool(zlib.decompressobj().decompress(first, 64))
    except zlib.error:
        return False


def _is_matlab(first: bytes) -> bool:
    return first.startswith(b"MATLAB 5.0")


KINDS: tuple[Kind, ...] = (
    Kind("a gzip file", _begins(b"\x1f\x8b"), packs.GZIP, is_pack=True),
    Kind("a bzip2 file", _begins(b"BZh"), packs.BZIP2, is_pack=True),
    Kind("an xz file", _begins(b"\xfd7zXZ\x00", b"\x5d\x00\x00"), packs.XZ, is_pack=True),
    Kind("a zstd file", _begins(b"\x28\xb5\x2f\xfd"), packs.by_arrow("zstd"), is_pack=True),
    Kind("an lz4 file", _begins(b"\x04\x22\x4d\x18"), packs.by_arrow("lz4"), is_pack=True),
    Kind("a zip archive", _begins(b"PK\x03\x04", b"PK\x05\x06"), packs.zipped, is_pack=True),
    Kind("a tar archive", lambda first: first[TAR_AT : TAR_AT + len(TAR)] == TAR, packs.tarred, is_pack=True),
    Kind("a 7z archive", _begins(b"7z\xbc\xaf\x27\x1c"), _closed("a 7z archive, which is not unpacked")),
    Kind("a RAR archive", _begins(b"Rar!"), _closed("a RAR archive, which is not unpacked")),
    Kind("a file of compress", _begins(b"\x1f\x9d"), _closed("a file packed by compress (.Z)")),
    Kind("a Parquet file", _begins(b"PAR1"), tables.parquet),
    Kind("a locked Parquet file", _begins(b"PARE"), _closed("a Parquet file that is locked (encrypted)")),
    Kind("an Arrow file", _begins(b"ARROW1"), tables.arrow),
    Kind("a Feather file", _begins(b"FEA1"), tables.feather_1),
    Kind("a NumPy array", _begins(b"\x93NUMPY"), tables.numpy_array),
    Kind("an SQLite database", _begins(b"SQLite format 3\x00"), tables.sqlite),
    Kind("a log of SQLite", _begins(b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83"), _as_bytes),
    Kind("an index of such a log", _begins(b"\x18\xe2\x2d\x00"), _as_bytes),  # numbers of pages, of no values
    Kind("an HDF5 file", _begins(b"\x89HDF\r\n\x1a\n"), tables.hdf5),
    Kind("a file of the old Office", _begins(OLE), tables.old_office),
    Kind("a PDF", _begins(b"%PDF"), pdf.pages),
    Kind("an object of R", _begins(b"RDX2\n", b"RDX3\n", b"RDA2\n", b"RDA3\n", b"X\n\x00\x00\x00"), _of_r),
    Kind("a DICOM file", lambda first: first[128:132] == b"DICM", _dicom),
    Kind("an image of voxels", lambda first: first.startswith((b"NRRD00", b"ObjectType", b"NDims")) or first[344:348] in
         (b"n+1\x00", b"ni1\x00") or first[4:8] == b"n+2\x00", _as_bytes),  # NRRD, MetaImage, NIfTI
    Kind("a picture", _begins(b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\x00", b"MM\x00*", b"BM", b"RIFF"), _picture),
    Kind("a stream of zlib", _is_zlib, packs.deflated, is_pack=True),
)  # fmt: skip
TEXT = Kind("a text", plain.is_text, plain.text)


def pieces(path: Path, limits: Limits = LIMITS) -> Iterator[Piece]:
    """Everything that a file holds as text, and what of it is not looked into. Gives a piece that says so for a file that
    cannot be read."""
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            budget = Budget(min(limits.largest, max(limits.free, limits.ratio * size)))
            yield from _opened(file, Look(_opened, limits, budget))
    except OSError as error:
        yield Piece(unseen=f"it cannot be read ({error.strerror or error})")


def pieces_of(data: bytes, limits: Limits = LIMITS) -> Iterator[Piece]:
    """The same of bytes."""
    budget = Budget(min(limits.largest, max(limits.free, limits.ratio * len(data))))
    yield from _opened(io.BytesIO(data), Look(_opened, limits, budget))


def is_plain_text(path: Path) -> bool:
    """Whether a file is text, or one gzip file of text: what can be written again line by line."""
    with path.open("rb") as file:
        first = file.read(FIRST)
    if (kind := _kind(first)) is not None and kind.opened is packs.GZIP:
        import gzip

        try:
            with gzip.open(path) as inner:
                first = inner.read(FIRST)
        except (OSError, EOFError, zlib.error):
            return False
        kind = _kind(first)
    return kind is TEXT


def _kind(first: bytes) -> Kind | None:
    found = next((kind for kind in KINDS if kind.is_one(first)), None)
    return found or (TEXT if TEXT.is_one(first) else None)


def _opened(file: IO[bytes], look: Look) -> Iterator[Piece]:
    first = file.read(FIRST)
    file.seek(0)
    kind = _kind(first)
    if kind is None:
        yield from plain.raw(file, look)
        known = next((each.what for magic, each in NOT_TEXT if first.startswith(magic)), None)
        yield look.unseen(f"{known}, for which there is no reader here" if known else "a format that is not known here")
        return
    if kind.is_pack and look.depth >= look.limits.deepest:
        yield look.unseen(f"packed more than {look.limits.deepest} times")
        return
    try:
        yield from kind.opened(file, look)
    except NotSeen as why:
        yield look.unseen(f"{kind.what}: {why}")
    except Exception as error:  # a damaged file makes a parser raise anything: that is said, and its bytes are searched
        yield look.unseen(f"{kind.what} that cannot be opened ({type(error).__name__})")
        yield from plain.raw(file, look)
