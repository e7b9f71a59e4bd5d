"""tshdb plan: what a rebuild would compute, and what began it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from cli.console import count, out, out_json, table
from cli.options import JsonOption, NamesArgument, StudyOption, VariantOption
from cli.reasons import show_blocked, show_chains, show_listing
from cli.variant import with_all_due
from tshdb.text.durations import seconds

OFTEN_EMPTY = ("possible", "gone", "kept", "blocked")
COUNTED = {
    "datum": "{n:,} rows of data", "member": "{n:,} members who came or left", "again": "{n:,} units that failed before",
    "lost": "{n:,} results that were lost", "edited": "{n:,} results that another hand has edited",
    "damaged": "{n:,} results that were damaged",
}  # fmt: skip


def add_to(app: typer.Typer) -> None:
    app.command()(plan)


def plan(
    analyses: NamesArgument = None,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="Worker processes, for the estimate of time.")] = 1,
    refit: Annotated[bool, typer.Option("--refit", help="Count fits whose members' data was corrected.")] = False,
    explain: Annotated[
        str | None, typer.Option("--explain", metavar="UNIT", help="From what began it to this unit: ANALYSIS/KEY.")
    ] = None,
    variant: VariantOption = None,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """What would be computed, and what began it. Writes nothing.

    What is due is computed for certain; `possible` are units of which an input is due: if that comes out as it was, they stand,
    and they count in the high end of the time alone. Nothing else is computed.

    Example: tshdb plan --explain tsh_scores/TCGA-A7-A0CE
    """
    from tshdb.actions import planning

    with with_all_due(study, variant) as here:
        if explain is not None:
            facts = planning.explain(here, explain, refit)
            out_json(facts) if as_json else show_chains(facts)
            return
        facts = planning.plan(here, planning.PlanOptions(analyses or (), refit, jobs)).facts
    if as_json:
        out_json(facts)
    else:
        show_plan(facts, "" if variant is None else f" --variant {variant}")
        if not facts["analyses"] and not facts["untrusted"]:
            from tshdb.next_step import without_analyses

            out(without_analyses(here))
        elif variant is None and not any(a["reasons"] or a["possible"] or a["gone"] for a in facts["analyses"]):
            from tshdb.next_step import of_begun

            if step := of_begun(here):
                out(step)


def show_plan(facts: dict[str, Any], of_variant: str = "") -> None:
    """The plan for a person. of_variant: how the variant is named that it is of, behind the commands that help."""
    from tshdb.actions.planning import REASONS

    _show_program(facts)
    entries = list(_entries(facts["causes"]))
    for number, (says, _) in enumerate(entries, 1):
        out(f"{number}  {says}" if len(entries) > 1 else f"Because of {says}")
    used = [r for r in REASONS if any(r in a["reasons"] for a in facts["analyses"])]
    rows = []
    for a in facts["analyses"]:
        due = sum(a["reasons"].values())
        if due or a["possible"] or a["gone"] or a["kept"] or a["blocked"]:
            counts = [a["reasons"].get(r) for r in used]
            about = seconds(**a["seconds"]) if a["seconds"] else None if due + a["possible"] else ""
            because = [str(n) for n, (_, some) in enumerate(entries, 1) if some & set(a["causes"])]
            rows.append((a["analysis"], *counts, a["possible"] or None, len(a["gone"]) or None, a["kept"] or None,
                         len(a["blocked"]) or None, about, " ".join(because)))  # fmt: skip
    if rows:
        headers = ("analysis", *used, "possible", "gone", "kept", "blocked", "about", "because")
        shown = [i for i, name in enumerate(headers) if name not in OFTEN_EMPTY or any(row[i] for row in rows)]
        shown = shown if len(entries) > 1 else [i for i in shown if headers[i] != "because"]
        right = [i for i, name in enumerate(headers[j] for j in shown) if name not in ("analysis", "because")]
        table([headers[i] for i in shown], [[row[i] for i in shown] for row in rows], right=right)
    show_blocked({a["analysis"]: a["blocked"] for a in facts["analyses"] if a["kind"] in ("fit", "summary")})
    for a in facts["analyses"]:
        for key, held in a["held"].items():
            out(f"{a['analysis']}/{key} is not made again: {held['detail']}")
        for key, flag in a["flagged"].items():
            out(f"{a['analysis']}/{key} saw data that has since been corrected: {flag['corrected']} of "
                f"{flag['members']} members. It is not refitted silently: tshdb rebuild --refit{of_variant}")  # fmt: skip
    for name, n in facts["newly_eligible"].items():
        out(f"{count(n, 'patient')} {'is' if n == 1 else 'are'} newly eligible for {name}: tshdb cohort freeze {name}")
    for name, n in facts["no_longer_eligible"].items():
        out(f"{count(n, 'member')} {'is' if n == 1 else 'are'} no longer eligible for {name}")
    show_listing(facts)
    _show_total(facts, of_variant)


def _show_total(facts: dict[str, Any], of_variant: str) -> None:
    total = sum(sum(a["reasons"].values()) for a in facts["analyses"])
    possible = sum(a["possible"] for a in facts["analyses"])
    gone = sum(len(a["gone"]) for a in facts["analyses"])
    if not (total or possible or gone):
        out("Nothing is due.")
        return
    more = f", {possible:,} more possible" if possible else ""
    more += f", {gone:,} to retire" if gone else ""
    about, n = "", facts["n_unknown"]
    if facts["seconds"]:
        unknown = f" and {n:,} {'unit' if n == 1 else 'units'} whose time is not known" if n else ""
        about = f", {seconds(**facts['seconds'])}{unknown}"
    elif n:
        about = ", in a time that is not known"
    out(f"{total:,} {'unit is' if total == 1 else 'units are'} due{more}{about}. Run: tshdb rebuild{of_variant}")


def _entries(causes: list[dict[str, Any]]) -> Iterator[tuple[str, set[int]]]:
    """(what is said, the numbers of the causes): one each, but rows of data and members together."""
    together: dict[str, list[int]] = {}
    for n, cause in enumerate(causes):
        together.setdefault(cause["kind"] if cause["kind"] in COUNTED else str(n), []).append(n)
    for some in together.values():
        first = causes[some[0]]
        if len(some) == 1:
            yield first["says"], set(some)
        else:
            yield f"{COUNTED[first['kind']].format(n=len(some))}, such as {first['says']}", set(some)


def _show_program(facts: dict[str, Any]) -> None:
    """After an upgrade of the program: which analyses are computed otherwise since."""
    now, before = facts["program"]["now"], [v for v in facts["program"]["computed_by"] if v != facts["program"]["now"]]
    if before:
        numbers = {
            n for n, cause in enumerate(facts["causes"]) if cause["kind"] in ("code", "library", "table", "engine")
        }
        changed = [a["analysis"] for a in facts["analyses"] if numbers & set(a["causes"])]
        meaning = (
            f"computed otherwise, or from what is: {', '.join(changed)}" if changed else "nothing is computed otherwise"
        )
        out(f"tshdb {', '.join(before)} made results that stand; this is {now}: {meaning}")
