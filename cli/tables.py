"""tshdb table: the paper's tables, from the study's results, beside the paper's values where it prints them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.console import columns, out, out_exact, out_json, out_text
from cli.console import table as listed
from cli.noting import say_unnoted
from cli.options import JsonOption, StudyOption, VariantOption
from cli.variant import opened


def add_to(app: typer.Typer) -> None:
    app.command("table")(print_table)


def print_table(
    number: Annotated[
        str | None,
        typer.Argument(help="Of the paper: 1, 2, s1 to s6; and ladder and prognosis, of the signature: --list."),
    ] = None,
    cohort: Annotated[str | None, typer.Option(help="cohort@version (default: the newest).")] = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="csv, xlsx, json (values in full), md, latex, docx (as printed); default: as --out's name says.",
        ),
    ] = None,
    to: Annotated[Path | None, typer.Option("--out", help="Write it to this file.")] = None,
    is_list: Annotated[bool, typer.Option("--list", help="Name all tables, and print none.")] = False,
    variant: VariantOption = None,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """A table of the paper, from this study's results: printed, or as a file for a manuscript. The same results, the same bytes.

    Example: tshdb table 2 --out table2.docx
    """
    from tshdb.errors import UsageError
    from tshdb.tables import TABLES, refuse_unknown, table

    if is_list or number is None:
        if as_json:
            out_json([{"table": name, "shows": each.title} for name, each in TABLES.items()])
        else:
            listed(("table", "shows"), [(name, each.title) for name, each in TABLES.items()])
            out("Print one: tshdb table NUMBER")
        return
    refuse_unknown(number)
    if as_json and (form or to):
        raise UsageError("--json with --format or --out", where="table", repair="Leave --json out: --format json")
    asked = None
    if form is not None or to is not None:
        from tshdb.tables.written import format_of

        asked = format_of(form, to)
    with opened(study, variant) as here:
        paper_table = table(here, number, cohort)
    if as_json:
        out_json(paper_table.facts)
    elif asked is None:
        out_exact(paper_table.text(columns(sys.stdout)))
    elif to is None:
        out_text(paper_table.to(asked))
    else:
        unnoted = paper_table.save(to, asked)
        out_exact(to)
        say_unnoted(unnoted)
