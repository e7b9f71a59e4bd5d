"""Images: what series say of their files, and the files where they were read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import func, select

from tshdb import installed
from tshdb.checking.rule import Context, Problem, rule
from tshdb.loading.instances import FIRST, content_digest
from tshdb.objects import sha256_of, whole_digest
from tshdb.readers import Part
from tshdb.schema import ImagingInstance, ImagingSeries, ImagingStudy, PreparedImage, Segmentation, SourceFile

AGAIN = "Ingest the images again from where they are now, with --check-bytes"
AGAIN_MASKS = "Ingest the masks again"
FEWEST_VOXELS = 10
WHOSE = "Find out whose they are. Withdraw the wrong ones (tshdb withdraw), or read the right ones (tshdb ingest)"
OF_ROWS = "Run: tshdb check --repair. It reads images again where they lie. Else restore a backup"


@rule("series.content", "every series has the files that its digest is of", OF_ROWS, is_full=True)
def _content(c: Context) -> Iterator[Problem]:
    held: dict[str, list[tuple[str, str]]] = {}
    files = select(ImagingInstance.series_uid, ImagingInstance.sop_uid, ImagingInstance.sha256)
    for series, sop, sha in c.connection.execute(files.where(FIRST).order_by(ImagingInstance.series_uid)):
        held.setdefault(series, []).append((sop, sha))
    rows = select(ImagingSeries.series_uid, ImagingSeries.n_instances, ImagingSeries.content_digest)
    for series, n, recorded in c.connection.execute(rows):
        digests = held.get(series, [])
        if len(digests) != n:
            yield Problem(f"series {series}", f"has {len(digests)} files, its row says {n}")
        elif content_digest(digests) != recorded:
            yield Problem(f"series {series}", "its files are not those of its digest")


@rule("series.study", "every file is in the study of its series", OF_ROWS)
def _study(c: Context) -> Iterator[Problem]:
    query = (
        select(ImagingInstance.series_uid, func.count())
        .join(ImagingSeries, ImagingSeries.series_uid == ImagingInstance.series_uid)
        .where(ImagingInstance.study_uid != ImagingSeries.study_uid, FIRST)
        .group_by(ImagingInstance.series_uid)
    )
    for series, n in c.connection.execute(query):
        yield Problem(f"series {series}", f"{n} files name another study")


@rule("image.missing", "every image is where it was read", AGAIN, is_warning=True)
def _missing(c: Context) -> Iterator[Problem]:
    gone: dict[str, int] = {}
    for (path,) in c.connection.execute(select(ImagingInstance.path).where(FIRST)):
        if c.study.paths.knows(path) and not c.study.paths.at(path).is_file():
            folder = str(Path(path).parent)
            gone[folder] = gone.get(folder, 0) + 1
    for folder, n in sorted(gone.items()):
        yield Problem(folder, f"{n} images are not there any more")


@rule("image.bytes", "the bytes of every image are those that were read", AGAIN, is_full=True)
def _bytes(c: Context) -> Iterator[Problem]:
    for path, sha256 in c.connection.execute(select(ImagingInstance.path, ImagingInstance.sha256).where(FIRST)):
        file = c.study.paths.at(path)
        if file.is_file() and sha256_of(file) != sha256:
            yield Problem(path, "its bytes have changed")


@rule("image.two-patients", "no two patients have the same pixels", WHOSE, is_warning=True)
def _two_patients(c: Context) -> Iterator[Problem]:
    """By what pixels become (a header with another name is another file): prepared images, and outlines of one place.

    Images of one value, and masks of a few voxels, may be the same by chance.
    """
    for table, what, tells in (
        (PreparedImage, "images", PreparedImage.sd > 0),
        (Segmentation, "masks", Segmentation.n_voxels >= FEWEST_VOXELS),
    ):
        query = (
            select(table.object_id, ImagingStudy.patient_id)
            .join(ImagingStudy, ImagingStudy.study_uid == table.study_uid)
            .where(tells)
            .distinct()
        )
        of_pixels: dict[str, set[str]] = {}
        for pixels, patient in c.connection.execute(query):
            of_pixels.setdefault(pixels, set()).add(patient)
        pairs = {tuple(sorted(patients)) for patients in of_pixels.values() if len(patients) > 1}
        for patients in sorted(pairs):
            yield Problem(", ".join(patients), f"have {what} with the same pixels at the same place")


@rule("mask.bytes", "the bytes of every mask are those that were read", AGAIN_MASKS, is_full=True, is_warning=True)
def _mask_bytes(c: Context) -> Iterator[Problem]:
    readers = {reader.name: reader for reader in installed.readers() if reader.part is Part.SEGMENTATION}
    query = select(SourceFile.reader, SourceFile.path, SourceFile.sha256).where(SourceFile.is_current)
    for name, path, sha256 in c.connection.execute(query.where(SourceFile.reader.in_(readers))):
        file = c.study.paths.at(path)
        if file.is_file() and whole_digest(file, readers[name].beside(file)) != sha256:
            yield Problem(path, "its bytes have changed, or those of its voxels beside it")


RULES = (_content, _study, _missing, _bytes, _mask_bytes, _two_patients)
