"""Headers on their way from files to rows: in a scratch database, so that memory does not grow with the folder."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from ingest.imaging.headers import Header
from tshdb.file_identity import FileIdentity
from tshdb.files import temporary_folder


class KnownFile(NamedTuple):
    """A file that the study has read before."""

    path: str
    identity: FileIdentity
    series_uid: str


class Read(NamedTuple):
    """One file that was read now."""

    path: str
    identity: FileIdentity
    sha256: str
    header: Header
    segments: tuple[tuple[dict[str, Any], bytes], ...] = ()  # rows of segmentations with the content of their objects


_TABLES = """
CREATE TABLE known (path TEXT PRIMARY KEY, series_uid, size_bytes, mtime_ns, ctime_ns, inode) WITHOUT ROWID;
CREATE TABLE files (
    path TEXT PRIMARY KEY, sop_uid, series_uid, study_uid, sha256, size_bytes, mtime_ns, ctime_ns, inode, instance_number,
    has_pixels, patient, study, series, instance, folder, frames
) WITHOUT ROWID;
CREATE TABLE segments (path, series_uid, row, content BLOB);
CREATE INDEX files_of_series ON files (series_uid, instance_number, sop_uid);
CREATE INDEX files_of_sop ON files (sop_uid);
"""
_INSERT = f"INSERT OR REPLACE INTO files VALUES ({', '.join(17 * '?')})"


class Spool:
    """A scratch database that is gone when it is closed."""

    def __init__(self, folder: Path | None = None):
        self.noted: set[tuple] = set()  # findings that are given once a series
        self._open = ExitStack()
        place = self._open.enter_context(temporary_folder("tshdb-dicom-", folder))
        self.db = sqlite3.connect(place / "headers.db", isolation_level=None)
        self.db.execute("PRAGMA journal_mode = OFF")
        self.db.execute("PRAGMA synchronous = OFF")
        self.db.executescript(_TABLES)

    def close(self) -> None:
        self.db.close()
        self._open.close()

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def know(self, files: Iterable[KnownFile]) -> None:
        """Note what the study has read before."""
        self.db.execute("BEGIN")
        rows = ((known.path, known.series_uid, *known.identity) for known in files)
        self.db.executemany("INSERT OR REPLACE INTO known VALUES (?, ?, ?, ?, ?, ?)", rows)
        self.db.execute("COMMIT")

    def known(self, path: str) -> KnownFile | None:
        row = self.db.execute("SELECT * FROM known WHERE path = ?", (path,)).fetchone()
        return KnownFile(row[0], FileIdentity._make(row[2:]), row[1]) if row else None

    def known_paths(self, series_uids: Iterable[str]) -> list[str]:
        """The known files of these series, which must be read again since something of the series moved."""
        wanted = set(series_uids)
        return sorted(p for p, s in self.db.execute("SELECT path, series_uid FROM known") if s in wanted)

    def add(self, files: Iterable[Read]) -> None:
        files = list(files)
        self.db.execute("BEGIN")
        self.db.executemany(_INSERT, map(_row, files))
        for f in files:
            self.db.execute("DELETE FROM segments WHERE path = ?", (f.path,))
            for row, content in f.segments:
                values = (f.path, f.header.series["series_uid"], json.dumps(row), content)
                self.db.execute("INSERT INTO segments VALUES (?, ?, ?, ?)", values)
        self.db.execute("COMMIT")

    def copies(self) -> Iterator[tuple[str, list[tuple[str, str]]]]:
        """(SOPInstanceUID, its (path, SHA-256)) of those that are in several files, by path."""
        several = "SELECT sop_uid FROM files GROUP BY sop_uid HAVING count(*) > 1 ORDER BY sop_uid"
        for (sop_uid,) in self.db.execute(several).fetchall():
            query = "SELECT path, sha256 FROM files WHERE sop_uid = ? ORDER BY path"
            yield sop_uid, self.db.execute(query, (sop_uid,)).fetchall()

    def drop(self, paths: Iterable[str]) -> None:
        self.db.executemany("DELETE FROM files WHERE path = ?", [(p,) for p in paths])

    def drop_series(self, series_uid: str) -> None:
        self.db.execute("DELETE FROM files WHERE series_uid = ?", (series_uid,))

    def series(self) -> list[tuple[str, str]]:
        """(study, series) of all files, in order."""
        return self.db.execute("SELECT DISTINCT study_uid, series_uid FROM files ORDER BY 1, 2").fetchall()

    def kinds(self) -> Iterator[tuple[str, str | None, bool, int, str]]:
        """(SOP class, modality, has pixels, how many files, the first) of all files."""
        return self.db.execute(
            "SELECT json_extract(series, '$.sop_class_uid'), json_extract(series, '$.modality'), has_pixels, count(*), "
            "min(path) FROM files GROUP BY 1, 2, 3"
        )

    def folders(self) -> Iterator[tuple[str, str, str]]:
        """(folder, patient as JSON, series) of all files, once each."""
        return self.db.execute("SELECT DISTINCT folder, patient, series_uid FROM files ORDER BY 1, 2, 3")

    def distinct_rows(self, series_uid: str, what: str) -> list[dict[str, Any]]:
        """What the files of a series say of the patient, the study or the series, once each, by instance number."""
        rows = self.db.execute(
            f"SELECT {what}, min(coalesce(instance_number, 0)) FROM files WHERE series_uid = ? GROUP BY {what} "
            f"ORDER BY 2, {what}",
            (series_uid,),
        )
        return [json.loads(text) for text, _ in rows]

    def segments(self, series_uid: str) -> list[tuple[dict[str, Any], bytes, str, str]]:
        """Rows of segmentations of a series with the content of their objects, of files that were kept: path and SHA-256."""
        query = (
            "SELECT row, content, path, sha256 FROM segments JOIN files USING (path) WHERE segments.series_uid = ? "
            "ORDER BY path, row"
        )
        return [(json.loads(row), *rest) for row, *rest in self.db.execute(query, (series_uid,))]

    def paths(self, series_uid: str) -> list[str]:
        return [p for (p,) in self.db.execute("SELECT path FROM files WHERE series_uid = ?", (series_uid,))]

    def content(self, series_uid: str) -> list[tuple[str, str, int, bool]]:
        """(SOPInstanceUID, SHA-256, bytes, has pixels) of a series."""
        query = "SELECT sop_uid, sha256, size_bytes, has_pixels FROM files WHERE series_uid = ? ORDER BY sop_uid"
        return self.db.execute(query, (series_uid,)).fetchall()

    def instances(self, series_uid: str, root: Path | None = None) -> Iterator[dict[str, Any]]:
        """Rows of imaging_instances of a series, one a file or a frame; paths below `root` are relative to it."""
        below = f"{root}/" if root else "\0"
        query = (
            f"SELECT instance, frames, sha256, path, study_uid, {', '.join(FileIdentity._fields)} FROM files "
            "WHERE series_uid = ? ORDER BY sop_uid"
        )
        for instance, frames, sha256, path, study, *identity in self.db.execute(query, (series_uid,)):
            facts = {"sha256": sha256, "path": path.removeprefix(below), **FileIdentity._make(identity)._asdict()}
            of_file = {**json.loads(instance), **facts, "series_uid": series_uid, "study_uid": study}
            yield from ({**of_file, **frame} for frame in json.loads(frames) or [{}])


def _row(read: Read) -> tuple:
    header = read.header
    return (
        read.path, header.instance["sop_uid"], header.series["series_uid"], header.study["study_uid"], read.sha256,
        *read.identity, header.instance["instance_number"], header.instance["has_pixels"],
        json.dumps(header.patient), json.dumps(header.study), json.dumps(header.series), json.dumps(header.instance),
        str(Path(read.path).parent), json.dumps(header.frames),
    )  # fmt: skip
