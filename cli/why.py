"""tshdb why: why a unit is due, or what it rests on."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.console import out, out_json, settings, short, table
from cli.options import JsonOption, StudyOption, VariantOption
from cli.reasons import show_chains, show_definition
from cli.variant import with_all_due

CAUSES_TOLD = 6


def add_to(app: typer.Typer) -> None:
    app.command()(why)


def why(
    unit: Annotated[str, typer.Argument(help="ANALYSIS/KEY, such as tsh_ratios/TCGA-A7-A0CE.")],
    variant: VariantOption = None,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Why a unit is due, or what it rests on: code, parameters, and inputs down to file and line.

    Example: tshdb why tsh_ratios/TCGA-A7-A0CE
    """
    from tshdb.actions import explaining

    with with_all_due(study, variant) as here:
        facts = explaining.why(here, unit)
    if as_json:
        out_json(facts)
    else:
        show_why(facts)


def show_why(facts: dict[str, Any]) -> None:
    """The answer for a person."""
    reason = f" ({facts['reason']})" if facts["reason"] else ""
    out(f"{facts['unit']}: {facts['state']}{reason}: {facts['detail']}")
    if facts.get("chains"):
        show_chains({"n_causes": len(facts["causes"]), "chains": facts["chains"]})
    for change in facts.get("changes", ()):
        columns = ", ".join(f"{c} {a} -> {b}" for c, (a, b) in change["columns"].items()) or change["action"]
        out(f"  {change['row']}: {columns}")
        was = f"; was {change['was']}" if change["was"] else ""
        out(
            f"    {change['now'] or 'no longer there'}, loaded {change['loaded_at']} by ingest {change['ingest_run']}{was}"
        )
    if computed := facts.get("computed"):
        out(f"  computed {computed['at']} by run {computed['run']} ({computed['by']}), because {computed['because']}")
        out(f"  what began it: {'; '.join(c['says'] for c in computed['causes'][:CAUSES_TOLD])}")
        for cause in computed["causes"][:CAUSES_TOLD]:
            show_definition(cause, "    ")
        if computed["digest_taken_over"]:
            day = computed["digest_taken_over"][:10]
            out(f"  its second digest was taken over on {day} from the rows as they stood")
        names = (
            f if f.startswith("the ") else f.rpartition(".")[2] for f in computed["functions"]
        )  # a program's files
        out(f"  code {computed['code'][:12]}…: {', '.join(names)}")
        out(f"  parameters {settings(computed['parameters'])}")
        if computed["seed"] is not None:
            out(f"  [study] seed {computed['seed']}")
        for note in computed["notes"]:
            out(f"  {note}")
        out(f"  libraries {', '.join(f'{n} {v}' for n, v in computed['libraries'].items())}")
    if rows := facts.get("rows"):
        names = [
            n for n in dict.fromkeys(k for r in rows for k in r) if n not in ("patient_id", "profile_id", "cohort")
        ]
        constant = {n: rows[0].get(n) for n in names if len(rows) > 1 and len({str(r.get(n)) for r in rows}) == 1}
        if constant:
            out("  all rows: " + ", ".join(f"{n} {short(v)}" for n, v in constant.items()))
        shown = [n for n in names if n not in constant]
        table(shown, [[short(r.get(n)) for n in shown] for r in rows], indent="    ")
    if facts.get("inputs"):
        out("  inputs")
        _show_inputs(facts["inputs"], "  ")


def _show_inputs(inputs: list[dict], indent: str) -> None:
    for role in inputs:
        for entry in role["shown"]:
            moved = "  (has changed since)" if entry.get("moved") else ""
            note = f"  ({entry['note']})" if "note" in entry else ""
            out(f"{indent}├─ {role['role']}: {entry['unit']}{moved}{note}")
            for place in entry.get("from", ()):
                out(f"{indent}│    ← {place}")
            _show_inputs(entry.get("inputs", ()), indent + "│  ")
        if role["n"] > len(role["shown"]):
            out(f"{indent}├─ {role['role']}: … {role['n'] - len(role['shown'])} more")
