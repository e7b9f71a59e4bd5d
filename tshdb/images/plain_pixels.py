"""The pixels of a file as nearly all slices are: marked, little endian, not compressed, one frame of one sample, 8 or 16 bits.

Its elements are passed over by their lengths (PS3.5, 7.1) and a dozen of them looked at: a twentieth of the time that reading
them all takes. Any other file, and one in which anything is strange, is left to pydicom, which knows more.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from tshdb.images.dicom_files import syntax_and_start
from tshdb.images.dicom_marks import is_marked

_LONG = frozenset((b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"))
_SHORT = frozenset((b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT", b"PN", b"SH", b"SL",
                    b"SS", b"ST", b"TM", b"UI", b"UL", b"US"))  # fmt: skip
_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_PIXELS = 0x7FE00010
_NUMBERS = {
    0x00280002: "samples", 0x00280010: "rows", 0x00280011: "columns", 0x00280100: "allocated", 0x00280101: "stored",
    0x00280102: "high", 0x00280103: "signed",
}  # fmt: skip
_TEXTS = {0x00280004: "meaning", 0x00280008: "frames", 0x00281052: "intercept", 0x00281053: "slope"}
_FORMS = dict.fromkeys(_NUMBERS, b"US") | {0x00280004: b"CS", 0x00280008: b"IS", 0x00281052: b"DS", 0x00281053: b"DS"}
_OF_FRAMES = frozenset((0x52009229, 0x52009230))  # functional groups, which may hold other slopes
_HEAD, _TAIL = struct.Struct("<HH"), struct.Struct("<I")


class Plain(NamedTuple):
    """values: (rows, columns) as they are stored; slope, intercept: what they are rescaled by."""

    values: np.ndarray
    slope: float
    intercept: float


class _Strange(Exception):
    """The file is not one of these."""


def plain_pixels(data: bytes) -> Plain | None:
    """The one image of a file; None for a file of another form."""
    found = syntax_and_start(data[:1024]) if is_marked(data[:1024]) else None
    if found is None or found[0] not in (ExplicitVRLittleEndian, ImplicitVRLittleEndian):
        return None
    try:
        return _pixels(data, found[1], found[0] == ImplicitVRLittleEndian)
    except (_Strange, struct.error, ValueError, IndexError, RecursionError):
        return None


def _pixels(data: bytes, at: int, is_implicit: bool) -> Plain:
    facts: dict[str, int] = {}
    texts = {"meaning": "", "frames": "", "slope": "", "intercept": ""}
    while True:
        tag, start, length = _element(data, at, is_implicit)
        if tag == _PIXELS:
            break
        if tag > _PIXELS or tag in _OF_FRAMES:
            raise _Strange
        vr, at = data[at + 4 : at + 6], _after(data, start, length, is_implicit)
        if not is_implicit and _FORMS.get(tag, vr) != vr:
            raise _Strange
        if tag in _NUMBERS:
            if length != 2:
                raise _Strange
            facts[_NUMBERS[tag]] = int.from_bytes(data[start:at], "little")
        elif tag in _TEXTS:
            texts[_TEXTS[tag]] = data[start:at].decode("ascii").strip("\0 ")
    n_bits, stored = facts.get("allocated"), facts.get("stored")
    size = facts.get("rows", 0) * facts.get("columns", 0) * (n_bits or 0) // 8
    is_plain = (
        n_bits in (8, 16) and stored is not None and 0 < stored <= n_bits and facts.get("high") == stored - 1
        and facts.get("samples") == 1 and facts.get("signed") in (0, 1) and texts["frames"] in ("", "1")
        and texts["meaning"] in ("MONOCHROME1", "MONOCHROME2")
    )  # fmt: skip
    if not is_plain or not size or length not in (size, size + size % 2) or start + size > len(data):
        raise _Strange
    dtype = np.dtype(f"<{'i' if facts['signed'] else 'u'}{n_bits // 8}")
    values = np.frombuffer(data, dtype, size // dtype.itemsize, start).reshape(facts["rows"], facts["columns"])
    if unused := n_bits - stored:  # their bits may hold anything
        values = np.right_shift(np.left_shift(values, unused), unused)
    return Plain(values, float(texts["slope"] or 1) or 1.0, float(texts["intercept"] or 0))


def _element(data: bytes, at: int, is_implicit: bool) -> tuple[int, int, int]:
    """(tag, where its value begins, the value's length) of the element at a place."""
    group, element = _HEAD.unpack_from(data, at)
    tag = group << 16 | element
    if is_implicit or group == 0xFFFE:
        return tag, at + 8, _TAIL.unpack_from(data, at + 4)[0]
    vr = data[at + 4 : at + 6]
    if vr in _SHORT:
        return tag, at + 8, data[at + 6] | data[at + 7] << 8
    if vr in _LONG:
        return tag, at + 12, _TAIL.unpack_from(data, at + 8)[0]
    raise _Strange


def _after(data: bytes, start: int, length: int, is_implicit: bool) -> int:
    """Where the next element begins. A value of undefined length is a sequence of items."""
    if length != _UNDEFINED:
        if start + length > len(data):
            raise _Strange
        return start + length
    at = start
    while True:
        tag, start, length = _element(data, at, is_implicit)
        if tag == _SEQUENCE_END:
            return start
        if tag != _ITEM:
            raise _Strange
        at = _after_item(data, start, is_implicit) if length == _UNDEFINED else start + length


def _after_item(data: bytes, at: int, is_implicit: bool) -> int:
    while True:
        tag, start, length = _element(data, at, is_implicit)
        if tag == _ITEM_END:
            return start
        at = _after(data, start, length, is_implicit)
