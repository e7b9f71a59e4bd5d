"""What in a study looks like a person: names, birth dates, telephones, e-mail, addresses, record numbers, free text.

Looked at are the values of all tables, by what they say and, of columns that are not ours, by their names; the fields of
JSON and of clinical values; paths and names of files; and the files in the study's folder. No value is shown in full.
A hint is no proof, and that there is none is none either.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, Text, select

from tshdb.contents.kinds import pieces
from tshdb.contents.plain import names_somebody
from tshdb.database import reading
from tshdb.guest_tables import tables_of, unknown_tables
from tshdb.identity import Identity, identity_columns, in_path, in_text, masked, of_header
from tshdb.process import in_child
from tshdb.schema import Base
from tshdb.study import Study
from tshdb.withdrawal.files import files_under
from tshdb.withdrawal.planning import database_files
from tshdb.withdrawal.unknown import columns_of

PATHS = {"path", "name", "command"}  # columns that hold paths, in whole or in part
OF_THE_PROGRAM = {"actor", "program_version"}  # columns: who ran it
OF_THE_ENGINE = {"specs", "guest_analyses", "units", "unit_inputs"}  # tables: code, and what is known by other tables
CELLS = 5_000  # of a column of a file


class Hint(NamedTuple):
    """A place that looks like it tells who somebody is.

    where: table.column, table.column: field, or a file; what: names, birth dates …; how: by the column's name or its content;
    n: values; such_as: the shape of one.
    """

    where: str
    what: str
    how: str
    n: int
    such_as: str


def hints(study: Study) -> list[Hint]:
    """Everything in a study that looks like a person, tables first."""
    with reading(study.engine) as connection:
        found = [*_in_tables(connection), *_in_unknown_tables(connection)]

    def of_files() -> list[Hint]:
        left_out = (study.objects.root, *database_files(study))
        return [hint for path in files_under(study.root, *left_out) for hint in _in_file(path, study.root)]

    return found + [Hint(*each) for each in in_child(of_files)]


def _in_tables(connection: Connection) -> Iterator[Hint]:
    for table in tables_of(connection):
        if table.name in OF_THE_ENGINE:
            continue
        is_ours = table.name in Base.metadata.tables
        for column in table.columns:
            if not isinstance(column.type, Text) or column.name in OF_THE_PROGRAM:
                continue
            values = connection.execute(select(column).where(column.is_not(None))).scalars().all()
            where = f"{table.name}.{column.name}"
            yield from _of_texts(where, values, is_path=column.name in PATHS)
            yield from _of_columns(f"{where}: ", _fields(values))
            if not is_ours:
                yield from _of_columns(f"{table.name}.", {column.name: values})
        if {"field", "value"} <= set(table.columns.keys()):
            by_field: dict[str, list[str]] = {}
            for field, value in connection.execute(select(table.c.field, table.c.value)):
                by_field.setdefault(field, []).append(value or "")
            yield from _of_columns(f"{table.name}.value: ", by_field)


def _in_unknown_tables(connection: Connection) -> Iterator[Hint]:
    for table in unknown_tables(connection):
        columns = columns_of(connection, table)
        for name, values in columns.items():
            yield from _of_texts(f"{table}.{name}", values)
        yield from _of_columns(f"{table}.", columns)


def _fields(values: Iterable[str]) -> dict[str, list[str]]:
    """The fields of values that are JSON objects, with what stands in them."""
    fields: dict[str, list[str]] = {}
    for value in values:
        if value.startswith("{"):
            try:
                held = json.loads(value)
            except ValueError:
                continue
            for name, each in held.items() if isinstance(held, dict) else ():
                if isinstance(each, str) or isinstance(each, list) and all(isinstance(e, str) for e in each):
                    fields.setdefault(name, []).extend([each] if isinstance(each, str) else each)
    return fields


def _of_texts(where: str, values: Iterable[str], is_path: bool = False) -> Iterator[Hint]:
    """By content: how many values hold something of a kind."""
    counts: dict[Identity, tuple[int, str]] = {}
    for value in values:
        for identity, words in dict((in_path if is_path else in_text)(value)).items():
            n, such_as = counts.get(identity, (0, masked(words)))
            counts[identity] = (n + 1, such_as)
    for identity, (n, such_as) in counts.items():
        yield Hint(where, str(identity), "content", n, such_as)


def _of_columns(prefix: str, columns: dict[str, Any]) -> Iterator[Hint]:
    """Columns that tell who somebody is, by their names or by all of their cells."""
    ours = {c.name for table in Base.metadata.tables.values() for c in table.columns}
    asked = {n: [str(v) for v in cells] for n, cells in columns.items() if n not in ours and not _is_of_ids(n)}
    for name, identity in identity_columns(asked).items():
        filled = [cell for cell in asked[name] if cell.strip()]
        yield Hint(f"{prefix}{name}", str(identity), "column", len(filled), masked(filled[0]))


def _is_of_ids(name: str) -> bool:
    """Whether a column holds identifiers of a study, which may look like anything."""
    return names_somebody(name) and of_header(name) is None


def _in_file(path: Path, root: Path) -> Iterator[Hint]:
    place = str(path.relative_to(root))
    yield from _of_texts(f"{masked_path(place)} (its path)", [place], is_path=True)
    texts: list[str] = []
    columns: dict[str, list[str]] = {}
    for piece in pieces(path):
        if piece.column:
            columns.setdefault(piece.column, []).extend(piece.text.split("\n")[:CELLS])
        elif piece.text and (not piece.is_binary or "^" in piece.text):
            texts += [line for line in piece.text.split("\n") if not piece.is_binary or "^" in line]
    columns |= _table(texts)
    yield from _of_texts(masked_path(place), dict.fromkeys(texts))
    yield from _of_columns(f"{masked_path(place)}: ", columns)


def _table(lines: list[str]) -> dict[str, list[str]]:
    """The columns of a delimited text."""
    if len(lines) < 2 or (delimiter := max(",;\t|", key=lines[0].count)) not in lines[0]:
        return {}
    head = [cell.strip(' "\r\ufeff') for cell in lines[0].split(delimiter)]
    rows = [line.rstrip("\r").split(delimiter) for line in lines[1:CELLS]]
    rows = [row for row in rows if len(row) == len(head)]
    if len(rows) < len(lines[1:CELLS]) / 2:
        return {}
    return {name: [row[i].strip(' "') for row in rows] for i, name in enumerate(head)}


def masked_path(place: str) -> str:
    """A path with the words that look like a person masked."""
    for _, words in in_path(place):
        place = place.replace(words, masked(words))
    return place
