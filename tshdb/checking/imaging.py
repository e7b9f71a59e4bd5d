"""Images: what series say of their files, and the files where they were read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import func, select

from tshdb.checking.rule import Context, Problem, rule
from tshdb.loading.instances import content_digest
from tshdb.objects import sha256_of
from tshdb.schema import ImagingInstance, ImagingSeries

AGAIN = "Ingest the images again from where they are now"
OF_ROWS = "Run: tshdb check --repair. It reads images again where they lie. Else restore a backup"


@rule("series.content", "every series has the files that its digest is of", OF_ROWS, is_full=True)
def _content(c: Context) -> Iterator[Problem]:
    held: dict[str, list[tuple[str, str]]] = {}
    files = select(ImagingInstance.series_uid, ImagingInstance.sop_uid, ImagingInstance.sha256)
    for series, sop, sha in c.connection.execute(files.order_by(ImagingInstance.series_uid)):
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
        .where(ImagingInstance.study_uid != ImagingSeries.study_uid)
        .group_by(ImagingInstance.series_uid)
    )
    for series, n in c.connection.execute(query):
        yield Problem(f"series {series}", f"{n} files name another study")


@rule("image.missing", "every image is where it was read", AGAIN, is_warning=True)
def _missing(c: Context) -> Iterator[Problem]:
    gone: dict[str, int] = {}
    for (path,) in c.connection.execute(select(ImagingInstance.path)):
        if not (c.study.root / path).is_file():
            folder = str(Path(path).parent)
            gone[folder] = gone.get(folder, 0) + 1
    for folder, n in sorted(gone.items()):
        yield Problem(folder, f"{n} images are not there any more")


@rule("image.bytes", "the bytes of every image are those that were read", AGAIN, is_full=True)
def _bytes(c: Context) -> Iterator[Problem]:
    for path, sha256 in c.connection.execute(select(ImagingInstance.path, ImagingInstance.sha256)):
        file = c.study.root / path
        if file.is_file() and sha256_of(file) != sha256:
            yield Problem(path, "its bytes have changed")


RULES = (_content, _study, _missing, _bytes)
