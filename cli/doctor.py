"""tshdb doctor: is this machine, and this study, fit to work with?"""

from __future__ import annotations

from typing import Annotated

import typer

from cli.console import count, out, out_json, say
from cli.options import JsonOption, StudyOption

MARKS = {"ok": " ", "warning": "W", "problem": "E"}


def add_to(app: typer.Typer) -> None:
    app.command()(doctor)


def doctor(
    is_short: Annotated[bool, typer.Option("--short", help="Only warnings and problems.")] = False,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look at versions, extras, processors, disks, rights, clock, database, locks and leases; each line says what helps.

    It works without a study, and with a broken one; nothing is changed. Exit code 3 if there is a problem.

    Example: tshdb doctor --short
    """
    from tshdb.doctor.examine import examine
    from tshdb.doctor.line import State
    from tshdb.errors import Exit

    lines = examine(study)
    problems = [line for line in lines if line.state is State.PROBLEM]
    warnings = [line for line in lines if line.state is State.WARNING]
    if as_json:
        out_json([line.facts for line in lines])
    else:
        for line in lines:
            if line.state is not State.OK or not is_short:
                out(f" {MARKS[line.state]} {line.what}: {line.found}", hanging="     ")
                if line.repair:
                    say(f"     -> {line.repair}")
        out(f"{count(len(problems), 'problem')}, {count(len(warnings), 'warning')}.")
    if problems:
        raise typer.Exit(Exit.PARTIAL)
