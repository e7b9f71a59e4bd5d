"""tshdb docs: the manual."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.console import out, out_exact, out_json, table
from cli.options import JsonOption


def add_to(app: typer.Typer) -> None:
    app.command()(docs)


def docs(
    name: Annotated[str | None, typer.Argument(metavar="PAGE", help="A page; without one, all of them.")] = None,
    is_path: Annotated[bool, typer.Option("--path", help="Where its file is, in place of its text.")] = False,
    as_json: JsonOption = False,
) -> None:
    """The manual: its pages, and the text of one.

    Example: tshdb docs cohorts
    """
    from tshdb.manual import page, pages, title_of

    if as_json:
        named = pages() if name is None else {name: page(name)}
        facts = [{"page": each, "about": title_of(path), "path": str(path)} for each, path in named.items()]
        out_json(facts if name is None else facts[0] | {"text": page(name).read_text(encoding="utf-8")})
    elif name is None and not is_path:
        table(("page", "about"), [(each, title_of(path)) for each, path in pages().items()])
        out("Read one: tshdb docs PAGE")
    elif name is None:
        for path in pages().values():
            out_exact(path)
    elif is_path:
        out_exact(page(name))
    else:
        out_exact(page(name).read_text(encoding="utf-8").rstrip())
