"""What cohorts' steps gave, remembered by their text and by the versions of the tables that they read.

In the process, and beside the study: one file a cohort, named by its own SHA-256, for `status` and `plan`. It names patients:
a withdrawal removes it, and it is not left where the database has gone on in the meantime. Files may be removed at any time.
What took too long is remembered in the process alone, for another day is another try.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import version as version_of
from typing import NamedTuple

from tshdb.cohorts.rows import Rows
from tshdb.cohorts.worker import ALWAYS
from tshdb.errors import ResourceError, TshdbError
from tshdb.objects import sha256_of
from tshdb.sandbox import as_words, error_of
from tshdb.snapshots import ANSWER, COHORT, Snapshots, answers_below

MEANING = 1  # of an answer: counted up when the same text gives something else
MOST = 256  # answers that a process remembers


class Remembered(NamedTuple):
    """tables: that the steps read; versions: of these, and of the patients; moved: by step, who came or left, or why there is
    no answer."""

    tables: tuple[str, ...]
    versions: dict[str, str]
    moved: list[list[str]] | TshdbError


_of_process: OrderedDict[str, Remembered] = OrderedDict()


def keys_of(texts: Mapping[str, str], known: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """cohort -> what its answer rests on, but for rows: its name and text, the columns that there are, and what answers."""
    columns = sorted((table, list(types.items())) for table, types in known.items())
    by = _digest([MEANING, version_of("duckdb"), columns])
    return {name: _digest([by, name, text]) for name, text in texts.items()}


def _digest(said: list) -> str:
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def recall(rows: Rows, keys: Mapping[str, str]) -> dict[str, Remembered]:
    """cohort -> what is remembered of it, of those whose tables are as they were. keys: cohort -> its key."""
    current = _unchanged(rows, {n: _of_process[k] for n, k in keys.items() if k in _of_process})
    kept = {n: answer for n, k in keys.items() if n not in current and (answer := _kept(rows, n, k)) is not None}
    current |= _unchanged(rows, kept)
    for name, answer in current.items():
        _note(keys[name], answer)
    return current


def _unchanged(rows: Rows, answers: Mapping[str, Remembered]) -> dict[str, Remembered]:
    """Those whose tables are at their versions."""
    tables = {table for answer in answers.values() for table in answer.versions}
    now = rows.versions(tables & rows.known().keys()) if tables else {}
    return {n: a for n, a in answers.items() if a.versions and a.versions.items() <= now.items()}


def remember(rows: Rows, name: str, key: str, answer: Remembered) -> None:
    """Note an answer, unless a table that it read has no version, or was changed meanwhile."""
    tables = {*answer.tables, *ALWAYS}
    if answer.versions.keys() != tables or rows.versions(tables) != answer.versions:
        return
    _note(key, answer)
    if not isinstance(answer.moved, ResourceError):
        _keep(rows, name, key, answer)


def _note(key: str, answer: Remembered) -> None:
    _of_process[key] = answer
    _of_process.move_to_end(key)
    while len(_of_process) > MOST:
        _of_process.popitem(last=False)


# ------------------------------------------------------------------------------------------------ beside the study


def _kept(rows: Rows, name: str, key: str) -> Remembered | None:
    """What the study's folder has of a cohort, its bytes verified."""
    if rows.home is None:
        return None
    for path in answers_below(Snapshots(rows.home.root).folder, name):
        if path.name.split(".")[1] != sha256_of(path):
            with suppress(OSError):
                path.unlink(missing_ok=True)
            continue
        with suppress(ValueError, KeyError, TypeError):  # somebody else's words under our name
            said = json.loads(path.read_text(encoding="utf-8"))
            if said["key"] == key:
                moved = error_of(said["error"]) if said["error"] else [list(map(str, m)) for m in said["moved"]]
                return Remembered(tuple(map(str, said["tables"])), dict(said["versions"]), moved)
    return None


def _keep(rows: Rows, name: str, key: str, answer: Remembered) -> None:
    if rows.home is None or not COHORT.fullmatch(name) or (path := Snapshots(rows.home.root).begin()) is None:
        return
    error = as_words(answer.moved) if isinstance(answer.moved, TshdbError) else None
    said = {
        "key": key,
        "tables": answer.tables,
        "versions": answer.versions,
        "error": error,
        "moved": answer.moved if error is None else [],
    }
    try:
        path.write_text(json.dumps(said), encoding="utf-8")
        kept = path.with_name(f"{name}.{sha256_of(path)}.{ANSWER}")
        os.replace(path, kept)
    except OSError:
        path.unlink(missing_ok=True)
        return
    for other in answers_below(kept.parent, name):
        if other != kept:
            other.unlink(missing_ok=True)
    if not rows.are_committed(answer.versions):  # a withdrawal may have been here before us
        kept.unlink(missing_ok=True)
