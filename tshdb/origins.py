"""Whose an object is: the results that name it, or the sources whose rows it speaks for; and what helps when it is lost."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, select

from tshdb.schema import ExpressionProfile, IngestRun, SourceFile, SourceRecord, Unit
from tshdb.schema.base import object_columns

MADE_AGAIN = "Run: tshdb check --repair, then: tshdb rebuild"
SHOWN = 3


class Origin(NamedTuple):
    """A source as it was read last."""

    collection: str
    reader: str
    name: str
    path: str
    options: str
    command: str

    def __str__(self) -> str:
        return f"{self.collection}/{self.reader}/{self.name}"


def units_of(connection: Connection, digest: str) -> dict[int, str]:
    """unit -> analysis/key, of the results that name an object."""
    found: dict[int, str] = {}
    for table, column, _ in object_columns():
        if "unit_id" in table.columns:
            query = (
                select(Unit.unit_id, Unit.analysis, Unit.key)
                .join(table, table.c.unit_id == Unit.unit_id)
                .where(table.c[column] == digest)
            )
            found |= {unit: f"{analysis}/{key}" for unit, analysis, key in connection.execute(query)}
    return found


def rows_of(connection: Connection, digest: str) -> list[tuple[str, str]]:
    """(table, row key) of the ingested rows that an object speaks for."""
    query = select(ExpressionProfile.profile_id).where(ExpressionProfile.part_id == digest)
    found = [("expression_profiles", profile) for profile in connection.execute(query).scalars()]
    for table, column, _ in object_columns():
        if "unit_id" not in table.columns:
            (key,) = table.primary_key
            found += [
                (table.name, row) for row in connection.execute(select(key).where(table.c[column] == digest)).scalars()
            ]
    return found


def sources_of(connection: Connection, digest: str) -> list[Origin]:
    """The sources that brought what an object holds, in order."""
    keys: dict[str, list[str]] = {}
    for table, row in rows_of(connection, digest):
        keys.setdefault(table, []).append(row)
    found: set[Origin] = set()
    for table, rows in keys.items():
        query = (
            select(SourceFile.collection, SourceFile.reader, SourceFile.name, SourceFile.path, SourceFile.options, IngestRun.command)
            .join(SourceRecord, SourceRecord.source_file_id == SourceFile.source_file_id)
            .join(IngestRun, IngestRun.ingest_run_id == SourceFile.ingest_run_id)
            .where(SourceRecord.table_name == table, SourceRecord.row_key.in_(rows))
            .distinct()
        )  # fmt: skip
        found |= {Origin(*row) for row in connection.execute(query)}
    return sorted(found)


def advice(connection: Connection, digest: str) -> str:
    """What helps when an object is lost or damaged."""
    if units := units_of(connection, digest):
        return f"{_shown(units.values())} made it. {MADE_AGAIN}"
    sources = sources_of(connection, digest)
    if not sources:
        return "Nothing is known to bring it back: restore a backup"
    commands = list(dict.fromkeys(map(_command, sources)))
    return f"It holds what came from {_shown(map(str, sources))}. Ingest that again: {'; '.join(commands)}"


def _shown(names: Iterable[str]) -> str:
    names = sorted(names)
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else "")


def _command(source: Origin) -> str:
    """The command that reads the source again, as far as the study knows it."""
    start = f"tshdb ingest {source.reader} "
    if not source.command.startswith(start):  # an archive's folder: the command found the file there
        return f"{source.command} (the file was {source.path})"
    words = [source.path, "--collection", source.collection]
    if source.name != Path(source.path).name:
        words += ["--name", source.name]
    unsaid = []
    for option, value in sorted(json.loads(source.options).items()):
        flag = f"--{option.replace('_', '-')}"
        if value is True:
            words.append(flag)
        elif option in ("map", "samples", "sheet", "her2_rule") and value is not None:
            unsaid += [] if option == "her2_rule" else [flag]
        elif isinstance(value, str | int | float) and value is not False:
            words += [flag, str(value)]
    more = f" (with the same {' and '.join(unsaid)} as before)" if unsaid else ""
    return start + shlex.join(words) + more
