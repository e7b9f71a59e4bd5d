"""Rows of studies of older programs, where a source's name decided: derived again by the dates of sources."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, select, text

from tshdb.database import reading
from tshdb.dated import in_name, of_version
from tshdb.engine.units import ENTITY_COLUMN
from tshdb.loading.commit import refresh_units
from tshdb.loading.compare import Comparison, derive_rows
from tshdb.loading.put_back import Proven, put_back
from tshdb.loading.sources import Key
from tshdb.loading.values import IncomingValues
from tshdb.objects import ObjectStore
from tshdb.schema import Conflict, Patient
from tshdb.selection import select_profiles


def dates_of_sources(engine: Engine) -> dict[int, str]:
    """source_file_id -> the date, or the version of a form, in the file's name; of a database of any revision."""
    with reading(engine) as connection:
        files = connection.execute(text("SELECT source_file_id, reader, path FROM source_files")).fetchall()
    dates = {}
    for file, reader, path in files:
        as_of = in_name(Path(path)) or (of_version(Path(path).name) if reader == "biotab" else None)
        if as_of is not None:
            dates[file] = as_of
    return dates


def reconcile_again(connection: Connection, objects: ObjectStore, command: str) -> None:
    """Derive the rows on which sources disagree again, and choose profiles again, as a run of `command`."""
    rows = connection.execute(select(Conflict.table_name, Conflict.row_key).distinct()).fetchall()
    keys: list[Key] = [(table, key) for table, key in rows]
    if keys:
        comparison = Comparison(IncomingValues(objects, writes=False))
        derive_rows(comparison, connection, keys)
        put_back(connection, Proven(set(), comparison), command)
        for table in {table for table, _ in keys}:
            after = [row for (t, _), row in comparison.after.items() if t == table and row is not None]
            refresh_units(connection, table, {row[ENTITY_COLUMN[table]] for row in after})
    select_profiles(connection, connection.execute(select(Patient.patient_id)).scalars().all())
