"""tshdb rebuild: compute what is due."""

from __future__ import annotations

import gc
import sys
import time
from typing import Annotated

import typer

from cli.console import count, out, out_json, progress, say
from cli.options import JsonOption, NamesArgument, StudyOption, VariantOption
from cli.reasons import show_blocked, show_listing


def add_to(app: typer.Typer) -> None:
    app.command()(rebuild)


def rebuild(
    analyses: NamesArgument = None,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="Worker processes.")] = 1,
    refit: Annotated[bool, typer.Option("--refit", help="Also refit fits whose members' data was corrected.")] = False,
    dask: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Compute on the workers of a Dask scheduler, tcp://host:8786.")
    ] = None,
    variant: VariantOption = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="TABLE.SETTING=VALUE", help="With --variant: what is otherwise than in study.toml."
        ),
    ] = None,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compute all that is due, and only that. Interrupt it at any time; run it again to go on.

    With --variant, the same data are computed by other settings beside the study, which stays as it is.

    Example: tshdb rebuild --variant median --set cutoff.method=median
    """
    from tshdb.errors import Exit, UsageError

    started = time.perf_counter()
    is_all = "analyses" not in sys.modules  # that this process does: else its start is long past
    from tshdb.actions.rebuilding import RebuildOptions
    from tshdb.actions.rebuilding import rebuild as compute
    from tshdb.next_step import without_analyses
    from tshdb.study import Study

    if settings and variant is None:
        repair = "Add --variant NAME; to change the study itself, edit its study.toml"
        raise UsageError("--set is of a variant", where="--set", repair=repair)
    gc.freeze()  # what is imported by now is no garbage, and what comes lives until the end
    gc.set_threshold(50_000, 20, 20)
    options = RebuildOptions(analyses or (), jobs, refit, dask)
    opened = Study.find(study)
    with progress() as show:
        if variant is None:
            done = compute(opened, options, show, started if is_all else None, say)
        else:
            from tshdb.actions.variants import rebuild as compute_variant
            from tshdb.variants.settings import parsed

            done = compute_variant(opened, variant, parsed(settings or ()), options, show, started if is_all else None)
    if as_json:
        out_json(done.facts)
    else:
        show_report(done.report, done.seconds)
        show_listing(done.facts)
        if not done.n_computed and (step := without_analyses(opened)):
            out(step)
    if done.report.is_partial:
        raise typer.Exit(Exit.PARTIAL)


def show_report(report, elapsed: float) -> None:
    """What was done, in words."""
    for name in dict.fromkeys([*report.retired, *report.computed, *report.kept, *report.failed]):
        parts = []
        if n := report.computed.get(name):
            same = report.unchanged.get(name, 0)
            parts.append(f"{n:,} computed" + (f" ({same:,} of them unchanged: nothing follows)" if same else ""))
        if n := report.kept.get(name):
            parts.append(f"{n:,} stay current (a newer model has the same content)")
        if n := report.retired.get(name):
            parts.append(f"{n:,} retired")
        if failures := report.failed.get(name):
            parts.append(f"{len(failures):,} failed")
        out(f"  {name:<20} {', '.join(parts)}")
    for name, failures in report.failed.items():
        for key, message in list(failures.items())[:5]:
            out(f"  failed {name}/{key}: {message}")
    show_blocked(report.blocked, indent="  ")
    for unit, detail in report.held.items():
        out(f"  {unit} is not made again: {detail}")
    for unit, (n, members) in report.flagged.items():
        out(f"  {unit} saw data that has since been corrected: {n} of {members} members (tshdb rebuild --refit)")
    for name, reasons in report.discarded.items():
        for reason, n in reasons.items():
            out(f"  {name}: {n:,} units are still due, nothing was kept of them: {reason}")
    for worker, reason in report.left_out.items():
        out(f"  worker {worker} was left out: {reason}")
    for path in report.edited:
        out(f"  {path} was changed while this ran; if it computes otherwise now, what it makes is due at the next plan")
    total = sum(report.computed.values())
    n_failed = report.n_failed
    if total or not n_failed:
        out(f"{count(total, 'unit')} computed in {elapsed:.1f} s." if total else f"Nothing was due ({elapsed:.1f} s).")
    if n_failed:
        out(f"{count(n_failed, 'unit')} failed: tshdb why ANALYSIS/KEY")
