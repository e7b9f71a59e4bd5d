"""Whose an object is: the results that name it, or the sources whose rows it speaks for; and what helps when it is lost."""

from __future__ import annotations

import json
import os
import shlex
from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, select

from tshdb.database import texts
from tshdb.engine.units import ENTITY_COLUMN, INGEST, select_ids
from tshdb.guest_tables import object_columns
from tshdb.ingested import marked, speakers
from tshdb.schema import ExpressionProfile, IngestRun, SourceFile, SourceRecord, Unit
from tshdb.vocabulary import Damage

MARK = "tshdb check --repair"
BY_REPAIR = f" (by {MARK})"  # behind the command by which a source that is read again was read first
MADE_AGAIN = f"Run: {MARK}, then: tshdb rebuild"
RESTORE = "Nothing is known that would bring it back: restore a backup"
SHOWN = 3
UNSAID = ("map", "samples", "sheet")  # options of which the study keeps the content, not the file


class LoadedSource(NamedTuple):
    """A source as it was read last."""

    collection: str
    reader: str
    name: str
    path: str
    options: str
    sha256: str
    command: str

    def __str__(self) -> str:
        return f"{self.collection}/{self.reader}/{self.name}"


class Row(NamedTuple):
    """An ingested row that an object speaks for. entity: the key of its ingest unit."""

    table: str
    key: str
    entity: str


class Origins:
    """One look at what rows name objects. readers: the names of those that are here; None: it is not asked."""

    def __init__(self, connection: Connection, readers: frozenset[str] | None = None):
        self.connection, self.readers = connection, readers

    @cached_property
    def units(self) -> dict[str, dict[int, str]]:
        """object -> unit -> analysis/key, of results."""
        by_digest: dict[str, dict[int, str]] = defaultdict(dict)
        for table, column, _ in object_columns(self.connection):
            if "unit_id" in table.columns:
                query = select(table.c[column], Unit.unit_id, Unit.analysis, Unit.key).join(
                    table, table.c.unit_id == Unit.unit_id
                )
                for digest, unit, analysis, key in self.connection.execute(query):
                    if digest is not None:
                        by_digest[digest][unit] = f"{analysis}/{key}"
        return by_digest

    @cached_property
    def rows(self) -> dict[str, list[Row]]:
        """object -> the ingested rows that it speaks for."""
        by_digest: dict[str, list[Row]] = defaultdict(list)
        profiles = ExpressionProfile.__table__
        named = [(profiles, profiles.c.part_id)]
        named += [(t, t.c[column]) for t, column, _ in object_columns(self.connection) if "unit_id" not in t.columns]
        for table, column in named:
            (key,) = table.primary_key
            query = select(column, key, table.c[ENTITY_COLUMN[table.name]]).where(column.is_not(None))
            for digest, row, entity in self.connection.execute(query):
                by_digest[digest].append(Row(table.name, row, entity))
        return by_digest

    def sources(self, rows: Iterable[Row]) -> list[LoadedSource]:
        """The sources that say these rows, in order."""
        keys: dict[str, list[str]] = defaultdict(list)
        for row in rows:
            keys[row.table].append(row.key)
        sources: set[LoadedSource] = set()
        file, record = SourceFile, SourceRecord
        for table, row_keys in keys.items():
            with texts(self.connection, "rows_of_objects", row_keys) as name:
                query = (
                    select(
                        file.collection, file.reader, file.name, file.path, file.options, file.sha256, IngestRun.command
                    )
                    .join(record, record.source_file_id == file.source_file_id)
                    .join(IngestRun, IngestRun.ingest_run_id == file.ingest_run_id)
                    .where(record.table_name == table, record.row_key.in_(select_ids(name)))
                    .distinct()
                )
                sources |= {LoadedSource(*row) for row in self.connection.execute(query)}
        return sorted(sources)

    def sources_of_marked(self) -> list[LoadedSource]:
        """The sources of rows whose ingest unit is marked."""
        return self.named(speakers(self.connection, marked(self.connection)))

    def named(self, sources: Iterable[tuple[str, str, str]]) -> list[LoadedSource]:
        """Sources by collection, reader and name, as they were read last; in order."""
        file, known = SourceFile, []
        for collection, reader, name in sorted(sources):
            of_source = (file.collection == collection) & (file.reader == reader) & (file.name == name)
            query = (
                select(file.collection, file.reader, file.name, file.path, file.options, file.sha256, IngestRun.command)
                .join(IngestRun, IngestRun.ingest_run_id == file.ingest_run_id)
                .where(of_source, file.is_current)
            )
            known += [LoadedSource(*row) for row in self.connection.execute(query)]
        return known

    def advice(self, digest: str, damage: Damage = Damage.LOST) -> str:
        """What helps when an object is lost or damaged."""
        if digest in self.units:
            return f"{shown(self.units[digest].values())} made it. {MADE_AGAIN}"
        return self.advice_of_rows(self.rows.get(digest, ()), damage)

    def advice_of_rows(self, rows: Iterable[Row], damage: Damage) -> str:
        """What brings ingested rows back: the commands that read their sources."""
        return self._advice(self.sources(rows), damage)

    def advice_of_sources(self, sources: Iterable[tuple[str, str, str]], damage: Damage) -> str:
        """What brings rows back that these sources say."""
        return self._advice(self.named(sources), damage)

    def _advice(self, sources: list[LoadedSource], damage: Damage) -> str:
        if not sources:
            return RESTORE
        gone = sorted({s.reader for s in sources} - self.readers) if self.readers is not None else []
        commands = _commands(sources)
        first = "" if damage is Damage.LOST else f"Run: {MARK}. "
        if gone:
            first += f"No reader {', '.join(gone)} is installed: first install the package that it came with. "
        return f"{first}It came from {shown(map(str, sources))}. Ingest that again: {'; '.join(commands)}"


def ingest_unit(row: Row) -> tuple[str, str]:
    """(analysis, key) of the unit that stands for an ingested row."""
    return INGEST + row.table, row.entity


def shown(names: Iterable[str]) -> str:
    """A few names, and how many more."""
    names = sorted(names)
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else "")


def _commands(sources: list[LoadedSource]) -> list[str]:
    """The commands that read the sources again, as far as the study knows them."""
    commands: list[str] = []
    folders: dict[str, list[str]] = defaultdict(list)  # command -> what it found in an archive's folder
    for source in sources:
        verb = _verb(source)
        if verb is not None:
            commands.append(_command(source, verb))
        else:
            folders[source.command.removesuffix(BY_REPAIR)].append(source.path)
    commands += [f"{command} (it read {os.path.commonpath(paths)})" for command, paths in folders.items()]
    commands = list(dict.fromkeys(commands))
    return commands[:SHOWN] + ([f"and {len(commands) - SHOWN:,} more"] if len(commands) > SHOWN else [])


def _verb(source: LoadedSource) -> str | None:
    """The command that reads this source alone; None where it was found in an archive's folder."""
    verb = f"tshdb ingest {source.reader}"
    if source.command.startswith(f"{verb} "):
        return verb
    verb, separator, _ = source.command.partition(f" {Path(source.path).name} --collection ")
    return verb if separator else None


def _command(source: LoadedSource, verb: str) -> str:
    words = [source.path, "--collection", source.collection]
    if not Path(source.path).is_dir() and source.name != Path(source.path).name:
        words += ["--name", source.name]
    unsaid = []
    for option, value in sorted(json.loads(source.options).items()):
        flag = f"--{option.replace('_', '-')}"
        if option in UNSAID:
            unsaid += [flag] if value is not None else []
        elif value is True:
            words.append(flag)
        elif isinstance(value, str | int | float) and value is not False and option != "her2_rule":
            words += [flag, str(value)]
    more = f" (with the same {' and '.join(unsaid)} as before)" if unsaid else ""
    return f"{verb} {shlex.join(words)}{more}"
