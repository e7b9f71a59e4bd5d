"""The files of a bundle, each compared with its digest while it is written. Nothing that the bundle says is believed."""

from __future__ import annotations

import hashlib
import os
import stat
import zipfile
import zlib
from pathlib import Path

from tshdb.backup.copying import Copy, Progress, refuse_full
from tshdb.backup.manifest import BUNDLE, NAME, Manifest, parsed, read, refuse_damaged
from tshdb.errors import IntegrityError, NotFound
from tshdb.zips import opened_zip

LARGEST_MANIFEST = 256 << 20  # bytes
RATIO = 200
MOST_FILES = 5_000_000
BLOCK = 1 << 20


def unpack(bundle: Path, folder: Path, progress: Progress) -> Manifest:
    """Write the files of a bundle, a zip or a folder, into `folder`. Raises NotFound, IntegrityError, ResourceError."""
    if bundle.is_dir():
        return _copied(bundle, folder, progress)
    if not bundle.is_file():
        raise NotFound("no bundle", where=str(bundle), repair="Name a zip, or a folder, of tshdb export study")
    try:
        with opened_zip(bundle) as archive:
            return _unpacked(archive, str(bundle), folder, progress)
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        ValueError,
        UnicodeError,
    ) as error:
        raise _refused(f"it is not a whole zip ({error})", str(bundle)) from None


def _refused(text: str, where: str) -> IntegrityError:
    return IntegrityError(text, where=where, repair="Get the bundle again: nothing of it was used")


def _copied(bundle: Path, folder: Path, progress: Progress) -> Manifest:
    manifest = read(bundle, BUNDLE)
    refuse_damaged(bundle, manifest)
    refuse_full(folder, [manifest.size])
    copied = Copy(folder)
    for i, file in enumerate(manifest.files):
        progress("import", i, len(manifest.files), "files")
        copied.add(file.path, bundle / file.path, file.sha256, 0o644)
    copied.only()
    return manifest


def _unpacked(archive: zipfile.ZipFile, where: str, folder: Path, progress: Progress) -> Manifest:
    members = archive.infolist()
    by_name = {member.filename: member for member in members}
    if len(members) > MOST_FILES or len(by_name) != len(members):
        raise _refused("a name stands in it twice, or it holds too many files", where)
    said = by_name.get(NAME)
    if said is None or said.file_size > LARGEST_MANIFEST:
        raise _refused(f"it has no {NAME}, or one that is too large", where)
    manifest = parsed(_bytes_of(archive, said, where), f"{where}: {NAME}", BUNDLE)
    sizes = {file.path: file.size for file in manifest.files}
    if strange := sorted(by_name.keys() ^ {NAME, *sizes}):
        raise _refused(f"'{strange[0]}' is not in both the zip and its {NAME}", where)
    for name, size in sizes.items():
        _refuse_odd(by_name[name], size, where)
    refuse_full(folder, [manifest.size])
    for i, file in enumerate(manifest.files):
        progress("import", i, len(manifest.files), "files")
        _write(archive, by_name[file.path], folder / file.path, file.sha256, where)
    progress("import", len(manifest.files), len(manifest.files), "files")
    return manifest


def _refuse_odd(member: zipfile.ZipInfo, size: int, where: str) -> None:
    """Raises IntegrityError for what is no plain file, is encrypted, or would become more than it says."""
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG) or member.is_dir() or member.flag_bits & 0x1:
        raise _refused(f"{member.filename} is no plain file", where)
    if member.file_size != size:
        raise _refused(f"{member.filename} would have {member.file_size:,} bytes, not {size:,}", where)
    if member.file_size > RATIO * max(member.compress_size, 1):
        raise _refused(f"{member.filename} is packed more than {RATIO} times", where)


def _bytes_of(archive: zipfile.ZipFile, member: zipfile.ZipInfo, where: str) -> bytes:
    _refuse_odd(member, member.file_size, where)
    with archive.open(member) as file:
        data = file.read(LARGEST_MANIFEST + 1)
    if len(data) != member.file_size:
        raise _refused(f"{member.filename} has not the bytes that it says", where)
    return data


def _write(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, sha256: str, where: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    digest, left = hashlib.sha256(), member.file_size
    with archive.open(member) as read_from, target.open("xb") as file:
        while block := read_from.read(min(BLOCK, left + 1)):
            left -= len(block)
            if left < 0:
                raise _refused(f"{member.filename} becomes more than it says", where)
            digest.update(block)
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    if left or digest.hexdigest() != sha256:
        raise _refused(f"{member.filename}: its bytes have changed", where)
