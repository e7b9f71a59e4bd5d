"""tshdb checklist: a reporting checklist, with what the database can say of each item and what needs a person."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cli.console import columns, out, out_json, table
from cli.options import JsonOption, StudyOption
from tshdb.text.widths import fill

WIDTH = 110


def add_to(app: typer.Typer) -> None:
    app.command("checklist")(show)


def show(
    name: Annotated[
        str | None, typer.Argument(help="clear, metrics, tripod-ai or remark; all in short without.")
    ] = None,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """A reporting checklist, filled as far as the database can: the fact and the command that shows it, or "needs a person".

    CLEAR (radiomics), METRICS (its score), TRIPOD+AI (prediction models), REMARK (prognostic markers). Items are told in few
    words of our own: read the original beside it.

    Example: tshdb checklist clear
    """
    from tshdb.pages.checklists import NEEDS, all_in_short, checklist
    from tshdb.study import Study

    opened = Study.find(study)
    if name is None:
        checklists = all_in_short(opened)
        if as_json:
            out_json(checklists)
            return
        rows = [(c["name"], c["items"], c["filled"], c["not_yet"], c["needs_a_person"], c["title"]) for c in checklists]
        table(("checklist", "items", "filled", "not yet", NEEDS, ""), rows, right=(1, 2, 3, 4))
        return
    filled = checklist(opened, name)
    if as_json:
        out_json(filled.counts | {"items": [item._asdict() for item in filled.items]})
        return
    out(f" {filled.title}, {filled.source}")
    for item in filled.items:
        out(f" {item.id:<4} {item.item}", " " * 6)
        for fact in item.facts or [item.status]:
            _wrapped(fact)
        if item.see:
            _wrapped(f"→ {item.see}")
    counts = filled.counts
    out(f" {counts['filled']} filled, {counts['not_yet']} not yet, {counts['needs_a_person']} need a person")


def _wrapped(text: str) -> None:
    """A paragraph below an item; in a pipe it wraps, too."""
    width = min(columns(sys.stdout) or WIDTH, WIDTH)
    for line in fill("      " + " ".join(text.split()), width, " " * 8):
        out(line)
