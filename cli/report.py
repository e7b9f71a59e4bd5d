"""tshdb report: the study as one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.console import out_exact
from cli.options import StudyOption


def add_to(app: typer.Typer) -> None:
    app.command("report")(write_report)


def write_report(
    to: Annotated[
        Path | None, typer.Option("--out", help="The file, or a folder for report.html; default reports/report.html.")
    ] = None,
    study: StudyOption = None,
) -> None:
    """The study as one page: sources, cohorts and their flow, the paper's tables and figures, models, what changed.

    One self-contained HTML file. The same study gives the same bytes.

    Example: tshdb report --out report.html
    """
    from tshdb.pages import Page, report
    from tshdb.places import made_in
    from tshdb.study import Study

    opened = Study.find(study)
    path = to or made_in(opened.root, "reports")
    if path.suffix != ".html":
        path = path / "report.html"
    Page(report(opened)).save(path)
    out_exact(path)
