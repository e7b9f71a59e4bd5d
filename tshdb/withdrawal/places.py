"""Where files that were loaded speak of a patient: the lines and columns that the rows of the study came from.

A name may be too short to be looked for in texts (17 is an age, too), and a file may call the patient otherwise than the
study does, by a map or a sheet. The places that the study knows are right in both cases.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from tshdb.objects import sha256_of
from tshdb.schema import ClinicalValue, SourceFile, SourceRecord
from tshdb.study import Study
from tshdb.withdrawal.files import files_under, texts_in
from tshdb.withdrawal.footprint import files_of, rows_of
from tshdb.withdrawal.identifiers import Identifiers


@dataclass(frozen=True)
class Places:
    """Lines and columns of one file, counted from 1; names: what a cell calls the patient, as a whole."""

    lines: frozenset[int] = frozenset()
    columns: frozenset[int] = frozenset()
    names: frozenset[str] = frozenset()


def places_in(connection: Connection, names: Identifiers, study: Study, *left_out: Path) -> dict[Path, Places]:
    """Of the files of the study that were loaded and speak of the patient. A file is known by its bytes, wherever it lies.

    Bytes that are somebody else's file, too, such as two empty masks, are known by where they lie.
    """
    known: dict[str, Places] = {}
    lies: dict[str, set[Path]] = {}  # of bytes that are others', too
    sizes: set[int] = set()
    of_patient = files_of(connection, names)
    for file_id in of_patient:
        query = select(SourceFile.sha256, SourceFile.size_bytes, SourceFile.path)
        sha256, size, where = connection.execute(query.where(SourceFile.source_file_id == file_id)).one()
        places, before = _of_file(connection, names, file_id), known.get(sha256, Places())
        known[sha256] = Places(places.lines | before.lines, places.columns | before.columns, places.names)
        sizes.add(size)
        same = select(SourceFile.source_file_id).where(SourceFile.sha256 == sha256, SourceFile.is_current)
        if set(connection.execute(same).scalars()) - of_patient:
            lies.setdefault(sha256, set()).add(study.paths.at(where))
    found = {}
    for path in files_under(study.root, *left_out) if known else ():
        if path.stat().st_size in sizes and (sha256 := sha256_of(path)) in known:
            if sha256 not in lies or _lies_at(path, lies[sha256], study.root):
                found[path] = known[sha256]
    return found


def _lies_at(path: Path, registered: set[Path], root: Path) -> bool:
    """Whether a file is one of those that were registered; of a study that has moved, by its path below the study."""
    below = path.relative_to(root).parts
    return path.resolve() in registered or any(each.parts[-len(below) :] == below for each in registered)


def _of_file(connection: Connection, names: Identifiers, file_id: int) -> Places:
    of_patient = rows_of(SourceRecord.__table__, names)
    records = select(SourceRecord.line, SourceRecord.column_number).where(
        SourceRecord.source_file_id == file_id, of_patient
    )
    rows = connection.execute(records).fetchall()
    values = select(ClinicalValue.line).where(
        ClinicalValue.source_file_id == file_id, ClinicalValue.patient_id == names.patient_id
    )
    lines = {line for line, column in rows if column is None} | set(connection.execute(values).scalars())
    columns = {column for _, column in rows if column is not None}
    called = {names.patient_id, *names.sample_ids, *names.aliquot_ids, *names.originals}
    return Places(frozenset(lines - {0}), frozenset(columns), frozenset(called))


def with_originals(connection: Connection, names: Identifiers, study: Study, *left_out: Path) -> Identifiers:
    """The identifiers with what files call the patient, where a map made the study's name of it (template, pattern)."""
    here: dict[str, list[Path]] = {}
    found: set[str] = set()
    for file_id in files_of(connection, names):
        query = select(SourceFile.sha256, SourceFile.path, SourceFile.options).where(
            SourceFile.source_file_id == file_id
        )
        sha256, path, options = connection.execute(query).one()
        mapped = _mapped_id(options)
        if mapped is None:
            continue
        if not here:
            here = {"": [], **_by_digest(places_in(connection, names, study, *left_out))}
        if mapped.get("pattern") is None:
            found |= _without_template(mapped["template"], names.patient_id)
            continue
        for each in here.get(sha256, []) or [
            p for p in (study.paths.at(path),) if p.is_file() and sha256_of(p) == sha256
        ]:
            found |= _rewritten(texts_in(each), mapped["pattern"], mapped["template"], names.patient_id)
    return replace(names, originals=tuple(sorted(found - {names.patient_id})))


def _by_digest(paths: Iterable[Path]) -> dict[str, list[Path]]:
    by_digest: dict[str, list[Path]] = {}
    for path in paths:
        by_digest.setdefault(sha256_of(path), []).append(path)
    return by_digest


def _mapped_id(options: str) -> dict[str, Any] | None:
    """How a map makes identifiers of cells, where it changes them."""
    recorded = json.loads(options).get("map")
    mapped = recorded.get("patient_id") if isinstance(recorded, dict) else None
    if not isinstance(mapped, dict) or (mapped.get("template", "{}"), mapped.get("pattern")) == ("{}", None):
        return None
    return {"template": "{}", **mapped}


def _without_template(template: str, patient_id: str) -> set[str]:
    before, _, after = template.partition("{}")
    fits = re.fullmatch(f"{re.escape(before)}(.+){re.escape(after)}", patient_id)
    return set() if fits is None else {fits[1]}


def _rewritten(texts: Iterable[str], pattern: str, template: str, patient_id: str) -> set[str]:
    """The words of a file that the map turns into the patient's identifier."""
    word = re.compile(f"(?<![A-Za-z0-9])(?:{pattern})(?![A-Za-z0-9])")
    found = set()
    for text in texts:
        for match in word.finditer(text):
            if template.format(match[0], *match.groups()) == patient_id:
                found.add(match[0])
    return found
