"""The images of series on their way into the database, files or frames: compared with what stands, written where they differ.

They are the content of a series as expression values are that of a profile: the series' row carries their digest, and what
they change stands in its history.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, select

from tshdb.canonical import digest, rows_fingerprint
from tshdb.database import texts, upsert
from tshdb.engine.units import select_ids
from tshdb.file_content import Instances
from tshdb.file_identity import FileIdentity
from tshdb.geometry import Grid
from tshdb.images.series_grid import COLUMNS, Stack, grid_of_images
from tshdb.ingested import counted, known_fingerprints, marked
from tshdb.loading.lost import lost_sources
from tshdb.objects import ObjectStore
from tshdb.schema import ImagingInstance, ImagingSeries, ImagingStudy

TABLE = ImagingInstance.__table__
AT_ONCE = 2_000
FIRST = TABLE.c.frame_number == 1  # one row a file
Key = tuple[str, int]  # SOPInstanceUID, frame
_DATA = [c.name for c in TABLE.columns if c.info.get("fingerprint", True)]


def content_digest(content: Iterable[tuple[str, str]]) -> str:
    """The digest of a series' files, (SOPInstanceUID, SHA-256) each, whatever their order."""
    return digest(*(f"{sop}={sha}".encode() for sop, sha in sorted(content)))


def known_files(
    connection: Connection, at: Callable[[str], Path], objects: ObjectStore, collection: str
) -> Iterator[tuple[str, FileIdentity, str]]:
    """(path, identity, series) of every DICOM file of a collection that was read. at: gives the file of a stored path.

    Without series that have lost rows or the voxels of their segmentation, and without files of which another hand changed
    what the study says, such as their series: these are read again.
    """
    hurt = marked(connection).get(TABLE.name, set())
    lost = {name for _, _, name in lost_sources(connection, objects, collection)}
    identity = [TABLE.c[name] for name in FileIdentity._fields]
    columns = (TABLE.c.path, TABLE.c.series_uid, TABLE.c.study_uid, *identity)
    query = select(*columns).join(ImagingStudy, ImagingStudy.study_uid == TABLE.c.study_uid)
    for path, series_uid, study_uid, *facts in connection.execute(
        query.where(ImagingStudy.collection == collection, FIRST)
    ):
        if series_uid not in lost and study_uid not in hurt:
            yield str(at(path)), FileIdentity._make(facts), series_uid


def instances_of(connection: Connection, series_uid: str, here: Sequence[tuple]) -> list[tuple[str, str, int, bool]]:
    """(SOPInstanceUID, SHA-256, bytes, has pixels) of the files that the study has of a series.

    here: as many as a folder has; where exactly these make the series' digest, other rows are another hand's, and not given.
    """
    digest_of = select(ImagingSeries.content_digest).where(ImagingSeries.series_uid == series_uid)
    if here and connection.execute(digest_of).scalar() == content_digest((sop, sha) for sop, sha, *_ in here):
        return []
    columns = (TABLE.c.sop_uid, TABLE.c.sha256, TABLE.c.size_bytes, TABLE.c.has_pixels)
    query = select(*columns).where(TABLE.c.series_uid == series_uid, FIRST).order_by(TABLE.c.sop_uid)
    return [tuple(row) for row in connection.execute(query)]


def grids_of(connection: Connection, study_uid: str) -> list[Grid]:
    """The grids of an examination's series, of those that are stacks of slices."""
    query = (
        select(ImagingSeries.series_uid).where(ImagingSeries.study_uid == study_uid).order_by(ImagingSeries.series_uid)
    )
    found = (stack_of(connection, uid) for uid in connection.execute(query).scalars().all())
    return [stack.grid for stack in found if stack is not None]


def stack_of(connection: Connection, series_uid: str) -> Stack | None:
    """Where the slices of a series lie; None where the study does not have it, or it is no stack."""
    columns = (ImagingSeries.row_spacing_mm, ImagingSeries.column_spacing_mm, ImagingSeries.slice_thickness_mm)
    query = select(ImagingStudy.study_uid, ImagingStudy.patient_id, *columns).join(
        ImagingStudy, ImagingStudy.study_uid == ImagingSeries.study_uid
    )
    series = connection.execute(query.where(ImagingSeries.series_uid == series_uid)).mappings().one_or_none()
    if series is None:
        return None
    of_images = select(*(TABLE.c[name] for name in COLUMNS)).where(TABLE.c.series_uid == series_uid).distinct()
    images = list(connection.execute(of_images).mappings())
    grid = grid_of_images(images, series) if images else None
    return None if grid is None else Stack(series["study_uid"], series["patient_id"], grid)


def compared(connection: Connection, new: Instances, complete: bool) -> dict[str, int]:
    """How many images of a series are inserted, updated, deleted and unchanged."""
    stand = _standing(connection, new.series_uid)
    counts = dict.fromkeys(("inserted", "updated", "deleted", "unchanged"), 0)
    met: set[Key] = set()
    for row in new.rows():
        met.add(_key(row))
        before = stand.get(_key(row))
        kind = "inserted" if before is None else "unchanged" if _data(before) == _data(row) else "updated"
        counts[kind] += 1
    counts["deleted"] = len(_gone(stand, met, complete))
    return counts


def write(connection: Connection, new: Instances, complete: bool) -> bool:
    """Write what is new or differs, also where a file lies now. Gives whether data changed."""
    stand = _standing(connection, new.series_uid)
    moved = False
    met: set[Key] = set()

    def differing() -> Iterator[dict[str, Any]]:
        nonlocal moved
        for row in new.rows():
            met.add(_key(row))
            before = stand.get(_key(row))
            if before is None or before != {name: row[name] for name in before}:
                moved = moved or before is None or _data(before) != _data(row)
                yield row

    for rows in _chunks(differing()):
        upsert(connection, TABLE, rows, ("sop_uid", "frame_number"))
    gone = _gone(stand, met, complete)
    for number in {number for _, number in gone}:
        with texts(connection, "gone_instances", {sop for sop, of_it in gone if of_it == number}) as name:
            of_number = TABLE.c.frame_number == number
            connection.execute(delete(TABLE).where(of_number, TABLE.c.sop_uid.in_(select_ids(name))))
    return moved or bool(gone)


def delete_of_series(connection: Connection, series_uids: Iterable[str]) -> None:
    """Delete the instances of series that are gone."""
    with texts(connection, "gone_series", series_uids) as name:
        connection.execute(delete(TABLE).where(TABLE.c.series_uid.in_(select_ids(name))))


def take_out_added(connection: Connection, new: Instances) -> None:
    """Delete files of a series that nobody has read, where those that stay are exactly what was ingested of the study."""
    new_uids = {row["sop_uid"] for row in new.rows()}
    columns = counted(TABLE.name)
    rows = connection.execute(
        select(TABLE.c.sop_uid, TABLE.c.series_uid, *columns).where(TABLE.c.study_uid == new.study_uid)
    ).fetchall()
    added = {sop for sop, series, *_ in rows if series == new.series_uid and sop not in new_uids}
    rest = [tuple(row[2:]) for row in rows if row[0] not in added]
    ingested = known_fingerprints(connection, TABLE.name).get(new.study_uid)
    if added and rows_fingerprint([c.name for c in columns], rest) == ingested:
        with texts(connection, "added_instances", added) as name:
            connection.execute(delete(TABLE).where(TABLE.c.sop_uid.in_(select_ids(name))))


def _standing(connection: Connection, series_uid: str) -> dict[Key, dict[str, Any]]:
    rows = connection.execute(select(TABLE).where(TABLE.c.series_uid == series_uid)).mappings()
    return {_key(row): dict(row) for row in rows}


def _key(row: Mapping[str, Any]) -> Key:
    return row["sop_uid"], row["frame_number"]


def _gone(stand: Iterable[Key], met: set[Key], complete: bool) -> set[Key]:
    """Images that are no more: of files that were read and have fewer frames, and of files that are not there, if so said."""
    files = {sop for sop, _ in met}
    return {key for key in stand if key not in met and (complete or key[0] in files)}


def _data(row: dict[str, Any]) -> list[Any]:
    return [row[name] for name in _DATA]


def _chunks(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    chunk: list[dict[str, Any]] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == AT_ONCE:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
