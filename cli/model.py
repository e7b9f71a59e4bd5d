"""tshdb model list | show | diff."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.console import counted, out, out_json, say, settings, short, table
from cli.options import JsonOption, StudyOption

app = typer.Typer(help="What was fitted on which cohort version.", no_args_is_help=True, rich_markup_mode=None)

ModelArgument = Annotated[str, typer.Argument(help="ANALYSIS/COHORT@VERSION, as `tshdb model list` names it.")]
MEMBERS_SHOWN = 8


@app.command("list")
def list_models(study: StudyOption = None, as_json: JsonOption = False) -> None:
    """All model versions: training set, content, and whether members' data was corrected since.

    Example: tshdb model list
    """
    from tshdb.actions import explaining
    from tshdb.corrections import in_words
    from tshdb.next_step import NextSteps
    from tshdb.study import Study

    opened = Study.find(study)
    models = explaining.list_models(opened)
    if as_json:
        out_json(models)
    elif not models:
        say(f"No model versions yet. {NextSteps(opened).of_models()}")
    else:
        rows = [
            (m["model"], m["state"], m["n_members"], (m["fingerprint"] or "")[:12], m["comparability"], m["made_at"], m["began"],
             in_words(m["n_corrections"]) if m["is_flagged"] else m["message"] or "")
            for m in models
        ]  # fmt: skip
        headers = ("model version", "", "members", "content", "compares with", "made", "because", "")
        table(headers, rows, right=(2,))


@app.command()
def show(model: ModelArgument, study: StudyOption = None, as_json: JsonOption = False) -> None:
    """One model version: its rows, training set, parameters, code and libraries.

    Example: tshdb model show tsh_model/tumor_stroma_development@1
    """
    from tshdb.actions import explaining
    from tshdb.study import Study

    facts = explaining.show_model(Study.find(study), model)
    if as_json:
        out_json(facts)
        return
    out(f"{facts['model']}: {facts['state']}, made {facts['made_at']} by run {facts['run']}, because {facts['began']}")
    out(f"  training set {facts['n_members']} members: {_few(facts['training_set'])}")
    out(f"  parameters {settings(facts['parameters'] or {})}")
    if facts["seed"] is not None:
        out(f"  [study] seed {facts['seed']}")
    out(f"  code {(facts['code'] or '')[:12]}…: {len(facts['functions'])} definitions; libraries "
        + ", ".join(f"{n} {v}" for n, v in facts["libraries"].items()))  # fmt: skip
    out(f"  source {facts['source']}")
    _rows(facts["rows"])


@app.command()
def diff(first: ModelArgument, second: ModelArgument, study: StudyOption = None, as_json: JsonOption = False) -> None:
    """What differs between two versions of one model: members, parameters, code, content.

    Example: tshdb model diff cutoff/tumor_stroma_development@1 cutoff/tumor_stroma_development@2
    """
    from tshdb.actions import explaining
    from tshdb.engine.code.differences import short_diff
    from tshdb.study import Study

    difference = explaining.diff_models(Study.find(study), first, second)
    if as_json:
        out_json(difference)
        return
    out(f"{first} -> {second}: {'the same content' if difference['same_content'] else 'other content'}"
        f"{'' if difference['comparable'] else ', not made the same way'}")  # fmt: skip
    if difference["members_came"]:
        out(f"  {counted(len(difference['members_came']), 'member')} came: {_few(difference['members_came'])}")
    if difference["members_left"]:
        out(f"  {counted(len(difference['members_left']), 'member')} left: {_few(difference['members_left'])}")
    for change in difference["definitions"]:
        out(f"  the definition {change['name']}")
        for line in short_diff(change["before"], change["after"]):
            out(f"    {line}")
    for name, (before, after) in difference["parameters"].items():
        out(f"  parameter {name}: {before} -> {after}")
    if not difference["same_content"]:
        for title, rows in (("before", difference["rows_before"]), ("after", difference["rows_after"])):
            out(f"  {title}")
            _rows(rows)


def _few(names: list[str]) -> str:
    shown = ", ".join(names[:MEMBERS_SHOWN])
    return shown + (f" and {len(names) - MEMBERS_SHOWN} more" if len(names) > MEMBERS_SHOWN else "")


def _rows(rows: list[dict[str, Any]]) -> None:
    """The model itself; columns that nobody fills are left out, long models are cut."""
    names = [n for n in (rows[0] if rows else ()) if any(r[n] is not None for r in rows)]
    table(names, [[short(r[n]) for n in names] for r in rows[:40]], indent="    ")
    if len(rows) > 40:
        out(f"    … {len(rows) - 40} more rows: --json")


@app.command()
def leakage(
    model: ModelArgument,
    cohort: Annotated[str, typer.Option(help="NAME or NAME@VERSION: the patients that the model is to be judged on.")],
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Has the model learned from these patients: itself, or a filter, scaler or cut-off that it rests on? By which path?

    Exit code 3 if it has.

    Example: tshdb model leakage tsh_model/tumor_stroma_development@1 --cohort tumor_stroma_validation
    """
    from tshdb.actions import explaining
    from tshdb.errors import Exit
    from tshdb.study import Study

    leak = explaining.leakage(Study.find(study), model, cohort)
    if as_json:
        out_json(leak._asdict() | {"overlaps": [o._asdict() for o in leak.overlaps], "patients": leak.patients})
    else:
        out(f" {leak.model} has learned through {', '.join(leak.fits)}")
        if not leak.overlaps:
            out(f" None of the {leak.n_members:,} members of {leak.cohort} is among the patients they were fitted on.")
        for overlap in leak.overlaps:
            out(f" {overlap.fit} has seen {len(overlap.patients):,} of the {leak.n_members:,} members of {leak.cohort}: "
                f"{_few(overlap.patients)}")  # fmt: skip
            out(f"   {' ← '.join(overlap.path)}")
    if leak.overlaps:
        raise typer.Exit(Exit.PARTIAL)
