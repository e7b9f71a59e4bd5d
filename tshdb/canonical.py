"""One spelling for every value, so that equal data has equal fingerprints on every machine and library version.

Rows are sorted; -0.0 is 0.0; there is one NaN; floats are big-endian IEEE 754 doubles; text is UTF-8 with its length.
The digest is blake2b with 128 bits, in hex.
"""

import hashlib
import json
import struct
from collections.abc import Iterable, Sequence
from typing import Any

_NAN = b"F" + struct.pack(">Q", 0x7FF8000000000000)


def digest(*parts: bytes) -> str:
    """The fingerprint of the parts, each preceded by its length."""
    h = hashlib.blake2b(digest_size=16)
    for part in parts:
        h.update(len(part).to_bytes(8, "big"))
        h.update(part)
    return h.hexdigest()


def encode(value: Any) -> bytes:
    """One value (None, bool, int, float, str, or numpy's scalars of these) as bytes."""
    if value is None:
        return b"N"
    if isinstance(value, str):
        raw = value.encode()
        return b"S%d:" % len(raw) + raw
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, bool):
        return b"B1" if value else b"B0"
    if isinstance(value, int):
        return b"I%d;" % value
    if isinstance(value, float):
        return _NAN if value != value else b"F" + struct.pack(">d", value + 0.0)
    raise TypeError(f"no canonical form for {type(value).__name__}")


def rows_fingerprint(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """The fingerprint of a set of rows, whatever their order; columns are named in the order of the row's values."""
    encoded = sorted(b"".join(map(encode, row)) for row in rows)
    return digest("\x1f".join(columns).encode(), *encoded)


def json_text(value: Any) -> str:
    """Canonical JSON: sorted keys, no spaces, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def json_fingerprint(value: Any) -> str:
    return digest(json_text(value).encode())


def to_significant(value: float | None, digits: int) -> float | None:
    """`value` rounded to so many significant decimal digits; None and NaN give None."""
    if value is None or value != value:
        return None
    return float(f"{value:.{digits - 1}e}")
