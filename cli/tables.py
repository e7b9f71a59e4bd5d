"""tshdb table: the paper's tables, from the study's results, beside the paper's values where it prints them."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cli.console import columns, out_exact, out_json
from cli.options import JsonOption, StudyOption, VariantOption
from cli.variant import opened


def add_to(app: typer.Typer) -> None:
    app.command("table")(print_table)


def print_table(
    number: Annotated[
        str, typer.Argument(help="Of the paper: 1, 2, s1 to s6; and ladder and prognosis, of the signature.")
    ],
    cohort: Annotated[str | None, typer.Option(help="cohort@version (default: the newest).")] = None,
    variant: VariantOption = None,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """A table of the paper, from this study's results.

    Example: tshdb table 2 --cohort tumor_stroma_development@1
    """
    from tshdb.tables import refuse_unknown, table

    refuse_unknown(number)
    with opened(study, variant) as here:
        paper_table = table(here, number, cohort)
    if as_json:
        out_json(paper_table.facts)
    else:
        out_exact(paper_table.text(columns(sys.stdout)))
