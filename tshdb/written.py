"""Text that a person writes: settings, maps, cohorts, tables of markers. A byte-order mark before it changes nothing."""

from __future__ import annotations

from pathlib import Path

from tshdb.errors import InvalidInput

_MARKS = ((b"\xff\xfe\x00\x00", "utf-32"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def encoding_of(first: bytes) -> str:
    """The encoding by the first bytes: by its mark, or by the zeros that UTF-16 has between letters; else UTF-8."""
    for mark, encoding in _MARKS:
        if first.startswith(mark):
            return encoding
    if b"\x00" in first:
        n = max(len(first) // 2, 1)
        if first[1::2].count(0) > n / 2 > first[::2].count(0):
            return "utf-16-le"
        if first[::2].count(0) > n / 2 > first[1::2].count(0):
            return "utf-16-be"
    return "utf-8-sig"


def written_text(path: Path) -> str:
    """The text of a file, line ends as LF. Raises InvalidInput for one that is no UTF-8 and no UTF-16."""
    data = path.read_bytes()
    try:
        text = data.decode(encoding_of(data[:512]))
    except UnicodeDecodeError as error:
        byte = data[error.start] if error.start < len(data) else 0
        line = data[: error.start].count(b"\n") + 1
        raise InvalidInput(
            f"not UTF-8 text (byte {byte:#04x})", where=f"{path}:{line}",
            repair='Save it as UTF-8: in the editor, "Save with encoding"',
        ) from None  # fmt: skip
    return text.replace("\r\n", "\n").replace("\r", "\n")
