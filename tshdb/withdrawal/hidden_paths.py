"""Which tokens of paths and names (`tshdb.kept_paths`) a database holds: where others lead need not be known any more."""

from __future__ import annotations

from sqlalchemy import Connection, select

from tshdb.kept_paths import TOKEN
from tshdb.schema import Conflict, ImagingInstance, IngestIssue, IngestRun, Segmentation, SourceFile

COLUMNS = (
    SourceFile.name, SourceFile.path, ImagingInstance.path, Segmentation.path, IngestRun.command, IngestIssue.path,
    IngestIssue.value, IngestIssue.message, Conflict.other_source, Conflict.held_source,
)  # fmt: skip


def stored_tokens(connection: Connection) -> set[str]:
    """Every token that these columns hold, whole or in a text."""
    found: set[str] = set()
    for column in COLUMNS:
        for text in connection.execute(select(column).where(column.is_not(None)).distinct()).scalars():
            found.update(match[0] for match in TOKEN.finditer(str(text)))
    return found
