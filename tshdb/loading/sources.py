"""Sources: where rows come from, whatever bytes they have today, and what each of them says of a row."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, func, select

from tshdb import installed
from tshdb.canonical import json_text
from tshdb.database import reading, texts
from tshdb.engine.units import select_ids
from tshdb.errors import Busy
from tshdb.file_content import FileContent
from tshdb.file_identity import FileIdentity, identity_before_reading
from tshdb.loading.lost import has_lost, lost_sources
from tshdb.objects import whole_digest
from tshdb.readers import Part
from tshdb.schema import (
    Annotation,
    Base,
    ExpressionProfile,
    FollowUp,
    ImagingDecision,
    ImagingSeries,
    ImagingStudy,
    ImportedFeature,
    IngestRun,
    LesionVerdict,
    Patient,
    QcVerdict,
    Sample,
    Segmentation,
    SourceFile,
    SourceRecord,
)
from tshdb.study import Study

TABLES = {
    t.__tablename__: t
    for t in (
        Patient, FollowUp, Sample, ExpressionProfile, Annotation, ImagingStudy, ImagingSeries, ImagingDecision,
        Segmentation, QcVerdict, LesionVerdict, ImportedFeature,
    )
}  # fmt: skip

Key = tuple[str, str]  # table, row key
WITH_WORDS = (Part.CLINICAL, Part.FEATURES)  # their columns are read by the study's words


class Source(NamedTuple):
    """Where rows come from, whatever bytes it has today."""

    collection: str
    reader: str
    name: str

    def __str__(self) -> str:
        return "/".join(self)


class SourceRow(NamedTuple):
    """What one source says of one row. as_of: the date of its word (`dated`)."""

    source: Source
    values: dict[str, Any]
    file_id: int | None
    line: int
    column: int | None
    record_id: int | None = None
    as_of: str | None = None


@dataclass
class Item:
    """One file to load, or the files of one DICOM series. Without content its rows are there already, unchanged.

    sha256: of a series, the digest of its content.
    size_bytes: where `path` is a folder.
    archive_id: the archive's own identifier of the file.
    md5: as published, when it was compared.
    began: the study's newest ingest when the reading began, if before all items.
    identity: the file's before it was read; of a file with the same bytes where something is to be renewed.
    is_unread: whether its bytes were not looked at, since the file was not written.
    place: what is stored of where it lies; said by the loader.
    """

    source: Source
    path: Path
    options: dict[str, Any]
    content: FileContent | None
    sha256: str
    md5: str | None = None
    archive_id: str | None = None
    size_bytes: int | None = None
    began: int | None = None
    identity: FileIdentity | None = None
    is_unread: bool = False
    place: str = ""


@dataclass(frozen=True)
class Release:
    """How an archive names its state."""

    collection: str
    archive: str
    name: str
    details: dict[str, Any] = field(default_factory=dict)


def row_key(table: type[Base], values: Mapping[Any, Any]) -> str:
    """The primary key of a row as text, parts joined by |."""
    return "|".join(str(values[c.name]) for c in table.__table__.primary_key)


def item_of(
    study: Study,
    source: Source,
    path: Path,
    options: dict[str, Any],
    read: Callable[[], FileContent],
    always: bool = False,
) -> Item:
    """A file with what `read` finds in it; without, where exactly these bytes are loaded already (unless `always`).

    The bytes are hashed while they are read. A source that has lost what was stored of it is read again. Raises Busy where
    the file is written meanwhile, as its rows may be of other bytes than its digest.
    """
    reader = installed.reader(source.reader)
    if study.settings.vocabulary.added and reader.part in WITH_WORDS:
        options = {**options, "vocabulary": study.settings.vocabulary.added}  # another one is another reading
    study.paths.learn(path)
    source, options = source._replace(name=study.paths.name(source.name)), study.paths.values(options)
    with reading(study.engine) as connection:
        began = last_ingest(connection)
        state = None if always else _state_of(study, connection, source)
    return item_beside(state, source, path, options, read, reader.beside(path), began)


def item_beside(
    state: SourceState | None,
    source: Source,
    path: Path,
    options: dict[str, Any],
    read: Callable[[], FileContent],
    also: Sequence[Path] = (),
    began: int | None = None,
) -> Item:
    """As `item_of`, beside a state of the source that is known already. also: files whose bytes count with those of `path`."""
    identity = identity_before_reading(path)
    with ThreadPoolExecutor(max_workers=1) as pool:
        digest = pool.submit(whole_digest, path, also)
        if state is not None and state.is_same(digest.result(), json_text(options)):
            renewed = state.renewed(path, identity)
            return Item(source, path, options, None, digest.result(), began=began, identity=renewed)
        contents = read()
        sha256 = digest.result()
    if identity.was_written(path):
        raise Busy("the file was written while it was read", where=str(path), repair="Run the same command again")
    return Item(source, path, options, contents, sha256, began=began, identity=identity)


def last_ingest(connection: Connection) -> int:
    """The number of the newest ingest, 0 where there is none: what a reading starts from."""
    return connection.execute(select(func.max(IngestRun.ingest_run_id))).scalar() or 0


def of_source(model, source: Source):
    """The rows of `model` that belong to a source."""
    return and_(model.collection == source.collection, model.reader == source.reader, model.name == source.name)


class SourceState(NamedTuple):
    """The bytes at which a source stands, and the file that they were read from."""

    sha256: str
    options: str
    path: str
    size_bytes: int
    mtime_ns: int | None
    ctime_ns: int | None
    inode: int | None
    has_lost: bool = False  # what was stored of it

    @property
    def identity(self) -> FileIdentity:
        """The file's, when it was read."""
        return FileIdentity(self.size_bytes, self.mtime_ns, self.ctime_ns, self.inode)

    def is_same(self, sha256: str, options: str) -> bool:
        """Whether these bytes were read with these options, and what was stored of them is there."""
        return not self.has_lost and (self.sha256, self.options) == (sha256, options)

    def is_untouched(self, path: Path, options: str) -> bool:
        """Whether the same file, not written since, was read with the same options."""
        if self.has_lost or self.options != options or self.path != str(path.resolve()):
            return False
        return self.identity.is_of(path)

    def renewed(self, path: Path, identity: FileIdentity) -> FileIdentity | None:
        """The identity at which a file with the same bytes is to be known from now on; None where nothing changes.

        A file whose former place is empty has moved. A copy beside the former one is not what was read, and may be gone tomorrow.
        """
        if self.path != str(path.resolve()):
            return None if os.path.lexists(self.path) else identity
        return None if self.identity == identity else identity


IDENTITY = (SourceFile.size_bytes, SourceFile.mtime_ns, SourceFile.ctime_ns, SourceFile.inode)
_STATE = (SourceFile.sha256, SourceFile.options, SourceFile.path, *IDENTITY)


def _state_of(study: Study, connection: Connection, source: Source) -> SourceState | None:
    """Where one source stands; the bytes of what was stored of it are looked at."""
    query = select(*_STATE).where(of_source(SourceFile, source), SourceFile.is_current)
    row = connection.execute(query.order_by(SourceFile.source_file_id.desc()).limit(1)).one_or_none()
    return None if row is None else _state(study, row, has_lost(connection, study.objects, source))


def _state(study: Study, row: Sequence[Any], has_lost: bool) -> SourceState:
    """The state that columns of `_STATE` tell, with the path at which the file lies."""
    sha256, options, stored, *identity = row
    return SourceState(sha256, options, str(study.paths.at(stored)), *identity, has_lost)


class Standing(Mapping[Source, SourceState]):
    """Sources by the names that are stored, which may be asked by the names that files have."""

    def __init__(self, states: dict[Source, SourceState], stored_name: Callable[[str], str]):
        self._states, self._stored_name = states, stored_name

    def __getitem__(self, source: Source) -> SourceState:
        return self._states[source._replace(name=self._stored_name(source.name))]

    def __iter__(self) -> Iterator[Source]:
        return iter(self._states)

    def __len__(self) -> int:
        return len(self._states)


def current_files(study: Study, collection: str) -> Standing:
    """Every source of a collection, and where it stands."""
    with reading(study.engine) as connection:
        rows = connection.execute(
            select(SourceFile.reader, SourceFile.name, *_STATE).where(
                SourceFile.collection == collection, SourceFile.is_current
            )
        ).fetchall()
        lost = lost_sources(connection, study.objects, collection) if rows else set()
    states = {Source(collection, *r[:2]): _state(study, r[2:], (collection, *r[:2]) in lost) for r in rows}
    return Standing(states, study.paths.name)


def records_of_sources(connection: Connection, sources: Iterable[Source]) -> dict[tuple[Source, Key], SourceRow]:
    """All that these sources have said so far."""
    by_reader: dict[tuple[str, str], list[str]] = defaultdict(list)
    for source in sources:
        by_reader[source.collection, source.reader].append(source.name)
    by_row = {}
    for (collection, reader), names in by_reader.items():
        with texts(connection, "asked_sources", names) as asked:
            rows = connection.execute(
                select(SourceRecord.__table__).where(
                    SourceRecord.collection == collection,
                    SourceRecord.reader == reader,
                    SourceRecord.name.in_(select_ids(asked)),
                )
            ).fetchall()
        for row in rows:
            row_of_source = _source_row(row)
            by_row[row_of_source.source, (row.table_name, row.row_key)] = row_of_source
    return by_row


def records_of_rows(connection: Connection, keys: Iterable[Key]) -> dict[Key, list[SourceRow]]:
    """All that any source has said of these rows."""
    by_table: dict[str, list[str]] = defaultdict(list)
    for table, row in keys:
        by_table[table].append(row)
    by_key: dict[Key, list[SourceRow]] = {}
    for table, wanted in by_table.items():
        with texts(connection, "asked_rows", wanted) as asked:
            rows = connection.execute(
                select(SourceRecord.__table__).where(
                    SourceRecord.table_name == table, SourceRecord.row_key.in_(select_ids(asked))
                )
            ).fetchall()
        for row in rows:
            by_key.setdefault((table, row.row_key), []).append(_source_row(row))
    return by_key


def _source_row(row) -> SourceRow:
    source = Source(row.collection, row.reader, row.name)
    return SourceRow(
        source, json.loads(row.row_values), row.source_file_id, row.line, row.column_number, row.source_record_id,
        row.as_of,
    )  # fmt: skip


def as_json_gives(values: dict[str, Any]) -> dict[str, Any]:
    """Values as JSON gives them back: enums are their text."""
    return {name: str(v) if isinstance(v, str) else v for name, v in values.items()}
