"""tshdb paper check: every printed number of the paper beside this study's own."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.console import out, out_exact, out_json, table
from cli.options import JsonOption, StudyOption

app = typer.Typer(help="The paper's printed numbers.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def paper() -> None:
    """The paper's printed numbers."""


@app.command()
def check(
    is_markdown: Annotated[bool, typer.Option("--markdown", help="As a table for a document.")] = False,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """What became of each printed number on this study's results: it holds as printed, in its direction alone, has moved,
    cannot be judged, or not be reproduced here, and why.

    Example: tshdb paper check
    """
    from tshdb.study import Study
    from tshdb.tables.paper_claims import claims, counted, markdown, reasons_of

    checked = claims(Study.find(study))
    if as_json:
        out_json([c._asdict() for c in checked])
    elif is_markdown:
        for line in markdown(checked):
            out_exact(line)
    else:
        for where in dict.fromkeys(c.where for c in checked):
            out(f" {where}")
            rows = [(c.what, c.printed, c.here, c.verdict) for c in checked if c.where == where]
            table(("", "printed", "here", ""), rows, indent="   ")
        for verdict, reasons in reasons_of(checked).items():
            out(f" Why {verdict}:")
            for why, whats in reasons.items():
                out(f"   {why}: {'; '.join(whats)}")
        out(f" {', '.join(f'{n} {verdict}' for verdict, n in counted(checked).items())}")
