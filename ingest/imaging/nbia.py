"""NBIA, TCIA's own archive: series by its REST service, each as a zip with the MD5 of its files.

Service  getSeries (JSON) lists a collection; getImageWithMD5Hash gives a zip of one series with md5hashes.csv (Filename,
         MD5Hash). Source: kirbyju/tcia_utils, nbia.py. The zip is made while it is sent: it has no size and cannot be
         resumed, so a broken one is fetched again; series that are whole stay.
Zip      every member is compared with its MD5 before anything gets its final name; members that lead out of the folder, are
         no regular files, or are larger than the series can be are refused.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from ingest.download import DownloadError, Patience, Wanted, fetch, requested, safe_name
from ingest.imaging.archive import RemoteSeries, drop_others, opened, text_of
from tshdb.loading import Release
from tshdb.places import without_link
from tshdb.zips import opened_zip

URL = "https://nbia.cancerimagingarchive.net/nbia-api/services/v4"
HASHES = "md5hashes.csv"
SLACK = 50_000_000  # bytes by which a zip's members may exceed what the list says of the series
MORE_FILES = 10


class Nbia:
    """A collection of TCIA. name: as TCIA spells it."""

    def __init__(
        self,
        collection: str,
        name: str,
        url: str = URL,
        patience: Patience | None = None,
        http: httpx.Client | None = None,
    ):
        self.collection, self.name, self.url = collection, name, url.rstrip("/")
        self.patience, self.http = opened(patience, http)
        self._listed: list[dict[str, Any]] | None = None

    def release(self) -> Release:
        """NBIA has no releases: the day of the newest series stands for one."""
        days = sorted(text_of(s.get("DateReleased") or s.get("MaxSubmissionTimestamp")) for s in self._list())
        return Release(self.collection, "nbia", f"TCIA {self.name}, newest series {days[-1] if days else 'none'}", {})

    def series(self) -> list[RemoteSeries]:
        """All series of the collection. Raises DownloadError."""
        return [self._of(row) for row in self._list()]

    def _list(self) -> list[dict[str, Any]]:
        if self._listed is None:
            asked = {"Collection": self.name, "format": "json"}
            answer = requested(self.http, "GET", f"{self.url}/getSeries", self.patience, params=asked)
            try:
                self._listed = answer.json() if answer.content.strip() else []
            except ValueError:
                raise DownloadError(
                    "the answer is no JSON", where=f"{self.url}/getSeries", repair="Is a login page in between?"
                ) from None
        return self._listed

    def _of(self, row: dict[str, Any]) -> RemoteSeries:
        size, count = row.get("FileSize"), row.get("ImageCount")
        uid = text_of(row.get("SeriesInstanceUID"))
        return RemoteSeries(
            uid, text_of(row.get("StudyInstanceUID")), text_of(row.get("PatientID")), text_of(row.get("Modality")),
            text_of(row.get("StudyDate")), text_of(row.get("SeriesDescription")),
            int(count) if text_of(count).isdecimal() else None, int(size) if text_of(size).isdigit() else None,
            text_of(row.get("MaxSubmissionTimestamp") or row.get("DateReleased")),
            f"{self.url}/getImageWithMD5Hash?SeriesInstanceUID={uid}",
        )  # fmt: skip

    def fetch_series(
        self, series: RemoteSeries, folder: Path, jobs: int, arrived: Callable[[Wanted, int], None]
    ) -> str:
        """See `archive.Archive`."""
        folder.mkdir(parents=True, exist_ok=True)
        packed = folder / ".series.zip"
        problem = ""
        try:
            for attempt in range(self.patience.attempts):
                packed.unlink(missing_ok=True)
                fetch(Wanted(series.place, packed), self.http, self.patience, arrived)
                try:
                    drop_others(folder, _unpack(packed, folder, series))
                    return "md5"
                except _Broken as error:
                    problem = str(error)
                    self.patience.pause(attempt)
        finally:
            packed.unlink(missing_ok=True)
        raise DownloadError(problem, where=series.place, repair="Run the command again; series that are whole are kept")


class _Broken(Exception):
    """The zip is not what the archive meant to send: it is worth asking again."""


def _unpack(packed: Path, folder: Path, series: RemoteSeries) -> list[str]:
    """Verify all members, then give them their names; gives the names. Raises _Broken, or DownloadError for a hostile zip."""
    try:
        with opened_zip(packed) as zip_:
            members = [m for m in zip_.infolist() if not m.is_dir()]
            _refuse_bombs(members, series)
            hashes = _hashes(zip_, members)
            taken = []
            for member in members:
                name = safe_name(member.filename, series.place)
                if not name.lower().endswith(".dcm"):
                    continue
                if name not in hashes:
                    raise _Broken(f"{name} is not in {HASHES}")
                taken.append((_written(zip_, member, folder / f".{name}.partial", hashes[name]), folder / name))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise _Broken(f"the zip is damaged ({error})") from None
    if absent := set(hashes) - {final.name for _, final in taken}:
        raise _Broken(f"{len(absent)} files of {HASHES} are not in the zip")
    for partial, final in taken:
        os.replace(partial, final)
    return [final.name for _, final in taken]


def _refuse_bombs(members: list[zipfile.ZipInfo], series: RemoteSeries) -> None:
    most = (series.n_bytes or SLACK * 100) * 2 + SLACK
    total, n = sum(m.file_size for m in members), len(members)
    if total > most or (series.n_files is not None and n > series.n_files + MORE_FILES):
        raise DownloadError(
            f"the zip holds {n:,} files of {total:,} bytes; the series has {series.n_files} of {series.n_bytes}",
            where=series.place, repair="Nothing of it was unpacked",
        )  # fmt: skip


def _hashes(zip_: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> dict[str, str]:
    """File name -> MD5, as the archive says them."""
    if HASHES not in {m.filename for m in members}:
        raise _Broken(f"the zip has no {HASHES}")
    rows = csv.DictReader(io.StringIO(zip_.read(HASHES).decode("utf-8", "replace")))
    md5_of_file = {(r.get("Filename") or "").strip(): (r.get("MD5Hash") or "").strip().lower() for r in rows}
    return {name: md5 for name, md5 in md5_of_file.items() if name.lower().endswith(".dcm")}


def _written(zip_: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path, md5: str) -> Path:
    """A member under a name that is not final, compared with its MD5."""
    digest = hashlib.md5(usedforsecurity=False)
    with zip_.open(member) as source, without_link(path).open("wb") as file:
        while block := source.read(1 << 20):
            digest.update(block)
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    if digest.hexdigest() != md5:
        path.unlink()
        raise _Broken(f"{member.filename}: md5 {digest.hexdigest()}; the archive says {md5}")
    return path
