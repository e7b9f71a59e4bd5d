"""tshdb multiverse: one result by every combination of choices, and what moves it."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.console import count, out, out_exact, out_json, progress, say, short, table
from cli.noting import note as note_file
from cli.options import DpiOption, JsonOption, StudyOption, StyleOption, WidthOption

if TYPE_CHECKING:
    from tshdb.actions.multiverse import Multiverse
    from tshdb.multiverse.curve import ChoiceMoves, Curve


def add_to(app: typer.Typer) -> None:
    app.command()(multiverse)


def multiverse(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE.toml", help="The result that is followed, and the choices: docs/multiverse.md."),
    ],
    permutations: Annotated[
        int,
        typer.Option(
            min=0, help="How often outcomes are exchanged between patients, for p values of the whole; 0: never."
        ),
    ] = 200,
    is_plan: Annotated[
        bool,
        typer.Option("--plan", help="How many combinations there are, and how many would be computed. Writes nothing."),
    ] = False,
    to: Annotated[
        Path | None, typer.Option("--out", help="The picture (.svg, .pdf, .png); default multiverse/NAME/curve.svg.")
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", "-j", min=1, help="Combinations computed at once; by default one for each core."),
    ] = None,
    width: WidthOption = None,
    dpi: DpiOption = 150,
    style: StyleOption = None,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """One result by every combination of choices that could have been made: in order, what each choice moves, and against chance.

    Nothing of it shows in the study. Interrupt it at any time; the same command goes on, and what is done is not computed again.

    Example: tshdb multiverse cutoffs.toml
    """
    from tshdb.actions import multiverse as actions
    from tshdb.figures import asked, form_of
    from tshdb.multiverse_places import PICTURE
    from tshdb.study import Study

    opened, options = Study.find(study), actions.Options(permutations, jobs)
    if is_plan:
        _show_plan(actions.plan(opened, file, options), as_json)
        return
    form, how = form_of(to) if to is not None else "svg", asked(width, dpi, style)
    gc.freeze()  # what is imported by now is no garbage, and what comes lives until the end
    gc.set_threshold(50_000, 20, 20)
    with progress() as show:
        curve = actions.run(opened, file, options, show)
    from tshdb.figures.curve_drawings import drawing

    path = to or actions.folder_of(opened, curve.asked.name) / PICTURE
    drawn = drawing(curve, form, how)
    drawn.save(path, is_named=to is not None)
    note_file(opened, path, "figure", f"multiverse {curve.asked.name}", of_patients=False)
    if as_json:
        out_json(curve.facts | {"picture": str(path)})
        return
    _show(curve)
    out_exact(path)
    out(f"  {drawn.how_to_read}")


def _show_plan(planned: Multiverse, as_json: bool) -> None:
    facts = planned.facts
    if as_json:
        out_json(facts)
        return
    out(
        f"{count(facts['combinations'], 'combination')}, {facts['made_differently']:,} of them made differently; "
        f"{facts['to_compute']:,} to compute, by {facts['analysis']} and what it rests on"
    )
    out(
        f"  outcomes exchanged: {facts['permutations']:,} times"
        if facts["permutations"]
        else "  outcomes are not exchanged"
    )
    for note in facts["notes"]:
        out(f"  {note}")


def _show(curve: Curve) -> None:
    measure = curve.measure
    beside = [c for c in (measure.lower, measure.upper, measure.p) if c is not None and c != measure.column]
    headers = [*(c.name for c in curve.asked.choices), measure.column, *beside, "n", ""]
    cells = [[*(label.strip('"') for label in p.labels), *_cells(p, curve)] for p in curve.points]
    table(headers, cells, right=range(len(curve.asked.choices), len(headers) - 1))
    out()
    out(_counted(curve))
    out()
    moved = "moves by a factor" if measure.scale == "log" else "moves by"
    rows = [row for choice in curve.choices for row in _rows(choice)]
    table(
        ("choice", "option", "combinations", "significant", f"median {measure.column}", moved, ""),
        rows, right=(2, 3, 4, 5),
    )  # fmt: skip
    for note in curve.notes:
        out(note)
    say(f"{count(curve.n_computed, 'combination')} computed now." if curve.n_computed else "All was computed before.")


def _cells(point: Any, curve: Curve) -> list[Any]:
    result, measure = point.result, curve.measure
    named = ((measure.lower, result.lower), (measure.upper, result.upper), (measure.p, result.p))
    beside = [short(value) for column, value in named if column is not None and column != measure.column]
    said = "; ".join(filter(None, ["optimistic" if result.is_optimistic else None, result.reason]))
    return [short(result.estimate), *beside, result.n, said]


def _rows(choice: ChoiceMoves) -> list[tuple[Any, ...]]:
    rows = []
    for place, option in enumerate(choice.options):
        moves = None
        if place == 0 and choice.typical is not None and choice.words is None:
            moves = f"{short(choice.typical)} (at most {short(choice.largest)})"
        says = choice.words if place == 0 else None
        rows.append(
            (
                choice.name if place == 0 else "",
                option.label.strip('"'),
                option.n,
                option.n_significant,
                short(option.median),
                moves,
                says or "",
            )
        )
    return rows


def _counted(curve: Curve) -> str:
    counts = curve.counts
    said = [f"{count(counts['combinations'], 'combination')}, {count(counts['different_results'], 'different result')}"]
    if counts["with_estimate"] < counts["combinations"]:
        said.append(f"{counts['combinations'] - counts['with_estimate']:,} without an estimate")
    if curve.measure.null is not None:
        for word in ("below", "above"):
            said.append(
                f"{counts[word]:,} {word} {curve.measure.null:g} ({counts[f'significant_{word}']:,} significant)"
            )
    else:
        said.append(f"{counts['significant']:,} significant; the estimate has no direction")
    if counts["optimistic"]:
        said.append(f"{counts['optimistic']:,} optimistic: a cut-off or model looked at these patients' outcome")
    text = "; ".join(said) + "."
    if found := curve.inference:
        text += (
            f"\nOutcomes exchanged between patients {found.n:,} times: a median as far from no effect as {short(found.median)} "
            f"has p = {found.p_median:.3g}"
        )
        if found.p_significant is not None:
            text += f", {found.n_significant:,} or more significant in one direction p = {found.p_significant:.3g}"
        text += "."
    return text
