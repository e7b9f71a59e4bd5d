"""Frames as files for a program, and its result back as a frame that fits the declared table.

CSV is UTF-8, with a header. Text stands in quotes, a missing value is NA, a boolean TRUE or FALSE, a number has all digits that
tell it from its neighbours. columns.csv says of which type each column is declared: what a reader would guess from the values
of some keys it might guess otherwise from those of others.
"""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Boolean, Double, Enum, Integer

from tshdb.engine.analysis import Analysis, Need
from tshdb.engine.outside.record import RESULT

if TYPE_CHECKING:
    import pandas as pd
    from sqlalchemy import Column

MISSING = "NA"
MOST_SHOWN = 5
INT32 = 2**31 - 1  # the largest seed that R takes
R_HELPER = """\
# tshdb_read("ROLE") gives what was handed over, each column with its declared type; tshdb_write(frame) writes the result.
tshdb_read <- function(role) {
  columns <- read.csv("columns.csv", colClasses = "character")
  columns <- columns[columns$role == role, ]
  kinds <- c(text = "character", double = "numeric", integer = "numeric", boolean = "logical")
  read.csv(paste0(role, ".csv"), colClasses = unname(kinds[columns$type]), check.names = FALSE, encoding = "UTF-8")
}
tshdb_write <- function(frame) {
  texts <- which(vapply(frame, function(column) is.character(column) || is.factor(column), logical(1)))
  for (name in names(frame)) {
    column <- frame[[name]]
    if (is.double(column)) frame[[name]] <- ifelse(is.na(column), NA, sprintf("%.17g", column))
  }
  write.csv(frame, "result.csv", row.names = FALSE, quote = unname(texts), fileEncoding = "UTF-8")
}
"""

# ------------------------------------------------------------------------------------------------------- to a program


def hand_over(analysis: Analysis, inputs: Mapping[str, Any], folder: Path, form: str) -> None:
    """Write all that a program is given into its folder: roles, members and seeds as tables, parameters."""
    import pandas as pd

    declared: list[list[str]] = []

    def table(name: str, frame: pd.DataFrame, types: Mapping[str, str]) -> None:
        kinds = {str(column): types.get(str(column)) or _kind(frame[column]) for column in frame.columns}
        declared.extend([name, column, kind] for column, kind in kinds.items())
        write_table(folder / f"{name}.{form}", frame, kinds)

    for name, value in inputs.items():
        if name == "params":
            _write_parameters(analysis, value, folder)
        elif name == "seeds":
            rows = [(key, seed % INT32) for key, seed in value.items()]
            table(name, pd.DataFrame(rows, columns=[analysis.key_column, "seed"]), {})
        elif name == "seed":
            table(name, pd.DataFrame({"seed": [value % INT32]}), {})
        elif isinstance(value, pd.DataFrame):
            table(name, value, _types(analysis, name))
        else:  # an ExpressionMatrix
            values = pd.DataFrame(value.values, columns=list(value.profiles.index))
            table(name, pd.concat([pd.DataFrame({"gene_id": value.genes}), values], axis=1), {})
            table(f"{name}_profiles", value.profiles.reset_index(), {})
    with (folder / "columns.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([["role", "column", "type"], *declared])
    (folder / "tshdb.R").write_text(R_HELPER, encoding="utf-8")


def write_table(path: Path, frame: pd.DataFrame, kinds: Mapping[str, str]) -> None:
    """A frame as CSV or Parquet, by the end of the name. kinds: column -> type."""
    if path.suffix == ".parquet":
        frame.to_parquet(path, index=False)
        return
    columns = [[written(v, kinds[str(c)]) for v in frame[c].tolist()] for c in frame.columns]
    lines = [",".join(written(str(c), "text") for c in frame.columns)]
    lines += map(",".join, zip(*columns, strict=True))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="")


def written(value: Any, kind: str) -> str:
    """One value as it stands in the CSV."""
    if _is_missing(value):
        return MISSING
    if kind == "boolean":
        return "TRUE" if value else "FALSE"
    if kind == "integer":
        return str(int(value))
    if kind == "double":
        number = float(value)
        return repr(number) if math.isfinite(number) else ("Inf" if number > 0 else "-Inf")
    return '"' + str(value).replace('"', '""') + '"'


def _is_missing(value: Any) -> bool:
    return value is None or type(value).__name__ in ("NAType", "NaTType") or value != value


def _types(analysis: Analysis, role: str) -> dict[str, str]:
    """column -> type, of a role whose rows are those of a table."""
    need = analysis.needs.get(role)
    if need is None:
        return {}
    table = need.table.__table__
    types = {column.name: _declared(column) for column in table.columns}
    if isinstance(need, Need) and need.column is not None:
        types["value"] = _declared(table.columns[need.column])
    return types


def _declared(column: Column) -> str:
    kinds = ((Boolean, "boolean"), (Integer, "integer"), (Double, "double"))
    return next((name for kind, name in kinds if isinstance(column.type, kind)), "text")


def _kind(series: pd.Series) -> str:
    """The type of a column that no table declares, by its values."""
    values = [v for v in series.tolist() if not _is_missing(v)]
    kinds: tuple[tuple[type, str], ...] = ((bool, "boolean"), (Integral, "integer"), (Real, "double"))
    if str(series.dtype).startswith("float"):
        return "double"
    return next((name for kind, name in kinds if values and all(isinstance(v, kind) for v in values)), "text")


def _write_parameters(analysis: Analysis, params: Any, folder: Path) -> None:
    """parameters.json, and the same as name and value, a row an item: a list has several, a table's names are joined by dots."""
    chooses = {analysis.key_field} - {None}  # which units there are: the program is not given it
    values = {n: v for n, v in json.loads(params.model_dump_json(exclude=chooses, warnings=False)).items()}
    (folder / "parameters.json").write_text(json.dumps(values, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    lines = ["name,value", *(f"{written(n, 'text')},{_parameter(v)}" for n, v in _flat("", values))]
    (folder / "parameters.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(f"{name}.{key}" if name else key, inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _flat(name, inner)
    else:
        yield name, value


def _parameter(value: Any) -> str:
    kinds = ((bool, "boolean"), (int, "integer"), (float, "double"))
    return written(value, next((name for kind, name in kinds if isinstance(value, kind)), "text"))


# ----------------------------------------------------------------------------------------------------- from a program


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
        expected = f"one of {', '.join(column.type.enums)}" if isinstance(column.type, Enum) else _declared(column)
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
    return converters.get(_declared(column), str)


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
