"""A folder of DICOM files, in any layout: what is in it by the headers; `folder_items` makes an item of each series.

Walk     every file below the folder counts (`walk`): read, passed over, or refused. Names mean nothing: patient, study and
         series are what the header says. A file that was not written since it was read is not read again, unless
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
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from ingest.identifiers import checked_patient
from ingest.imaging import dicom_seg, rtstruct
from ingest.imaging.headers import SEGMENTATIONS, Header, digest_and_header, is_image
from ingest.imaging.masks import row_of_segment
from ingest.imaging.rtstruct import STRUCTURES
from ingest.imaging.spool import KnownFile, Read, Spool
from ingest.imaging.unreadable import Unreadable
from ingest.imaging.walk import Walk
from tshdb.errors import InvalidInput, NotFound
from tshdb.file_content import FileContent, Finding
from tshdb.file_identity import identity_before_reading
from tshdb.folders import FileCounts
from tshdb.pool import pool_of
from tshdb.vocabulary import Severity

READER = "dicom"
CHUNK = 64  # files that a worker reads in one go
AHEAD = 4  # chunks a worker may be ahead
SUFFIXES = {".dcm", ".ima", ".dicom"}
NOT_DICOM, COPIES = "no DICOM", "copies of others"


@dataclass(frozen=True)
class DicomFolderOptions:
    """How a folder is read.

    accept_identified   of the study's settings
    jobs                how many processes
    check_bytes         read files, too, that were not written since
    root                paths below it are kept relative to it, so that a study may move
    """

    collection: str
    accept_identified: bool = False
    jobs: int = 2
    root: Path | None = None
    check_bytes: bool = False


@dataclass
class Contents:
    """What a folder holds. files: what became of each; touched: the series of which something is new or changed."""

    root: Path
    options: DicomFolderOptions
    spool: Spool
    findings: list[Finding] = field(default_factory=list)
    files: FileCounts = field(default_factory=FileCounts)
    untouched: set[str] = field(default_factory=set)
    touched: set[str] = field(default_factory=set)

    def withhold(self, finding: Finding, n_files: int) -> None:
        """Files that are not taken, and why."""
        self.findings.append(finding)
        self.files.refused[finding.rule] += n_files


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
    walk = Walk(root)
    refused = _Refused()
    fresh = [p for p in walk if not _is_untouched(p, contents)]
    contents.files.passed_over.update(walk.passed_over)
    contents.findings += walk.findings()
    _read_files(fresh, contents, refused, progress)
    contents.touched = {series for _, series in spool.series()}
    again = [p for p in spool.known_paths(contents.touched & contents.untouched) if os.path.isfile(p)]
    _read_files(again, contents, refused, progress)
    contents.files.n_unchanged -= len(again)
    if not contents.touched and not contents.untouched and not len(refused):
        raise _nothing(root, contents.files, walk)
    for finding, n_files in refused.findings():
        contents.withhold(finding, n_files)
    _judge_copies(contents)
    _judge_patients(contents)
    _count_kinds(contents)
    return contents


def _count_kinds(contents: Contents) -> None:
    """What was read, by kind: images with pixels and without, segmentations, and objects of which the header alone is kept."""
    n_bare, first = 0, ""
    for sop_class, modality, has_pixels, n, path in contents.spool.kinds():
        if not is_image(sop_class) and sop_class not in SEGMENTATIONS:
            contents.files.no_images[modality or "other"] += n
            continue
        contents.files.n_read += n
        if not has_pixels:
            n_bare, first = n_bare + n, first or path
    if n_bare:
        message = f"{n_bare:,} images came without pixels"
        contents.findings.append(Finding(None, None, None, "dicom.no-pixels", Severity.WARNING, message, first))


def _nothing(root: Path, files: FileCounts, walk: Walk) -> InvalidInput:
    """What is said of a folder without DICOM files."""
    if (place := walk.where_links_lead()) is not None:
        repair = f"Links are not followed out of the folder: name the one that they lead to, such as {place}"
    else:
        repair = "Name the folder with the images; masks in NIfTI, NRRD or .les are read by: tshdb ingest segmentation"
    return InvalidInput(f"none of its {files.total:,} files is DICOM ({files.text()})", where=str(root), repair=repair)


def _is_untouched(path: str, contents: Contents) -> bool:
    """Whether the study has read the file, and it was not written since."""
    known = contents.spool.known(path)
    if contents.options.check_bytes or known is None or not known.identity.is_of(path):
        return False
    contents.files.n_unchanged += 1
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
        for read in good:
            for severity, rule, element, message in read.header.findings:
                _note(contents, Severity(severity), rule, element, message, read)
        for path, rule, message in (r for r in results if not isinstance(r, Read)):
            if rule != "dicom.not-dicom" or os.path.splitext(path)[1].lower() in SUFFIXES:
                refused.add(path, rule, message)
            else:
                contents.files.passed_over[NOT_DICOM] += 1
        done += len(results)
        progress("dicom headers", done, len(paths))

    if jobs == 1 or len(paths) <= CHUNK:
        for chunk in chunks:
            take(_read_chunk(chunk, accepts))
        return
    with pool_of(jobs, "forkserver") as pool:
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
        identity = identity_before_reading(path)
        sha256, header = digest_and_header(Path(path), accepts_identified)
        segments = _segments(path, sha256, header)
        return Read(path, identity, sha256, header, segments)
    except Unreadable as error:
        return path, error.rule, str(error)
    except FileNotFoundError:
        return path, "dicom.unreadable", "was there a moment ago"


def _segments(path: str, sha256: str, header: Header) -> tuple[tuple[dict, bytes], ...]:
    """The segmentations that a file holds. One that cannot be decoded is a finding, not the end of its file."""
    sop_class = header.series["sop_class_uid"]
    if sop_class not in (*SEGMENTATIONS, STRUCTURES):
        return ()
    try:
        if sop_class == STRUCTURES:
            return tuple(structure.spooled() for structure in rtstruct.read(Path(path)))
        problems: list[Unreadable] = []
        segments = dicom_seg.read(Path(path), problems)
    except Unreadable as error:
        header.findings.append(("warning", error.rule, None, f"the segmentation is not taken: {error}"))
        return ()
    if problems:
        said = "; ".join(map(str, problems))
        header.findings.append(("warning", problems[0].rule, None, f"not all segments are taken: {said}"))
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
        contents.files.passed_over[COPIES] += len(same)
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
