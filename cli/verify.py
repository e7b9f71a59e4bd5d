"""tshdb verify: stored results computed anew and compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import counted, out, out_json, progress, say
from cli.options import JsonOption, StudyOption

if TYPE_CHECKING:
    from tshdb.verification.verify import Verification

SHOWN = 5


def add_to(app: typer.Typer) -> None:
    app.command()(verify)


def verify(
    units: Annotated[
        list[str] | None, typer.Argument(metavar="[UNIT]...", help="These units, ANALYSIS/KEY, instead of a draw.")
    ] = None,
    sample: Annotated[
        int, typer.Option(min=1, metavar="N", help="So many units, drawn in turn from the analyses.")
    ] = 20,
    seed: Annotated[int, typer.Option(help="Of the draw: the same seed, the same units.")] = 1,
    is_all: Annotated[bool, typer.Option("--all", help="Every result that stands.")] = False,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compute stored results anew in a fresh process, from their stored inputs, parameters and seed, and compare every value.

    Digests that stand beside the values are not trusted. Exit code 5 if a result is not what its code gives; 3 if some cannot
    be compared, since their inputs, their code, a library or Python is another one by now: each says why.

    Example: tshdb verify --sample 50 --seed 7
    """
    from tshdb.errors import Exit
    from tshdb.study import Study
    from tshdb.verification.comparing import Verdict
    from tshdb.verification.verify import verify as compute_anew

    with progress() as show:
        done = compute_anew(Study.find(study), units or (), sample=None if is_all else sample, seed=seed, progress=show)
    if as_json:
        out_json(done.facts)
    else:
        _show(done)
    if done.count(Verdict.DIFFERS):
        raise typer.Exit(Exit.INTEGRITY)
    if done.count(Verdict.OTHER):
        raise typer.Exit(Exit.PARTIAL)


def _show(done: Verification) -> None:
    from tshdb.verification.comparing import Verdict

    for unit in done.units:
        if unit.verdict is Verdict.SAME:
            if unit.note:
                out(f" same     {unit.unit}, {unit.note}")
            continue
        out(f" {'DIFFERS' if unit.verdict is Verdict.DIFFERS else 'not comparable'}  {unit.unit}")
        for line in unit.says[:SHOWN]:
            out(f"     {line}")
        if len(unit.says) > SHOWN:
            out(f"     … {len(unit.says) - SHOWN:,} more (--json names all)")
    n_differ, n_other = done.count(Verdict.DIFFERS), done.count(Verdict.OTHER)
    out(
        f"{done.count(Verdict.SAME):,} of {counted(len(done.units), 'unit')} are the same byte for byte"
        + (f", {n_differ:,} differ" if n_differ else "")
        + (f", {n_other:,} cannot be compared" if n_other else "")
        + f" (of {done.n_standing:,} that stand)."
    )
    for says in done.absent.values():
        say(f"Not verified: {says}")
    if done.n_due:
        say(f"{counted(done.n_due, 'unit')} are due, and nothing is said of them: tshdb plan")
    if n_differ:
        say("What helps: tshdb check")
