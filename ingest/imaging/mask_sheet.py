"""The sheet that says whose masks are, and what they mark: csv with file, patient_id, and what else is known.

A row is one mask: a file, or one label of it. `file` is its path in what was delivered, or its bare name where no other file
has it. Further columns: study_uid or time_point, kind, region, label (a number, or the name of a segment), lesion (its number;
1 is the index lesion), date (on which it was drawn: of two outlines of one lesion the later one holds).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import NamedTuple, TypeVar

from ingest.imaging.unreadable import Unreadable
from tshdb import dated
from tshdb.errors import InvalidInput, NotFound
from tshdb.file_content import FileContent
from tshdb.near import did_you_mean
from tshdb.text_files import open_table
from tshdb.vocabulary import MaskKind, MaskRegion

NEEDED = ("file", "patient_id")
COLUMNS = (*NEEDED, "study_uid", "time_point", "kind", "region", "label", "lesion", "date")
Row = Mapping[str, str]
Word = TypeVar("Word", bound=StrEnum)


def read_sheet(path: Path) -> list[dict[str, str]]:
    """Its rows, in their order. Raises NotFound or InvalidInput."""
    if not path.is_file():
        raise NotFound("no such file", where=str(path))
    content = FileContent()
    with open_table(path, content, "mask.sheet") as table:
        missing = [c for c in NEEDED if c not in table.header]
        if missing:
            raise InvalidInput(
                f"no column {', '.join(missing)}", where=f"{path}:{table.line}", repair=f"Expected {','.join(NEEDED)}"
            )
        rows = [dict(zip(table.header, map(str.strip, fields), strict=True)) for _, fields in table.rows]
    if content.errors:
        raise InvalidInput(content.errors[0].message, where=f"{path}:{content.errors[0].line}", repair="Mend the row")
    return [{name: row[name] for name in COLUMNS if row.get(name)} for row in rows]


class Shared(NamedTuple):
    """Which rows are of which file (by its path in the delivery), and what fits no file, or several."""

    rows: dict[str, list[Row]]
    lost: list[str]


def shared_out(rows: Iterable[Row], files: Sequence[str]) -> Shared:
    """Give every row to its file. files: paths below the folder that was delivered."""
    by_name: dict[str, list[str]] = {}
    for file in files:
        by_name.setdefault(PurePosixPath(file).name, []).append(file)
    found = Shared({}, [])
    for row in rows:
        said = row.get("file", "").replace("\\", "/").removeprefix("./")
        matching = [f for f in files if f == said or f.endswith(f"/{said}")] if "/" in said else by_name.get(said, [])
        if said in files:
            matching = [said] if "/" in said or len(matching) == 1 else matching
        if len(matching) > 1:
            matching = [f for f in matching if is_named(row.get("patient_id", ""), f)] or matching
        if len(matching) == 1:
            found.rows.setdefault(matching[0], []).append(row)
        elif matching:
            found.lost.append(f"{said} are {len(matching)} files: write its path, such as {matching[0]}")
        else:
            found.lost.append(f"{said or 'a row without a file'} is not there")
    return found


def is_named(identifier: str, text: str) -> bool:
    """Whether a text holds an identifier as a word of its own."""
    return bool(identifier) and bool(re.search(rf"(?<![A-Za-z0-9]){re.escape(identifier)}(?![A-Za-z0-9])", text))


def word(row: Row, column: str, words: type[Word]) -> Word | None:
    """A closed word of a row, None where there is none. Raises Unreadable for another."""
    text = row.get(column, "").strip().lower()
    if not text:
        return None
    if text not in set(words):
        expected = did_you_mean(text, list(words), f"Expected {', '.join(words)}")
        raise Unreadable("mask.sheet", f"{column} '{row[column]}' is no {column} of a mask. {expected}")
    return words(text)


def region_and_kind(row: Row) -> tuple[MaskRegion | None, MaskKind | None]:
    return word(row, "region", MaskRegion), word(row, "kind", MaskKind)


def lesion_of(row: Row) -> int | None:
    """The number of the lesion; `index` is 1."""
    text = row.get("lesion", "").strip().lower()
    if not text:
        return None
    if text == "index":
        return 1
    if not text.isdecimal() or not 0 < int(text) < 1_000:
        raise Unreadable("mask.sheet", f"lesion '{row['lesion']}': expected its number, 1 for the index lesion")
    return int(text)


def day_of(row: Row) -> str | None:
    text = row.get("date", "").strip()
    found = dated.of_form(text) if text else None
    if text and found is None:
        raise Unreadable("mask.sheet", f"date '{text}' is no date: write the year first, such as 2025-06-01")
    return None if found is None else found.removeprefix(dated.FORM)
