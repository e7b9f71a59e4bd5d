"""New patients whose identifiers are nearly those of others of their collection: P-3 beside P-003, p_003 beside P-003.

Capital letters, leading zeros, and the sign between groups are what spreadsheets and people alter. A finding: both may be right.
"""

from __future__ import annotations

import re
from collections import defaultdict

from sqlalchemy import Connection, select

from tshdb.file_content import Finding
from tshdb.loading.compare import Comparison
from tshdb.schema import Patient
from tshdb.vocabulary import Severity

MOST = 50
_SIGNS = re.compile(r"[\s_.\-]+")
_ZEROS = re.compile(r"(?<!\d)0+(?=\d+(?:-|$))")


def plain(identifier: str) -> str:
    """An identifier without what is easily altered: `p-3` of P-003, P_003 and p.3."""
    return _ZEROS.sub("", _SIGNS.sub("-", identifier.casefold()))


def alike_patients(connection: Connection, comparison: Comparison) -> list[Finding]:
    """A finding for each new patient that another one of its collection is like."""
    new = {
        key: row["collection"]
        for (table, key), row in comparison.after.items()
        if table == "patients" and row is not None and (table, key) not in comparison.before
    }
    if not new:
        return []
    query = select(Patient.patient_id, Patient.collection).where(Patient.collection.in_(set(new.values())))
    spelt: dict[tuple[str, str], set[str]] = defaultdict(set)
    for patient, collection in [*connection.execute(query), *new.items()]:
        spelt[collection, plain(patient)].add(patient)
    findings = []
    for patient, collection in sorted(new.items()):
        names = sorted(spelt[collection, plain(patient)])
        if len(names) > 1 and (patient == next(n for n in names if n in new)) and len(findings) < MOST:
            message = f"{', '.join(names)} differ in capital letters, zeros or signs alone: one person under {len(names)} names?"
            findings.append(Finding(None, "patient_id", patient, "id.alike", Severity.WARNING, message))
    return findings
