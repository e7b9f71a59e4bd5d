"""A folder of DICOM files, in any layout: what is in it by the headers, and a `loading.Item` a series.

Walk     every regular file below the folder; links that lead outside are not followed. Names mean nothing: patient, study
         and series are what the header says. A file that was not written since it was read is not read again, unless
         another file of its series is new.
Read     in parallel processes, headers only, each file's bytes hashed on the way; rows wait in a scratch database.
Judge    damaged files, files that name a person, one SOPInstanceUID with two contents: errors, with the file.
"""

from __future__ import annotations

import json
import os
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

from ingest.identifiers import checked_patient
from ingest.imaging.headers import SEGMENTATIONS, Header, Unreadable, digest_and_header
from ingest.imaging.spool import KnownFile, Read, Spool
from tshdb.errors import InvalidInput, NotFound
from tshdb.file_content import FileContent, Finding, Instances, Record
from tshdb.loading import Item, Source
from tshdb.loading.instances import content_digest
from tshdb.objects import VOXELS
from tshdb.schema import ImagingSeries, ImagingStudy, Patient, Segmentation
from tshdb.vocabulary import Severity

READER = "dicom"
CHUNK = 64  # files that a worker reads in one go
AHEAD = 4  # chunks a worker may be ahead
SUFFIXES = {".dcm", ".ima", ".dicom"}
OTHER_SUFFIXES = {".tcia", ".csv", ".tsv", ".txt", ".md", ".xlsx", ".xls", ".pdf", ".json", ".html", ".zip", ".md5"}
MASK_SUFFIXES = {".nii", ".gz", ".nrrd", ".nhdr", ".mha", ".mhd", ".les"}
Content = list[tuple[str, str, int, bool]]  # SOPInstanceUID, SHA-256, bytes, has pixels


@dataclass(frozen=True)
class DicomFolderOptions:
    """How a folder is read.

    accept_identified   of the study's settings
    jobs                how many processes
    root                paths below it are kept relative to it, so that a study may move
    """

    collection: str
    accept_identified: bool = False
    jobs: int = 2
    root: Path | None = None


@dataclass
class Contents:
    """What a folder holds. touched: the series of which something is new or changed."""

    root: Path
    options: DicomFolderOptions
    spool: Spool
    findings: list[Finding] = field(default_factory=list)
    n_files: int = 0
    n_dicom: int = 0
    n_untouched: int = 0
    n_withheld: int = 0
    untouched: set[str] = field(default_factory=set)
    touched: set[str] = field(default_factory=set)

    def withhold(self, finding: Finding, n_files: int) -> None:
        """Files that are not taken, and why."""
        self.findings.append(finding)
        self.n_withheld += n_files


class _Refused:
    """Files that are not taken, counted by rule, folder and what was said, so that a thousand make one finding."""

    def __init__(self) -> None:
        self._n: Counter[tuple[str, str, str]] = Counter()
        self._first: dict[tuple[str, str, str], str] = {}

    def add(self, path: str, rule: str, message: str) -> None:
        key = (rule, os.path.dirname(path), message)
        self._n[key] += 1
        self._first.setdefault(key, path)

    def __len__(self) -> int:
        return self._n.total()

    def findings(self) -> Iterator[tuple[Finding, int]]:
        """Each with the number of its files."""
        for key, n in sorted(self._n.items()):
            rule, _, message = key
            more = f" ({n:,} files of this folder)" if n > 1 else ""
            yield Finding(None, None, None, rule, Severity.ERROR, message + more, self._first[key]), n


def read_folder(
    root: Path,
    options: DicomFolderOptions,
    spool: Spool,
    known: Iterable[KnownFile],
    progress: Callable[[str, int, int], None] = lambda *_: None,
) -> Contents:
    """Read the headers of all new files below `root` into the spool, and judge them.

    known: the files that the study has read. Raises NotFound for no folder, InvalidInput for one without DICOM files.
    """
    if not root.is_dir():
        raise NotFound("no such folder", where=str(root), repair="Name a folder with DICOM files")
    spool.know(known)
    contents = Contents(root, options, spool)
    paths = list(_walk(root, contents))
    refused = _Refused()
    fresh = [p for p in paths if not _is_untouched(p, contents)]
    _read_files(fresh, contents, refused, progress)
    contents.touched = {series for _, series in spool.series()}
    again = spool.known_paths(contents.touched & contents.untouched)
    _read_files([p for p in again if os.path.isfile(p)], contents, refused, progress)
    if not contents.n_dicom and not contents.n_untouched and not len(refused):
        raise InvalidInput(
            f"none of its {contents.n_files:,} files is DICOM", where=str(root),
            repair="Name the folder with the images; masks in NIfTI, NRRD or .les are read by: tshdb ingest segmentation",
        )  # fmt: skip
    for finding, n_files in refused.findings():
        contents.withhold(finding, n_files)
    _judge_copies(contents)
    _judge_patients(contents)
    return contents


def _walk(root: Path, contents: Contents) -> Iterator[str]:
    """Regular files below the folder, by their real paths; what cannot be DICOM by its suffix is left out."""
    inside = root.resolve()
    masks: list[str] = []
    for folder, folders, names in os.walk(inside):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        for linked in [f for f in folders if os.path.islink(os.path.join(folder, f))]:
            _outside(os.path.join(folder, linked), contents)
        for name in sorted(names):
            path = os.path.join(folder, name)
            suffix = os.path.splitext(name)[1].lower()
            if name.startswith(".") or name in ("DICOMDIR", "LICENSE", "Thumbs.db") or suffix in OTHER_SUFFIXES:
                continue
            is_link = os.path.islink(path)
            if is_link and not Path(path).resolve().is_relative_to(inside):
                _outside(path, contents)
            elif not os.path.isfile(path):
                continue
            elif suffix in MASK_SUFFIXES:
                masks.append(path)
            else:
                contents.n_files += 1
                yield os.path.realpath(path) if is_link else path
    if masks:
        contents.findings.append(
            Finding(
                None, None, None, "dicom.mask-file", Severity.WARNING,
                f"{len(masks):,} masks that are no DICOM; read them by: tshdb ingest segmentation", masks[0],
            )
        )  # fmt: skip


def _outside(path: str, contents: Contents) -> None:
    contents.findings.append(
        Finding(None, None, None, "folder.link-outside", Severity.WARNING,
                "leads out of the folder and is not followed", path)
    )  # fmt: skip


def _is_untouched(path: str, contents: Contents) -> bool:
    """Whether the study has read the file, and it was not written since."""
    known = contents.spool.known(path)
    if known is None or known.mtime_ns is None:
        return False
    state = os.stat(path)
    if (state.st_size, state.st_mtime_ns) != (known.size_bytes, known.mtime_ns):
        return False
    contents.n_untouched += 1
    contents.untouched.add(known.series_uid)
    return True


# --------------------------------------------------------------------------------------------------- reading


def _read_files(paths: list[str], contents: Contents, refused: _Refused, progress) -> None:
    """Read headers in chunks; one process per job, or none for a handful of files."""
    accepts, jobs = contents.options.accept_identified, contents.options.jobs
    chunks = (paths[i : i + CHUNK] for i in range(0, len(paths), CHUNK))
    done = 0

    def take(results: list) -> None:
        nonlocal done
        good = [r for r in results if isinstance(r, Read)]
        contents.spool.add(good)
        contents.n_dicom += len(good)
        for read in good:
            for severity, rule, element, message in read.header.findings:
                _note(contents, Severity(severity), rule, element, message, read)
        for path, rule, message in (r for r in results if not isinstance(r, Read)):
            if rule != "dicom.not-dicom" or os.path.splitext(path)[1].lower() in SUFFIXES:
                refused.add(path, rule, message)
        done += len(results)
        progress("dicom headers", done, len(paths))

    if jobs == 1 or len(paths) <= CHUNK:
        for chunk in chunks:
            take(_read_chunk(chunk, accepts))
        return
    with ProcessPoolExecutor(max_workers=jobs, mp_context=get_context("forkserver")) as pool:
        waiting: list[Future] = [pool.submit(_read_chunk, c, accepts) for c in islice(chunks, jobs * AHEAD)]
        while waiting:
            take(waiting.pop(0).result())
            if (chunk := next(chunks, None)) is not None:
                waiting.append(pool.submit(_read_chunk, chunk, accepts))


def _read_chunk(paths: list[str], accepts_identified: bool) -> list[Read | tuple[str, str, str]]:
    """Each file's header, or (path, rule, message). What pydicom would warn of is judged here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [_read_file(path, accepts_identified) for path in paths]


def _read_file(path: str, accepts_identified: bool) -> Read | tuple[str, str, str]:
    try:
        stat = os.stat(path)
        sha256, header = digest_and_header(Path(path), accepts_identified)
        segments = _segments(path, sha256, header)
        return Read(path, stat.st_size, stat.st_mtime_ns, sha256, header, segments)
    except Unreadable as error:
        return path, error.rule, str(error)
    except FileNotFoundError:
        return path, "dicom.unreadable", "was there a moment ago"


def _segments(path: str, sha256: str, header: Header) -> tuple[tuple[dict, bytes], ...]:
    """The segmentations that a file holds. One that cannot be decoded is a finding, not the end of its file."""
    if header.series["sop_class_uid"] not in SEGMENTATIONS:
        return ()
    from ingest.imaging import dicom_seg
    from ingest.imaging.masks import row_of_segment

    try:
        segments = dicom_seg.read(Path(path))
    except Unreadable as error:
        header.findings.append(("warning", error.rule, None, f"the segmentation is not taken: {error}"))
        return ()
    study, series, description = header.study["study_uid"], header.series["series_uid"], header.series["description"]
    return tuple(row_of_segment(segment, study, series, description, sha256) for segment in segments)


def _note(contents: Contents, severity: Severity, rule: str, element: str | None, message: str, read: Read) -> None:
    """A finding once a series and element."""
    place = (rule, element, read.header.series["series_uid"])
    if place not in contents.spool.noted:
        contents.spool.noted.add(place)
        contents.findings.append(Finding(None, element, None, rule, severity, message, read.path))


# --------------------------------------------------------------------------------------------------- judging


def _judge_copies(contents: Contents) -> None:
    """One SOPInstanceUID in several files: copies are read once, different contents are an error."""
    same: list[str] = []
    for sop_uid, files in contents.spool.copies():
        first, *others = files
        different = [path for path, sha256 in others if sha256 != first[1]]
        if different:
            message = f"other content than {first[0]} under the same UID: one of them is not what it says"
            finding = Finding(
                None, "SOPInstanceUID", sop_uid, "dicom.duplicate-uid", Severity.ERROR, message, different[0]
            )
            contents.withhold(finding, len(different))
        same += [path for path, sha256 in others if sha256 == first[1]]
        contents.spool.drop([path for path, _ in others])
    if same:
        contents.findings.append(
            Finding(None, None, None, "dicom.copy", Severity.WARNING,
                    f"{len(same):,} files are copies of others; each is read once", same[0])
        )  # fmt: skip


def _judge_patients(contents: Contents) -> None:
    """Identifiers that cannot be; folders named after another patient."""
    names: dict[str, set[str]] = defaultdict(set)  # patient -> series
    folders: dict[str, set[str]] = defaultdict(set)  # folder -> patients
    for folder, patient, series in contents.spool.folders():
        name = json.loads(patient)["patient_id"]
        names[name].add(series)
        folders[folder].add(name)
    for name, series in sorted(names.items()):
        content, n_files = FileContent(), 0
        if checked_patient(name, None, "PatientID", content) is None:
            for uid in series:
                n_files += len(contents.spool.paths(uid))
                contents.spool.drop_series(uid)
        for finding in content.findings:  # one; of a name that was mended no file is withheld
            contents.withhold(finding._replace(path=str(contents.root)), n_files)
    wrong = defaultdict(list)
    for folder, patients in sorted(folders.items()):
        parts = set(Path(folder).relative_to(os.path.realpath(contents.root)).parts)
        for patient in patients:
            for other in parts & names.keys() - patients:
                wrong[other, patient].append(folder)
    for (other, patient), where in sorted(wrong.items()):
        contents.findings.append(
            Finding(None, "PatientID", patient, "dicom.other-folder", Severity.WARNING,
                    f"{len(where)} folders of {other} hold images of {patient}; the header holds", where[0])
        )  # fmt: skip


# --------------------------------------------------------------------------------------------------- rows


def items(contents: Contents, standing: Callable[[str, Content], Content], complete: bool = False) -> Iterator[Item]:
    """One item a series: its patient, study and series rows, and its instances.

    standing: (series, what the folder has of it) -> what the study has of it; what is not in the folder stays, unless
    `complete`.
    """
    for study_uid, series_uid in contents.spool.series():
        here = contents.spool.content(series_uid)
        yield _item(contents, study_uid, series_uid, here, [] if complete else standing(series_uid, here))
    for series_uid in sorted(contents.untouched - contents.touched):
        in_study = standing(series_uid, [])
        source = Source(contents.options.collection, READER, series_uid)
        digest = content_digest((sop, sha) for sop, sha, *_ in in_study)
        yield Item(source, contents.root, {}, None, digest, size_bytes=sum(size for _, _, size, _ in in_study))


def _item(contents: Contents, study_uid: str, series_uid: str, here: Content, standing: Content) -> Item:
    spool, content = contents.spool, FileContent()
    union = {sop: facts for sop, *facts in [*standing, *here]}
    digest = content_digest((sop, sha) for sop, (sha, *_) in union.items())
    place = Path(os.path.commonpath([os.path.dirname(p) for p in spool.paths(series_uid)]))
    source = Source(contents.options.collection, READER, series_uid)
    patients, studies = spool.distinct_rows(series_uid, "patient"), spool.distinct_rows(series_uid, "study")
    for rows, column, element, rule, message in (
        (patients, "patient_id", "PatientID", "dicom.several-patients", "one series of several patients"),
        (studies, "study_uid", "StudyInstanceUID", "dicom.several-studies", "one series of several studies"),
    ):
        if len({r[column] for r in rows}) > 1:
            content.withhold(None, element, series_uid, rule, message, n_rows=len(here))
            return Item(source, place, {}, content, digest)
    (study, _), (series, mixed) = _common(studies), _common(spool.distinct_rows(series_uid, "series"))
    patient = patients[0]
    of_patient = {"patient_id": patient["patient_id"], "collection": contents.options.collection}
    n_without = sum(not has_pixels for _, _, has_pixels in union.values())
    series_row = series | {
        "study_uid": study_uid, "n_instances": len(union), "n_without_pixels": n_without,
        "mixed": ",".join(mixed) or None, "content_digest": digest,
    }  # fmt: skip
    content.records = [
        Record(Patient, of_patient | {"sex": patient["sex"]}, 0), Record(ImagingStudy, study | of_patient, 0),
        Record(ImagingSeries, series_row, 0),
    ]  # fmt: skip
    for row, voxels in spool.segments(series_uid):
        content.records.append(Record(Segmentation, row, 0))
        content.objects.append((VOXELS, voxels))
    content.instances = Instances(
        study_uid, series_uid, len(here), lambda: spool.instances(series_uid, contents.options.root)
    )
    size = sum(size for _, size, _ in union.values())
    return Item(source, place, {}, content, digest, size_bytes=size)


def _common(rows: list[dict]) -> tuple[dict, list[str]]:
    """What the first says, and the names of the columns on which the others differ."""
    first, *others = rows
    mixed = sorted({name for other in others for name in first if other[name] != first[name]})
    return dict(first), mixed
