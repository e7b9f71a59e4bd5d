"""The outcome of an ingest: rows by table, findings by rule and what to do next; in the terminal, as a page, as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from cli.console import out_json, say

if TYPE_CHECKING:
    from tshdb.loading import Loaded

FINDINGS_SHOWN = 5
RULE_FACTS = ("rule", "severity", "n", "meaning", "repair")


def finish(study, loaded: Loaded, as_json: bool) -> None:
    """Report what an ingest did, and end the command with the exit code of it."""
    facts = report_outcome(study, loaded, as_json)
    if as_json:
        out_json(facts)
    if code := exit_code(loaded):
        raise typer.Exit(code)


def exit_code(loaded: Loaded) -> int:
    """What the program ends with after such an ingest."""
    from tshdb.errors import Exit

    return Exit.INVALID_INPUT if loaded.is_refused else Exit.PARTIAL if loaded.n_withheld else Exit.DONE


def report_outcome(study, loaded: Loaded, as_json: bool) -> dict[str, Any]:
    """Write a page of what an ingest did, and print it unless as_json. Gives the same facts for JSON."""
    from ingest.rules import rules
    from tshdb.engine.units import now
    from tshdb.pages import grouped, ingest_page, write_page

    report = None
    if loaded.findings or loaded.run_id is not None:
        name = "ingest-dry-run.html" if loaded.run_id is None else f"ingest-{loaded.run_id:04d}.html"
        title = f"Ingest of {loaded.what}" + ("" if loaded.run_id is None else f", run {loaded.run_id}")
        page = ingest_page(title, loaded, rules(), now())
        report = write_page(study.root, name, page)
    if not as_json:
        _print_outcome(loaded)
        if report is not None and loaded.findings:
            say(f"Report: {report}")
    return {
        "source": loaded.what,
        "same_bytes": loaded.is_same_bytes,
        "files": loaded.n_files,
        "files_unchanged": loaded.n_same_bytes,
        "refused": loaded.is_refused,
        "dry_run": loaded.is_dry_run,
        "tables": loaded.by_table,
        "withheld": loaded.n_withheld,
        "report": None if report is None else str(report),
        "rules": [{k: getattr(g, k) for k in RULE_FACTS} for g in grouped(loaded.findings, rules())],
        "findings": [f._asdict() for f in loaded.findings],
    }


def _print_outcome(loaded: Loaded) -> None:
    for reader, paths in sorted(loaded.by_reader.items()):
        say(f"  {reader:<20} {paths[0].name if len(paths) == 1 else f'{len(paths):,} files'}")
    if loaded.is_same_bytes and not loaded.findings and not any(loaded.n(k) for k in ("updated", "deleted")):
        say(f"  {loaded.what}: the same bytes as before, nothing to load.")
        return
    if loaded.is_refused or loaded.is_dry_run:
        say("  What would change:")
    for table_name, counts in loaded.by_table.items():
        words = ", ".join(f"{n:,} {kind}" for kind, n in counts.items() if n)
        say(f"  {table_name:<20} {words or 'nothing'}")
    tell_findings(loaded.findings)
    if loaded.is_refused:
        say("Nothing was loaded: there are errors. Mend them, or load the good rows with --keep-going.")
    elif loaded.is_dry_run:
        say("Dry run: nothing was loaded.")
    else:
        withheld = f", {loaded.n_withheld} rows withheld (see ingest_issues)" if loaded.n_withheld else ""
        say(f"Loaded {loaded.what}{withheld}. Next: tshdb plan")


def tell_findings(findings) -> None:
    """Findings grouped by rule, the first few of each with their place, and what to do."""
    from ingest.rules import rules
    from tshdb.pages import grouped

    for group in grouped(findings, rules()):
        say(f"  {group.severity[0].upper()} {group.rule}  {group.n:,} x  {group.meaning}")
        for f in group.findings[:FINDINGS_SHOWN]:
            place = (Path(f.path).name if f.path else "") + (f":{f.line}" if f.line else "")
            column = f" column {f.column}" if f.column else ""
            value = f" '{f.value}'" if f.value is not None else ""
            say(f"      {f'{place}{column}{value}'.strip()}: {f.message}")
        if group.n > FINDINGS_SHOWN:
            say(
                f"      … {group.n - FINDINGS_SHOWN:,} more: tshdb sql \"from ingest_issues where rule = '{group.rule}'\""
            )
        say(f"      -> {group.repair}")
