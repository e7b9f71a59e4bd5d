"""The page that an ingest leaves: rows, and findings by rule with what to do. One file, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from tshdb.pages.html import rendered
from tshdb.text.controls import clean

if TYPE_CHECKING:
    from tshdb.file_content import Finding
    from tshdb.loading import Loaded

SHOWN = 100


class Meaning(Protocol):
    """What a finding of a rule says, and what to do."""

    meaning: str
    repair: str


class Group(NamedTuple):
    """The findings of one rule and severity."""

    severity: str
    rule: str
    n: int
    meaning: str
    repair: str
    findings: list[Finding]


def grouped(findings: Iterable[Finding], rules: Mapping[str, Meaning]) -> list[Group]:
    """Findings by rule, errors first, with what each rule means."""

    def severity_and_rule(finding: Finding) -> tuple[str, str]:
        return finding.severity.value, finding.rule

    order = sorted(findings, key=lambda f: (f.severity != "error", f.rule, f.path or "", f.line or 0))
    groups = []
    for (severity, rule), of_rule in groupby(order, key=severity_and_rule):
        listed = list(of_rule)
        known = rules.get(rule)
        meaning, repair = (known.meaning, known.repair) if known else ("see the findings", "see the findings")
        groups.append(Group(severity, rule, len(listed), meaning, repair, listed))
    return groups


def ingest_page(title: str, loaded: Loaded, rules: Mapping[str, Meaning], at: str) -> str:
    """The page as HTML; everything that comes from files is escaped, and has no control characters.

    rules: what each rule means and what to do; at: when, as it is shown.
    """
    groups = grouped(loaded.findings, rules)
    n_errors = sum(g.n for g in groups if g.severity == "error")
    verdict = (
        "Nothing was loaded: there are errors"
        if loaded.is_refused
        else "Dry run: nothing was loaded"
        if loaded.is_dry_run
        else "Loaded"
    )
    return rendered(
        "ingest_report.html",
        title=clean(title),
        command=clean(loaded.command),
        at=at,
        verdict=verdict,
        refused=loaded.is_refused,
        kept=loaded.run_id is not None,
        would=loaded.is_refused or loaded.is_dry_run,
        kinds=("inserted", "updated", "deleted", "unchanged"),
        tables=loaded.by_table,
        groups=[g._asdict() | {"shown": [_shown(f) for f in g.findings[:SHOWN]]} for g in groups],
        n_errors=n_errors,
        n_warnings=sum(g.n for g in groups) - n_errors,
    )


def _shown(finding: Finding) -> dict[str, Any]:
    return {
        "file": clean(Path(finding.path).name) if finding.path else "",
        "line": finding.line,
        "column": None if finding.column is None else clean(finding.column),
        "value": None if finding.value is None else clean(finding.value),
        "message": clean(finding.message),
    }
