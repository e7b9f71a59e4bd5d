"""Where rows come from, what was found wrong with them, and what changed when."""

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint

from tshdb.schema.base import Base, closed
from tshdb.schema.declared import Mapped, mapped_column
from tshdb.vocabulary import Severity


class IngestRun(Base):
    """One row is one `tshdb ingest` that changed something or reported something."""

    __tablename__ = "ingest_runs"
    ingest_run_id: Mapped[int] = mapped_column(primary_key=True)
    command: Mapped[str]
    started_at: Mapped[str] = mapped_column(doc="UTC")
    actor: Mapped[str]
    program_version: Mapped[str]
    n_inserted: Mapped[int]
    n_updated: Mapped[int]
    n_deleted: Mapped[int]
    n_unchanged: Mapped[int]
    n_withheld: Mapped[int]
    change_log_head: Mapped[str | None] = mapped_column(doc="the chain of the change log's last row after this run")


class SourceRelease(Base):
    """One row is one state of an archive, as it named itself when files were fetched from it."""

    __tablename__ = "source_releases"
    source_release_id: Mapped[int] = mapped_column(primary_key=True)
    collection: Mapped[str]
    archive: Mapped[str] = mapped_column(doc="gdc, idc or nbia")
    release: Mapped[str] = mapped_column(doc="such as: Data Release 45.0 - December 04, 2025")
    details: Mapped[str] = mapped_column(doc="the archive's own words, as JSON")
    ingest_run_id: Mapped[int] = mapped_column(ForeignKey("ingest_runs.ingest_run_id"))

    __table_args__ = (UniqueConstraint("collection", "archive", "release"),)


class SourceFile(Base):
    """One row is one state of a source: the bytes that (collection, reader, name) had at one ingest."""

    __tablename__ = "source_files"
    source_file_id: Mapped[int] = mapped_column(primary_key=True)
    collection: Mapped[str]
    reader: Mapped[str] = mapped_column(doc="rna, star-counts, clinical, biotab, follow-up …")
    name: Mapped[str] = mapped_column(doc="the source's name; the file's name unless --name was given")
    path: Mapped[str] = mapped_column(doc="where the file was when it was read")
    sha256: Mapped[str]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    options: Mapped[str] = mapped_column(doc="the reader's options, as JSON")
    is_current: Mapped[bool] = mapped_column(doc="false once other bytes came under the same name")
    ingest_run_id: Mapped[int] = mapped_column(ForeignKey("ingest_runs.ingest_run_id"))
    md5: Mapped[str | None] = mapped_column(doc="where the archive publishes one, compared before loading")
    archive_id: Mapped[str | None] = mapped_column(doc="the archive's identifier of the file")
    mtime_ns: Mapped[int | None] = mapped_column(
        BigInteger, doc="when the file was last written, nanoseconds since 1970"
    )
    ctime_ns: Mapped[int | None] = mapped_column(
        BigInteger, doc="when the system last changed the file, nanoseconds since 1970; none where it proves nothing"
    )
    inode: Mapped[int | None] = mapped_column(BigInteger, doc="the file system's number of the file")

    __table_args__ = (Index("ix_source_files_source", "collection", "reader", "name"),)


class SourceRecord(Base):
    """One row is what one source says of one row of a table: a line of a file, or a column of a matrix."""

    __tablename__ = "source_records"
    source_record_id: Mapped[int] = mapped_column(primary_key=True)
    table_name: Mapped[str]
    row_key: Mapped[str] = mapped_column(doc="the key of the row that it speaks of, parts joined by |")
    collection: Mapped[str]
    reader: Mapped[str]
    name: Mapped[str]
    source_file_id: Mapped[int] = mapped_column(ForeignKey("source_files.source_file_id"), index=True)
    line: Mapped[int] = mapped_column(doc="line in the file, counted from 1")
    column_number: Mapped[int | None] = mapped_column(doc="column of a matrix, counted from 1")
    row_values: Mapped[str] = mapped_column(doc="what the source says, as JSON")
    as_of: Mapped[str | None] = mapped_column(
        doc="the date of what it says: of the export, the release, the form or the visit, or as the user said"
    )

    __table_args__ = (
        UniqueConstraint("table_name", "row_key", "collection", "reader", "name"),
        Index("ix_source_records_source", "collection", "reader", "name"),
    )


class IngestIssue(Base):
    """One row is one finding in a source file."""

    __tablename__ = "ingest_issues"
    ingest_issue_id: Mapped[int] = mapped_column(primary_key=True)
    ingest_run_id: Mapped[int] = mapped_column(ForeignKey("ingest_runs.ingest_run_id"), index=True)
    path: Mapped[str]
    line: Mapped[int | None]
    column_name: Mapped[str | None]
    value: Mapped[str | None]
    rule: Mapped[str] = mapped_column(doc="the rule's name, such as rna.not-a-number")
    severity: Mapped[Severity] = mapped_column(closed(Severity))
    message: Mapped[str] = mapped_column(doc="what was expected, and the repair")


class Change(Base):
    """One row is one row of a table that an ingest inserted, updated or deleted, with what it was and what it is."""

    __tablename__ = "change_log"
    change_id: Mapped[int] = mapped_column(primary_key=True)
    ingest_run_id: Mapped[int] = mapped_column(ForeignKey("ingest_runs.ingest_run_id"), index=True)
    table_name: Mapped[str]
    row_key: Mapped[str]
    entity_key: Mapped[str] = mapped_column(doc="the patient, sample or profile whose ingest unit moved")
    action: Mapped[str] = mapped_column(doc="insert, update or delete")
    changes: Mapped[str] = mapped_column(doc="JSON: column -> [before, after]")
    before_file_id: Mapped[int | None] = mapped_column(ForeignKey("source_files.source_file_id"))
    before_line: Mapped[int | None]
    after_file_id: Mapped[int | None] = mapped_column(ForeignKey("source_files.source_file_id"))
    after_line: Mapped[int | None]
    chain: Mapped[str | None] = mapped_column(doc="digest of the row and of the row before it; none in older studies")

    __table_args__ = (Index("ix_change_log_entity", "table_name", "entity_key"),)
