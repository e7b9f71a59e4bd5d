"""tshdb table: the paper's tables, from the study's results, beside the paper's values where it prints them."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.console import out, out_json, table
from cli.options import JsonOption, StudyOption


def add_to(app: typer.Typer) -> None:
    app.command("table")(print_table)


def print_table(
    number: Annotated[str, typer.Argument(help="Of the paper: 1, 2, s1 to s6; and prognosis, of the signature.")],
    cohort: Annotated[str | None, typer.Option(help="cohort@version (default: the newest).")] = None,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """A table of the paper, from this study's results.

    Example: tshdb table 2 --cohort tumor_stroma_development@1
    """
    from cli.paper.layouts import TABLES, layouts
    from tshdb.errors import UsageError
    from tshdb.near import did_you_mean
    from tshdb.study import Study

    if number.lower() not in TABLES:
        known = f"Known: {', '.join(TABLES)}"
        raise UsageError(f"table {number}", where="tshdb table", repair=did_you_mean(number, TABLES, known))
    rows, shown = layouts(number.lower(), Study.find(study), cohort)
    if as_json:
        out_json(rows)
        return
    for layout in shown:
        out(f" {layout.title}")
        table(layout.headers, layout.cells, layout.right)
        for note in layout.notes:
            out(f" {note}")
