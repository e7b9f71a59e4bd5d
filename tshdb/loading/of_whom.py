"""Whose line a finding is about: of files that have a patient a line. What is refused has no rows, and names nobody."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tshdb.file_content import Finding
    from tshdb.loading.compare import Comparison


def with_patients(comparison: Comparison, findings: Iterable[Finding]) -> list[Finding]:
    """The findings, each with its patient where the rows that came from its line are of one."""
    found = list(findings)
    wanted = {(f.path, f.line) for f in found if f.line is not None}
    if not wanted:
        return found
    path = {item.source: str(item.path) for item in comparison.items}
    patients: dict[tuple[str | None, int | None], set[str]] = defaultdict(set)
    for (source, _), row in comparison.incoming.items():
        place = path.get(source), row.line
        if place in wanted and (patient := row.values.get("patient_id")):
            patients[place].add(patient)
    only = {place: next(iter(those)) for place, those in patients.items() if len(those) == 1}
    return [f._replace(patient=only.get((f.path, f.line))) for f in found]
