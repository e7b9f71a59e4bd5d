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

    changes = explaining.drift(Study.find(study), model)
    if as_json:
        out_json([c._asdict() for c in changes])
    elif not changes:
        out(" Nobody has changed group.")
    else:
        rows = [
            (c.run_id, c.at[:10], c.patient_id, f"{c.row_before} -> {c.row}" if c.row_before else c.row,
             c.before or "none", c.after or "none", c.cause)
            for c in changes
        ]  # fmt: skip
        table(("run", "", "patient", "", "was", "is", "because"), rows, right=(0,))
        causes: dict[str, int] = {}
        for change in changes:
            causes[change.cause] = causes.get(change.cause, 0) + 1
        out(f" {len(changes)} changes: {'; '.join(f'{n} x {cause}' for cause, n in causes.items())}")


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

    rebuilds = explaining.runs_between(Study.find(study), first, second)
    if as_json:
        out_json(rebuilds)
    elif not rebuilds:
        out(" Nothing was computed.")
    else:
        rows = [(r["analysis"], r["units"], r["changed"], r["failed"] or None, r["because"]) for r in rebuilds]
        table(("analysis", "units", "changed", "failed", "because"), rows, right=(1, 2, 3))
