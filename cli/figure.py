"""tshdb figure: the paper's figures from this study's result tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.console import out, out_exact
from cli.files import complete
from cli.options import StudyOption

FORMATS = (".svg", ".pdf", ".png")


def add_to(app: typer.Typer) -> None:
    app.command("figure")(draw)


def draw(
    name: Annotated[
        str,
        typer.Argument(
            help="flow, km, compartments, s1, networks, topology, roc, score-km, features, search, signature-roc, "
            "signature-km or calibration."
        ),
    ],
    cohort: Annotated[str | None, typer.Option(help="cohort@version (default: the newest).")] = None,
    to: Annotated[
        Path | None, typer.Option("--out", help="The file (.svg, .pdf, .png); default figures/NAME.svg.")
    ] = None,
    study: StudyOption = None,
) -> None:
    """A figure of the paper, from this study's results; the same rows give the same bytes.

    Example: tshdb figure km --cohort tumor_stroma_development@1
    """
    from cli.paper.figures import FIGURES, saved
    from tshdb.errors import UsageError
    from tshdb.near import did_you_mean
    from tshdb.study import Study

    if name not in FIGURES:
        known = f"Known: {', '.join(FIGURES)}"
        raise UsageError(f"figure {name}", where="tshdb figure", repair=did_you_mean(name, FIGURES, known))
    opened = Study.find(study)
    path = to or opened.root / "figures" / f"{name}.svg"
    if path.suffix not in FORMATS:
        raise UsageError(f"format '{path.suffix}'", where=str(path), repair=f"Known: {', '.join(FORMATS)}")
    path.parent.mkdir(parents=True, exist_ok=True)
    with complete(path) as written:
        how_to_read = saved(name, opened, cohort, path.suffix[1:], written)
    out_exact(path)
    out(f"  {how_to_read}")
