"""tshdb cohort define | freeze | list."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.console import out_json, say, table
from cli.options import JsonOption, StudyOption

app = typer.Typer(help="Who is in the study's questions.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def define(
    name: Annotated[str, typer.Argument(help="The cohort's name.")],
    file: Annotated[Path, typer.Argument(metavar="FILE.sql", help="One SELECT that gives patient_id.")],
    study: StudyOption = None,
) -> None:
    """Define a cohort by SQL. It is live until a version is frozen; frozen versions stay as they are.

    Example: tshdb cohort define tumor_stroma_development cohorts/tumor_stroma_development.sql
    """
    from tshdb import cohorts
    from tshdb.database import writing
    from tshdb.errors import NotFound
    from tshdb.lock import study_lock
    from tshdb.study import Study

    opened = Study.find(study)
    if not file.is_file():
        raise NotFound("no such file", where=str(file))
    text = file.read_text(encoding="utf-8")
    with study_lock(opened.engine, opened.root), writing(opened.engine) as connection:
        found = cohorts.define(connection, name, text)
        _refuse_cycles(opened, connection)
    say(f"Cohort {name}: {len(found.members)} members now, from {', '.join(found.tables)}.")
    say(f"Fits need a frozen version: tshdb cohort freeze {name}")


def _refuse_cycles(opened, connection) -> None:
    from analyses import ANALYSES
    from tshdb.engine.planner import Planner
    from tshdb.engine.world import World

    Planner(connection, World(ANALYSES, opened.settings))


@app.command()
def freeze(name: Annotated[str, typer.Argument(help="The cohort's name.")], study: StudyOption = None) -> None:
    """Freeze the members of now as the next version. Fits run on it; older versions and their results stay.

    Example: tshdb cohort freeze tumor_stroma_development
    """
    from tshdb import cohorts
    from tshdb.database import writing
    from tshdb.lock import study_lock
    from tshdb.study import Study

    opened = Study.find(study)
    with study_lock(opened.engine, opened.root), writing(opened.engine) as connection:
        version, members, is_new = cohorts.freeze(connection, name)
    if is_new:
        say(f"Frozen {name}@{version}: {len(members)} members. Next: tshdb plan")
    else:
        say(f"{name}@{version} has just these {len(members)} members; no new version was made.")


@app.command("list")
def list_cohorts(study: StudyOption = None, as_json: JsonOption = False) -> None:
    """All cohorts: mode, members, and who has become eligible since.

    Example: tshdb cohort list --json
    """
    from tshdb import cohorts
    from tshdb.database import reading
    from tshdb.study import Study

    opened = Study.find(study)
    with reading(opened.engine) as connection:
        found = cohorts.states(connection)
    facts = [
        {
            "cohort": s.name,
            "key": s.key,
            "mode": s.mode.value,
            "n_members": len(s.members),
            "newly_eligible": list(s.newly_eligible),
            "no_longer_eligible": list(s.no_longer),
            "problem": s.problem,
        }
        for s in found.values()
    ]
    if as_json:
        out_json(facts)
    elif not facts:
        say("No cohorts yet. Run: tshdb cohort define NAME FILE.sql")
    else:
        rows = [
            (
                f["key"],
                f["mode"],
                f["n_members"],
                len(f["newly_eligible"]),
                len(f["no_longer_eligible"]),
                f["problem"] or "",
            )
            for f in facts
        ]
        table(("cohort", "mode", "members", "newly eligible", "no longer", ""), rows, right=(2, 3, 4))
