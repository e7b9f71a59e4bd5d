"""Whether the file of a mask is whole: readers of images fill up what is missing, and pass over sums that do not fit.

NIfTI    as many bytes as its header announces; of .nii.gz the sum that gzip keeps (CRC-32, RFC 1952). Voxels and a scale that
         are no numbers: readers take 0 for them, and no scale, without a word
NRRD     as many bytes as sizes and type say; packed by gzip or bzip2: their sums
MetaImage  as many bytes as DimSize and ElementType say; packed by zlib: its sum (Adler-32, RFC 1950)
Of voxels that are in another file than the header, and of those written as text, nothing is said here.
"""

from __future__ import annotations

import bz2
import gzip
import math
import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ingest.imaging.unreadable import Unreadable

NRRD_BYTES = {
    "char": 1, "uchar": 1, "short": 2, "ushort": 2, "int": 4, "uint": 4, "longlong": 8, "ulonglong": 8, "float": 4,
    "double": 8, "int8": 1, "uint8": 1, "int16": 2, "uint16": 2, "int32": 4, "uint32": 4, "int64": 8, "uint64": 8,
}  # fmt: skip
META_BYTES = {
    "MET_CHAR": 1, "MET_UCHAR": 1, "MET_SHORT": 2, "MET_USHORT": 2, "MET_INT": 4, "MET_UINT": 4, "MET_FLOAT": 4,
    "MET_DOUBLE": 8, "MET_LONG_LONG": 8, "MET_ULONG_LONG": 8,
}  # fmt: skip
NIFTI_FLOATS = {16: "f4", 32: "f4", 64: "f8", 1792: "f8"}  # datatype -> numpy's; of complex numbers that of their parts
_UNPACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress, "gz": gzip.decompress, "bzip2": bz2.decompress, "bz2": bz2.decompress, "raw": bytes,
}  # fmt: skip


def check_whole(path: Path) -> None:
    """Raises Unreadable for a file that is cut, or whose sum does not fit what is in it."""
    name = path.name.lower()
    for suffixes, check in (((".nii", ".nii.gz"), _nifti), ((".nrrd",), _nrrd), ((".mha",), _metaimage)):
        if name.endswith(suffixes):
            check(path.read_bytes())


def _unpacked(data: bytes, unpack: Callable[[bytes], bytes]) -> bytes:
    try:
        return unpack(data)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        message = f"the packed file is cut or damaged ({error or type(error).__name__}): fetch it again"
        raise Unreadable("mask.unreadable", message) from None


def _compare(n: int, expected: int) -> None:
    if n < expected:
        raise Unreadable("mask.unreadable", f"{n:,} bytes, {expected:,} were announced: fetch it again")


def _nifti(data: bytes) -> None:
    if data.startswith(b"\x1f\x8b"):
        data = _unpacked(data, gzip.decompress)
    if len(data) < 348:
        raise Unreadable("mask.unreadable", "shorter than a NIfTI header")
    order = "<" if struct.unpack("<i", data[:4])[0] == 348 else ">"
    n_axes, *sides = struct.unpack(f"{order}8h", data[40:56])
    (bits,) = struct.unpack(f"{order}h", data[72:74])
    (offset,) = struct.unpack(f"{order}f", data[108:112])
    if not math.isfinite(offset):
        raise Unreadable("mask.unreadable", "a header without the place of its voxels: the file is damaged")
    n_bytes = math.prod(max(s, 1) for s in sides[: max(n_axes, 0)]) * bits // 8
    _compare(len(data), int(offset) + n_bytes)
    slope, intercept = struct.unpack(f"{order}2f", data[112:120])
    if math.isinf(slope) or slope and not math.isnan(slope) and not math.isfinite(intercept):  # NaN and 0 say: no scale
        raise Unreadable(
            "mask.unreadable", f"its values are scaled by {slope:g} and {intercept:g}, which are no numbers"
        )
    (kind,) = struct.unpack(f"{order}h", data[70:72])
    if kind in NIFTI_FLOATS:
        form = np.dtype(order + NIFTI_FLOATS[kind])
        voxels = data[max(0, int(offset)) :][:n_bytes]
        values = np.frombuffer(voxels[: len(voxels) // form.itemsize * form.itemsize], form)
        if n_bad := int(values.size - np.isfinite(values).sum()):
            raise Unreadable(
                "mask.values",
                f"{n_bad:,} of {values.size:,} voxels are no numbers (NaN or infinite): expected whole numbers from 0 to 255",
            )


def _nrrd(data: bytes) -> None:
    end = re.search(rb"\r?\n\r?\n", data)
    if end is None:
        raise Unreadable("mask.unreadable", "a header without its end: the file is cut")
    said = _fields(data[: end.start()], ":")
    unpack, size = _UNPACK.get(said.get("encoding", "").lower()), NRRD_BYTES.get(_nrrd_type(said.get("type", "")))
    sides = said.get("sizes", "").split()
    is_elsewhere = {"data file", "datafile", "line skip", "byte skip"} & said.keys()
    if unpack is None or size is None or is_elsewhere or not all(s.isdecimal() for s in sides):
        return
    _compare(len(_unpacked(data[end.end() :], unpack)), math.prod(map(int, sides)) * size)


def _nrrd_type(text: str) -> str:
    """NRRD has many spellings of a type: `unsigned char`, `uchar`, `uint8_t`."""
    plain = text.lower().strip().removesuffix("_t").replace("unsigned ", "u").replace("signed ", "")
    return plain.replace(" int", "").replace("long long", "longlong") if plain not in ("int", "uint") else plain


def _metaimage(data: bytes) -> None:
    end = re.search(rb"^ElementDataFile[ \t]*=[^\n]*\n", data, re.MULTILINE)
    if end is None:
        raise Unreadable("mask.unreadable", "a header without its end: the file is cut")
    said = _fields(data[: end.end()], "=")
    sides, size = said.get("dimsize", "").split(), META_BYTES.get(said.get("elementtype", ""))
    is_here = said["elementdatafile"] == "LOCAL" and said.get("binarydata", "true").lower() == "true"
    if not is_here or size is None or not all(s.isdecimal() for s in sides):
        return
    is_packed = said.get("compresseddata", "false").lower() == "true"
    voxels = _unpacked(data[end.end() :], zlib.decompress) if is_packed else data[end.end() :]
    channels = said.get("elementnumberofchannels", "1")
    _compare(len(voxels), math.prod(map(int, sides)) * size * (int(channels) if channels.isdecimal() else 1))


def _fields(header: bytes, mark: str) -> dict[str, str]:
    """The fields of a header in lines, by their names in small letters."""
    pairs = (line.partition(mark) for line in header.decode("latin-1").splitlines() if not line.startswith("#"))
    return {name.strip().lower(): value.strip() for name, _, value in pairs}
