"""tshdb history: what changed in a study, when, by which run, and from what cause."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.console import out, out_json
from cli.options import JsonOption, StudyOption


def add_to(app: typer.Typer) -> None:
    app.command()(history)


def history(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[TABLE|KEY]",
            help="A table, an analysis, a patient, a cohort, COHORT@VERSION, or ANALYSIS/KEY; default all.",
        ),
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="RUN|DATE", help="From that run, or that day on (UTC).")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="The last so many.")] = None,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """What changed in the study, the oldest first: what came in, who was a member, what was computed, and what moved by it.

    Each line says when, by which run and from what cause; with --json all values that moved, before and after.

    Example: tshdb history cox_terms --since 2026-11-23
    """
    from tshdb.actions import explaining
    from tshdb.study import Study

    events = explaining.history(Study.find(study), name, since, limit)
    if as_json:
        out_json([e.as_values() for e in events])
    elif not events:
        out(" Nothing has happened.")
    else:
        width = max(len(e.by) for e in events)
        for e in events:
            out(f" {e.at[:16].replace('T', ' ')}  {e.by:<{width}}  {e.says}")
