"""Two ingests of one source at a time: the one that comes second is told.

Files are read before the study is held. What was read goes in only where no other ingest has loaded the same source since
the reading began, or loaded the same bytes with the same options; else the older word would stand over the newer one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from tshdb.canonical import json_text
from tshdb.errors import Busy
from tshdb.loading.sources import Source, last_ingest
from tshdb.schema import SourceFile

if TYPE_CHECKING:
    from tshdb.loading.compare import Comparison


def refuse_overtaken(connection: Connection, comparison: Comparison, began: int) -> None:
    """Raise Busy where another ingest has loaded one of the sources since its reading began, or one that would be gone.

    began: the newest ingest when the reading began, of items that do not say it themselves.
    """
    since = {item.source: began if item.began is None else item.began for item in comparison.items}
    first = min(since.values(), default=began)  # what is gone was settled when the first reading began
    if last_ingest(connection) <= first:
        return
    read = {item.source: (item.sha256, json_text(item.options)) for item in comparison.items}
    columns = (SourceFile.collection, SourceFile.reader, SourceFile.name)
    query = select(*columns, SourceFile.sha256, SourceFile.options, SourceFile.ingest_run_id).where(
        SourceFile.is_current, SourceFile.ingest_run_id > first
    )
    for *names, sha256, options, run_id in connection.execute(query.order_by(SourceFile.source_file_id)):
        source = Source(*names)
        is_newer = run_id > since.get(source, first)
        if is_newer and (source in comparison.gone_sources or read.get(source, (sha256, options)) != (sha256, options)):
            raise Busy(
                "another ingest loaded this source while it was read here; nothing is loaded", where=str(source),
                repair="See what it brought (tshdb history); where your file still holds, run the same command again",
            )  # fmt: skip
