"""Who is not in a Cox model that adjusts for clinical variables, and for want of what: from the patients as they stand.

The rows of a model say how many members are left out. What is not known, and why (equivocal, not reported ...), stands with the
patients.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tshdb.study import Study

T_STAGE = re.compile(r"T[1-4]")  # what models make a number of; TX and Tis are none


def with_left_out(study: Study, rows: Sequence[dict[str, Any]], members: Iterable[str]) -> list[dict[str, Any]]:
    """The rows of Cox terms, each with `left_out`: what its model lacks of whom; nothing where nobody is left out.

    members: of the rows' cohort.
    """
    from sqlalchemy import select

    from tshdb.database import reading, texts
    from tshdb.engine.units import select_ids
    from tshdb.schema import Patient

    columns = Patient.__table__.columns
    models = {
        row["model"]: [r["term"] for r in rows if r["model"] == row["model"] and r["n"] and r["term"] in columns]
        for row in rows
        if row["n_left_out"] and row["n"]
    }
    if not any(models.values()):
        return [row | {"left_out": None} for row in rows]
    with reading(study.engine) as connection, texts(connection, "left_out_members", members) as name:
        query = select(*columns).where(columns.patient_id.in_(select_ids(name)))
        patients = [dict(row) for row in connection.execute(query).mappings()]
    n_of = {row["model"]: row["n_left_out"] for row in rows if row["n"]}
    notes = {model: _note(model, terms, n_of[model], patients) for model, terms in models.items() if terms}
    return [row | {"left_out": notes.get(row["model"])} for row in rows]


def _note(model: str, terms: Sequence[str], n_left_out: int, patients: Sequence[dict[str, Any]]) -> str:
    """Such as `multivariable: 12 of 39 members are not in it; er_status is not known of 7 (equivocal 5, not reported 2)`."""
    lacks = []
    for term in terms:
        reasons = Counter(reason for patient in patients if (reason := _reason(patient, term)) is not None)
        if reasons:
            told = ", ".join(f"{reason} {n}" for reason, n in sorted(reasons.items(), key=lambda r: (-r[1], r[0])))
            lacks.append(f"{term} is not known of {sum(reasons.values())} ({told})")
    said = "; ".join(lacks) or "they have no value or no follow-up"
    return f"{model}: {n_left_out} of {len(patients)} members are not in it; {said}"


def _reason(patient: dict[str, Any], term: str) -> str | None:
    """Why a model has no number of a patient; None where it has one."""
    value = patient[term]
    if value is None:
        return patient.get(f"{term}_reason") or "no word"
    return str(value) if term == "t_stage" and not T_STAGE.match(value) else None
