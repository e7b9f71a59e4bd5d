"""The page that an ingest leaves: rows, and findings by rule with what to do. One file, nothing from elsewhere."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Any

from cli.console import clean
from cli.pages import rendered

SHOWN = 100


def grouped(findings) -> list[dict[str, Any]]:
    """Findings by rule, errors first, with what each rule means."""
    from ingest.rules import Rule, rules

    known = rules()
    order = sorted(findings, key=lambda f: (f.severity != "error", f.rule, f.path or "", f.line or 0))
    groups = []
    for (severity, rule), found in groupby(order, key=lambda f: (f.severity.value, f.rule)):
        mine = list(found)
        meaning = known.get(rule, Rule("see the findings", "see the findings"))
        groups.append(
            {
                "severity": severity,
                "rule": rule,
                "n": len(mine),
                "meaning": meaning.meaning,
                "repair": meaning.repair,
                "findings": mine,
            }
        )
    return groups


def page(title: str, command: str, loaded, dry_run: bool, at: str) -> str:
    """The page as HTML; everything that comes from files is escaped, and has no control characters."""
    groups = grouped(loaded.findings)
    for group in groups:
        group["shown"] = [
            {
                "file": clean(Path(f.path).name) if f.path else "",
                "line": f.line,
                "column": None if f.column is None else clean(f.column),
                "value": None if f.value is None else clean(f.value),
                "message": clean(f.message),
            }
            for f in group["findings"][:SHOWN]
        ]
    n_errors = sum(g["n"] for g in groups if g["severity"] == "error")
    verdict = (
        "Nothing was loaded: there are errors"
        if loaded.is_refused
        else "Dry run: nothing was loaded"
        if dry_run
        else "Loaded"
    )
    return rendered(
        "ingest_report.html",
        title=clean(title),
        command=clean(command),
        at=at,
        verdict=verdict,
        refused=loaded.is_refused,
        would=loaded.is_refused or dry_run,
        kinds=("inserted", "updated", "deleted", "unchanged"),
        tables=loaded.by_table,
        groups=groups,
        n_errors=n_errors,
        n_warnings=sum(g["n"] for g in groups) - n_errors,
    )
