"""Images of a public archive in a folder: which series there are, which are wanted, which are there, and fetching the rest.

Folder   <patient>/<study UID>/<modality>_<series UID>/, with the archive's files and .complete, which is written last and says
         how many files and bytes the series has and which revision it is. A series without it is gone on with.
Selected series by modality (of studies with MR, so that slides' segmentations are no breasts), patient, list of series, or
         each patient's first study. Sizes are known before anything is fetched.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import httpx

from ingest.download import DownloadError, Patience, Wanted, client, safe_name
from tshdb.errors import InvalidInput, NotFound, TshdbError
from tshdb.loading import Release
from tshdb.places import without_link

COMPLETE = ".complete"
GIVE_UP = 4
UID = re.compile(r"[0-9.]{1,64}")
MANIFEST_MARK = "ListOfSeriesToDownload"


@dataclass(frozen=True)
class RemoteSeries:
    """One series as the archive's list says it. n_files, n_bytes: None where the list does not say; place: of the archive."""

    series_uid: str
    study_uid: str
    patient_id: str
    modality: str
    study_date: str
    description: str
    n_files: int | None
    n_bytes: int | None
    revision: str
    place: str

    def folder(self, root: Path) -> Path:
        """Where its files go. Raises DownloadError for names that lead elsewhere."""
        for uid in (self.series_uid, self.study_uid):
            if not UID.fullmatch(uid):
                raise DownloadError(f"'{uid!r}' is no UID", where=self.place, repair="Nothing was written")
        patient = safe_name(self.patient_id, self.place)
        return root / patient / self.study_uid / f"{safe_name(self.modality, self.place)}_{self.series_uid}"


@dataclass(frozen=True)
class Selection:
    """Which series are wanted. patients, series: None for all; is_first_study: of each patient, by date."""

    modalities: frozenset[str]
    patients: frozenset[str] | None = None
    series: frozenset[str] | None = None
    is_first_study: bool = False

    def of(self, listed: Sequence[RemoteSeries]) -> list[RemoteSeries]:
        """The wanted series in the order of patient, date and series."""
        with_mr = {s.study_uid for s in listed if s.modality == "MR"}
        first: dict[str, tuple[str, str]] = {}
        for s in listed:
            if s.study_uid in with_mr:
                date_and_uid = (s.study_date, s.study_uid)
                first[s.patient_id] = min(first.get(s.patient_id, date_and_uid), date_and_uid)
        wanted = [
            s for s in listed
            if s.modality in self.modalities and s.study_uid in with_mr
            and (self.patients is None or s.patient_id in self.patients)
            and (self.series is None or s.series_uid in self.series)
            and (not self.is_first_study or first[s.patient_id][1] == s.study_uid)
        ]  # fmt: skip
        return sorted(wanted, key=lambda s: (s.patient_id, s.study_date, s.study_uid, s.series_uid))


@dataclass
class SeriesPlan:
    """What there is to fetch. missing: series that are not whole in the folder; n_present: those that are."""

    folder: Path
    release: Release
    missing: list[RemoteSeries] = field(default_factory=list)
    n_present: int = 0
    n_patients: int = 0
    n_studies: int = 0

    @property
    def n_bytes(self) -> int:
        return sum(s.n_bytes or 0 for s in self.missing)

    @property
    def n_files(self) -> int:
        return sum(s.n_files or 0 for s in self.missing)


class Archive(Protocol):
    """What `plan` and `fetch` need of an archive."""

    patience: Patience
    http: httpx.Client

    def series(self) -> list[RemoteSeries]:
        """All series of the collection."""

    def release(self) -> Release:
        """How the archive names its state."""

    def fetch_series(
        self, series: RemoteSeries, folder: Path, jobs: int, arrived: Callable[[Wanted, int], None]
    ) -> str:
        """Fetch what the folder lacks of a series; gives how it was verified. Raises TshdbError."""


def plan(archive: Archive, folder: Path, selection: Selection) -> SeriesPlan:
    """Hold the archive's list against the folder; fetches no image. Raises NotFound when nothing is selected."""
    listed = archive.series()
    wanted = selection.of(listed)
    if selection.patients is not None and (absent := selection.patients - {s.patient_id for s in listed}):
        raise NotFound(f"no patient {', '.join(sorted(absent))}", where="--patient", repair="Correct the identifier")
    if not wanted:
        raise NotFound(
            f"none of its {len(listed):,} series is selected",
            where="the archive",
            repair="Ask for other parts or patients",
        )
    made = SeriesPlan(folder, archive.release(), n_patients=len({s.patient_id for s in wanted}),
                n_studies=len({s.study_uid for s in wanted}))  # fmt: skip
    for series in wanted:
        if is_complete(series, series.folder(folder)):
            made.n_present += 1
        else:
            made.missing.append(series)
    return made


def is_complete(series: RemoteSeries, folder: Path) -> bool:
    """Whether the series was fetched whole, as it is today, and is still there."""
    try:
        record = json.loads((folder / COMPLETE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    here = [e.stat().st_size for e in os.scandir(folder) if e.name.endswith(".dcm")]
    is_here = len(here) == record.get("files") and sum(here) == record.get("bytes")
    return is_here and record.get("revision") == series.revision


def fetch(
    archive: Archive,
    planned: SeriesPlan,
    jobs: int,
    arrived: Callable[[Wanted, int], None] = lambda wanted, size: None,
    done: Callable[[RemoteSeries], None] = lambda series: None,
) -> Iterator[tuple[RemoteSeries, TshdbError]]:
    """Fetch what is missing, series by series; gives those that could not be had, with the reason.

    After GIVE_UP failures in a row the rest is not tried: the network or the archive is away.
    """
    in_a_row = 0
    for series in planned.missing:
        if in_a_row == GIVE_UP:
            yield series, DownloadError(f"not tried after {GIVE_UP} failures in a row", where=series.place)
            continue
        folder = series.folder(planned.folder)
        try:
            verified = archive.fetch_series(series, folder, jobs, arrived)
            _finish(series, folder, verified)
            in_a_row = 0
        except TshdbError as error:
            in_a_row += 1
            yield series, error
        done(series)


def _finish(series: RemoteSeries, folder: Path, verified: str) -> None:
    """Hold the number of files against the list, and write that the series is whole."""
    files = sorted(e.name for e in os.scandir(folder) if e.name.endswith(".dcm"))
    if series.n_files is not None and len(files) != series.n_files:
        raise DownloadError(
            f"{len(files):,} files came; the archive's list says {series.n_files:,}", where=series.place,
            repair="Run the command again; if it stays so, the list is older than the archive",
        )  # fmt: skip
    record = {
        "files": len(files), "bytes": sum((folder / name).stat().st_size for name in files),
        "revision": series.revision, "verified": verified, "place": series.place,
    }  # fmt: skip
    written = without_link(folder / f"{COMPLETE}.writing")
    with written.open("w", encoding="utf-8") as file:
        file.write(json.dumps(record, sort_keys=True))
        file.flush()
        os.fsync(file.fileno())
    os.replace(written, folder / COMPLETE)


def drop_others(folder: Path, names: Iterable[str]) -> None:
    """Remove the files of an older revision: those that the archive does not name any more."""
    kept = set(names)
    for entry in os.scandir(folder):
        if entry.name.endswith(".dcm") and entry.name not in kept:
            os.unlink(entry.path)


def read_manifest(path: Path) -> frozenset[str]:
    """The series of a TCIA manifest (.tcia): what follows the line ListOfSeriesToDownload, headings passed over.

    Raises NotFound, or InvalidInput with the line.
    """
    if not path.is_file():
        raise NotFound("no such file", where=str(path))
    lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    start = next((i for i, line in enumerate(lines) if line.strip().startswith(MANIFEST_MARK)), None)
    if start is None:
        raise InvalidInput(f"no line {MANIFEST_MARK}=", where=str(path), repair="Expected a .tcia manifest")
    uids = set()
    for at, line in enumerate(lines[start + 1 :], start + 2):
        text = line.strip()
        if not any(c.isdigit() for c in text):
            continue  # empty, or a heading such as "Series ID", which published manifests have
        if not UID.fullmatch(text) or "." not in text:
            raise InvalidInput(f"'{text[:80]}' is no series UID", where=f"{path}:{at}", repair="Remove the line")
        uids.add(text)
    if not uids:
        raise InvalidInput("names no series", where=str(path), repair="Make the manifest again")
    return frozenset(uids)


def opened(patience: Patience | None, http: httpx.Client | None) -> tuple[Patience, httpx.Client]:
    """What an archive talks with."""
    patience = patience or Patience()
    return patience, http or client(patience)


def text_of(value: Any) -> str:
    """A cell of a list as text; nothing is empty."""
    return "" if value is None else str(value)
