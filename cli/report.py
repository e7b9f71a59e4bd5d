"""tshdb report: the study as one HTML file."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import count, out_exact, out_json, progress, say
from cli.noting import note
from cli.options import JsonOption, StudyOption, VariantOption

if TYPE_CHECKING:
    from tshdb.study import Study


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
    has_stamp: Annotated[
        bool, typer.Option("--stamp", help="Say when and by which command it was made, what is stale, what changed.")
    ] = False,
    since: Annotated[
        Path | None,
        typer.Option(metavar="FILE.html", help="An earlier report: what is otherwise since then is marked."),
    ] = None,
    with_patients: Annotated[
        bool,
        typer.Option("--patients", help="Name patients, and write a page for each beside it. Do not pass that on."),
    ] = False,
    variant: VariantOption = None,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """The study as one page that can be passed on: what it says, what is doubtful, tables, figures, where each number comes from.

    One self-contained HTML file. Nobody is named in it, and no row of a single patient is in it, unless --patients asks for that.
    The same results give the same bytes; --stamp adds the time. That of a variant begins with what is set in it and what differs
    from the study.

    Example: tshdb report --since reports/last.html --out report.html
    """
    from tshdb.kept_page import KeptPage
    from tshdb.study import Study

    command, opened = shlex.join(["tshdb", *sys.argv[1:]]), Study.find(study)
    is_plain = not (variant or has_stamp or since or with_patients)
    kept = KeptPage.of(opened) if is_plain else None
    if kept is not None and (before := kept.take()) is not None:
        _write_again(opened, to, *before, as_json)
        return
    from tshdb.actions.reporting import Asked, write  # the page needs what is slow to import

    with progress() as show:
        written = write(opened, to, Asked(variant, has_stamp, since, with_patients, command), show)
    if kept is not None and kept == KeptPage.of(opened):  # nobody changed anything meanwhile
        kept.keep(written.page, written.n_made + written.n_taken)
    for path in (written.path, *written.patients):
        note(opened, path, "report", "report", of_patients=with_patients)
    if as_json:
        pages = [str(path) for path in written.patients]
        out_json({"path": str(written.path), "patients": pages, "drawn": written.n_made, "kept": written.n_taken})
        return
    if written.words:
        say(written.words)
    out_exact(written.path)
    if written.patients:
        say(
            f"{count(len(written.patients), 'page')} of patients: {written.patients[0].parent}. They name them; keep them here."
        )


def _write_again(study: Study, to: Path | None, page: str, n_drawings: int, as_json: bool) -> None:
    """The page of before, of a study in which nothing has changed."""
    from tshdb.files import write_whole
    from tshdb.places import place_of_report

    path = place_of_report(study.root, to)
    write_whole(path, page, is_named=to is not None)
    note(study, path, "report", "report", of_patients=False)
    if as_json:
        out_json({"path": str(path), "patients": [], "drawn": 0, "kept": n_drawings})
    else:
        out_exact(path)
