"""Zip archives that may be damaged: whatever Python's zipfile stumbles over is one error."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path
from typing import IO


def opened_zip(file: Path | IO[bytes]) -> zipfile.ZipFile:
    """An archive to read. Raises BadZipFile for what is none, or whose list of members is damaged.

    zipfile itself also raises NotImplementedError (a version that no program has), and ValueError, struct.error or OverflowError
    for sizes and names that cannot be.
    """
    try:
        return zipfile.ZipFile(file)
    except (NotImplementedError, ValueError, OverflowError, struct.error) as error:
        raise zipfile.BadZipFile(str(error)) from None
