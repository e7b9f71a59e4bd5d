"""Which files of a study name a patient: in their bytes, packed or not, and in their own names."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from tshdb.packing import TAR, TAR_AT, ZIP
from tshdb.process import in_child
from tshdb.withdrawal.identifiers import KEY_FILE, Identifiers
from tshdb.written import encoding_of

NOT_SCANNED = {KEY_FILE, ".tshdb.lock"}
DEEPEST = 3  # layers of packing that are taken off
_PACKED: tuple[tuple[bytes, Callable[[bytes], bytes]], ...] = (
    (b"\x1f\x8b", gzip.decompress),
    (b"BZh", bz2.decompress),
    (b"\xfd7zXZ\x00", lzma.decompress),
)


def files_under(root: Path, *left_out: Path) -> Iterator[Path]:
    """All files of the study's folder, but for those below `left_out`."""
    for path in sorted(root.rglob("*")):
        if path.is_file() and not path.is_symlink() and path.name not in NOT_SCANNED:
            if not any(path == out or out in path.parents for out in left_out):
                yield path


def texts_in(path: Path) -> Iterator[bytes]:
    """What a file holds as UTF-8, unpacked: of gzip, bzip2 and xz the content, of zip (a workbook is one) and tar the members."""
    yield from _unpacked(path.read_bytes(), DEEPEST)


def _unpacked(data: bytes, depth: int) -> Iterator[bytes]:
    """The texts of some bytes, whatever they are packed in; of what is not what it seems, the bytes."""
    unpack = next((each for magic, each in _PACKED if data.startswith(magic)), None)
    try:
        if depth and unpack is not None:
            yield from _unpacked(unpack(data), depth - 1)
            return
        if depth and data.startswith(ZIP):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                members = [archive.read(name) for name in archive.namelist()]
        elif depth and data[TAR_AT : TAR_AT + len(TAR)] == TAR:
            with tarfile.open(fileobj=io.BytesIO(data)) as packed:
                files = (packed.extractfile(member) for member in packed if member.isfile())
                members = [file.read() for file in files if file is not None]
        else:
            members = []
    except (
        OSError,
        EOFError,
        ValueError,
        RuntimeError,
        zlib.error,
        lzma.LZMAError,
        tarfile.TarError,
        zipfile.BadZipFile,
    ):
        members = []
    for member in members:
        yield from _unpacked(member, depth - 1)
    if not members:
        encoding = encoding_of(data[:512])
        yield data
        if encoding != "utf-8-sig":
            yield data.decode(encoding, "replace").encode("utf-8", "replace")


def holds(path: Path, names: Identifiers) -> bool:
    """Whether a file names the patient."""
    telling = [name.encode() for name in names.spellings]
    for content in texts_in(path):
        if any(name in content for name in telling):
            pattern = names.in_binary if b"\0" in content else names.pattern
            if pattern.search(content.decode("utf-8", "replace")) is not None:
                return True
    return False


def naming(root: Path, names: Identifiers, *left_out: Path) -> list[Path]:
    """The files below `root` that name the patient in their content or their path."""

    def found() -> list[str]:
        paths = files_under(root, *left_out)
        return [str(p) for p in paths if names.is_in(str(p.relative_to(root))) or holds(p, names)]

    return [Path(path) for path in in_child(found)]  # the database is among them
