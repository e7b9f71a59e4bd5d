"""tshdb move: the study's database carried to another one."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.console import count, out, out_json, say
from cli.options import JsonOption, StudyOption


def add_to(app: typer.Typer) -> None:
    app.command()(move)


def move(
    to: Annotated[
        str, typer.Option("--to", metavar="URL", help="An empty database: postgresql://…, or sqlite:///FILE.")
    ],
    roles: Annotated[
        bool, typer.Option("--roles", help="PostgreSQL: make the roles of a team there, owner, writer and reader.")
    ] = False,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Carry the study's database to another one, prove that it is the same, and use that from then on.

    The former database stays as it is. Objects do not move. Killed anywhere, the study uses the former one.

    Example: tshdb move --to postgresql://anna@db.hospital/brca
    """
    from tshdb.actions.moving import move as carry
    from tshdb.study import Study

    done = carry(Study.find(study), to, roles)
    if as_json:
        out_json(done.facts)
        return
    n = sum(held.n_rows for held in done.tables.values())
    out(
        f"{count(n, 'row')} of {count(len(done.tables), 'table')} carried to {done.now}; each table has the same digest there."
    )
    for line in done.roles.in_words() if done.roles else ():
        say(line)
    say(f"study.toml names it. The former database stays: {done.before}")
    say("It is a copy that no withdrawal reaches from now on: take it away once you do not need it.")
    if done.left:
        say(f"They are of SQLite, and wait there until the study is moved back, or made anew: {', '.join(done.left)}")
