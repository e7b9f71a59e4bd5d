"""tshdb new analysis: begin an analysis of one's own."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.console import out, out_exact, table
from cli.options import StudyOption

app = typer.Typer(help="Begin something of your own in the study.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def new() -> None:
    pass


@app.command()
def analysis(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name, such as my_ratio.")],
    per: Annotated[str, typer.Option(help="What it has a result for: patient or profile.")] = "patient",
    prefix: Annotated[
        str | None, typer.Option(help="With which its table's name begins; without it the study's name.")
    ] = None,
    study: StudyOption = None,
) -> None:
    """Write a working analysis with its test into the study, for you to change. It runs once you trust it.

    Example: tshdb new analysis older_patients
    """
    from tshdb.actions.beginning import new_analysis
    from tshdb.study import Study

    opened = Study.find(study)
    begun = new_analysis(opened, name, per, prefix)
    out("Wrote, for you to change:")
    out_exact(f"  {begun.analysis.relative_to(opened.root)}")
    out_exact(f"  {begun.test.relative_to(opened.root)}")
    out("Then:")
    steps = (
        ("tshdb trust", "let it run as it is now; after every edit again"),
        (f"tshdb rebuild {name}", "compute it"),
        (f'tshdb sql "SELECT * FROM {begun.table}"', "its results"),
        (f"tshdb check analysis {name}", "whether it keeps what an analysis promises"),
        (f"python -m pytest tests/test_{name}.py", "its test, without a study"),
    )
    table(("", ""), steps, indent="  ")
    out("How an analysis is written: tshdb docs extending")
