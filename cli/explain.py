"""tshdb explain: what a finding, a promise of `tshdb check` or an exit code means, and what to do."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.console import out, out_exact, out_json, table
from cli.options import JsonOption


def add_to(app: typer.Typer) -> None:
    app.command()(explain)


def explain(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="As a message says it, or an exit code; without one, all of them."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """What a finding, a promise of check or an exit code means, and what to do.

    Example: tshdb explain clinical.contact-after-death
    """
    from dataclasses import asdict

    from cli.explained import explained
    from tshdb.errors import NotFound
    from tshdb.near import did_you_mean

    known = explained()
    if name is None:
        if as_json:
            out_json([asdict(page) for page in known.values()])
        else:
            table(("name", "is a", "means"), [(page.name, page.kind, page.meaning) for page in known.values()])
            out("Read one: tshdb explain NAME")
    elif name not in known:
        raise NotFound(f"nothing is called '{name}'", repair=did_you_mean(name, known, "All of them: tshdb explain"))
    elif as_json:
        out_json(asdict(known[name]))
    else:
        out_exact(known[name].text.rstrip())
