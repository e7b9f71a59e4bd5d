"""tshdb sql."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from cli.console import out, out_json, say, short, table
from cli.options import JsonOption, StudyOption, VariantOption
from cli.variant import opened
from tshdb.files import complete

if TYPE_CHECKING:
    from tshdb.query import Answer
    from tshdb.study import Study

FORMATS = ("table", "csv", "json", "parquet")
FACTS = "facts"  # the form of --json


def add_to(app: typer.Typer) -> None:
    app.command()(sql)


def sql(
    query: Annotated[
        str | None, typer.Argument(help="One SELECT over all tables, views and `expression`; - reads it from stdin.")
    ] = None,
    parameters: Annotated[
        list[str] | None, typer.Option("-p", "--param", metavar="NAME=VALUE", help="The value of $NAME in the query.")
    ] = None,
    file: Annotated[Path | None, typer.Option(help="Read the query from this file.")] = None,
    format_: Annotated[str, typer.Option("--format", help="table, csv, json or parquet.")] = "table",
    out_file: Annotated[Path | None, typer.Option("--out", help="Write the answer to this file.")] = None,
    tables: Annotated[bool, typer.Option("--tables", help="List the tables and their columns.")] = False,
    seconds: Annotated[float, typer.Option(help="Stop the query after so many seconds.")] = 60.0,
    variant: VariantOption = None,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """One SELECT, read only: patients, results and expression values in one surface.

    `expression` has profile_id, sample_id, gene, value and is_selected; values are as in their source. Views:
    patients_wide, abundances_wide, tsh_ratios_wide, radiomic_features_wide, map_features_wide, radiomic_changes.
    Columns and what they mean: tshdb schema TABLE.

    --json gives {"columns": [{"name", "type"}], "rows": [[value, …]]}: types as DuckDB names them, values in full. Decimals, NaN
    and Infinity are text there, bytes their hex, dates and times ISO 8601; a map whose keys are no text is a list of pairs.

    Example: tshdb sql "SELECT er_status, count(*) AS n FROM patients WHERE age_years > $age GROUP BY 1" -p age=50
    """
    from tshdb.errors import NotFound, UsageError
    from tshdb.near import did_you_mean
    from tshdb.study import Study
    from tshdb.written import written_text

    if as_json and format_ != "table":
        raise UsageError(f"--json and --format {format_}", where="sql", repair="Leave one of them out")
    if tables:
        _list_tables(Study.here(study), as_json)
        return
    if format_ not in FORMATS:
        meant = did_you_mean(format_, FORMATS, "Use table, csv, json or parquet")
        raise UsageError(f"format '{format_}'", where="--format", repair=meant)
    if file is not None:
        if not file.is_file():
            raise NotFound("no such file", where=str(file))
        query = written_text(file)
    elif query == "-":
        query = sys.stdin.read()
    if query is None:
        raise UsageError("no query", where="sql", repair='Write: tshdb sql "SELECT …", or tshdb sql --tables')
    if format_ == "parquet" and out_file is None:
        raise UsageError("parquet is no text", where="--format parquet", repair="Name a file with --out")
    from tshdb.query import run_query, stream_query

    values = dict(map(_parameter, parameters or []))
    with opened(study, variant) as here:
        if format_ == "table" and out_file is None and not as_json:
            _print(run_query(here, query, values, seconds=seconds))
            return
        chunks = stream_query(here, query, values, seconds=seconds, is_exact=as_json)
        form = FACTS if as_json else "csv" if format_ == "table" else format_
        if out_file is None:
            _text(chunks, form, sys.stdout)
            return
        with complete(out_file) as written:
            if form == "parquet":
                n = _parquet(chunks, written)
            else:
                with written.open("w", encoding="utf-8", newline="") as text:
                    n = _text(chunks, form, text)
    say(f"{n:,} rows -> {out_file}")


def _parameter(text: str) -> tuple[str, Any]:
    """NAME=VALUE; what looks like a number is one."""
    from tshdb.errors import UsageError

    name, sign, value = text.partition("=")
    if not sign or not name.isidentifier():
        raise UsageError(f"'{text}'", where="-p", repair="Write -p NAME=VALUE, and $NAME in the query")
    for kind in (int, float):
        try:
            return name, kind(value)
        except ValueError:
            continue
    return name, value


def _list_tables(study: Study | None, as_json: bool) -> None:
    from tshdb.query import guest_columns_of
    from tshdb.sandbox import EXPRESSION
    from tshdb.sqltypes import table_columns
    from tshdb.views import VIEWS

    known: dict[str, list[str]] = {name: list(columns) for name, columns in table_columns().items()}
    known |= {name: list(columns) for name, columns in (guest_columns_of(study) if study else {}).items()}
    of_expression = {EXPRESSION: ["profile_id", "sample_id", "gene", "value", "is_selected"]}
    if as_json:
        views = {name: {"one_row": view.one_row} for name, view in VIEWS.items()}
        out_json(
            {
                "tables": {name: {"columns": columns} for name, columns in (known | of_expression).items()},
                "views": views,
            }
        )
        return
    rows = [(name, ", ".join(columns)) for name, columns in known.items()]
    rows += [(name, view.one_row) for name, view in VIEWS.items()]
    table(("table", "columns"), [*rows, *((name, ", ".join(columns)) for name, columns in of_expression.items())])


def _print(answer: Answer) -> None:
    right = [i for i, t in enumerate(answer.types) if t in ("DOUBLE", "FLOAT") or "INT" in t or "DECIMAL" in t]
    table(answer.columns, [["·" if v is None else short(v) for v in row] for row in answer.rows], right=right)
    if not answer.rows:
        out(" no rows")


def _text(chunks: Iterator[Answer], format_: str, file: TextIO) -> int:
    """Write CSV or JSON (of --json: as facts) as the rows come. Gives how many rows there were."""
    head = next(chunks)
    n = 0
    if format_ == "csv":
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head.columns)
        for chunk in chunks:
            writer.writerows(["" if v is None else v for v in row] for row in chunk.rows)
            n += len(chunk.rows)
        return n
    if format_ == FACTS:
        columns = [{"name": name, "type": kind} for name, kind in zip(head.columns, head.types, strict=True)]
        file.write(f'{{"columns": {json.dumps(columns, ensure_ascii=False)},\n"rows": ')
    from tshdb.sandbox import exact

    file.write("[")
    for chunk in chunks:
        for row in chunk.rows:
            value = row if format_ == FACTS else dict(zip(head.columns, map(exact, row), strict=True))
            file.write(("," if n else "") + "\n" + json.dumps(value, ensure_ascii=False, allow_nan=False))
            n += 1
    file.write("\n]}\n" if format_ == FACTS else "\n]\n")
    return n


def _parquet(chunks: Iterator[Answer], path: Path) -> int:
    """Write Parquet as the rows come; types are those of the query."""
    import pyarrow as pa
    from pyarrow import parquet

    head = next(chunks)
    schema = pa.schema([(c, _arrow_type(pa, t)) for c, t in zip(head.columns, head.types, strict=True)])
    n = 0
    with parquet.ParquetWriter(path, schema) as writer:
        for chunk in chunks:
            columns = list(zip(*chunk.rows, strict=True))
            arrays = [pa.array(c, field.type) for c, field in zip(columns, schema, strict=True)]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            n += len(chunk.rows)
    return n


def _arrow_type(pa, kind: str):
    if kind == "BOOLEAN":
        return pa.bool_()
    if kind in ("DOUBLE", "FLOAT") or kind.startswith("DECIMAL"):
        return pa.float64()
    if "INT" in kind and kind != "HUGEINT":
        return pa.int64()
    return pa.float64() if kind == "HUGEINT" else pa.string()
