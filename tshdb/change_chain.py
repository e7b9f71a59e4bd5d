"""The change log as a chain: every row's digest covers the row before it, so that an edit, a deletion or another order shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, update

from tshdb.canonical import digest, encode
from tshdb.schema import Change, IngestRun

START = "start"
_COLUMNS = tuple(sorted(c.name for c in Change.__table__.columns if c.name != "chain"))


def link(previous: str, row: Mapping[Any, Any]) -> str:
    """The chain of a row behind a row whose chain is `previous`."""
    return digest(previous.encode(), *(encode(row[name]) for name in _COLUMNS))


def head(connection: Connection) -> str:
    """The chain of the last row; the start of a chain where there is none."""
    query = select(Change.chain).order_by(Change.change_id.desc()).limit(1)
    return connection.execute(query).scalar() or START


def chained(previous: str, rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The rows with their chains, in their order."""
    for row in rows:
        previous = link(previous, row)
        yield row | {"chain": previous}


def note_head(connection: Connection, run_id: int) -> None:
    """Remember where the chain ends after an ingest, so that rows cut off its end are missed."""
    connection.execute(
        update(IngestRun).where(IngestRun.ingest_run_id == run_id).values(change_log_head=head(connection))
    )


def chain_anew(connection: Connection) -> None:
    """After a withdrawal has taken rows out: the chain of what is left. Its tombstone says when and why."""
    previous, links = START, []
    for row in connection.execute(select(Change.__table__).order_by(Change.change_id)).mappings():
        previous = link(previous, row)
        links.append({"b_id": row["change_id"], "b_chain": previous})
    if links:
        table = Change.__table__
        statement = update(table).where(table.c.change_id == bindparam("b_id")).values(chain=bindparam("b_chain"))
        connection.execute(statement, links)
    connection.execute(update(IngestRun).values(change_log_head=None))
    last = connection.execute(select(func.max(IngestRun.ingest_run_id))).scalar()
    connection.execute(
        update(IngestRun).where(IngestRun.ingest_run_id == last).values(change_log_head=head(connection))
    )


def breaks(connection: Connection) -> Iterator[tuple[int, str]]:
    """(change, what is wrong) for every place where the chain does not hold. Rows older than the chain are passed over."""
    previous = START
    for row in connection.execute(select(Change.__table__).order_by(Change.change_id)).mappings():
        if row["chain"] is None:
            if previous != START:
                yield row["change_id"], "has no chain"
            continue
        if link(previous, row) != row["chain"]:
            yield row["change_id"], "was edited, or the row before it is another one"
        previous = row["chain"]
    noted = connection.execute(
        select(IngestRun.change_log_head)
        .where(IngestRun.change_log_head.is_not(None))
        .order_by(IngestRun.ingest_run_id.desc())
        .limit(1)
    ).scalar()
    if noted is not None and noted != previous:
        yield 0, "the last rows are not those of the last ingest"
