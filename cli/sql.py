"""tshdb sql."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.console import out, out_json, say, short, table
from cli.files import complete
from cli.options import StudyOption


def add_to(app: typer.Typer) -> None:
    app.command()(sql)


def sql(
    query: Annotated[str | None, typer.Argument(help="One SELECT over all tables, and `expression`.")] = None,
    format_: Annotated[str, typer.Option("--format", help="table, csv, json or parquet.")] = "table",
    out_file: Annotated[Path | None, typer.Option("--out", help="Write the answer to this file.")] = None,
    tables: Annotated[bool, typer.Option("--tables", help="List the tables and their columns.")] = False,
    seconds: Annotated[float, typer.Option(help="Stop the query after so many seconds.")] = 60.0,
    study: StudyOption = None,
) -> None:
    """One SELECT, read only: patients, results and expression values in one surface.

    `expression` has profile_id, sample_id, gene, value and is_selected; values are as in their source.

    Example: tshdb sql "SELECT er_status, count(*) AS n FROM patients GROUP BY 1"
    """
    from tshdb.errors import UsageError
    from tshdb.study import Study

    if tables:
        _list_tables()
        return
    if format_ not in ("table", "csv", "json", "parquet"):
        raise UsageError(f"format '{format_}'", where="--format", repair="Use table, csv, json or parquet")
    if query is None:
        raise UsageError("no query", where="sql", repair='Write: tshdb sql "SELECT …", or tshdb sql --tables')
    if format_ == "parquet" and out_file is None:
        raise UsageError("parquet is no text", where="--format parquet", repair="Name a file with --out")
    from tshdb.query import run_query

    answer = run_query(Study.find(study), query, seconds=seconds)
    if out_file is None:
        _print(answer, format_)
        return
    _write(answer, format_, out_file)
    say(f"{len(answer.rows):,} rows -> {out_file}")


def _list_tables() -> None:
    from tshdb.sqltypes import table_columns

    rows = [(name, ", ".join(columns)) for name, columns in table_columns().items()]
    table(("table", "columns"), [*rows, ("expression", "profile_id, sample_id, gene, value, is_selected")])


def _print(answer, format_: str) -> None:
    if format_ == "json":
        out_json([dict(zip(answer.columns, row, strict=True)) for row in answer.rows])
    elif format_ == "csv":
        import sys

        _csv(answer, sys.stdout)
    else:
        right = [i for i, t in enumerate(answer.types) if t in ("DOUBLE", "FLOAT") or "INT" in t or "DECIMAL" in t]
        table(answer.columns, [[short(v) for v in row] for row in answer.rows], right=right)
        if not answer.rows:
            out(" no rows")


def _csv(answer, file) -> None:
    import csv

    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(answer.columns)
    writer.writerows(["" if v is None else v for v in row] for row in answer.rows)


def _write(answer, format_: str, path: Path) -> None:
    """The whole answer into a file."""
    import json

    with complete(path) as written:
        if format_ == "parquet":
            import pyarrow as pa
            from pyarrow import parquet

            columns = list(zip(*answer.rows, strict=True)) or [() for _ in answer.columns]
            parquet.write_table(pa.table([pa.array(c) for c in columns], names=answer.columns), written)
            return
        with written.open("w", encoding="utf-8", newline="") as file:
            if format_ == "json":
                json.dump([dict(zip(answer.columns, r, strict=True)) for r in answer.rows], file, ensure_ascii=False)
            else:
                _csv(answer, file)
