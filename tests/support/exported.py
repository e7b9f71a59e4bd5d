"""One table of patients written in many formats, and read again by each format's own library: for what a search must see.

Every format gives (write, read): `write(path, rows)` with rows of (patient, note); `read(path)` gives all text that a person
would find in the file.
"""

from __future__ import annotations

import bz2
import gzip
import html
import io
import json
import lzma
import pickle
import pickletools
import re
import sqlite3
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

Rows = list[tuple[str, str]]


class Format(NamedTuple):
    """How a table is written in one format, and what a person finds in it. is_open: whether our search can open it."""

    write: Callable[[Path, Rows], object]
    read: Callable[[Path], str]
    is_open: bool = True


def _frame(rows: Rows) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["patient_id", "note"])


def _csv(rows: Rows, separator: str = ",") -> str:
    return _frame(rows).to_csv(index=False, sep=separator)


def _cells(frame: pd.DataFrame) -> str:
    return "\n".join(map(str, frame.to_numpy().ravel()))


def _packed(pack: Callable[[bytes], bytes], unpack: Callable[[bytes], bytes]) -> Format:
    return Format(
        lambda path, rows: path.write_bytes(pack(_csv(rows).encode())),
        lambda path: unpack(path.read_bytes()).decode(),
    )


def _text(encoding: str, separator: str = ",") -> Format:
    return Format(
        lambda path, rows: path.write_bytes(_csv(rows, separator).encode(encoding)),
        lambda path: path.read_bytes().decode(encoding),
    )


def _zipped(members: Callable[[Rows], dict[str, bytes]], shown: Callable[[str], str] = str) -> Format:
    def write(path: Path, rows: Rows) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members(rows).items():
                archive.writestr(name, content)

    def read(path: Path) -> str:
        with zipfile.ZipFile(path) as archive:
            return "\n".join(shown(archive.read(name).decode("utf-8", "replace")) for name in archive.namelist())

    return Format(write, read)


def _word(rows: Rows) -> dict[str, bytes]:
    """Every word is cut into two runs, as Word does where a letter was corrected."""
    runs = "".join(
        f"<w:p><w:r><w:t>{html.escape(t[:5])}</w:t></w:r><w:r><w:t>{html.escape(t[5:])}</w:t></w:r></w:p>"
        for row in rows for t in row
    )  # fmt: skip
    return {"word/document.xml": f"<?xml version='1.0'?><w:document><w:body>{runs}</w:body></w:document>".encode()}


def _tar(path: Path, rows: Rows) -> None:
    content = _csv(rows).encode()
    member = tarfile.TarInfo("folder/clinical.csv")
    member.size = len(content)
    with tarfile.open(path, "w:gz") as archive:
        archive.addfile(member, io.BytesIO(content))


def _untar(path: Path) -> str:
    with tarfile.open(path) as archive:
        return "".join(archive.extractfile(m).read().decode() for m in archive)


def _pdf(path: Path, rows: Rows) -> None:
    shown = "".join(
        f"BT /F1 9 Tf 20 {700 - 12 * i} Td [({t[:4]}) -20 ({t[4:]})] TJ ET\n" for i, row in enumerate(rows) for t in row
    )
    packed = zlib.compress(shown.encode())
    head = f"%PDF-1.4\n4 0 obj\n<< /Length {len(packed)} /Filter /FlateDecode >>\nstream\n"
    path.write_bytes(head.encode() + packed + b"\nendstream\nendobj\n")


def _pdf_text(path: Path) -> str:
    content = zlib.decompressobj().decompress(path.read_bytes().split(b"stream\n", 1)[1]).decode()
    return "\n".join("".join(re.findall(r"\(([^)]*)\)", line)) for line in content.splitlines())


def _sqlite(path: Path, rows: Rows) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("PRAGMA encoding = 'UTF-16le'")
        _frame(rows).to_sql("people", database, index=False)


def _sqlite_text(path: Path) -> str:
    with closing(sqlite3.connect(path)) as database:
        return "\n".join(" ".join(row) for row in database.execute("SELECT * FROM people"))


def _rds(rows: Rows) -> bytes:
    """A character vector as R 3 serialises it (R Internals, 1.8), without the packing."""
    texts = [t.encode() for row in rows for t in row]
    body = b"".join(struct.pack(">ii", 0x00040009, len(t)) + t for t in texts)
    return b"X\n" + struct.pack(">iii", 2, 0x00040000, 0x00020300) + struct.pack(">ii", 16, len(texts)) + body


def _pickled(path: Path) -> str:
    return "\n".join(str(argument) for _, argument, _ in pickletools.genops(path.read_bytes()))


FORMATS: dict[str, Format] = {
    "csv": _text("utf-8"),
    "tsv": _text("utf-8", "\t"),
    "utf16.csv": _text("utf-16"),
    "le.csv": _text("utf-16-le"),
    "csv.gz": _packed(gzip.compress, gzip.decompress),
    "csv.bz2": _packed(bz2.compress, bz2.decompress),
    "csv.xz": _packed(lzma.compress, lzma.decompress),
    "csv.zlib": _packed(zlib.compress, zlib.decompress),
    "json": Format(
        lambda path, rows: path.write_text(json.dumps([{"id": p, "note": n} for p, n in rows])), lambda path: path.read_text()
    ),
    "html": Format(
        lambda path, rows: path.write_text("<html>" + "".join(f"<b>{p[:3]}</b>{p[3:]}<br>{n}<br>" for p, n in rows) + "</html>"),
        lambda path: re.sub("<b>|</b>", "", path.read_text()),
    ),
    "xlsx": Format(lambda path, rows: _frame(rows).to_excel(path), lambda path: _cells(pd.read_excel(path))),
    "docx": _zipped(_word, lambda text: re.sub("<[^>]*>", "", text.replace("</w:p>", "\n"))),
    "zip": _zipped(lambda rows: {"a/clinical.csv": _csv(rows).encode(), "b.txt": b"nothing"}),
    "tgz": Format(_tar, _untar),
    "parquet": Format(
        lambda path, rows: _frame(rows).to_parquet(path, compression="zstd"), lambda path: _cells(pd.read_parquet(path))
    ),
    "feather": Format(lambda path, rows: _frame(rows).to_feather(path), lambda path: _cells(pd.read_feather(path))),
    "npy": Format(
        lambda path, rows: np.save(path, np.array(rows, dtype="U")), lambda path: "\n".join(np.load(path).ravel().tolist())
    ),
    "npz": Format(
        lambda path, rows: np.savez_compressed(path, a=np.array(rows, dtype="S")),
        lambda path: b"\n".join(np.load(path)["a"].ravel().tolist()).decode(),
    ),
    "db": Format(_sqlite, _sqlite_text),
    "pdf": Format(_pdf, _pdf_text),
    "rds": Format(
        lambda path, rows: path.write_bytes(gzip.compress(_rds(rows))),
        lambda path: gzip.decompress(path.read_bytes()).decode("latin-1"),
    ),
    "pkl": Format(
        lambda path, rows: path.write_bytes(pickle.dumps(rows)), _pickled
    ),
    "vault": Format(
        lambda path, rows: path.write_bytes(bytes(b ^ 0xA5 for b in _csv(rows).encode())),
        lambda path: bytes(b ^ 0xA5 for b in path.read_bytes()).decode(),
        is_open=False,
    ),
}  # fmt: skip
