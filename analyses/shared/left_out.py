"""Who is not in a model, and for want of what, in words: such as

    12 of 39 members are not in it; no OS follow-up of 2; er_status is not known of 7 (equivocal 5, not reported 2)

A member who lacks several things counts with each of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def left_out(
    members: Iterable[str],
    used: Iterable[str],
    lacking: dict[str, Iterable[str]],
    patients: pd.DataFrame | None = None,
    clinical: pd.DataFrame | None = None,
    variables: Sequence[str] = (),
) -> str | None:
    """None where all members are in the model.

    members, used: patient_ids; lacking: what -> who has it ("OS follow-up": ...). patients: rows of patients; clinical:
    patient_id and the variables of the model as numbers, NaN where a model has none.
    """
    members = set(members)
    out = members - set(used)
    if not out:
        return None
    said = [f"{len(out)} of {len(members)} members are not in it"]
    for what, who in lacking.items():
        if without := len(out - set(who)):
            said.append(f"no {what} of {without}")
    for variable in variables:
        reasons = _reasons(variable, out, patients, clinical)
        if reasons:
            told = ", ".join(f"{reason} {n}" for reason, n in sorted(reasons.items(), key=lambda r: (-r[1], r[0])))
            said.append(f"{variable} is not known of {sum(reasons.values())} ({told})")
    return "; ".join(said)


def _reasons(variable: str, out: set[str], patients: pd.DataFrame, clinical: pd.DataFrame) -> Counter[str]:
    """reason -> of how many of those who are left out. A word that is no number is its own reason: T stage TX."""
    known = set(clinical.loc[clinical[variable].notna(), "patient_id"])
    of_patient = patients.set_index("patient_id")
    reasons: Counter[str] = Counter()
    for patient in out - known:
        row = of_patient.loc[patient] if patient in of_patient.index else {}
        words = (row.get(variable), row.get(f"{variable}_reason"))
        reasons[next((str(word) for word in words if isinstance(word, str) and word), "no word")] += 1
    return reasons
