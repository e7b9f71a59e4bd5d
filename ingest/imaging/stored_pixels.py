"""The pixels of a DICOM file as they are stored: whether they are all there, and a digest of each image.

Encapsulated ones (PS3.5 A.4) are fragments after a table of offsets; which are of which frame is told where there is one a frame,
or by the table.
"""

from __future__ import annotations

import hashlib
import struct
from functools import cache
from typing import NamedTuple

from pydicom.uid import UID

from ingest.imaging.unreadable import Unreadable
from tshdb.images.dicom_files import Opened

PIXELS = 0x7FE00010
UNDEFINED = 0xFFFFFFFF
_DIGITS = 32
_ITEM = struct.Struct("<HHL")


class Stored(NamedTuple):
    """Where pixels lie: (start, bytes) of each frame, none where that cannot be told. at: of the element."""

    at: int
    frames: list[tuple[int, int]]


def stored(
    file: Opened, n_frames: int, n_rows: int | None, n_columns: int | None, bits: int, samples: int
) -> Stored | None:
    """The pixels that follow the header; None where there are none. Raises Unreadable when the file ends before they do.

    bits: of a sample.
    """
    at = file.stream.tell()
    head = file.stream.read(12)
    if len(head) < 8:
        return None
    order, is_plain = _encoding(file.syntax)
    group, element = struct.unpack(f"{order}HH", head[:4])
    if (group << 16) + element != PIXELS:
        return None
    is_explicit = head[4:6] in (b"OW", b"OB", b"OF", b"OD", b"UN")
    if is_explicit and len(head) < 12:
        raise Unreadable("dicom.cut", "the file ends where its pixels begin: fetch it again")
    length = struct.unpack(f"{order}L", head[8:12] if is_explicit else head[4:8])[0]
    start = at + (12 if is_explicit else 8)
    if length == UNDEFINED:
        file.stream.seek(start)
        return Stored(at, _frames_of(*_fragments(file, n_frames), n_frames))
    if start + length > file.size:
        found = max(file.size - start, 0)
        raise Unreadable("dicom.cut", f"{found:,} bytes of pixels, {length:,} were announced: fetch it again")
    n_bits = (n_rows or 0) * (n_columns or 0) * bits * samples
    expected = -(-n_bits * n_frames // 8) if is_plain else 0
    if length < expected:
        raise Unreadable("dicom.cut", f"{length:,} bytes of pixels; {n_rows} x {n_columns} need {expected:,}")
    if not length:
        return None
    can_tell = expected and not n_bits % 8
    return Stored(at, [(start + i * n_bits // 8, n_bits // 8) for i in range(n_frames)] if can_tell else [])


def digest_from(file: Opened, at: int) -> str:
    """Of all that is stored from the pixels on: the same of a file that was sent again under other identifiers."""
    file.stream.seek(at)
    return _digest(file.stream.read())


def digests_of_frames(file: Opened, pixels: Stored, n_frames: int) -> list[str | None]:
    """Of each frame as it is stored; None where nobody can tell which bytes are whose."""
    if len(pixels.frames) != n_frames:
        return [None] * n_frames
    found: list[str | None] = []
    for start, size in pixels.frames:
        file.stream.seek(start)
        found.append(_digest(file.stream.read(size)))
    return found


def _digest(content: bytes) -> str:
    """Half of SHA-256, for which processors have instructions: BLAKE2b took a sixth of the time in which a file is read."""
    return hashlib.sha256(content).hexdigest()[:_DIGITS]


@cache
def _encoding(syntax: UID) -> tuple[str, bool]:
    """(order of bytes, whether pixels lie there as they are) of a transfer syntax; a deflated file was inflated by now."""
    if syntax.is_private or not syntax.is_transfer_syntax:
        return "<", True
    return "<" if syntax.is_little_endian else ">", not syntax.is_compressed or syntax.is_deflated


def _fragments(file: Opened, n_frames: int) -> tuple[list[int], list[tuple[int, int]]]:
    """(the table of offsets, (start, bytes) of each fragment with its own head).

    Raises Unreadable where the file ends before its last fragment, or has fewer than frames.
    """
    table: list[int] | None = None
    found: list[tuple[int, int]] = []
    while len(head := file.stream.read(_ITEM.size)) == _ITEM.size:
        group, element, length = _ITEM.unpack(head)
        if (group, element) != (0xFFFE, 0xE000):
            break  # the delimiter, or what comes after pixels that lack it
        at = file.stream.tell()
        if at + length > file.size:
            raise Unreadable("dicom.cut", "the file ends inside its encapsulated pixels: fetch it again")
        if table is None:
            table = [offset for (offset,) in struct.iter_unpack("<L", file.stream.read(length - length % 4))]
        else:
            found.append((at - _ITEM.size, length + _ITEM.size))
        file.stream.seek(at + length)
    else:
        if head:
            raise Unreadable("dicom.cut", "the file ends inside its encapsulated pixels: fetch it again")
    if len(found) < n_frames:
        raise Unreadable("dicom.cut", f"{len(found):,} fragments of pixels, {n_frames:,} frames: fetch it again")
    return table or [], found


def _frames_of(table: list[int], fragments: list[tuple[int, int]], n_frames: int) -> list[tuple[int, int]]:
    """(start, bytes) of each frame; none where neither the number of fragments nor the table tells it."""
    if len(fragments) == n_frames:
        return fragments
    first, (last, size) = fragments[0][0], fragments[-1]
    starts = [first + offset for offset in table]
    if len(starts) != n_frames or not set(starts) <= {at for at, _ in fragments} or starts != sorted(starts):
        return []
    ends = [*starts[1:], last + size]
    return [(start, end - start) for start, end in zip(starts, ends, strict=True)]
