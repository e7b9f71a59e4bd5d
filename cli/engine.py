"""tshdb plan, rebuild, why."""

from __future__ import annotations

import gc
import time
from typing import Annotated, Any

import typer

from cli.console import out, out_json, progress, seconds, short, table
from cli.options import JsonOption, StudyOption

BLOCKED_SHOWN = 5
CAUSES_SHOWN = 2
CAUSES_TOLD = 6
REASONS = ("new", "code", "params", "input", "member", "failed", "refit", "lost", "edited", "damaged")


def add_to(app: typer.Typer) -> None:
    app.command()(plan)
    app.command()(rebuild)
    app.command()(why)


NamesArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[ANALYSIS]...", help="Only these, and what they need.")
]


def plan(
    analyses: NamesArgument = None,
    refit: Annotated[bool, typer.Option("--refit", help="Count fits whose members' data was corrected.")] = False,
    explain: Annotated[
        str | None, typer.Option("--explain", metavar="UNIT", help="From what began it to this unit: ANALYSIS/KEY.")
    ] = None,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """What would be computed, and what began it. Writes nothing.

    What is due is computed for certain; `possible` are units of which an input is due: if that comes out as it was, they stand.
    Nothing else is computed.

    Example: tshdb plan --explain tsh_scores/TCGA-A7-A0CE
    """
    if explain is not None:
        facts = explained(study, explain, refit)
        out_json(facts) if as_json else show_chains(facts)
        return
    facts = plan_facts(study, analyses or [], refit)
    if as_json:
        out_json(facts)
    else:
        show_plan(facts)


def plan_facts(study, names: list[str], refit: bool = False) -> dict[str, Any]:
    """The plan as plain values; causes are numbered, and named by analyses and units."""
    from analyses import ANALYSES
    from tshdb import __version__
    from tshdb.database import reading
    from tshdb.engine.planner import Planner
    from tshdb.engine.rebuild import estimated_seconds, select_analyses
    from tshdb.engine.upgrades import programs
    from tshdb.engine.world import World
    from tshdb.study import Study

    opened = Study.find(study)
    world = World(ANALYSES, opened.settings)
    chosen = select_analyses(world, names)
    numbers: dict[Any, int] = {}  # of causes
    with reading(opened.engine) as connection:
        planner = Planner(connection, world, refit=refit)
        plans = [p for p in planner.all().values() if p.analysis.name in chosen]
        facts = []
        for p in plans:
            certain = [d for d in p.due.values() if not d.is_possible]
            rooted = planner.roots.of_due(connection, p)
            of_unit = {
                key: sorted(numbers.setdefault(cause, len(numbers)) for cause in found.causes)
                for key, found in rooted.items()
            }
            facts.append(
                {
                    "analysis": p.analysis.name,
                    "kind": p.analysis.kind.value,
                    "reasons": {r: n for r in REASONS if (n := sum(d.reason == r for d in certain))},
                    "possible": len(p.due) - len(certain),
                    "causes": sorted({n for found in of_unit.values() for n in found}),
                    "gone": sorted(p.gone),
                    "kept": len(p.kept),
                    "blocked": p.blocked,
                    "held": {k: {"reason": d.reason.value, "detail": d.detail} for k, d in p.held.items()},
                    "flagged": {k: {"corrected": n, "members": m} for k, (n, m) in p.flagged.items()},
                    "seconds": estimated_seconds(connection, p.analysis.name, len(p.due)),
                    "units": [
                        {
                            "key": d.key,
                            "reason": d.reason.value,
                            "detail": d.detail,
                            "possible": d.is_possible,
                            "causes": of_unit[d.key],
                        }
                        for d in sorted(p.due.values(), key=lambda d: d.key)
                    ],
                }
            )
        eligible = {s.name: len(s.newly_eligible) for s in planner.cohorts.values() if s.newly_eligible}
        left = {s.name: len(s.no_longer) for s in planner.cohorts.values() if s.no_longer}
        made_by = programs(connection)
    causes = [cause.facts() for cause in numbers]
    return {
        "program": {"now": __version__, "computed_by": made_by},
        "analyses": facts,
        "causes": causes,
        "newly_eligible": eligible,
        "no_longer_eligible": left,
    }


def explained(study, unit: str, refit: bool = False) -> dict[str, Any]:
    """The chains from what began it to a unit. Raises NotFound for a unit that is not due."""
    from analyses import ANALYSES
    from tshdb.database import reading
    from tshdb.engine.explain import chains
    from tshdb.engine.planner import Planner
    from tshdb.engine.world import World, parse_unit
    from tshdb.errors import NotFound
    from tshdb.study import Study

    opened = Study.find(study)
    world = World(ANALYSES, opened.settings)
    analysis, key = parse_unit(unit, world)
    with reading(opened.engine) as connection:
        planner = Planner(connection, world, refit=refit)
        found = planner.plan(analysis)
        if key not in found.due and key not in found.gone:
            raise NotFound(f"{unit} is not due", repair=f"What is known of it: tshdb why {unit}")
        return chains(connection, planner, found, key)


def show_chains(facts: dict[str, Any]) -> None:
    """The chains for a person: what began it, then unit by unit."""
    for chain in facts["chains"]:
        out(chain["cause"]["says"])
        _show_definition(chain["cause"], "  ")
        for unit in chain["units"]:
            out(f"  -> {unit['unit']} ({unit['state']}): {unit['says']}")
    if (more := facts["n_causes"] - len(facts["chains"])) > 0:
        out(f"and {more:,} more causes: tshdb plan --json")


def _show_definition(cause: dict[str, Any], indent: str) -> None:
    """How the text of a definition changed, line by line."""
    from tshdb.engine.code.differences import short_diff

    if cause["kind"] == "code":
        for line in short_diff(cause["before"], cause["after"]):
            out(f"{indent}{line}")


def show_plan(facts: dict[str, Any]) -> None:
    """The plan for a person."""
    _show_program(facts)
    used = [r for r in REASONS if any(r in a["reasons"] for a in facts["analyses"])]
    rows = []
    for a in facts["analyses"]:
        due = sum(a["reasons"].values())
        if due or a["possible"] or a["gone"] or a["kept"] or a["blocked"]:
            counts = [a["reasons"].get(r) for r in used]
            about = seconds(a["seconds"]) if due + a["possible"] else ""
            rows.append((a["analysis"], *counts, a["possible"] or None, len(a["gone"]) or None, len(a["blocked"]) or None,
                         about, _because(facts, a)))  # fmt: skip
    if rows:
        headers = ("analysis", *used, "possible", "gone", "blocked", "about", "because")
        table(headers, rows, right=tuple(range(1, len(headers) - 1)))
    _show_blocked({a["analysis"]: a["blocked"] for a in facts["analyses"] if a["kind"] in ("fit", "summary")})
    for a in facts["analyses"]:
        for key, held in a["held"].items():
            out(f"{a['analysis']}/{key} is not made again: {held['detail']}")
        for key, flag in a["flagged"].items():
            out(f"{a['analysis']}/{key} saw data that has since been corrected: {flag['corrected']} of "
                f"{flag['members']} members. It is not refitted silently: tshdb rebuild --refit")  # fmt: skip
    for name, n in facts["newly_eligible"].items():
        out(f"{n} patients are newly eligible for {name}: tshdb cohort freeze {name}")
    for name, n in facts["no_longer_eligible"].items():
        out(f"{n} members are no longer eligible for {name}")
    total = sum(sum(a["reasons"].values()) for a in facts["analyses"])
    possible = sum(a["possible"] for a in facts["analyses"])
    gone = sum(len(a["gone"]) for a in facts["analyses"])
    if total or possible or gone:
        more = f", {possible:,} more possible" if possible else ""
        more += f", {gone:,} to retire" if gone else ""
        estimates = [a["seconds"] for a in facts["analyses"] if a["seconds"] is not None]
        about = f", about {seconds(sum(estimates))}" if estimates else ""
        out(f"{total:,} units are due{more}{about}. Run: tshdb rebuild")
    else:
        out("Nothing is due.")


def _show_program(facts: dict[str, Any]) -> None:
    """After an upgrade of the program: which analyses are computed otherwise since."""
    now, before = facts["program"]["now"], [v for v in facts["program"]["computed_by"] if v != facts["program"]["now"]]
    if before:
        numbers = {
            n for n, cause in enumerate(facts["causes"]) if cause["kind"] in ("code", "library", "table", "engine")
        }
        changed = [a["analysis"] for a in facts["analyses"] if numbers & set(a["causes"])]
        said = (
            f"computed otherwise, or from what is: {', '.join(changed)}" if changed else "nothing is computed otherwise"
        )
        out(f"tshdb {', '.join(before)} made results that stand; this is {now}: {said}")


def _because(facts: dict[str, Any], analysis: dict[str, Any]) -> str:
    """What began it, in a few words."""
    from tshdb.engine.causes import Cause, told
    from tshdb.vocabulary import CauseKind

    if analysis["kept"] and not analysis["causes"]:
        return f"{analysis['kept']} stay current: the newer model has the same content"
    found = [facts["causes"][n] for n in analysis["causes"]]
    causes = [Cause(CauseKind(c["kind"]), *(c[field] for field in Cause._fields[1:])) for c in found]
    return told(causes, at_most=CAUSES_SHOWN) if causes else ""


def rebuild(
    analyses: NamesArgument = None,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="Worker processes.")] = 1,
    refit: Annotated[bool, typer.Option("--refit", help="Also refit fits whose members' data was corrected.")] = False,
    dask: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Compute on the workers of a Dask scheduler, tcp://host:8786.")
    ] = None,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compute all that is due, and only that. Interrupt it at any time; run it again to go on.

    Example: tshdb rebuild --jobs 2
    """
    from tshdb.errors import Exit

    report, elapsed = run_rebuild(study, analyses or [], jobs, refit, dask)
    if as_json:
        out_json({"seconds": elapsed, **report.__dict__})
    else:
        show_report(report, elapsed)
    if report.is_partial:
        raise typer.Exit(Exit.PARTIAL)


def run_rebuild(study, names: list[str], jobs: int = 1, refit: bool = False, dask: str | None = None):
    """(report, seconds)."""
    from analyses import ANALYSES
    from tshdb.engine.executor import executor_for
    from tshdb.engine.rebuild import Rebuild
    from tshdb.study import Study

    started = time.perf_counter()
    gc.freeze()  # what is imported by now is no garbage, and what comes lives until the end
    gc.set_threshold(50_000, 20, 20)
    with progress() as show:
        opened = Study.find(study)
        executor = executor_for(jobs, dask, opened.objects.root, ANALYSES)
        engine = Rebuild(opened, ANALYSES, names=names, refit=refit, progress=show, executor=executor)
        report = engine.run(f"tshdb rebuild {' '.join(names)}".strip())
    return report, time.perf_counter() - started


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
    _show_blocked(report.blocked, indent="  ")
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
    out(f"{total:,} units computed in {elapsed:.1f} s." if total else f"Nothing was due ({elapsed:.1f} s).")


def _show_blocked(blocked: dict[str, dict[str, str]], indent: str = "") -> None:
    """What cannot run, one line a reason."""
    by_message: dict[str, list[str]] = {}
    for name, units in blocked.items():
        for key, message in units.items():
            by_message.setdefault(message, []).append(f"{name}/{key}")
    for message, names in by_message.items():
        shown = ", ".join(names[:BLOCKED_SHOWN])
        more = f" and {len(names) - BLOCKED_SHOWN:,} more" if len(names) > BLOCKED_SHOWN else ""
        out(f"{indent}{message}")
        out(f"{indent}  waiting: {shown}{more}")


def why(
    unit: Annotated[str, typer.Argument(help="ANALYSIS/KEY, such as tsh_ratios/TCGA-A7-A0CE.")],
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Why a unit is due, or what it rests on: code, parameters, and inputs down to file and line.

    Example: tshdb why tsh_ratios/TCGA-A7-A0CE
    """
    from analyses import ANALYSES
    from tshdb.database import reading
    from tshdb.engine.why import why as explain
    from tshdb.engine.world import World
    from tshdb.study import Study

    opened = Study.find(study)
    with reading(opened.engine) as connection:
        facts = explain(connection, World(ANALYSES, opened.settings), unit)
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
            _show_definition(cause, "    ")
        if computed["digest_taken_over"]:
            day = computed["digest_taken_over"][:10]
            out(f"  its second digest was taken over on {day} from the rows as they stood")
        out(f"  code {computed['code'][:12]}…: {', '.join(f.rpartition('.')[2] for f in computed['functions'])}")
        out(f"  parameters {computed['parameters']}")
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
