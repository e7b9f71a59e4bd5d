"""The columns of a sheet that a map names: where they are, which are kept as found, and which say who somebody is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ingest.tables.mapped_cells import Places
from ingest.tables.maps import ClinicalMap
from ingest.tables.workbook import Sheet, header_key
from tshdb.errors import InvalidInput
from tshdb.file_content import FileContent
from tshdb.identity import identity_columns, in_words, of_header


def column_of(path: Path, sheet: Sheet, names: Sequence[str | int]) -> int | None:
    """The place of a column. Raises InvalidInput with the file for a name that stands twice."""
    try:
        return sheet.column(names)
    except InvalidInput as error:
        raise InvalidInput(error.message, where=f"{path}, {error.where}", repair=error.repair) from None


def warn_of_twice(sheet: Sheet, content: FileContent) -> None:
    """Names that stand twice are kept under their places, which is said."""
    twice = [name for name, n in Counter(h for h in sheet.header if h).items() if n > 1]
    if twice:
        content.warn(
            sheet.header_line, twice[0], None, "text.column-twice",
            f"columns of one name ({', '.join(twice)}) are kept with their places, such as "
            f"'{next(h for h in sheet.unique_header if h not in sheet.header)}'",
        )  # fmt: skip


def hidden_columns(sheet: Sheet, map_: ClinicalMap, content: FileContent) -> set[tuple[str, str]]:
    """(sheet, column) of what is not kept as found: what the map leaves out, and what says who somebody is."""
    header = sheet.unique_header
    wanted = {header_key(name) for name in map_.table.leave_out}
    allowed = {header_key(name) for name in map_.table.allow}
    for name in (*map_.table.leave_out, *map_.table.allow):
        if header_key(name) not in {header_key(h) for h in (*header, *sheet.header)}:
            content.warn(
                sheet.header_line, name, None, "map.no-such-column", "the map names it; the table has no such column"
            )
    left = [h for h in header if header_key(h) in wanted]
    if left:
        content.warn(
            sheet.header_line,
            left[0],
            None,
            "map.left-out",
            f"{len(left)} columns are left out, as the map says: {', '.join(left)}",
        )
    at = sheet.column(map_.patient_id.names)
    columns = {h: [cells[i] for _, cells in sheet.rows] for i, h in enumerate(header) if i != at}
    told = {
        name: identity for name, identity in identity_columns(columns).items() if header_key(name) not in wanted | allowed
    }  # fmt: skip
    used = _columns_used(sheet, map_)
    read = {name: identity for name, identity in told.items() if name in used}
    left_out = {name: identity for name, identity in told.items() if name not in used}
    if left_out:
        content.warn(
            sheet.header_line, next(iter(left_out)), None, "identity.left-out",
            f"{len(left_out)} columns look as if they said who somebody is, and are left out: {in_words(left_out)}; "
            "if they do not, name them in the map: [table] allow",
        )  # fmt: skip
    if read:
        content.warn(
            sheet.header_line, next(iter(read)), None, "identity.not-kept",
            f"the map reads {in_words(read)}; what stands in them is not kept",
        )  # fmt: skip
    kept = [name for name, identity in identity_columns(columns).items() if header_key(name) in allowed]
    if kept:
        content.warn(
            sheet.header_line, kept[0], None, "identity.allowed", f"kept, since the map allows them: {', '.join(kept)}"
        )
    identity = of_header(sheet.header[at])
    if identity is not None:
        content.warn(
            sheet.header_line, sheet.header[at], None, "identity.identifier",
            f"patients are named by {identity}, which stand in every table and report; write pseudonyms instead",
        )  # fmt: skip
    return {(sheet.name, name) for name in (*told, *left)}


def _columns_used(sheet: Sheet, map_: ClinicalMap) -> set[str]:
    """The columns of a sheet that the map reads, by their unique names."""
    durations = [o.duration.columns for o in map_.follow_ups.values()]
    asked = [each.names for each in map_.patients.values()] + [o.event.names for o in map_.follow_ups.values()]
    places = (sheet.column(names) for names in (*asked, *(names for columns in durations for names in columns)))
    return {sheet.unique_header[at] for at in places if at is not None}


def places_of(path: Path, sheets: list[Sheet], map_: ClinicalMap) -> Places:
    wanted = {f"patients.{name}": each.names for name, each in map_.patients.items()}
    for endpoint, outcome in map_.follow_ups.items():
        wanted[f"{endpoint}.event"] = outcome.event.names
        for i, names in enumerate(outcome.duration.columns):
            wanted[f"{endpoint}.duration.{i}"] = names
    places: Places = {}
    for field, names in wanted.items():
        at = [(sheet, column_of(path, sheet, names)) for sheet in sheets]
        places[field] = [(sheet.name, sheet.unique_header[i]) for sheet, i in at if i is not None]
        if not places[field]:
            have = ", ".join(h for s in sheets for h in s.header)
            raise InvalidInput(
                f"no column {' or '.join(map(str, names))} ({field})",
                where=str(path),
                repair=f"Correct the map; the table has {have}",
            )
    return places
