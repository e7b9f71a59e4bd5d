"""Paths of files in a study that hashes them ([privacy] paths): none in clear, none half-hashed, and where they lie is known."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from sqlalchemy import Connection, func, select

from tshdb.checking.rule import Context, Problem, rule
from tshdb.kept_paths import PLACES_FILE, UID, KeptPaths, is_token
from tshdb.loading.hidden import AS_NEW, spare_identifiers
from tshdb.schema import (
    Attempt,
    Change,
    Conflict,
    ImagingInstance,
    IngestIssue,
    IngestRun,
    Run,
    Segmentation,
    SourceFile,
    SourceRecord,
    Unit,
)

PATHS = (SourceFile.path, ImagingInstance.path, IngestIssue.path, Segmentation.path)
NAMES = (SourceFile.name, SourceRecord.name)
TEXTS = (
    IngestRun.command, IngestIssue.message, IngestIssue.value, IngestIssue.column_name, Conflict.other_source,
    Conflict.held_source, Run.command, Unit.message, Attempt.detail, Change.row_key, SourceRecord.row_key,
)  # fmt: skip
DATA = (SourceFile.options, SourceRecord.row_values, Change.changes, Segmentation.evidence, Segmentation.label)
DIGEST = re.compile(r"[0-9a-f]{24}|[0-9a-f]{64}")
ABSOLUTE = re.compile(r"(?<![\w/.:<)])/(?:[^\s/'\",;:<>]+/)+[^\s/'\",;:<>]+")  # no URL, no "and/or"
OF_TOKENS = "Make sure that study.toml says what was meant: [privacy] paths"


@rule("paths.clear", "a study whose paths are hashed holds none in clear", f"To have none, {AS_NEW}")
def _clear(c: Context) -> Iterator[Problem]:
    if not c.study.paths.hides:
        return
    for column in (*PATHS, *NAMES):
        query = select(column, func.count()).where(column.is_not(None), column != "").group_by(column)
        n = sum(row[1] for row in c.connection.execute(query) if not _is_hidden(str(row[0])))
        if n:
            yield Problem(_name(column), f"{n:,} rows hold a path or a name of a file in clear")


@rule(
    "paths.texts", "no text of a study whose paths are hashed names a file", f"To have none, {AS_NEW}", is_full=True,
)  # fmt: skip
def _texts(c: Context) -> Iterator[Problem]:
    if not c.study.paths.hides:
        return
    paths = KeptPaths(c.study.root, True)
    paths.learn_places()
    spare_identifiers(c.connection, paths)
    for column, are_data in (*((column, False) for column in TEXTS), *((column, True) for column in DATA)):
        n = sum(_names_a_file(paths, text, are_data) for text in _texts_of(c.connection, column))
        if n:
            yield Problem(_name(column), f"{n:,} texts name a file or a folder in clear")


@rule("paths.mixed", "a study that stores paths as they are has no tokens of others", f'{OF_TOKENS} = "hashed"')
def _mixed(c: Context) -> Iterator[Problem]:
    if c.study.paths.hides:
        return
    n = sum(map(is_token, c.connection.execute(select(SourceFile.path)).scalars()))
    if n:
        yield Problem(
            _name(SourceFile.path), f"{n:,} paths are hashed, and study.toml says that they are stored in clear"
        )


@rule(
    "paths.places", "it is known where the files of hashed paths lie",
    f"Ingest them again from where they are: {PLACES_FILE} is about one machine, and no part of backups", is_warning=True,
)  # fmt: skip
def _places(c: Context) -> Iterator[Problem]:
    current = select(SourceFile.path).where(SourceFile.is_current)
    images = select(ImagingInstance.path).where(ImagingInstance.frame_number == 1)
    for what, query in (("sources", current), ("images", images)):
        n = sum(not c.study.paths.knows(path) for path in c.connection.execute(query).scalars())
        if n:
            yield Problem(
                what, f"{n:,} were not looked for, and their bytes not compared: where they lie is not known here"
            )


def _is_hidden(text: str) -> bool:
    """Whether what stands for a path or a name tells nothing: a token, a number, a digest, or a place made of them."""
    last = PurePosixPath(text).name
    return (
        is_token(last) and not text.startswith("/") or UID.fullmatch(text) is not None or bool(DIGEST.fullmatch(text))
    )


def _names_a_file(paths: KeptPaths, text: str, are_data: bool) -> bool:
    return paths.text(text, are_data) != text or ABSOLUTE.search(text) is not None


def _texts_of(connection: Connection, column) -> Iterator[str]:
    yield from connection.execute(select(column).where(column.is_not(None)).distinct()).scalars()


def _name(column) -> str:
    return f"{column.table.name}.{column.name}"


RULES = (_clear, _texts, _mixed, _places)
