"""What a program is given, as files.

CSV is UTF-8, with a header. Text stands in quotes, a missing value is NA, a boolean TRUE or FALSE, a number has all digits that
tell it from its neighbours. columns.csv says of which type each column is declared: what a reader would guess from the values
of some keys it might guess otherwise from those of others.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Mapping
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Boolean, Double, Integer

from tshdb.engine.analysis import Analysis, Need

if TYPE_CHECKING:
    import pandas as pd
    from sqlalchemy import Column

MISSING = "NA"
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
    types = {column.name: declared_type(column) for column in table.columns}
    if isinstance(need, Need) and need.column is not None:
        types["value"] = declared_type(table.columns[need.column])
    return types


def declared_type(column: Column) -> str:
    """boolean, integer, double or text."""
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
