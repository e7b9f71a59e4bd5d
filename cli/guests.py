"""tshdb guests: analyses that are not this program's."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.console import out, out_json, table
from cli.options import JsonOption, StudyOption

app = typer.Typer(help="Analyses of installed packages, and of the study's own folder.", no_args_is_help=True)


@app.command("list")
def list_guests(study: StudyOption = None, as_json: JsonOption = False) -> None:
    """One line an analysis that is not this program's: where it is from, what it makes, and how many results stand.

    Example: tshdb guests list
    """
    from tshdb.actions import guesting
    from tshdb.study import Study

    facts = guesting.guests(Study.find(study))
    if as_json:
        out_json(facts)
        return
    if facts["guests"]:
        headers = ("analysis", "from", "", "table", "results", "what it computes")
        cells = [
            (g["analysis"], g["from"], g["state"], g["table"], f"{g['n_units']:,}", g["about"]) for g in facts["guests"]
        ]
        table(headers, cells, right=[4])
    else:
        out("This study has no analyses but this program's own.")
    if facts["untrusted"]:
        out(
            f"{', '.join(facts['untrusted'])} in analyses/: not trusted, so nothing of it runs. Read it, then: tshdb trust"
        )


@app.command("drop")
def drop(
    name: Annotated[str, typer.Argument(metavar="TABLE", help="The table of a guest.")],
    is_sure: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    study: StudyOption = None,
) -> None:
    """Take a guest's table out of the study, with its results. They can be made again while its code is here.

    Example: tshdb guests drop xy_purities
    """
    from cli.console import confirm
    from tshdb.actions import guesting
    from tshdb.study import Study

    opened = Study.find(study)
    looked = guesting.look_at(opened, name)
    if not (
        is_sure
        or confirm(f"{name}: {looked.n_rows:,} rows of {', '.join(looked.analyses) or 'nobody here'}. Take it out?")
    ):
        out("Nothing was changed.")
        return
    n = guesting.drop(opened, name)
    out(f"{name} is gone, and {n:,} results with it.")
