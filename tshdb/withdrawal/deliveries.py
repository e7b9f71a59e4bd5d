"""Every file that the study ever read and that lies outside of it: which of them hold the patient, now that they are asked.

A source that came again, was renamed or is gone keeps a row for each state that was read. Where a file is no longer at
its place it cannot be looked into; that it held the patient is known by the rows and the changes that it gave.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, select

from tshdb.kept_paths import PLACES_FILE, KeptPaths, is_token
from tshdb.objects import sha256_of
from tshdb.process import in_child
from tshdb.schema import Change, IngestRun, SourceFile
from tshdb.withdrawal import files
from tshdb.withdrawal.footprint import files_of
from tshdb.withdrawal.identifiers import Identifiers

HOLDS, MAY_HOLD, NOT_SEEN, GONE = (
    "names the patient",
    "may name the patient",
    "not looked into",
    "no longer at its place",
)


class Delivery(NamedTuple):
    """A file outside of the study that holds the patient, or may. state: one of the four words; why: more about it."""

    path: str
    source: str
    read_at: str
    state: str
    why: str = ""


class Delivered(NamedTuple):
    """deliveries: those that somebody has to see to; n_gone: others that are no longer at their places, and may have held her."""

    deliveries: list[Delivery]
    n_gone: int


def held_by(connection: Connection, names: Identifiers) -> set[int]:
    """The states of sources that say something of the patient, or did when something of hers changed."""
    of_patient = Change.entity_key.in_(names.keys) | Change.row_key.in_(names.keys)
    query = select(Change.before_file_id, Change.after_file_id).where(of_patient).distinct()
    return files_of(connection, names) | {i for row in connection.execute(query) for i in row if i is not None}


def delivered(
    connection: Connection, names: Identifiers, paths: KeptPaths, is_inside: Callable[[str], bool]
) -> Delivered:
    """Looks at every file that was ever read and lies outside of the study. Folders of images are another patient's or hers."""
    held = held_by(connection, names)
    columns = (SourceFile.source_file_id, SourceFile.path, SourceFile.collection, SourceFile.reader, SourceFile.name)
    query = (
        select(*columns, SourceFile.sha256, IngestRun.started_at)
        .join(IngestRun, IngestRun.ingest_run_id == SourceFile.ingest_run_id)
        .order_by(SourceFile.path, SourceFile.source_file_id)
    )
    states: dict[str, _States] = {}
    for row in connection.execute(query):
        place = str(paths.at(row.path)) if paths.knows(row.path) else row.path
        if is_token(place) or not is_inside(place):
            of_path = states.setdefault(place, _States(place, "", "", set(), [], False))
            states[place] = of_path._replace(
                source=f"{row.collection}/{row.reader}/{row.name}",
                read_at=row.started_at,
                sources={*of_path.sources, (row.collection, row.reader, row.name)},
                digests=[*of_path.digests, row.sha256] if row.source_file_id in held else of_path.digests,
                is_held=of_path.is_held or row.source_file_id in held,
            )
    sources = {source for of_path in states.values() if of_path.is_held for source in of_path.sources}
    asked = [of_path for of_path in states.values() if of_path.is_held or not Path(of_path.path).is_dir()]
    found, n_gone = [], 0
    for of_path, (state, why) in zip(asked, in_child(lambda: [_state(each, names) for each in asked]), strict=True):
        if state == GONE and not of_path.is_held:
            if not of_path.sources & sources:
                n_gone += 1
                continue
            why = "another state of a source that held the patient"
        if state:
            found.append(Delivery(of_path.path, of_path.source, of_path.read_at, state, why))
    return Delivered(found, n_gone)


class _States(NamedTuple):
    """What was read at one path. source, read_at: of the last time; digests: of the bytes that held the patient."""

    path: str
    source: str
    read_at: str
    sources: set[tuple[str, str, str]]
    digests: list[str]
    is_held: bool


def _state(of_path: _States, names: Identifiers) -> tuple[str, str]:
    """What has become of what was read, and more about it; nothing where it does not hold the patient."""
    path = Path(of_path.path)
    if is_token(of_path.path):
        return NOT_SEEN, f"where it lies is not known here ({PLACES_FILE})"
    if not path.exists():
        return GONE, "it held the patient"
    is_named, unseen = _at(path, names)
    if is_named:
        return HOLDS, ""
    if of_path.is_held and (path.is_dir() or sha256_of(path) in of_path.digests):
        return MAY_HOLD, "rows of the patient came from it, and it does not say her name"
    return (NOT_SEEN, "; ".join(unseen)) if unseen else ("", "")


def _at(path: Path, names: Identifiers) -> tuple[bool, tuple[str, ...]]:
    """Whether a file, or a file of a folder, names the patient, and what was not looked into."""
    if path.is_file():
        seen = files.look(path, names)
        return seen.is_named or names.is_in(path.name), seen.unseen
    unseen: dict[str, None] = {}
    for file in files.files_under(path):
        seen = files.look(file, names)
        if seen.is_named or names.is_in(str(file.relative_to(path))):
            return True, ()
        unseen |= dict.fromkeys(seen.unseen)
    return False, files.shortened(unseen)
