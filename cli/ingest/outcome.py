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

    is_partial = loaded.n_withheld or loaded.errors  # such as a column of a matrix, which is no row
    return Exit.INVALID_INPUT if loaded.is_refused else Exit.PARTIAL if is_partial else Exit.DONE


def report_outcome(study, loaded: Loaded, as_json: bool, nth: int = 0) -> dict[str, Any]:
    """Write a page of what an ingest did, and print it unless as_json. Gives the same facts for JSON.

    nth: of how many that the command loads this is, from 1; 0 where it loads one alone.
    """
    from ingest.rules import rules
    from tshdb.engine.units import now
    from tshdb.pages import grouped, ingest_page, write_page

    report = None
    if loaded.findings or loaded.run_id is not None:
        name = (
            f"ingest-dry-run{f'-{nth}' if nth else ''}.html"
            if loaded.run_id is None
            else f"ingest-{loaded.run_id:04d}.html"
        )
        title = f"Ingest of {loaded.what}" + ("" if loaded.run_id is None else f", run {loaded.run_id}")
        page = ingest_page(title, loaded, rules(), now())
        report = write_page(study.root, name, page)
    if not as_json:
        _print_outcome(loaded, is_all=not nth)
        if report is not None and loaded.findings:
            say(f"Report: {report}")
    return {
        "source": loaded.what,
        "same_bytes": loaded.is_same_bytes,
        "files": loaded.n_files,
        "files_unchanged": loaded.n_same_bytes,
        "files_not_read": loaded.n_unread,
        "in_folder": None if loaded.in_folder is None else loaded.in_folder.facts(),
        "refused": loaded.is_refused,
        "dry_run": loaded.is_dry_run,
        "tables": loaded.by_table,
        "withheld": loaded.n_withheld,
        "report": None if report is None else str(report),
        "rules": [{k: getattr(g, k) for k in RULE_FACTS} for g in grouped(loaded.findings, rules())],
        "findings": [f._asdict() for f in loaded.findings],
    }


def _print_outcome(loaded: Loaded, is_all: bool) -> None:
    for reader, paths in sorted(loaded.by_reader.items()):
        say(f"  {reader:<20} {paths[0].name if len(paths) == 1 else f'{len(paths):,} files'}")
    if loaded.in_folder is not None:
        say(f"  {loaded.in_folder.total:,} files: {loaded.in_folder.text()}")
    if loaded.is_same_bytes and not loaded.findings and not any(loaded.n(k) for k in ("updated", "deleted")):
        say(f"  {loaded.what}: {_why_nothing(loaded)}, nothing to load.")
        return
    if loaded.is_refused or loaded.is_dry_run:
        say("  What would change:")
    for table_name, counts in loaded.by_table.items():
        words = ", ".join(f"{n:,} {kind}" for kind, n in counts.items() if n)
        say(f"  {table_name:<20} {words or 'nothing'}")
    tell_findings(loaded.findings, is_kept=loaded.run_id is not None)
    if loaded.is_refused:
        say("Nothing was loaded: there are errors. Mend them, or load the good rows with --keep-going.")
    elif loaded.is_dry_run:
        if is_all:
            say("Dry run: nothing was loaded.")
    else:
        withheld = f", {loaded.n_withheld} rows withheld (see ingest_issues)" if loaded.n_withheld else ""
        say(f"Loaded {loaded.what}{withheld}.{' Next: tshdb plan' if is_all else ''}")


def _why_nothing(loaded: Loaded) -> str:
    if not loaded.n_unread:
        return "the same bytes as before"
    others = f"{loaded.n_same_bytes - loaded.n_unread:,} have the same bytes as before, {loaded.n_unread:,} were "
    is_all = loaded.n_unread == loaded.n_files
    return f"{'' if is_all else others}not written since they were read (--check-bytes reads them all the same)"


def tell_findings(findings, is_kept: bool = True) -> None:
    """Findings grouped by rule, the first few of each with their place and patient, and what to do.

    is_kept: they stand in ingest_issues, which those of a dry run do not.
    """
    from ingest.rules import rules
    from tshdb.pages import grouped

    groups = grouped(findings, rules())
    for group in groups:
        say(f"  {group.severity[0].upper()} {group.rule}  {group.n:,} x  {group.meaning}")
        for f in group.findings[:FINDINGS_SHOWN]:
            place = (Path(f.path).name if f.path else "") + (f":{f.line}" if f.line else "")
            column = f" column {f.column}" if f.column else ""
            value = f" '{f.value}'" if f.value is not None else ""
            whose = f" {f.patient}" if f.patient is not None and f.patient != f.value else ""
            say(f"      {f'{place}{whose}{column}{value}'.strip()}: {f.message}")
        if group.n > FINDINGS_SHOWN:
            where = f"tshdb sql \"from ingest_issues where rule = '{group.rule}'\"" if is_kept else "--json has all"
            say(f"      … {group.n - FINDINGS_SHOWN:,} more: {where}")
        say(f"      -> {group.repair}")
    if groups:
        say(f"  What a finding means: tshdb explain {groups[0].rule}")
