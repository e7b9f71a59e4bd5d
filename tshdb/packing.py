"""What the first bytes of a file say it is, and the one table inside of what is packed.

Packed     gzip, bzip2, xz, zip and tar (packed or not) of one file are read as that file. An archive of several is refused by
           the names of what it holds, and a bomb by how far it unpacks.
No text    workbooks, HDF5, R's objects and the like are named, each with what to do: see KINDS.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any, NamedTuple, cast

from tshdb.errors import InvalidInput, NotFound
from tshdb.zips import opened_zip

FIRST_BYTES = 512
TAR_AT, TAR = 257, b"ustar"
ZIP = b"PK\x03\x04"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # .xls, and all else of the old Office
SHOWN = 4
MOST_RATIO = 200  # of unpacked to packed bytes; expression values reach 30
ALWAYS_BYTES = 64 << 20  # unpack whatever their ratio
BUFFER = 1 << 18


class Kind(NamedTuple):
    """A kind of file that is no text. what: its name, with an article; repair: how to make a table of it."""

    what: str
    repair: str


_FROM_R = "In R: write.table(x, 'table.tsv', sep = '\\t', quote = FALSE)"
_FROM_PANDAS = "In Python: pandas.read_…(…).to_csv('table.tsv', sep='\\t')"
_HDF5 = Kind(
    "an HDF5 file (.h5, .h5ad, .loom)",
    "Write its matrix as text; of an AnnData: adata.to_df().T.to_csv('table.tsv', sep='\\t')",
)
_R = Kind("an object of R (.rds, .RData)", _FROM_R)
_PICTURE = Kind("a picture (.png, .jpg, .gif, .tif)", "Ask for the table itself, as text or as a workbook")
_PAGE = Kind("a web page (HTML), perhaps an error of the archive", "Fetch the file itself again")
KINDS: tuple[tuple[bytes, Kind], ...] = (
    (b"\x89HDF\r\n\x1a\n", _HDF5),
    (b"RDX2\n", _R),
    (b"RDX3\n", _R),
    (b"RDA2\n", _R),
    (b"RDA3\n", _R),
    (b"X\n\x00\x00\x00", _R),
    (b"PAR1", Kind("a Parquet file", _FROM_PANDAS)),
    (b"ARROW1", Kind("an Arrow file (Feather)", _FROM_PANDAS)),
    (b"FEA1", Kind("a Feather file", _FROM_PANDAS)),
    (b"\x93NUMPY", Kind("a NumPy array (.npy)", "Write it as text, with the names of genes and samples")),
    (b"SQLite format 3\x00", Kind("an SQLite database", "Export the table as CSV")),
    (b"{\\rtf", Kind("a text of a word processor (.rtf)", "Save its table as CSV UTF-8")),
    (
        b"<?xml",
        Kind(
            "an XML file (an old spreadsheet, or an archive's export)", "Save it as .xlsx, or take the archive's table"
        ),
    ),
    (b"\x89PNG", _PICTURE),
    (b"\xff\xd8\xff", _PICTURE),
    (b"GIF8", _PICTURE),
    (b"II*\x00", _PICTURE),
    (b"MM\x00*", _PICTURE),
    (b"%PDF", Kind("a PDF", "Ask for the table itself, as text or as a workbook")),
    (b"$FL2", Kind("a file of SPSS (.sav)", "In SPSS: File, Save as, CSV; or " + _FROM_PANDAS)),
    (b"<stata_dta>", Kind("a file of Stata (.dta)", "In Stata: export delimited; or " + _FROM_PANDAS)),
    (b"MATLAB 5.0", Kind("a file of MATLAB (.mat)", "In MATLAB: writetable(…, 'table.csv')")),
    (b"\x28\xb5\x2f\xfd", Kind("packed by zstd", "Unpack it: zstd -d FILE")),
    (b"7z\xbc\xaf\x27\x1c", Kind("a 7z archive", "Unpack it, and name the file inside")),
    (b"Rar!", Kind("a RAR archive", "Unpack it, and name the file inside")),
    (b"<!DOCTYPE html", _PAGE),
    (b"<!doctype html", _PAGE),
    (b"<html", _PAGE),
    (b"<HTML", _PAGE),
)
WORKBOOK = Kind("a workbook (.xlsx, .xls)", "Save the sheet as CSV UTF-8, and name that file")
OPEN_DOCUMENT = Kind("a spreadsheet of OpenDocument (.ods)", "Save it as .xlsx, or the sheet as CSV")
DOCUMENT = Kind("a document of Word (.docx)", "Save its table as CSV")
NUMPY_ZIP = Kind("a pack of NumPy arrays (.npz)", "Write it as text, with the names of genes and samples")
_PACKERS = ((b"\x1f\x8b", gzip.open), (b"BZh", bz2.open), (b"\xfd7zXZ\x00", lzma.open))


def kind_of(first: bytes) -> Kind | None:
    """What a file that begins with these bytes is, where it is none of text; a workbook is told by `is_workbook`."""
    if first.startswith(OLE):
        return WORKBOOK
    return next((kind for magic, kind in KINDS if first.lstrip(b"\xef\xbb\xbf").startswith(magic)), None)


def is_workbook(path: Path) -> bool:
    """Whether the file is an .xlsx or .xls, by its content; a zip of anything else is none."""
    try:
        with path.open("rb") as file:
            first = file.read(len(OLE))
        if not first.startswith(ZIP):
            return first == OLE
        with opened_zip(path) as packed:
            return any(name.startswith("xl/") for name in packed.namelist())
    except (zipfile.BadZipFile, OSError):
        return path.is_file() and path.suffix.lower() != ".zip"  # cut: the workbook's reader says so


@contextmanager
def open_unpacked(path: Path) -> Iterator[IO[bytes]]:
    """The bytes of the table, out of whatever it is packed in. Raises NotFound, or InvalidInput for what holds no text."""
    if not path.is_file():
        raise NotFound("no such file", where=str(path))
    try:
        with path.open("rb") as raw, _unpacked(cast(IO[bytes], raw), path) as table:
            yield table
    except (EOFError, OSError, zlib.error, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the system's, not what bzip2 and gzip say of bytes
        what = "gzip" if isinstance(error, EOFError | gzip.BadGzipFile | zlib.error) else "packed"
        raise InvalidInput(
            f"the {what} file is cut or damaged ({error})", where=str(path), repair="Fetch it again"
        ) from None


@contextmanager
def _unpacked(raw: IO[bytes], path: Path) -> Iterator[IO[bytes]]:
    """One layer after the other is taken off."""
    first = cast(Any, raw).peek(FIRST_BYTES)
    if (kind := kind_of(first)) is not None:
        raise _refused(kind, path)
    unpack = next((opened for magic, opened in _PACKERS if first.startswith(magic)), None)
    if unpack is not None:
        with unpack(raw) as inner, _unpacked(_bounded(cast(Any, inner), path), path) as table:
            yield table
    elif first.startswith(ZIP):
        with opened_zip(raw) as packed:
            names = packed.namelist()
            _refuse_office(names, path)
            only = _only([n for n in names if not n.endswith("/")], "zip", path)
            with _member(packed, only, path) as inner, _unpacked(_bounded(inner, path), path) as table:
                yield table
    elif first[TAR_AT : TAR_AT + len(TAR)] == TAR:
        with tarfile.open(fileobj=raw, mode="r|") as packed:
            yield from _of_tar(packed, path)
    else:
        yield raw


class _Bounded(io.RawIOBase):
    """Unpacked bytes, up to a limit. Raises InvalidInput beyond it: a few megabytes may unpack to a terabyte."""

    def __init__(self, inner: IO[bytes], path: Path):
        self.inner, self.path = inner, path
        self.left = max(ALWAYS_BYTES, MOST_RATIO * path.stat().st_size)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        block = self.inner.read(len(buffer))
        buffer[: len(block)] = block
        self.left -= len(block)
        if self.left < 0:
            raise InvalidInput(
                f"it unpacks to more than {MOST_RATIO} times its size", where=str(self.path),
                repair="Unpack it and look at it; if it is what it should be, name the unpacked file",
            )  # fmt: skip
        return len(block)


def _bounded(inner: IO[bytes], path: Path) -> io.BufferedReader:
    return io.BufferedReader(_Bounded(inner, path), BUFFER)


def _member(packed: zipfile.ZipFile, name: str, path: Path) -> IO[bytes]:
    """A file of a zip archive. Raises InvalidInput for one with a password, or packed in a way that is not known."""
    try:
        return packed.open(name)
    except RuntimeError as error:
        raise InvalidInput(
            f"the zip is not read ({error})", where=str(path), repair="Unpack it, and name the file"
        ) from None


def _of_tar(packed: tarfile.TarFile, path: Path) -> Iterator[IO[bytes]]:
    """The one file of a tar archive, which is read from its beginning to its end."""
    names, table = [], b""
    for member in packed:
        if member.isfile() and not _is_hidden(member.name):
            names.append(member.name)
            if len(names) == 1:
                table = _bounded(cast(IO[bytes], packed.extractfile(member)), path).read()
    _only(names, "tar", path)
    with _unpacked(io.BufferedReader(cast(Any, io.BytesIO(table))), path) as inner:
        yield inner


def _is_hidden(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return "__MACOSX" in parts or any(part.startswith(".") and part != "." for part in parts)


def _only(names: list[str], what: str, path: Path) -> str:
    shown = [n for n in names if not _is_hidden(n)]
    if len(shown) != 1:
        listed = ", ".join(shown[:SHOWN]) + (" …" if len(shown) > SHOWN else "")
        raise InvalidInput(
            f"a {what} archive of {len(shown)} files{f' ({listed})' if listed else ''}", where=str(path),
            repair="Unpack the archive, and name the file that is meant",
        )  # fmt: skip
    return shown[0]


def _refuse_office(names: list[str], path: Path) -> None:
    for prefix, kind in (("xl/", WORKBOOK), ("word/", DOCUMENT), ("META-INF/manifest.xml", OPEN_DOCUMENT)):
        if any(name.startswith(prefix) for name in names):
            raise _refused(kind, path)
    if names and all(name.endswith(".npy") for name in names):
        raise _refused(NUMPY_ZIP, path)


def _refused(kind: Kind, path: Path) -> InvalidInput:
    return InvalidInput(f"{kind.what}, no text", where=str(path), repair=kind.repair)
