"""tshdb sql."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.answers import PARQUET, TABLE, form_of
from cli.console import out, out_json, say, short, table
from cli.noting import note
from cli.options import JsonOption, StudyOption, VariantOption
from cli.variant import opened
from tshdb.files import complete_through
from tshdb.text.answers import CSV, as_json_text, write_text
from tshdb.text.spreadsheets import ENCODING

if TYPE_CHECKING:
    from tshdb.query import Answer
    from tshdb.study import Study


WHOLE = ("INTEGER", "UINTEGER")
TYPES: dict[str, Callable[[str], Any]] = {
    "text": str, "int": lambda text: int(_without_underscores(text)), "float": lambda text: float(_without_underscores(text)),
    "bool": lambda text: {"true": True, "false": False}[text.lower()], "date": date.fromisoformat,
}  # fmt: skip


def add_to(app: typer.Typer) -> None:
    app.command()(sql)


def sql(
    query: Annotated[
        str | None, typer.Argument(help="One SELECT over all tables, views and `expression`; - reads it from stdin.")
    ] = None,
    parameters: Annotated[
        list[str] | None,
        typer.Option(
            "-p",
            "--param",
            metavar="NAME=VALUE",
            help="The value of $NAME in the query, as text; NAME:int=5 (or float, bool, date) gives it a type.",
        ),
    ] = None,
    file: Annotated[Path | None, typer.Option(help="Read the query from this file.")] = None,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format", help="table, csv, json, jsonl or parquet. Default: a table; of --out, what its name says."
        ),
    ] = None,
    out_file: Annotated[
        Path | None,
        typer.Option("--out", help="Write the answer to this file: .csv, .json, .jsonl or .parquet says the format."),
    ] = None,
    for_excel: Annotated[
        bool,
        typer.Option("--for-excel", help="CSV for a spreadsheet: an apostrophe before texts that it would compute."),
    ] = False,
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
    and Infinity are text there, bytes their hex, dates, times and spans of time as DuckDB writes them; a map whose keys are no
    text is a list of pairs. --format json (an object a row) and jsonl (a line a row) have the same values, but decimals of up
    to 15 digits are numbers. CSV has the same values: missing is nothing, empty text is "", lists and structs are JSON.
    Parquet has DuckDB's own types; what it cannot keep is refused.

    Example: tshdb sql "SELECT er_status, count(*) AS n FROM patients WHERE age_years > $age GROUP BY 1" -p age=50
    """
    from tshdb.errors import NotFound, UsageError
    from tshdb.study import Study
    from tshdb.written import written_text

    if tables:
        _list_tables(Study.here(study), as_json)
        return
    form = form_of(format_, out_file, as_json)
    if for_excel and form != CSV:
        raise UsageError(
            "--for-excel is of a CSV file", where="sql", repair="Write: tshdb sql … --for-excel --out FILE.csv"
        )
    if file is not None:
        if not file.is_file():
            raise NotFound("no such file", where=str(file))
        query = written_text(file)
    elif query == "-":
        query = sys.stdin.read()
    if query is None:
        raise UsageError("no query", where="sql", repair='Write: tshdb sql "SELECT …", or tshdb sql --tables')
    from tshdb.query import MAX_BYTES, parquet_query, stream_query

    values = dict(map(_parameter, parameters or []))
    with opened(study, variant) as here:
        if form == TABLE:
            _print(stream_query(here, query, values, seconds=seconds, max_bytes=MAX_BYTES, is_exact=True))
            return
        if out_file is None:
            write_text(stream_query(here, query, values, seconds=seconds, is_exact=True), form, sys.stdout)
            return
        with complete_through(out_file) as written:
            if form == PARQUET:
                with written.open("wb") as binary:
                    n = parquet_query(here, query, binary, values, seconds=seconds)
            else:
                encoding = ENCODING if for_excel else "utf-8"
                with written.open("w", encoding=encoding, newline="") as text:
                    chunks = stream_query(here, query, values, seconds=seconds, is_exact=True)
                    n = write_text(chunks, form, text, for_excel)
        note(here, out_file, "query", "query", of_patients=None)
    say(f"{n:,} rows -> {out_file}")


def _parameter(text: str) -> tuple[str, Any]:
    """NAME=VALUE, which is text, or NAME:TYPE=VALUE."""
    from tshdb.errors import UsageError

    named, sign, value = text.partition("=")
    name, typed, kind = named.partition(":")
    if not sign or not name.isidentifier():
        raise UsageError(f"'{text}'", where="-p", repair="Write -p NAME=VALUE, and $NAME in the query")
    if typed and kind not in TYPES:
        raise UsageError(f"type '{kind}'", where=f"-p {named}", repair=f"Use one of {', '.join(TYPES)}")
    if not typed:
        return name, value
    try:
        return name, TYPES[kind](value)
    except (ValueError, KeyError):
        raise UsageError(f"'{value}' is no {kind}", where=f"-p {named}", repair="Leave the type out for text") from None


def _without_underscores(text: str) -> str:
    """Python's numbers may have some; nobody else's."""
    if "_" in text:
        raise ValueError(text)
    return text


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


def _print(chunks: Iterator[Answer]) -> None:
    """The answer as a table; floats with six digits, all else in full."""
    from tshdb.answer_types import digits_of

    head = next(chunks)
    if head.columns == ["explain_key", "explain_value"]:  # drawings, of many lines each
        for _, drawn in (row for chunk in chunks for row in chunk.rows):
            out(drawn)
        return
    is_float = [kind in ("DOUBLE", "FLOAT") for kind in head.types]
    right = [i for i, t in enumerate(head.types) if is_float[i] or t.endswith("INT") or t in WHOLE or digits_of(t)]
    rows = [
        [_cell(value, is_short) for value, is_short in zip(row, is_float, strict=True)]
        for chunk in chunks
        for row in chunk.rows
    ]
    table(head.columns, rows, right=right)
    if not rows:
        out(" no rows")


def _cell(value: Any, is_short: bool) -> object:
    if value is None:
        return "·"
    if isinstance(value, list | dict):
        return as_json_text(value)
    return short(value) if is_short else value
