"""The result of a program, as a frame that fits the declared table; whatever does not fit is a failure that says where.

In CSV a missing value is NA, or nothing, without quotation marks; between them both are text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Enum

from tshdb.engine.analysis import Analysis
from tshdb.engine.outside.hand_over import MISSING, declared_type
from tshdb.engine.outside.record import RESULT
from tshdb.everyday import refuse_of_machine

if TYPE_CHECKING:
    import pandas as pd
    from sqlalchemy import Column

MOST_SHOWN = 5


def result_of(analysis: Analysis, folder: Path, form: str) -> pd.DataFrame:
    """The result that a program wrote, its columns as the table declares them. Raises ValueError for one that does not fit."""
    import pandas as pd

    path = folder / f"{RESULT}.{form}"
    if not path.is_file() or path.is_symlink():
        raise ValueError(f"{analysis.name} wrote no {path.name}")
    names, rows = _parquet(path) if form == "parquet" else parsed(path.name, path.read_bytes())
    table = analysis.makes.__table__
    left_out = {"unit_id"} | ({analysis.key_column} if analysis.over_cohort else set())
    wanted = [column for column in table.columns if column.name not in left_out]
    _refuse_columns(analysis, path.name, names, [column.name for column in wanted])
    columns = {}
    for column in wanted:
        at, convert = names.index(column.name), _converter(column)
        columns[column.name] = [_value(path.name, n, row[at], column, convert) for n, row in enumerate(rows, 1)]
    frame = pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in columns.items()})
    _refuse_twice(analysis, path.name, frame)
    return frame


def parsed(name: str, data: bytes) -> tuple[list[str], list[list[str | None]]]:
    """(columns, rows) of a CSV. A value is None where NA or nothing stands without quotes; in quotes both are text.

    Raises ValueError for what is no CSV in UTF-8, or ends in the middle of a line.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{name} is no text in UTF-8: byte {error.start + 1}") from None
    if not text.strip():
        raise ValueError(f"{name} is empty: not even its columns stand there")
    if not text.endswith("\n"):
        raise ValueError(f"{name} ends in the middle of a line: it was not written to its end")
    lines = list(_fields(name, text))
    names = [value or "" for value in lines[0]]
    for n, line in enumerate(lines[1:], 1):
        if len(line) != len(names):
            raise ValueError(f"{name} row {n} has {len(line)} values, and there are {len(names)} columns")
    return names, lines[1:]


_FIELD = re.compile(r'(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n)')


def _fields(name: str, text: str) -> Iterator[list[str | None]]:
    line: list[str | None] = []
    position = 0
    while position < len(text):
        match = _FIELD.match(text, position)
        if match is None:
            n = text.count("\n", 0, position) + 1
            raise ValueError(f"{name} line {n}: a quotation mark that does not open or end a value")
        quoted, plain, end = match.groups()
        if quoted is not None:
            line.append(quoted.replace('""', '"'))
        else:
            line.append(None if plain.strip() in ("", MISSING) else plain.strip())
        position = match.end()
        if end != ",":
            yield line
            line = []


def _parquet(path: Path) -> tuple[list[str], list[list[Any]]]:
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(path)
    except (pyarrow.ArrowException, OSError) as error:
        refuse_of_machine(error)
        raise ValueError(f"{path.name} is no Parquet file: {str(error).splitlines()[0]}") from None
    columns = [column.to_pylist() for column in table.columns]
    return list(table.column_names), [list(row) for row in zip(*columns, strict=True)]


def _refuse_columns(analysis: Analysis, file: str, names: Sequence[str], wanted: Sequence[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{file} has the column {twice[0]} twice")
    unknown = [name for name in names if name not in wanted]
    table = analysis.makes.__tablename__
    if unknown:
        what = "a column without a name (in R: row.names = FALSE)" if unknown[0] == "" else _listed("column", unknown)
        raise ValueError(f"{file} has {what}; {table} has {', '.join(wanted)}")
    missing = [name for name in wanted if name not in names]
    if missing:
        raise ValueError(f"{file} lacks {_listed('column', missing)} of {table}")


def _listed(what: str, names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_SHOWN} more" if len(names) > MOST_SHOWN else ""
    return f"the {what}{'s' if len(names) > 1 else ''} {', '.join(names[:MOST_SHOWN])}{more}"


def _value(file: str, n: int, value: Any, column: Column, convert: Callable[[Any], Any]) -> Any:
    """One value as the table declares it."""
    try:
        converted = None if value is None else convert(value)
    except (ValueError, TypeError, OverflowError):
        expected = f"one of {', '.join(column.type.enums)}" if isinstance(column.type, Enum) else declared_type(column)
        raise ValueError(f"{file} row {n}: {column.name} is {str(value)[:60]!r}, and {expected} was expected") from None
    if converted is None or (isinstance(converted, float) and not math.isfinite(converted)):
        if not column.nullable:
            raise ValueError(f"{file} row {n}: {column.name} is missing, and may not be")
        return None
    return converted


def _converter(column: Column) -> Callable[[Any], Any]:
    kind = column.type
    if isinstance(kind, Enum):
        return lambda value: value if value in kind.enums else _refused()
    converters: dict[str, Callable[[Any], Any]] = {"boolean": _boolean, "integer": _integer, "double": _double}
    return converters.get(declared_type(column), str)


def _refused() -> Any:
    raise ValueError


def _boolean(value: Any) -> bool:
    word = str(value).upper()
    return word == "TRUE" if word in ("TRUE", "FALSE") else _refused()


def _integer(value: Any) -> int:
    if isinstance(value, bool):
        return _refused()
    try:
        return int(value) if not isinstance(value, float) else _whole(value)
    except ValueError:
        return _whole(float(value))  # R writes 1e+05


def _whole(value: float) -> int:
    return int(value) if value.is_integer() else _refused()


def _double(value: Any) -> float:
    return float(value) if not isinstance(value, bool) and "_" not in str(value) else _refused()


def _refuse_twice(analysis: Analysis, file: str, frame: pd.DataFrame) -> None:
    """Raises ValueError for two rows of one key of the table; each unit has its own."""
    key = [] if analysis.over_cohort else [analysis.key_column]
    primary = [c.name for c in analysis.makes.__table__.primary_key if c.name in frame and c.name not in key]
    names = [*key, *primary]
    repeated = frame[frame.duplicated(names)] if names else frame[1:]
    if len(repeated):
        values = ", ".join(f"{name} {repeated.iloc[0][name]}" for name in names) or "one unit"
        raise ValueError(f"{file} has two rows of {values}")
