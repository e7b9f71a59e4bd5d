"""tshdb report: the study as one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.console import out_exact, say
from cli.options import StudyOption, VariantOption


def add_to(app: typer.Typer) -> None:
    app.command("report")(write_report)


def write_report(
    to: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="The file, or a folder for report.html; default reports/report.html, of a variant report.NAME.html.",
        ),
    ] = None,
    variant: VariantOption = None,
    study: StudyOption = None,
) -> None:
    """The study as one page: sources, cohorts and their flow, the paper's tables and figures, models, what changed.

    One self-contained HTML file. The same study gives the same bytes. That of a variant begins with what is set in it and what
    differs from the study.

    Example: tshdb report --out report.html
    """
    from tshdb.pages import Page, report
    from tshdb.places import made_in
    from tshdb.study import Study

    opened = Study.find(study)
    path = to or made_in(opened.root, "reports")
    if path.suffix != ".html":
        path = path / ("report.html" if variant is None else f"report.{variant}.html")
    if variant is None:
        page = report(opened)
    else:
        from tshdb.actions.variants import reported

        with reported(opened, variant) as (copied, said):
            say(said.words)
            page = report(copied, said)
    Page(page).save(path)
    out_exact(path)
