"""Files that hold files: gzip, bzip2, xz, zstd, lz4, zlib's own, zip with all that is one (workbooks, documents, .npz), tar."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Any

from tshdb.contents.look import Look, NotSeen, Opener, Piece
from tshdb.packing import FIRST_BYTES
from tshdb.zips import opened_zip


def stream(unpacked: Callable[[IO[bytes]], IO[bytes]]) -> Opener:
    """Opens what is one packed file."""

    def opened(file: IO[bytes], look: Look) -> Iterator[Piece]:
        yield look.text(
            file.read(FIRST_BYTES).decode("latin-1"), is_binary=True
        )  # gzip keeps the name that the file had
        file.seek(0)
        with unpacked(file) as content:
            yield from look.into(content)

    return opened


GZIP = stream(lambda file: gzip.GzipFile(fileobj=file, mode="rb"))  # type: ignore[arg-type,return-value]
BZIP2 = stream(lambda file: bz2.BZ2File(file))  # type: ignore[arg-type,return-value]
XZ = stream(lambda file: lzma.LZMAFile(file))  # type: ignore[arg-type,return-value]


def by_arrow(codec: str) -> Opener:
    """What Arrow unpacks: zstd and lz4."""

    def unpacked(file: IO[bytes]) -> Any:
        import pyarrow as pa

        return pa.CompressedInputStream(pa.PythonFile(file, mode="r"), codec)

    return stream(unpacked)


def deflated(file: IO[bytes], look: Look) -> Iterator[Piece]:
    """A stream of zlib, as git keeps its objects."""
    yield from look.into(_Inflated(file))  # type: ignore[arg-type]


class _Inflated:
    """What a stream of zlib unpacks to, as a file that is read. wbits: 15 with zlib's head, -15 without any."""

    def __init__(self, file: IO[bytes], wbits: int = 15):
        self.file, self.unpacker = file, zlib.decompressobj(wbits)

    def read(self, size: int) -> bytes:
        held = self.unpacker.decompress(self.unpacker.unconsumed_tail, size)
        while not held and not self.unpacker.eof and (part := self.file.read(size)):
            held = self.unpacker.decompress(part, size)
        return held


def zipped(file: IO[bytes], look: Look) -> Iterator[Piece]:
    """The members, their names, and the archive's comment. A member that cannot be opened is said, and the others are read."""
    with opened_zip(file) as archive:
        members = archive.infolist()
        if len(members) > look.limits.members:
            raise NotSeen(f"an archive of more than {look.limits.members:,} files")
        told = [archive.comment.decode("latin-1"), *(m.filename for m in members)]
        yield look.text("\n".join([*told, *(m.comment.decode("latin-1") for m in members)]))
        for member in members:
            if member.is_dir():
                continue
            if member.flag_bits & 1:
                yield Piece(unseen="locked by a password", inside=f"{look.inside}!{member.filename}".lstrip("!"))
                continue
            try:
                with archive.open(member) as content:
                    yield from look.into(content, member.filename)
            except (NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error, EOFError) as error:
                why = f"a part of an archive that cannot be unpacked ({error})"
                yield Piece(unseen=why, inside=f"{look.inside}!{member.filename}".lstrip("!"))


def tarred(file: IO[bytes], look: Look) -> Iterator[Piece]:
    """The members and their names."""
    with tarfile.open(fileobj=file, mode="r:") as archive:
        for n, member in enumerate(archive):
            if n >= look.limits.members:
                raise NotSeen(f"an archive of more than {look.limits.members:,} files")
            told = [member.name, member.linkname, member.uname, *map(str, member.pax_headers.values())]
            yield look.text("\n".join(told))
            content = archive.extractfile(member) if member.isfile() else None
            if content is not None:
                yield from look.into(content, member.name)
