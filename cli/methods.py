"""tshdb methods: the Methods of a manuscript, from the study's provenance."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.console import out_exact, out_json, out_text
from cli.noting import say_unnoted
from cli.options import JsonOption, StudyOption, VariantOption
from cli.variant import opened


def add_to(app: typer.Typer) -> None:
    app.command("methods")(write_methods)


def write_methods(
    form: Annotated[
        str | None, typer.Option("--format", help="md, latex or docx; default: as --out's name says, else md.")
    ] = None,
    to: Annotated[Path | None, typer.Option("--out", help="Write it to this file.")] = None,
    variant: VariantOption = None,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """The Methods, as results came to be: who is in the cohorts, what ran, by which parameters and versions, its limits.

    Only of analyses that have current results here. Its numbers are asked of the study; works are cited with their DOIs.

    Example: tshdb methods --out methods.docx
    """
    from tshdb.errors import UsageError
    from tshdb.formats import chosen
    from tshdb.methods import SUFFIXES, methods

    asked = chosen(SUFFIXES, form, to, "md")
    if to is None and asked == "docx":
        raise UsageError("docx is no text", where="--format docx", repair="Name a file: --out methods.docx")
    with opened(study, variant) as here:
        made = methods(here)
    if as_json and to is None:
        out_json(made.facts)
        return
    if to is None:
        out_text(made.to(asked))
        return
    unnoted = made.save(to, asked)
    if as_json:
        out_json(made.facts | {"path": str(to)})
    else:
        out_exact(to)
    say_unnoted(unnoted)
