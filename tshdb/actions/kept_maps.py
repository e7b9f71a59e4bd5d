"""The map of a collection, which a study keeps with each source that was read by it: it need not be named again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import select

from tshdb.canonical import json_text
from tshdb.database import reading
from tshdb.errors import InvalidInput
from tshdb.schema import SourceFile

if TYPE_CHECKING:
    from tshdb.study import Study


class KeptMap(NamedTuple):
    """A map as it was recorded. source: the file that was read by it; options: all that were recorded with it."""

    source: str
    options: dict[str, Any]


def kept_map(study: Study, collection: str, reader: str, name: str) -> KeptMap | None:
    """The map by which the source of that name was read last, else the one of the collection's other sources.

    Raises InvalidInput where those were read by several.
    """
    query = (
        select(SourceFile.name, SourceFile.options)
        .where(SourceFile.collection == collection, SourceFile.reader == reader, SourceFile.is_current)
        .order_by(SourceFile.source_file_id.desc())
    )
    with reading(study.engine) as connection:
        recorded = [(source, json.loads(options)) for source, options in connection.execute(query)]
    with_map = [KeptMap(source, options) for source, options in recorded if options.get("map") is not None]
    same = [kept for kept in with_map if kept.source == study.paths.name(name)]
    if same:
        return same[0]
    different = {json_text(kept.options["map"]): kept for kept in with_map}
    if len(different) > 1:
        names = ", ".join(sorted(kept.source for kept in different.values()))
        raise InvalidInput(
            f"the study keeps {len(different)} maps of {collection} (of {names})",
            where=study.paths.name(name),
            repair="Name one with --map",
        )
    return next(iter(different.values()), None)
