"""tshdb figure: the paper's figures, and those of installed packages, from this study's result tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.console import out, out_exact, out_json, table
from cli.options import JsonOption, StudyOption, VariantOption
from cli.variant import opened


def add_to(app: typer.Typer) -> None:
    app.command("figure")(draw)


def draw(
    name: Annotated[
        str | None,
        typer.Argument(
            help="flow, km, ph, compartments, s1, networks, topology, roc, score-km, features, search, signature-roc, "
            "signature-km, signature-ph or calibration; or one of an installed package: --list."
        ),
    ] = None,
    cohort: Annotated[str | None, typer.Option(help="cohort@version (default: the newest).")] = None,
    to: Annotated[
        Path | None,
        typer.Option(
            "--out", help="The file (.svg, .pdf, .png); default figures/NAME.svg, of a variant NAME.VARIANT.svg."
        ),
    ] = None,
    is_list: Annotated[bool, typer.Option("--list", help="Name all figures, and draw none.")] = False,
    variant: VariantOption = None,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """A figure of the paper or of an installed package, from this study's results; the same rows give the same bytes.

    Example: tshdb figure km --cohort tumor_stroma_development@1
    """
    from tshdb import installed
    from tshdb.figures import figure, form_of, refuse_unknown
    from tshdb.places import made_in

    if is_list or name is None:
        if as_json:
            out_json([{"figure": each.name, "shows": each.title} for each in installed.figures().values()])
            return
        table(("figure", "shows"), [(each.name, each.title) for each in installed.figures().values()])
        out("Draw one: tshdb figure NAME")
        return
    refuse_unknown(name)
    with opened(study, variant) as here:
        path = to or made_in(here.root, "figures") / (f"{name}.svg" if variant is None else f"{name}.{variant}.svg")
        drawing = figure(here, name, cohort, form_of(path))
    drawing.save(path)
    if as_json:
        out_json({"figure": name, "title": drawing.title, "path": str(path), "how_to_read": drawing.how_to_read})
        return
    out_exact(path)
    out(f"  {drawing.how_to_read}")
