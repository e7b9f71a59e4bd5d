"""tshdb drift and tshdb diff: which results moved, and why."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.console import out, out_json, table
from cli.options import JsonOption, StudyOption


def add_to(app: typer.Typer) -> None:
    app.command()(drift)
    app.command()(diff)


def drift(
    model: Annotated[str, typer.Argument(help="A fit, such as cutoff or tsh_model; or survival_groups, tsh_scores.")],
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Which patients changed group, in which run, and what began it: a parameter, a definition, a row of data, a member.

    Example: tshdb drift cutoff
    """
    from tshdb.actions import explaining
    from tshdb.study import Study

    found = explaining.drift(Study.find(study), model)
    if as_json:
        out_json([f._asdict() for f in found])
    elif not found:
        out(" Nobody has changed group.")
    else:
        rows = [
            (f.run_id, f.at[:10], f.patient_id, f"{f.row_before} -> {f.row}" if f.row_before else f.row,
             f.before or "none", f.after or "none", f.cause)
            for f in found
        ]  # fmt: skip
        table(("run", "", "patient", "", "was", "is", "because"), rows, right=(0,))
        causes: dict[str, int] = {}
        for f in found:
            causes[f.cause] = causes.get(f.cause, 0) + 1
        out(f" {len(found)} changes: {'; '.join(f'{n} x {c}' for c, n in causes.items())}")


def diff(
    first: Annotated[int, typer.Argument(help="A run; what came after it is told. 0: from the beginning.")],
    second: Annotated[int, typer.Argument(help="A later run; what it did is told, too.")],
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """What the runs between two runs computed, by analysis and what began it, and how much of it came out different.

    Example: tshdb diff 3 5
    """
    from tshdb.actions import explaining
    from tshdb.study import Study

    found = explaining.runs_between(Study.find(study), first, second)
    if as_json:
        out_json(found)
    elif not found:
        out(" Nothing was computed.")
    else:
        rows = [(f["analysis"], f["units"], f["changed"], f["failed"] or None, f["because"]) for f in found]
        table(("analysis", "units", "changed", "failed", "because"), rows, right=(1, 2, 3))
