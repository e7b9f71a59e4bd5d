"""Which files of a study name a patient: in their bytes, packed or not, and in their own names."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from tshdb.process import in_child
from tshdb.withdrawal.identifiers import KEY_FILE, Identifiers

NOT_SCANNED = {KEY_FILE, ".tshdb.lock"}


def files_under(root: Path, *left_out: Path) -> Iterator[Path]:
    """All files of the study's folder, but for those below `left_out`."""
    for path in sorted(root.rglob("*")):
        if path.is_file() and not path.is_symlink() and path.name not in NOT_SCANNED:
            if not any(path == out or out in path.parents for out in left_out):
                yield path


def texts_in(path: Path) -> Iterator[bytes]:
    """What a file holds, unpacked: of a gzip its content, of a zip (a workbook is one) its members, else its bytes."""
    try:
        if path.suffix == ".gz":
            yield gzip.decompress(path.read_bytes())
            return
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    yield archive.read(name)
            return
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile):
        pass  # not what its name says: its bytes, then
    yield path.read_bytes()


def holds(path: Path, names: Identifiers) -> bool:
    """Whether a file names the patient."""
    telling = [name.encode() for name in names.telling]
    for content in texts_in(path):
        if any(name in content for name in telling) and names.is_in(content.decode("utf-8", "replace")):
            return True
    return False


def naming(root: Path, names: Identifiers, *left_out: Path) -> list[Path]:
    """The files below `root` that name the patient in their content or their path."""

    def found() -> list[str]:
        paths = files_under(root, *left_out)
        return [str(p) for p in paths if names.is_in(str(p.relative_to(root))) or holds(p, names)]

    return [Path(path) for path in in_child(found)]  # the database is among them
