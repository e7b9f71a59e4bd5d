"""tshdb figure: the paper's figures, and those of installed packages, from this study's result tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.console import out, out_exact, out_json, table
from cli.noting import say_unnoted
from cli.options import DpiOption, JsonOption, StudyOption, StyleOption, VariantOption, WidthOption
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
    form: Annotated[
        str | None, typer.Option("--format", help="svg, pdf, png or tiff; default: as the file's name says, else svg.")
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option("--out", help="The file; default figures/NAME.svg, of a variant NAME.VARIANT.svg."),
    ] = None,
    width: WidthOption = None,
    dpi: DpiOption = 150,
    style: StyleOption = None,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data", metavar="FILE", help="Also write the rows that are drawn: .csv (one file a table) or .xlsx."
        ),
    ] = None,
    is_list: Annotated[bool, typer.Option("--list", help="Name all figures, and draw none.")] = False,
    variant: VariantOption = None,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """A figure of the paper or of an installed package, from this study's results; the same rows give the same bytes.

    Example: tshdb figure km --out km.tiff --width 85mm --dpi 300
    """
    from tshdb import installed
    from tshdb.figures import asked, figure, form_of, refuse_unknown
    from tshdb.places import made_in

    if is_list or name is None:
        if as_json:
            out_json([{"figure": each.name, "shows": each.title} for each in installed.figures().values()])
            return
        table(("figure", "shows"), [(each.name, each.title) for each in installed.figures().values()])
        out("Draw one: tshdb figure NAME")
        return
    refuse_unknown(name)
    how = asked(width, dpi, style)
    chosen = form_of(to, form)
    with opened(study, variant) as here:
        usual = f"{name}.{chosen}" if variant is None else f"{name}.{variant}.{chosen}"
        path = to or made_in(here.root, "figures") / usual
        drawing = figure(here, name, cohort, chosen, how=how)
    paths = [] if data is None else drawing.save_rows(data)
    unnoted = drawing.save(path, is_named=to is not None)
    if as_json:
        facts = {"figure": name, "title": drawing.title, "path": str(path), "how_to_read": drawing.how_to_read}
        out_json(facts | ({"data": list(map(str, paths))} if data is not None else {}))
    else:
        out_exact(path)
        for each in paths:
            out_exact(each)
        out(f"  {drawing.how_to_read}")
    say_unnoted(unnoted)
