"""An answer to a query as text: CSV, JSON, JSON a line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TextIO

from tshdb.text.controls import json_for_people
from tshdb.text.spreadsheets import safe_row

if TYPE_CHECKING:
    from tshdb.query import Answer

CSV, JSON, JSONL = "csv", "json", "jsonl"
FACTS = "facts"  # the form of --json


def as_json_text(value: Any) -> str:
    """A value that `tshdb.sandbox.exact` gave, in one line of JSON."""
    return json_for_people(value, allow_nan=False)


def write_text(chunks: Iterator[Answer], form: str, file: TextIO, is_for_people: bool = False) -> int:
    """Write CSV, JSON, JSON a line (or the facts of --json) as the rows come. Gives how many rows there were.

    is_for_people: no cell of a CSV is a formula.

    Raises InvalidInput where two columns have one name and the form would lose one of them.
    """
    head = next(chunks)
    if is_for_people:
        return _write_csv(head, chunks, file, safe_row)
    write = {CSV: _write_csv, FACTS: _write_facts, JSON: _write_json, JSONL: _write_lines}[form]
    return write(head, chunks, file)


def _write_csv(head: Answer, chunks: Iterator[Answer], file: TextIO, shown: Callable[[Any], Any] = list) -> int:
    """Missing is nothing, empty text is "". Lists, structs and maps are JSON."""
    n, is_single = 0, len(head.columns) == 1
    file.write(_csv_line(shown(head.columns), is_single))
    for chunk in chunks:
        file.writelines(_csv_line(shown(row), is_single) for row in chunk.rows)
        n += len(chunk.rows)
    return n


def _csv_line(row: Any, is_single: bool) -> str:
    """One row. A missing value that stands alone is "" as well, since readers pass over an empty line."""
    cells = [_csv_cell(value) for value in row]
    return (",".join(cells) or ('""' if is_single else "")) + "\n"


def _csv_cell(value: Any) -> str:
    if value is None:
        return ""
    text = as_json_text(value) if isinstance(value, list | dict) else str(value)
    is_quoted = not text or any(sign in text for sign in ',"\r\n') or text != text.strip()
    return '"' + text.replace('"', '""') + '"' if is_quoted else text


def _write_facts(head: Answer, chunks: Iterator[Answer], file: TextIO) -> int:
    columns = [{"name": name, "type": kind} for name, kind in zip(head.columns, head.types, strict=True)]
    file.write(f'{{"columns": {as_json_text(columns)},\n"rows": [')
    n = _joined(chunks, file, list)
    file.write("\n]}\n")
    return n


def _write_json(head: Answer, chunks: Iterator[Answer], file: TextIO) -> int:
    as_object = _objects(head)
    file.write("[")
    n = _joined(chunks, file, as_object)
    file.write("\n]\n")
    return n


def _joined(chunks: Iterator[Answer], file: TextIO, shown: Callable[[Any], Any]) -> int:
    n = 0
    for chunk in chunks:
        for row in chunk.rows:
            file.write(("," if n else "") + "\n" + as_json_text(shown(row)))
            n += 1
    return n


def _write_lines(head: Answer, chunks: Iterator[Answer], file: TextIO) -> int:
    as_object, n = _objects(head), 0
    for chunk in chunks:
        for row in chunk.rows:
            file.write(as_json_text(as_object(row)) + "\n")
            n += 1
    return n


def _objects(head: Answer) -> Callable[[Any], dict[str, Any]]:
    """How a row becomes an object. Decimals of few digits are numbers; of more, text, since readers make doubles of numbers."""
    from tshdb.answer_types import MOST_DIGITS, digits_of, named_twice
    from tshdb.errors import InvalidInput

    if (twice := named_twice(head.columns)) is not None:
        raise InvalidInput(
            f"two columns are named '{twice}', and an object of JSON has each name once", where="sql",
            repair="Name them apart with AS, or use --json, which keeps columns and rows apart",
        )  # fmt: skip
    is_number = [0 < (digits_of(kind) or 0) <= MOST_DIGITS for kind in head.types]
    if not any(is_number):
        return lambda row: dict(zip(head.columns, row, strict=True))
    return lambda row: {
        name: float(value) if number and value is not None else value
        for name, value, number in zip(head.columns, row, is_number, strict=True)
    }
