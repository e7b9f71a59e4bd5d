"""How a DICOM file begins: by its mark, or as a bare data set. Plain bytes, no imaging library."""

from __future__ import annotations

import re
import struct

_MARK = slice(128, 132), b"DICM"
_FIRST_GROUPS = (0x0002, 0x0008)


def is_marked(head: bytes) -> bool:
    """Whether preamble and mark stand first (PS3.10 7.1)."""
    where, mark = _MARK
    return head[where] == mark


def is_bare(head: bytes) -> bool:
    """Whether bytes begin as a data set does that has no preamble: with an element of the first groups that can be one."""
    if len(head) < 8:
        return False
    for order in "<>":
        group, element = struct.unpack(f"{order}HH", head[:4])
        if group not in _FIRST_GROUPS or element > 0x0100:
            continue
        if re.fullmatch(rb"[A-Z]{2}", head[4:6]):
            return True
        (length,) = struct.unpack(f"{order}L", head[4:8])
        if order == "<" and length < 1024 and length % 2 == 0:
            return True
    return False
