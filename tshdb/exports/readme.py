"""The README.md of an export: what one row of each file is, its columns, of which study, what is left out and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tshdb.database import REVISION
from tshdb.text.markdown import escaped
from tshdb.version import __version__

if TYPE_CHECKING:
    from tshdb.exports.chosen import Chosen
    from tshdb.exports.record import Export, File, Written

NAME = "README.md"


def readme(record: Export, study_name: str, variant: str | None, chosen: Chosen, written: Written) -> str:
    """The text, by the results alone: the same study gives the same bytes."""
    lines = [f"# {record.name}: study {escaped(study_name)}", "", f"{record.about}", ""]
    lines += ["| | |", "|---|---|"]
    whose = f"of cohort {chosen.cohort}" if chosen.cohort else "of the study"
    facts = {
        "rows": record.rows,
        "patients": f"{len(chosen.patients):,} {whose}",
        "variant": variant or "none: the study's own results",
        "one row": record.one_row,
        "written by": f"tshdb {__version__}, database revision {REVISION}",
    }
    lines += [f"| {name} | {escaped(value)} |" for name, value in facts.items()]
    if written.notes:
        lines += ["", *(f"- {escaped(note)}" for note in written.notes)]
    lines += ["", "## Files", "", "| file | rows | one row is |", "|---|---|---|"]
    lines += [f"| {escaped(f.name)} | {_number(f.n_rows)} | {escaped(f.one_row)} |" for f in written.files]
    lines += ["", "## What is left out, and why", ""]
    lines += [f"- {escaped(what)}" for what in [*written.left_out, *_withdrawn(chosen)]]
    if written.missing:
        lines += ["", "## What could not be written", ""]
        lines += [f"- {escaped(each.what)}: {escaped(each.why)}" for each in written.missing]
    described = [f for f in written.files if f.columns]
    if described:
        lines += ["", "## Columns"]
        for file in described:
            lines += _columns(file)
    return "\n".join([*lines, ""])


def _number(n: int | None) -> str:
    return "" if n is None else f"{n:,}"


def _withdrawn(chosen: Chosen) -> Iterator[str]:
    yield "withdrawn patients are in no export"
    if chosen.n_withdrawn:
        yield f"{chosen.n_withdrawn:,} patients whom the database should have lost by their withdrawal: run tshdb check"


def _columns(file: File) -> list[str]:
    lines = ["", f"### {escaped(file.name)}", "", "| column | values | |", "|---|---|---|"]
    return lines + [f"| {escaped(c.name)} | {escaped(c.kind)} | {escaped(c.meaning)} |" for c in file.columns]
