"""What is wrong with a file of images or masks, as one kind of error, whatever library met it."""

from __future__ import annotations

import struct

from pydicom.errors import BytesLengthException, InvalidDicomError

TROUBLE = (
    InvalidDicomError, BytesLengthException, OSError, ValueError, TypeError, KeyError, AttributeError, EOFError,
    RuntimeError, struct.error, OverflowError, MemoryError,
)  # fmt: skip
"""all that pydicom raises of a damaged file"""


class Unreadable(Exception):
    """A file that is no DICOM, or a damaged one. rule: the finding's; the text says what was found."""

    def __init__(self, rule: str, message: str):
        super().__init__(message)
        self.rule = rule
